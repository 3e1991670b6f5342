import { parseConferenceInfo } from '../../../src/wire/conference-info.ts';

const isPresent = /<status>(?:connected|on-hold|muted-via-focus)<\/status>/;
/** Above this some users may have been left out, or their endpoints. */
const wholeBytesMax = 9_000;
let documents = 0;

/** What is wrong with a roster: it cannot be read, or it does not count whom it lists; null: nothing. */
export function faultOfDocument(text: string): string | null {
  documents += 1;
  // Reading each one would take most of the time.
  if (documents % 40 === 0) parseConferenceInfo(text);
  // A partial one lists who has changed.
  if (text.includes(' state="partial" version=')) return null;
  const count = /<user-count>(\d+)<\/user-count>/.exec(text)?.[1];
  if (count === undefined || Buffer.byteLength(text) > wholeBytesMax) return null;
  const present = text.split('<user ').filter((user) => isPresent.test(user)).length;
  return present === Number(count) ? null : `user-count ${count}, but ${present} are connected`;
}
