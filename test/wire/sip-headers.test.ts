import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import {
  isToken,
  parseContentDisposition,
  parseCSeq,
  parseEvent,
  parseExpires,
  parseMediaType,
  parseNameAddr,
  parseParams,
  parseReplaces,
  splitList,
  writeNameAddr,
  writeParams,
  writeReplaces,
} from '../../src/wire/sip-headers.ts';

const lenient = { lenient: true };

test.each([
  ['Bob <sip:bob@biloxi.com>;tag=a6c85cf', 'Bob', 'sip:bob@biloxi.com', [{ name: 'tag', value: 'a6c85cf' }]],
  ['<sip:bob@biloxi.com;lr>', null, 'sip:bob@biloxi.com;lr', []],
  [
    '"A. G. Bell" <sip:agb@bell-telephone.com> ;tag = a48s',
    'A. G. Bell',
    'sip:agb@bell-telephone.com',
    [{ name: 'tag', value: 'a48s' }],
  ],
  ['Anonymous Person<sip:c8oqz84zk7z@privacy.org>', 'Anonymous Person', 'sip:c8oqz84zk7z@privacy.org', []],
  ['"say \\"hi\\" \\\\ <you>" <sip:a@b.example>', 'say "hi" \\ <you>', 'sip:a@b.example', []],
  ['"" <sip:a@b.example>', '', 'sip:a@b.example', []],
  ['<tel:+1-201-555-0123>;isfocus', null, 'tel:+1-201-555-0123', [{ name: 'isfocus', value: null }]],
  [
    'sip:+12125551212@server.phone2net.com;tag=887s',
    null,
    'sip:+12125551212@server.phone2net.com',
    [{ name: 'tag', value: '887s' }],
  ],
  ['<nobodyKnowsThisScheme:totallyopaque>', null, 'nobodyKnowsThisScheme:totallyopaque', []],
])('%s is read', (text, ...[displayName, uri, params]) => {
  expect(parseNameAddr(text)).toEqual({ displayName, uri, params, quirks: [] });
});

test('QK-19 blanks after < are trimmed leniently and refused strictly', () => {
  expect(parseNameAddr('Ted < sip:ted@example.net>;tag=1', lenient)).toEqual({
    displayName: 'Ted',
    uri: 'sip:ted@example.net',
    params: [{ name: 'tag', value: '1' }],
    quirks: ['QK-19'],
  });
  expect(() => parseNameAddr('Ted < sip:ted@example.net>;tag=1')).toThrow(RemoteError);
});

test('QK-34 blanks after the scheme and before > are trimmed leniently and refused strictly', () => {
  for (const text of ['sip: user2@imserver.com', '<sip: user2@imserver.com >', '<sip:user2@imserver.com >']) {
    const read = parseNameAddr(text, lenient);
    expect([read.uri, read.quirks]).toEqual(['sip:user2@imserver.com', ['QK-34']]);
    expect(() => parseNameAddr(text)).toThrow(RemoteError);
  }
});

test('QK-37 parameters after a URI without brackets are those of the header', () => {
  expect(parseNameAddr('sip:user1@imserver.com;tag=49583')).toEqual({
    displayName: null,
    uri: 'sip:user1@imserver.com',
    params: [{ name: 'tag', value: '49583' }],
    quirks: [],
  });
});

test.each([
  ['an unterminated quote', '"Mr. J. User <sip:j.user@example.com>'],
  ['a quote that ends in an escape', '"a\\'],
  ['an unterminated bracket', '<sip:a@b.example'],
  ['nothing in the brackets', '<>'],
  ['nothing', ''],
  ['a quoted name without brackets', '"Bob" sip:bob@biloxi.com'],
  ['a quoted name alone', '"Bob"'],
  ['a blank within the URI', '<sip:a b@c.example>'],
  ['a bracket within the URI', '<sip:a<b@c.example>'],
  ['a question mark without brackets', 'sip:user@example.com?Route=%3Csip:x%3E'],
  ['a comma without brackets', 'sip:a,b@example.com'],
  ['text after the bracket', '<sip:a@b.example> x'],
  ['two tags', '<sip:a@b.example>;tag=1;tag=2'],
  ['a parameter without name', '<sip:a@b.example>;=1'],
  ['a parameter with an open quote', '<sip:a@b.example>;x="1'],
  ['a stray quote in the name', 'Bo"b <sip:a@b.example>'],
  ['a line end in the URI', '<sip:a@b.example\r\nVia: x>'],
])('%s is refused with 400, leniently too', (_, text) => {
  expect(() => parseNameAddr(text, lenient)).toThrow(RemoteError);
});

// RFC 4475 3.1.2.15 (baddn).
test('a display name that should be quoted is taken leniently only', () => {
  expect(parseNameAddr('Bell; Alexander <sip:a.g.bell@bell-tel.com>', lenient).displayName).toBe('Bell; Alexander');
  expect(parseNameAddr('Zoë <sip:zoe@example.com>', lenient).displayName).toBe('Zoë');
  expect(() => parseNameAddr('Zoë <sip:zoe@example.com>')).toThrow(RemoteError);
});

test('a value cut off anywhere is read or refused with 400', () => {
  const text = '"A \\" B" <sip:a@b.example;lr>;tag="x y";isfocus';
  for (let length = 0; length < text.length; length += 1) {
    const part = text.slice(0, length);
    try {
      parseNameAddr(part);
    } catch (error) {
      expect(error).toMatchObject({ name: 'RemoteError', statusHint: 400 });
    }
  }
  expect(() => parseNameAddr(text.slice(0, 20))).toThrow(RemoteError);
});

test('whatever the display name, it is written as one quoted string and read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string(), (displayName, value) => {
      const written = writeNameAddr({ displayName, uri: 'sip:a@b.example', params: [{ name: 'x', value }] });
      expect(written).not.toMatch(/[\0\r\n]/);
      const read = parseNameAddr(written);
      const clean = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');
      expect([read.displayName, read.params]).toEqual([clean(displayName), [{ name: 'x', value: clean(value) }]]);
    }),
    { numRuns: 300 },
  );
});

test('a name-addr leaves with brackets, and never with a URI that breaks out of them', () => {
  expect(writeNameAddr({ displayName: null, uri: 'sip:a@b', params: [{ name: 'isfocus', value: null }] })).toBe(
    '<sip:a@b>;isfocus',
  );
  expect(() => writeNameAddr({ displayName: null, uri: 'sip:a@b>\r\nX: y', params: [] })).toThrow();
});

test('a list is split at its commas, not at those within quotes and brackets', () => {
  expect(splitList('"A, B" <sip:a@b,c>;x="1,2", sip:d@e ,, <sip:f>')).toEqual([
    '"A, B" <sip:a@b,c>;x="1,2"',
    'sip:d@e',
    '<sip:f>',
  ]);
  expect(splitList(' ')).toEqual([]);
  expect(() => splitList('"a, b')).toThrow(RemoteError);
  expect(() => splitList('<a, b')).toThrow(RemoteError);
});

test('parameters are tokens or quoted strings, names in lower case', () => {
  expect(parseParams(';Expires=60 ; q = 0.5;+sip.instance="<urn:uuid:1;2>";lr')).toEqual([
    { name: 'expires', value: '60' },
    { name: 'q', value: '0.5' },
    { name: '+sip.instance', value: '<urn:uuid:1;2>' },
    { name: 'lr', value: null },
  ]);
  expect(
    writeParams([
      { name: 'x', value: 'a b"c' },
      { name: 'received', value: '[::1]' },
    ]),
  ).toBe(';x="a b\\"c";received=[::1]');
});

// RFC 3891 6.1, its examples.
test.each([
  ['98732@sip.example.com\t;from-tag=r33th4x0r ;to-tag=ff87ff', '98732@sip.example.com', 'ff87ff', 'r33th4x0r', false],
  ['12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only', '12adf2f34456gs5', '12345', '54321', true],
  ['87134@171.161.34.23;To-Tag=24796;FROM-TAG=0', '87134@171.161.34.23', '24796', '0', false],
  ['a;x="y;to-tag=1";to-tag=2;from-tag=3', 'a', '2', '3', false],
])('Replaces %s is read', (text, ...[callId, toTag, fromTag, earlyOnly]) => {
  expect(parseReplaces(text)).toEqual({ callId, toTag, fromTag, earlyOnly });
});

test('QK-10 blanks around = and ; of Replaces are legal, and none are written', () => {
  const read = parseReplaces('a84b4c76e66710 ; to-tag =1928301774;from-tag= a6c85cf');
  expect(writeReplaces(read)).toBe('a84b4c76e66710;to-tag=1928301774;from-tag=a6c85cf');
});

test('Replaces is written with to-tag before from-tag, and early-only last', () => {
  const value = 'a84b4c76e66710@host;to-tag=a6c85cf;from-tag=1928301774;early-only';
  expect(writeReplaces(parseReplaces('a84b4c76e66710@host;early-only;from-tag=1928301774;to-tag=a6c85cf'))).toBe(value);
  expect(writeReplaces(parseReplaces(value))).toBe(value);
});

test.each([
  '',
  ';to-tag=1;from-tag=2',
  'a',
  'a;to-tag=1',
  'a;from-tag=1',
  'a;to-tag=1;from-tag=2;to-tag=3',
  'a;to-tag=1;from-tag=2;from-tag=2',
  'a;to-tag;from-tag=2',
  'a;to-tag=;from-tag=2',
  'a;to-tag="1 2";from-tag=2',
  'a b;to-tag=1;from-tag=2',
  'a@b@c;to-tag=1;from-tag=2',
  'a;to-tag=1;from-tag=2;early-only;early-only',
  'a;to-tag=1;from-tag=2;early-only=x',
  'a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2',
  'a\r\nVia: x;to-tag=1;from-tag=2',
])('Replaces %j is refused with 400', (text) => {
  expect(() => parseReplaces(text)).toThrow(RemoteError);
});

test('CSeq is a number below 2**31 and a method', () => {
  expect(parseCSeq('0009\t INVITE')).toEqual({ number: 9, method: 'INVITE' });
  expect(parseCSeq('2147483647 NEW-METHOD')).toEqual({ number: 2_147_483_647, method: 'NEW-METHOD' });
  for (const text of [
    '2147483648 INVITE',
    '36893488147419103232 REGISTER',
    '-1 INVITE',
    '1',
    'INVITE',
    '1INVITE',
    '1 IN VITE',
  ]) {
    expect(() => parseCSeq(text)).toThrow(RemoteError);
  }
});

test('a media type is read with its parameters', () => {
  expect(parseMediaType('Multipart/Mixed;Boundary="unique-boundary 1"')).toEqual({
    type: 'multipart/mixed',
    params: [{ name: 'boundary', value: 'unique-boundary 1' }],
  });
  expect(parseMediaType('application / sdp ').type).toBe('application/sdp');
  for (const text of ['', 'text', 'text/', '/plain', 'a/b/c', 'a/b, c/d', 'a/b;=x']) {
    expect(() => parseMediaType(text)).toThrow(RemoteError);
  }
});

test('an event is its package with an id', () => {
  expect(parseEvent('conference')).toEqual({ type: 'conference', id: null, params: [] });
  expect(parseEvent('refer; id=93809824')).toMatchObject({ type: 'refer', id: '93809824' });
  expect(() => parseEvent('')).toThrow(RemoteError);
  expect(() => parseEvent('conference, presence')).toThrow(RemoteError);
});

test('a Content-Disposition is required unless it says optional', () => {
  expect(parseContentDisposition('Recipient-List')).toEqual({ type: 'recipient-list', handling: 'required' });
  expect(parseContentDisposition('session; handling=Optional')).toEqual({ type: 'session', handling: 'optional' });
  expect(parseContentDisposition('session;handling=other')).toEqual({ type: 'session', handling: 'required' });
  expect(() => parseContentDisposition('')).toThrow(RemoteError);
});

test('an interval that is none counts as absent', () => {
  expect([' 3600 ', '0', '4294967295'].map(parseExpires)).toEqual([3600, 0, 4_294_967_295]);
  expect(['4294967296', '-1', '1.5', 'soon', '', '7 s'].map(parseExpires)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('a token has no separators', () => {
  expect(["a-b.c!%*_+`'~9", '', 'a b', 'a;b', 'ä'].map(isToken)).toEqual([true, false, false, false, false]);
});

test('a value of a hundred thousand separators is judged at once', () => {
  const readers = [
    parseNameAddr,
    parseReplaces,
    parseCSeq,
    parseMediaType,
    parseEvent,
    parseContentDisposition,
    parseParams,
    splitList,
  ];
  for (const piece of [' ', ';', '=', '"', '\\', '<', '>', ',', 'a', ':', ';a', ' a', '"a"']) {
    for (const read of readers) {
      try {
        read(piece.repeat(100_000));
      } catch (error) {
        expect(error).toBeInstanceOf(RemoteError);
      }
    }
  }
  expect(() => parseNameAddr('<'.repeat(100_000))).toThrow(RemoteError);
});
