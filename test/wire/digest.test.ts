import { describe, expect, test } from 'vitest';
import { parseDigestCredentials } from '../../src/wire/digest.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';

const least = 'Digest username="a",realm="r",nonce="n",uri="sip:x",response="d"';
const bob = {
  username: 'bob',
  realm: 'biloxi.com',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  uri: 'sip:bob@biloxi.com',
  response: '6629fae49393a05397450978507c4ef1',
  algorithm: null,
  cnonce: '0a4f113b',
  qop: 'auth',
  nc: '00000001',
};

test('the credentials of RFC 3261 20.7 are read, folded over lines as they stand there', () => {
  const message = parseSipMessage(
    [
      'REGISTER sip:biloxi.com SIP/2.0',
      'Authorization: Digest username="bob",',
      '        realm="biloxi.com",',
      '        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",',
      '\turi="sip:bob@biloxi.com", qop=auth, nc=00000001,',
      '        cnonce="0a4f113b",',
      '        response="6629fae49393a05397450978507c4ef1",',
      '        opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      '',
      '',
    ].join('\r\n'),
  );
  expect(parseDigestCredentials(message.headers[0]?.value ?? '')).toEqual(bob);
});

test('names and scheme in any case, blanks around = and commas, quotes or none, empty list elements', () => {
  const odd =
    '  DIGEST  Username = bob , REALM="biloxi.com",,nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093 , uri="sip:bob@biloxi.com",' +
    'QOP="auth",nc="00000001",cnonce="0a4f113b",response=6629fae49393a05397450978507c4ef1, algorithm=md5 ,';
  expect(parseDigestCredentials(odd)).toEqual({ ...bob, algorithm: 'md5' });
});

test('what is optional is null when it is absent', () => {
  expect(parseDigestCredentials(least)).toMatchObject({ algorithm: null, cnonce: null, qop: null, nc: null });
});

describe('a quoted string', () => {
  const usernameIn = (quoted: string) => parseDigestCredentials(least.replace('"a"', quoted))?.username;

  test('has its escapes undone', () => {
    expect(usernameIn(String.raw`"al\"ice\\x, realm=\"o\""`)).toBe('al"ice\\x, realm="o"');
  });

  test('may be empty, and may hold commas, equal signs and what is not ASCII', () => {
    expect(usernameIn('""')).toBe('');
    expect(usernameIn('"Jürgen, a=b"')).toBe('Jürgen, a=b');
  });
});

test.each(['Basic QWxhZGRpbjpvcGVu', 'NoOneKnowsThisScheme opaque-data=here', 'Digestive a="b"', '', 'Bearer'])(
  'another scheme is none of ours: %s',
  (value) => {
    expect(parseDigestCredentials(value)).toBeNull();
  },
);

test.each([
  ['no parameters', 'Digest'],
  ['a parameter twice', `${least},nonce="m"`],
  ['a parameter twice, in another case', `${least},NONCE="n"`],
  ['an unknown parameter twice', `${least},x=1,x=2`],
  ['an open quote', least.replace('"d"', '"d')],
  ['an escape that escapes nothing', least.replace('"d"', String.raw`"d\"`)],
  ['no value', `${least},qop=`],
  ['no equal sign', `${least},qop`],
  ['no comma', `${least} qop=auth`],
  ['something after a quote', `${least.replace('"d"', '"d"x')}`],
  ['an nc of seven digits', `${least},nc=0000001`],
  ['an nc of nine digits', `${least},nc=000000001`],
  ['an nc that is no number', `${least},nc=0000000g`],
])('cannot be read with %s', (_what, value) => {
  expect(() => parseDigestCredentials(value)).toThrow(RemoteError);
});

test.each(['username', 'realm', 'nonce', 'uri', 'response'])('cannot be read without %s', (name) => {
  const value = least.replace(new RegExp(`${name}="[^"]*",?`), '');
  expect(() => parseDigestCredentials(value)).toThrow(RemoteError);
});

test('a header as long as any may be is read in no time', () => {
  const long = `${least},x="${'\\"'.repeat(30_000)}"`;
  expect(parseDigestCredentials(long)?.username).toBe('a');
  expect(() => parseDigestCredentials(`Digest ${'a '.repeat(30_000)}`)).toThrow(RemoteError);
  expect(() => parseDigestCredentials(`Digest a="${'\\"'.repeat(30_000)}`)).toThrow(RemoteError);
});
