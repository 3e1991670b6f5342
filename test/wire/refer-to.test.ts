import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseReferTo } from '../../src/wire/refer-to.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

const lenient = (value: string) => parseReferTo(value, { lenient: true });
const strict = (value: string) => parseReferTo(value, { lenient: false });

test('a URI is handed on as it stands in the brackets, with the name before them', () => {
  expect(strict('"Carol" <sip:carol@example.com;method=BYE?Subject=x>')).toEqual({
    kind: 'uri',
    displayName: 'Carol',
    uri: 'sip:carol@example.com;method=BYE?Subject=x',
    quirks: [],
  });
  expect(strict('sip:carol@example.com')).toMatchObject({ uri: 'sip:carol@example.com', displayName: null });
  expect(strict('"a <b> c" <sip:carol@example.com>')).toMatchObject({ displayName: 'a <b> c' });
});

test('RFC 8217 3: a method outside angle brackets would be lost, and an invitation is not what was meant', () => {
  expect(() => lenient('sip:carol@example.com;method=BYE')).toThrow(RemoteError);
  expect(() => lenient('<sip:carol@example.com>;method=BYE')).toThrow(RemoteError);
  expect(strict('<sip:carol@example.com>;audio')).toMatchObject({ uri: 'sip:carol@example.com' });
});

test('QK-19, QK-34 blanks around the URI are taken leniently and named', () => {
  expect(lenient('< sip:carol@example.com >')).toMatchObject({
    uri: 'sip:carol@example.com',
    quirks: ['QK-19', 'QK-34'],
  });
  expect(() => strict('< sip:carol@example.com>')).toThrow(RemoteError);
});

test('brackets in a parameter of a bare URI hide nobody', () => {
  expect(strict('sip:carol@example.com;x="<sip:eve@example.com>"')).toMatchObject({ uri: 'sip:carol@example.com' });
});

test('QK-8 blanks within it are left to whoever reads it', () => {
  const uri = 'sip:bob@example.com?Replaces: 1;to-tag=2;from-tag= 3';
  expect(strict(`<${uri}>`)).toMatchObject({ uri });
});

describe('a pointer', () => {
  test('names a part of the body', () => {
    expect(strict('<cid:cn35t8jf02@example.com>')).toEqual({ kind: 'list', contentId: 'cn35t8jf02@example.com' });
    expect(strict('<CID:a%2Bb@example.com>')).toEqual({ kind: 'list', contentId: 'a+b@example.com' });
  });

  test('that is nothing is refused', () => {
    expect(() => lenient('<cid:%ZZ>')).toThrow(expect.objectContaining({ name: 'RemoteError', statusHint: 400 }));
  });
});

test.each(['', '<>', '<sip:carol@example.com', '<sip:a@b\r\nX: y>', 'Carol "x" <sip:c@d>'])(
  '%j is malformed',
  (value) => {
    expect(() => lenient(value)).toThrow(RemoteError);
  },
);

test('whatever comes is read or refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return lenient(text).kind !== undefined;
      } catch (error) {
        return error instanceof RemoteError;
      }
    }),
  );
});
