/** Which languages a user reads (RFC 3261 20.3). */
import { limits } from '../../core/limits.ts';
import { parseParams } from '../../wire/sip-headers.ts';
import type { SipMessage } from '../../wire/sip-message.ts';
import { reading, tokens } from '../request-facts.ts';

type Wanted = { readonly tag: string; readonly weight: number };

// RFC 3261 25.1 and, as its languages element has it, RFC 5646 2.1: a subtag after the first may hold digits.
const rangePattern = /^([a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(;.*)?$/is;
// RFC 3261 25.1.
const qvaluePattern = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** The tags of Accept-Language, the best first, each once and no more than rosters tell; what cannot be read is passed over. */
export function languagesOf(message: SipMessage): readonly string[] {
  const ranges = reading('bad-request', () => tokens(message, 'Accept-Language'));
  if (!ranges.ok) return [];
  const wanted = ranges.value.flatMap((range) => wantedIn(range) ?? []);
  const tags = new Map<string, string>();
  for (const { tag } of wanted.sort((one, other) => other.weight - one.weight)) {
    if (!tags.has(tag.toLowerCase())) tags.set(tag.toLowerCase(), tag);
  }
  return [...tags.values()].slice(0, limits.languagesMax);
}

/** Null also for `*`, and for what is not wanted: of weight 0. */
function wantedIn(range: string): Wanted | null {
  const [, tag, rest = ''] = rangePattern.exec(range) ?? [];
  if (tag === undefined || tag.length > limits.languageCharactersMax) return null;
  const params = reading('bad-request', () => parseParams(rest));
  if (!params.ok) return null;
  const q = params.value.find(({ name }) => name === 'q');
  const value = q === undefined ? '1' : (q.value ?? '');
  return qvaluePattern.test(value) && Number(value) > 0 ? { tag, weight: Number(value) } : null;
}
