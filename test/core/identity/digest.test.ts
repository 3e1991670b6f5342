import { describe, expect, test } from 'vitest';
import {
  digestSecrets,
  isProvenBy,
  proofIn,
  sameText,
  secretFor,
  usernamesOf,
} from '../../../src/core/identity/digest.ts';
import { limits } from '../../../src/core/limits.ts';
import type { DigestCredentials } from '../../../src/wire/digest.ts';

/** RFC 7616 3.9.1, with its MD5 response. */
const mufasa: DigestCredentials = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  uri: '/dir/index.html',
  response: '8ca523f5e9506fed4657c9700eebdbec',
  algorithm: 'MD5',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  qop: 'auth',
  nc: '00000001',
};
const both = ['SHA-256', 'MD5'] as const;
const sha256 = {
  algorithm: 'SHA-256',
  response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
};
const secrets = digestSecrets('sip:Mufasa@example.org', 'http-auth@example.org', 'Circle of Life');

function proof(changes: Partial<DigestCredentials> = {}) {
  const found = proofIn({ ...mufasa, ...changes }, both);
  if (found === null) throw new Error('they prove nothing');
  return found;
}

describe('the example of RFC 7616 3.9.1', () => {
  test.each([
    ['MD5', {}, secrets.md5],
    ['SHA-256', sha256, secrets.sha256],
  ])('is proven with %s', (_name, changes, secret) => {
    expect(isProvenBy(secret, proof(changes), 'GET')).toBe(true);
    expect(isProvenBy(secret, proof({ ...changes, response: proof(changes).response.toUpperCase() }), 'GET')).toBe(
      true,
    );
  });

  test.each<[string, Partial<DigestCredentials>]>([
    ['nonce', { nonce: `${mufasa.nonce}x` }],
    ['uri', { uri: '/dir/other.html' }],
    ['nc', { nc: '00000002' }],
    ['cnonce', { cnonce: 'other' }],
    ['qop, which is hashed as it came', { qop: 'AUTH' }],
    ['response', { response: '8ca523f5e9506fed4657c9700eebdbed' }],
    ['length of the response', { response: '' }],
    ['algorithm', { algorithm: 'SHA-256' }],
  ])('is not proven with another %s', (_name, changes) => {
    expect(isProvenBy(secrets.md5, proof(changes), 'GET')).toBe(false);
  });

  test('is not proven for another method, nor with another secret', () => {
    expect(isProvenBy(secrets.md5, proof(), 'INVITE')).toBe(false);
    expect(isProvenBy(secrets.sha256, proof(), 'GET')).toBe(false);
  });
});

describe('credentials can prove something', () => {
  test.each(['MD5', 'md5', 'SHA-256', 'sha-256', null])('with algorithm %s', (algorithm) => {
    expect(proofIn({ ...mufasa, algorithm }, both)?.algorithm).toBe(
      algorithm?.toLowerCase() === 'sha-256' ? 'sha256' : 'md5',
    );
  });

  test.each<[string, Partial<DigestCredentials>]>([
    ['CC-199 with an unknown algorithm', { algorithm: 'SHA-512-256' }],
    ['with an algorithm of another kind', { algorithm: 'MD5-sess' }],
    ['with an algorithm that is a word of the language', { algorithm: 'constructor' }],
    ['without qop', { qop: null }],
    ['with qop auth-int', { qop: 'auth-int' }],
    ['without nc', { nc: null }],
    ['without cnonce', { cnonce: null }],
    ['with a name too long to be counted', { username: 'a'.repeat(limits.usernameCharactersMax + 1) }],
  ])('but not %s', (_what, changes) => {
    expect(proofIn({ ...mufasa, ...changes }, both)).toBeNull();
  });

  test('with what is offered, and with nothing else', () => {
    expect(proofIn({ ...mufasa, algorithm: 'MD5' }, ['SHA-256'])).toBeNull();
    expect(proofIn({ ...mufasa, algorithm: null }, ['SHA-256'])).toBeNull();
    expect(proofIn({ ...mufasa, ...sha256 }, ['MD5'])).toBeNull();
    expect(proofIn({ ...mufasa, ...sha256 }, ['SHA-256'])?.algorithm).toBe('sha256');
  });

  test('with the longest name', () => {
    expect(proofIn({ ...mufasa, username: 'a'.repeat(limits.usernameCharactersMax) }, both)).not.toBeNull();
  });

  test('and count in hexadecimal', () => {
    expect(proof({ nc: '0000001A' }).count).toBe(26);
  });
});

test.each([
  ['sip:alice@atlanta.example.com', 'alice', 'alice@atlanta.example.com'],
  ['sips:alice@[2001:db8::1]:5070', 'alice', 'alice@[2001:db8::1]:5070'],
  ['sip:a%40b%20c@x', 'a@b c', 'a@b c@x'],
  ['tel:+14085264000', '+14085264000', '+14085264000'],
  ['sip:atlanta.example.com', 'atlanta.example.com', 'atlanta.example.com'],
])('%s may call itself %s or %s', (aor, short, long) => {
  expect(usernamesOf(aor)).toEqual({ short, long });
});

describe('the secret of a user', () => {
  const uri = 'sip:Mufasa@example.org';
  const asked = (changes: Partial<DigestCredentials>, user = { uri, secrets }) => secretFor(user, proof(changes));

  test('is of the algorithm and of the name', () => {
    expect(asked({})).toBe(secrets.md5);
    expect(asked(sha256)).toBe(secrets.sha256);
    expect(asked({ username: 'Mufasa@example.org' })).toBe(secrets.long?.md5);
    expect(secrets.long?.md5).not.toBe(secrets.md5);
  });

  test('is none for another name, another realm, or where none is kept', () => {
    expect(asked({ username: 'mufasa' })).toBeUndefined();
    expect(asked({ realm: 'elsewhere' })).toBeUndefined();
    expect(secretFor({ uri, secrets: null }, proof())).toBeUndefined();
    const { long: _long, ...short } = secrets;
    expect(asked({ username: 'Mufasa@example.org' }, { uri, secrets: short })).toBeUndefined();
  });
});

test('texts are the same or not, also of different lengths', () => {
  expect([sameText('ab', 'ab'), sameText('ab', 'ac'), sameText('ab', 'abc'), sameText('', '')]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
