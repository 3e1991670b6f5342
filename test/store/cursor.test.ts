import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BadCursor } from '../../src/core/ports.ts';
import { readCursor, writeCursor } from '../../src/store/cursor.ts';

const place = fc.record({
  key: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
  id: fc.string({ unit: fc.constantFrom(...'abcXYZ019._-'), minLength: 1, maxLength: 64 }),
});

test('a cursor leads back to its place', () => {
  fc.assert(
    fc.property(place, ({ key, id }) => {
      expect(readCursor('list', writeCursor('list', { key, id }))).toEqual({ key, id });
    }),
  );
});

test('a cursor cut short at any octet is refused', () => {
  const cursor = writeCursor('list', { key: 1_763_834_400_123, id: '019a-7b' });
  for (let length = 0; length < cursor.length; length += 1)
    expect(() => readCursor('list', cursor.slice(0, length))).toThrow(BadCursor);
});

test.each([
  ['another list', writeCursor('other', { key: 1, id: 'a' })],
  ['a key that is no whole number', Buffer.from('["list",1.5,"a"]').toString('base64url')],
  ['a key that is text', Buffer.from('["list","1","a"]').toString('base64url')],
  ['an id that is a number', Buffer.from('["list",1,2]').toString('base64url')],
  ['one value too many', Buffer.from('["list",1,"a",0]').toString('base64url')],
  ['other spelling of the same', Buffer.from('["list", 1, "a"]').toString('base64url')],
  ['padding', `${Buffer.from('["list",1,"ab"]').toString('base64')}=`],
  ['a key before all time', writeCursor('list', { key: -1, id: 'a' })],
  ['a key after all time', writeCursor('list', { key: Date.UTC(10_000, 0), id: 'a' })],
  ['an id that no row has', writeCursor('list', { key: 1, id: 'a\0b' })],
  ['no id', writeCursor('list', { key: 1, id: '' })],
  ['no JSON', Buffer.from('list').toString('base64url')],
  ['JSON that is no list', Buffer.from('{"0":"list"}').toString('base64url')],
  ['nothing', ''],
  ['far too much', 'A'.repeat(100_000)],
])('a cursor with %s is refused', (_, cursor) => {
  expect(() => readCursor('list', cursor)).toThrow(BadCursor);
});
