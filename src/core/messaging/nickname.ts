/** Nicknames as RFC 8266 prepares and compares them. */

import { limits } from '../limits.ts';

/** A nickname as it is shown, and the key by which it is the same as another (RFC 8266 2.4). */
export type Nickname = { readonly shown: string; readonly key: string };

/**
 * RFC 8264 4.3, 9: what FreeformClass has no place for: controls, what cannot be seen, what is not assigned, the jamo of
 * old, and its exceptions. What it ties to a context but can be seen is taken anywhere (ours). RFC 7701 7.1: a nickname is
 * UTF-8; what is none has been read as U+FFFD.
 */
const disallowed =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u0640\u07fa\u1100-\u11ff\u302e\u302f\u3031-\u3035\u303b\ua960-\ua97c\ud7b0-\ud7fb\ufffd]/u;

/** RFC 5892 A.1, A.2: joiners after a virama, and between letters of scripts that join. Anywhere else nobody would see them. */
const joinersInContext =
  /(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2])[\u200c\u200d]|(?<=[\p{Script=Arabic}\p{Script=Syriac}])\u200c(?=[\p{Script=Arabic}\p{Script=Syriac}])/gu;

/** RFC 8266 2.1: how often the rules are applied again, at most, to what they have changed. */
const roundsMax = 3;

/** Reads a nickname; null when it is none (RFC 7701 7.1: 424). */
export function readNickname(text: string): Nickname | null {
  if (disallowed.test(text.replace(joinersInContext, ''))) return null;
  // RFC 8266 2.3: case is kept in what is shown; 2.4: and does not count in what is compared.
  const shown = stable(text, enforced);
  const key = stable(text, (before) => enforced(before.toLowerCase()));
  if (shown === null || key === null || shown === '') return null;
  return isTooLong(shown) ? null : { shown, key };
}

/** RFC 8266 2.1: spaces of any kind become one between words and none around them; then NFKC. */
function enforced(text: string): string {
  return text
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/^ | $/g, '')
    .normalize('NFKC');
}

/** What `rules` leave as it is; null when they never do. */
function stable(text: string, rules: (text: string) => string): string | null {
  let result = rules(text);
  for (let round = 0; round < roundsMax; round += 1) {
    const again = rules(result);
    if (again === result) return result;
    result = again;
  }
  return rules(result) === result ? result : null;
}

/** RFC 7701 7.1 of the name itself; and what the roster escapes must find room in its document. */
function isTooLong(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  const escaped = text.match(/["&<>]/g)?.length ?? 0;
  return bytes > limits.nicknameBytesMax || bytes + 5 * escaped > limits.nicknameRosterBytesMax;
}
