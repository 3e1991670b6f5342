import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { type LoadLevel, type LoadState, loadLevel, loadTable } from '../../../src/sipd/protection/load.ts';
import { Sources } from '../../../src/sipd/protection/sources.ts';
import { fullBucket, takeToken } from '../../../src/sipd/protection/token-bucket.ts';

describe('a token bucket', () => {
  test('gives its burst, then so many a second, and never saves up more than its burst', () => {
    const rate = { perSecond: 10, burst: 5 };
    const bucket = fullBucket(rate, 0);
    const taken = (now: number): number => {
      let count = 0;
      while (takeToken(bucket, rate, now)) count += 1;
      return count;
    };
    expect([taken(0), taken(99), taken(100), taken(350), taken(100_000)]).toEqual([5, 0, 1, 2, 5]);
  });
});

describe('sources', () => {
  const sources = (addressesMax: number): Sources =>
    new Sources({ limits: limits.protection, addressesMax, isTrusted: (address) => address === '10.0.0.1' });

  test('a million addresses need no more memory than the bound', () => {
    const all = sources(1_000);
    for (let index = 0; index < 1_000_000; index += 1)
      all.of(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 0);
    expect(all.count()).toBeLessThanOrEqual(1_000);
  });

  test('who is heard of keeps its place while others come and go', () => {
    const all = sources(1_000);
    const known = all.of('192.0.2.1', 0);
    for (let index = 0; index < 10_000; index += 1) {
      all.of(`10.0.${index >> 8}.${index & 255}`, 0);
      if (index % 100 === 0) expect(all.of('192.0.2.1', 0)).toBe(known);
    }
  });

  test('trust is asked for once, of the address', () => {
    const all = sources(10);
    expect([all.of('10.0.0.1', 0).trusted, all.of('10.0.0.2', 0).trusted]).toEqual([true, false]);
  });

  test.each([
    ['the trusted one', ['2001:db8::5', '2001:db8::6']],
    ['a stranger', ['2001:db8::6', '2001:db8::5']],
  ])('trust is of one IPv6 address, not of its network, when %s is heard first', (_who, order) => {
    const isTrusted = (address: string): boolean => address === '2001:db8::5';
    const all = new Sources({ limits: limits.protection, addressesMax: 10, isTrusted });
    for (const address of order) all.of(address, 0);
    expect(all.of('2001:db8::5', 0).trusted).toBe(true);
    expect(all.of('2001:db8::6', 0).trusted).toBe(false);
    expect(all.of('2001:db8::7', 0)).toBe(all.of('2001:db8::6', 0));
  });
});

describe('the table of load', () => {
  test('names what every level leads to in every state', () => {
    const states: LoadState[] = ['calm', 'strained', 'shedding', 'easing'];
    const levels: LoadLevel[] = ['high', 'middle', 'low'];
    const next = states.map((state) => levels.map((level) => loadTable[state][level] ?? state));
    expect(next).toEqual([
      ['strained', 'calm', 'calm'],
      ['shedding', 'calm', 'calm'],
      ['shedding', 'shedding', 'easing'],
      ['shedding', 'shedding', 'calm'],
    ]);
  });

  test('a level is high when one measure is above its mark, low when none is above its low one', () => {
    const calm = { delayMs: 0, queuedBytes: 0, pendingRequests: 0, transactions: 0 };
    for (const measure of ['delayMs', 'queuedBytes', 'pendingRequests', 'transactions'] as const) {
      const { high, low } = limits.load[measure];
      const levels = [low, low + 1, high, high + 1].map((value) =>
        loadLevel({ ...calm, [measure]: value }, limits.load),
      );
      expect([measure, ...levels]).toEqual([measure, 'low', 'middle', 'middle', 'high']);
    }
  });
});
