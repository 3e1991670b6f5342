import { expect, test } from 'vitest';
import { answerDigest, parseDigestChallenge } from '../../../src/core/identity/digest-challenge.ts';

// RFC 7616 3.9.1, whose cnonce and nonce are used here.
const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
const answer = { user: 'Mufasa', password: 'Circle of Life', method: 'GET', uri: '/dir/index.html', cnonce };

test.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
])('the example of RFC 7616 3.9.1, by %s', (algorithm, response) => {
  const value = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  const challenge = parseDigestChallenge(value);
  expect(challenge).toMatchObject({ algorithm, hasQop: true });
  const credentials = challenge === null ? '' : answerDigest(challenge, answer);
  expect(credentials).toContain(`response="${response}"`);
  expect(credentials).toContain('nc=00000001');
  expect(credentials).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
});

test('RFC 2069: without qop nothing is counted', () => {
  const challenge = parseDigestChallenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
  );
  const credentials = challenge === null ? '' : answerDigest(challenge, { ...answer, password: 'CircleOfLife' });
  expect(credentials).not.toMatch(/nc=|qop|algorithm/);
  expect(credentials).toContain('response="1949323746fe6a43ef61f9606e7febea"');
});

test.each([
  'Basic realm="x"',
  'Digest realm="x"',
  'Digest realm="x", nonce="y", algorithm=SHA-512-256',
  'Digest realm="x", nonce="y", qop="auth-int"',
])('%s cannot be answered', (value) => {
  expect(parseDigestChallenge(value)).toBeNull();
});
