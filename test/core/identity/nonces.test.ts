import { describe, expect, test } from 'vitest';
import type { Proof } from '../../../src/core/identity/digest.ts';
import { makeNonce, Nonces } from '../../../src/core/identity/nonces.ts';
import { limits } from '../../../src/core/limits.ts';

const secret = 'secret';
const now = Date.UTC(2026, 0, 1);
const here = { now, sourceAddress: '192.0.2.1' };

function proof(nonce: string, count: number, username = 'alice'): Proof {
  const nc = count.toString(16).padStart(8, '0');
  const others = { realm: 'r', uri: 'sip:x', response: 'd', algorithm: 'md5', cnonce: 'c', qop: 'auth' } as const;
  return { username, nonce, nc, count, ...others };
}

describe('a nonce', () => {
  const nonce = makeNonce(secret, here);
  const nonces = new Nonces(secret);

  test('is good for its time and no longer, on either side', () => {
    const asker = nonces.askerOf(nonce, now);
    expect(asker).not.toBeNull();
    expect(nonces.askerOf(nonce, now + limits.nonceLifetimeMs)).toBe(asker);
    expect(nonces.askerOf(nonce, now + limits.nonceLifetimeMs + 1)).toBeNull();
    expect(nonces.askerOf(nonce, now - limits.nonceLifetimeMs - 1)).toBeNull();
  });

  test('that is not ours is none', () => {
    const [made = '', asker = '', signature = ''] = nonce.split('.');
    const later = (now + 1).toString(36);
    for (const forged of [
      makeNonce('other', here),
      `${later}.${asker}.${signature}`,
      `${made}.${asker.slice(1)}.${signature}`,
      `${made}.${asker}.${signature.slice(1)}`,
      `${made}.${asker}`,
      `${nonce}.${signature}`,
      '',
      'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    ]) {
      expect(nonces.askerOf(forged, now), forged).toBeNull();
    }
  });

  test('tells apart whom it was given to, without telling who that is', () => {
    const askers = ['192.0.2.1', '192.0.2.2', '2001:db8:0:1::1', '2001:db8:0:2::1'].map((sourceAddress) =>
      nonces.askerOf(makeNonce(secret, { now, sourceAddress }), now),
    );
    expect(new Set(askers).size).toBe(4);
    expect(nonce).not.toContain('192');
    const later = makeNonce(secret, { ...here, now: now + 1 });
    expect(nonces.askerOf(later, now)).toBe(askers[0]);
  });

  test('takes the addresses of one IPv6 network for one', () => {
    const [one, other] = ['2001:db8:0:1::1', '2001:DB8::1:aaaa:0:0:2%eth0'].map((sourceAddress) =>
      nonces.askerOf(makeNonce(secret, { now, sourceAddress }), now),
    );
    expect(one).toBe(other);
  });
});

describe('CC-199 a count', () => {
  test('begins above 0 and must grow', () => {
    const nonces = new Nonces(secret);
    const nonce = makeNonce(secret, here);
    expect(nonces.isReplayed(proof(nonce, 0))).toBe(true);
    expect(nonces.isReplayed(proof(nonce, 1))).toBe(false);
    nonces.use(proof(nonce, 1), now);
    expect(nonces.isReplayed(proof(nonce, 1))).toBe(true);
    expect(nonces.isReplayed(proof(nonce, 5))).toBe(false);
    nonces.use(proof(nonce, 5), now);
    expect(nonces.isReplayed(proof(nonce, 4))).toBe(true);
    expect(nonces.isReplayed(proof(nonce, 6))).toBe(false);
  });

  test('is of one nonce and one user', () => {
    const nonces = new Nonces(secret);
    const nonce = makeNonce(secret, here);
    nonces.use(proof(nonce, 3), now);
    expect(nonces.isReplayed(proof(nonce, 1, 'bob'))).toBe(false);
    expect(nonces.isReplayed(proof(makeNonce(secret, { ...here, now: now + 1 }), 1))).toBe(false);
  });
});

describe('counts are kept', () => {
  /** Nobody asks a nonce for its signature any more once it is counted. */
  const nonceAt = (at: number) => `${at.toString(36)}.asker.signature`;

  test('as long as their nonces are good', () => {
    const nonces = new Nonces(secret);
    nonces.use(proof(nonceAt(now), 1), now);
    nonces.use(proof(nonceAt(now + 1), 1), now + limits.nonceLifetimeMs);
    expect(nonces.size).toBe(2);
    nonces.use(proof(nonceAt(now + 2), 1), now + limits.nonceLifetimeMs + 1);
    expect(nonces.size).toBe(2);
  });

  test('up to a bound; a nonce whose count had to be forgotten is replayed by nobody', () => {
    const nonces = new Nonces(secret);
    for (let at = 1; at <= limits.noncesMax; at += 1) nonces.use(proof(nonceAt(now + at), 1), now + at);
    expect(nonces.size).toBe(limits.noncesMax);
    expect(nonces.isReplayed(proof(nonceAt(now + 1), 2))).toBe(false);
    nonces.use(proof(nonceAt(now + limits.noncesMax + 1), 1), now + limits.noncesMax);
    expect(nonces.size).toBe(limits.noncesMax);
    expect(nonces.isReplayed(proof(nonceAt(now + 1), 1))).toBe(true);
    expect(nonces.isReplayed(proof(nonceAt(now + 1), 2)), 'a new nonce is asked for').toBe(true);
    expect(nonces.isReplayed(proof(nonceAt(now + 2), 2)), 'others go on').toBe(false);
    expect(nonces.isReplayed(proof(nonceAt(now + limits.noncesMax + 2), 1)), 'new ones are taken').toBe(false);
  });

  test('the longest that were used last', () => {
    const nonces = new Nonces(secret);
    for (let at = 1; at <= limits.noncesMax; at += 1) nonces.use(proof(nonceAt(now + at), 1), now + at);
    nonces.use(proof(nonceAt(now + 1), 2), now + limits.noncesMax);
    nonces.use(proof(nonceAt(now + limits.noncesMax + 1), 1), now + limits.noncesMax);
    expect(nonces.isReplayed(proof(nonceAt(now + 1), 3))).toBe(false);
    expect(nonces.isReplayed(proof(nonceAt(now + 2), 2))).toBe(true);
  });
});
