import { expect, test } from 'vitest';
import { tokensOf } from './tokens.ts';

const texts = (source: string) => tokensOf(source).map((token) => token.text);

test('comments are dropped and lines are counted through them', () => {
  expect(tokensOf('/* Date\n */ a // Date\nb')).toEqual([
    { kind: 'word', text: 'a', line: 2 },
    { kind: 'word', text: 'b', line: 3 },
  ]);
});

test('a string is one token, with escaped quotes inside it', () => {
  expect(texts(String.raw`x = 'it\'s // no comment'; "y"`)).toEqual([
    'x',
    '=',
    String.raw`it\'s // no comment`,
    ';',
    'y',
  ]);
});

test('code inside a template is seen, its text is not taken for code', () => {
  expect(tokensOf('`a ${b({ c: `${d}` })} e` f').filter((token) => token.kind === 'word')).toMatchObject(
    ['b', 'c', 'd', 'f'].map((text) => ({ text })),
  );
});

test('a regular expression with quotes and slashes in it does not swallow what follows', () => {
  expect(texts('const r = /[/"\']\\/`/giu; next')).toEqual(['const', 'r', '=', '/[/"\']\\/`/giu', ';', 'next']);
});

test('a regular expression may begin a template’s code', () => {
  expect(texts('`${/`/.test(a)}` b')).toEqual(['', '${', '/`/', '.', 'test', '(', 'a', ')', '', 'b']);
});

test('a division is not taken for a regular expression', () => {
  expect(texts('(a) / b / c[0] / 2')).toEqual(['(', 'a', ')', '/', 'b', '/', 'c', '[', '0', ']', '/', '2']);
});

test('an unterminated string, template, comment or expression ends with the source', () => {
  for (const source of ["'abc", '`abc', '`a${', '/* abc', '= /abc']) expect(() => tokensOf(source)).not.toThrow();
});
