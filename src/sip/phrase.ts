import { bounds } from './bounds.ts';

/** Text made fit for the quoted string of a Warning or a Reason (RFC 3261 25.1): one line, no escapes, bounded. */
export function phrase(text: string): string {
  return text
    .replace(/[\p{Cc}\s\\]+/gu, ' ')
    .replaceAll('"', "'")
    .trim()
    .slice(0, bounds.phraseMax);
}
