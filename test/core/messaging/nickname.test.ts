import { expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { readNickname } from '../../../src/core/messaging/nickname.ts';

const key = (text: string): string | null => readNickname(text)?.key ?? null;
const shown = (text: string): string | null => readNickname(text)?.shown ?? null;

// RFC 8266 3, table 1 and 2.
test.each([
  ['Foo', 'foo'],
  ['foo', 'foo'],
  ['Foo Bar', 'foo bar'],
  ['foo bar', 'foo bar'],
  ['  Foo    Bar ', 'foo bar'],
  ['Σ', 'σ'],
  ['σ', 'σ'],
  ['ς', 'ς'],
  ['♚', '♚'],
  ['Richard \u2163', 'richard iv'],
])('RFC 8266 3: %j is compared as %j', (name, compared) => {
  expect(key(name)).toBe(compared);
});

test('CC-193 Alice and ALICE are one name, and so are forms that only a computer can tell apart', () => {
  expect(key('ALICE')).toBe(key('Alice'));
  expect(key('\uff21lice')).toBe(key('alice'));
  expect(key('Jose\u0301')).toBe(key('JOS\u00c9'));
  expect(key('Alice\u3000Cooper\u00a0')).toBe(key('alice cooper'));
  // RFC 8266 2.1: the Kelvin sign becomes a letter that has a small form, and only by the first round.
  expect(key('\u212aarl')).toBe(key('karl'));
  expect(key('Alice')).not.toBe(key('Al ice'));
});

test('RFC 8266 2.1: what a round of the rules leaves is given to them again until they leave it as it is', () => {
  // NFKC makes a space of the first half of a diaeresis that stands alone, and no name begins with a space.
  expect(readNickname('\u00a8Alice')).toEqual({ shown: '\u0308Alice', key: '\u0308alice' });
});

test('what is shown keeps its case', () => {
  expect(shown('  Foo \u2003  Bar ')).toBe('Foo Bar');
  expect(shown('JOSE\u0301')).toBe('JOS\u00c9');
});

test.each([
  ['nothing but spaces', ' \u00a0\u3000 '],
  ['a control', 'Al\u0007ice'],
  ['a line break', 'Al\nice'],
  ['a line separator', 'Al\u2028ice'],
  ['what nobody sees', 'Al\u200bice'],
  ['a joiner where nothing is joined', 'Al\u200dice'],
  ['a soft hyphen', 'Al\u00adice'],
  ['a mark of direction', '\u202eecilA'],
  ['half a pair', 'Al\ud83cice'],
  ['what is not assigned', 'Al\u0378ice'],
  ['a character for private use', 'Al\ue000ice'],
  ['a noncharacter', 'Al\uffffice'],
  ['an exception of RFC 5892', 'Al\u0640ice'],
  ['what stands for octets that are no UTF-8', 'Al\ufffdice'],
])('CC-190 %s makes no nickname', (_what, name) => {
  expect(readNickname(name)).toBeNull();
});

test('a joiner stands where it joins', () => {
  expect(shown('\u0915\u094d\u200d\u0937')).toBe('\u0915\u094d\u200d\u0937');
  expect(shown('\u0646\u0627\u0645\u0647\u200c\u0627\u06cc')).toBe('\u0646\u0627\u0645\u0647\u200c\u0627\u06cc');
});

test('CC-190 1,023 octets are a nickname, also when two make one character, and one more are none', () => {
  expect(shown('x'.repeat(limits.nicknameBytesMax))).toHaveLength(1_023);
  expect(readNickname('x'.repeat(limits.nicknameBytesMax + 1))).toBeNull();
  expect(readNickname('ä'.repeat(511))?.shown).toHaveLength(511);
  expect(readNickname('ä'.repeat(512))).toBeNull();
  // It would be eighteen times as long once it is written out.
  expect(readNickname('\ufdfa'.repeat(100))).toBeNull();
});

test('a nickname of nothing but quotation marks is none once the roster could not show it', () => {
  expect(shown('"'.repeat(300))).toHaveLength(300);
  expect(readNickname('"'.repeat(400))).toBeNull();
});
