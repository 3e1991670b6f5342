import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../src/store/json-text.ts';

test('what is free of U+0000 and of half pairs goes unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!/\\u0000|\\ud/.test(text));
      expect(jsonText(value)).toBe(text);
    }),
  );
});

test.each([
  ['\0', '\ufffd'],
  ['a\0b\0', 'a\ufffdb\ufffd'],
  ['\ud800', '\ufffd'],
  ['\udc00\ud800', '\ufffd\ufffd'],
  ['🎉\ud83c', '🎉\ufffd'],
  ['\\u0000', '\\u0000'],
  ['\\\0', '\\\ufffd'],
  ['\\\\ud800 "\n', '\\\\ud800 "\n'],
])('%j is kept as %j', (given, kept) => {
  expect(JSON.parse(jsonText({ [given]: [given] }))).toEqual({ [kept]: [kept] });
});
