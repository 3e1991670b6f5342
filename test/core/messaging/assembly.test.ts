import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/core/limits.ts';
import { Assembly } from '../../../src/core/messaging/assembly.ts';

const maxSize = 1_000_000;

/** Octets that tell their place. */
function octets(from: number, to: number): Buffer {
  return Buffer.from(Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => (from + i) % 251));
}

function put(assembly: Assembly, from: number, to: number): unknown {
  return assembly.put(from, octets(from, to));
}

describe('CC-165 chunks in any order', () => {
  test('in order: what has come is ready, and complete once its end has', () => {
    const assembly = new Assembly(maxSize);
    expect(put(assembly, 1, 10)).toBeNull();
    expect(assembly.ready).toEqual(octets(1, 10));
    expect(assembly.isComplete).toBe(false);
    expect(put(assembly, 11, 20)).toBeNull();
    expect(assembly.end(20)).toBeNull();
    expect(assembly.isComplete).toBe(true);
    expect(assembly.take(100)).toEqual(octets(1, 20));
    expect(assembly.isComplete).toBe(true);
    expect(assembly.readyLength).toBe(0);
  });

  test('a gap is waited for, and the end before it', () => {
    const assembly = new Assembly(maxSize);
    put(assembly, 21, 30);
    expect(assembly.end(30)).toBeNull();
    expect(assembly.readyLength).toBe(0);
    put(assembly, 1, 10);
    expect(assembly.ready).toEqual(octets(1, 10));
    expect(assembly.isComplete).toBe(false);
    put(assembly, 11, 20);
    expect(assembly.isComplete).toBe(true);
    expect(assembly.take(30)).toEqual(octets(1, 30));
  });

  test('where chunks overlap the last to come counts, be it first in place or not', () => {
    const assembly = new Assembly(maxSize);
    assembly.put(1, Buffer.from('aaaaaaaa'));
    assembly.put(5, Buffer.from('bbbbbbbb'));
    assembly.put(3, Buffer.from('cccc'));
    assembly.end(12);
    expect(assembly.take(12).toString()).toBe('aaccccbbbbbb');
  });

  test('what was taken stays as it was, and what comes again of it is left to the caller', () => {
    const assembly = new Assembly(maxSize);
    assembly.put(1, Buffer.from('aaaaaaaa'));
    const taken = assembly.take(4);
    expect(assembly.put(1, Buffer.from('bbbbbb'))).toBeNull();
    expect(assembly.put(2, Buffer.from('cc'))).toBeNull();
    expect(taken.toString()).toBe('aaaa');
    expect([assembly.next, assembly.take(10).toString()]).toEqual([5, 'bbaa']);
  });

  test('a message of no octets is complete with its end', () => {
    const assembly = new Assembly(maxSize);
    expect(assembly.isComplete).toBe(false);
    expect(assembly.end(0)).toBeNull();
    expect(assembly.isComplete).toBe(true);
  });

  test('an end that holds nothing itself completes what is there', () => {
    const assembly = new Assembly(maxSize);
    put(assembly, 1, 10);
    assembly.take(10);
    expect(assembly.end(10)).toBeNull();
    expect(assembly.isComplete).toBe(true);
  });

  test('any chunks in any order, taken at any time, give the octets that came last', () => {
    const chunk = fc.record({
      start: fc.integer({ min: 1, max: 400 }),
      length: fc.integer({ min: 0, max: 120 }),
      takes: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 40 }), (chunks) => {
        const assembly = new Assembly(maxSize);
        const expected = Buffer.alloc(600);
        const taken: Buffer[] = [];
        for (const [i, { start, length, takes }] of chunks.entries()) {
          const body = Buffer.alloc(length, i + 1);
          expect(assembly.put(start, body)).toBeNull();
          const known = Math.min(length, Math.max(0, assembly.next - start));
          body.copy(expected, start - 1 + known, known);
          taken.push(assembly.take(takes));
        }
        taken.push(assembly.take(600));
        const end = expected.indexOf(0);
        expect(Buffer.concat(taken)).toEqual(expected.subarray(0, end));
        expect(assembly.next).toBe(end + 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what contradicts itself: 400', () => {
  test('octets after the end, whichever comes first', () => {
    const assembly = new Assembly(maxSize);
    put(assembly, 1, 10);
    expect(assembly.end(9)).toMatchObject({ status: 400 });
    expect(assembly.end(10)).toBeNull();
    expect(put(assembly, 11, 11)).toMatchObject({ status: 400 });
  });

  test('a length that the chunks disagree on, be it said or seen', () => {
    const assembly = new Assembly(maxSize);
    put(assembly, 1, 10);
    expect(assembly.announce(9)).toMatchObject({ status: 400 });
    expect([assembly.announce(null), assembly.announce(12), assembly.announce(12)]).toEqual([null, null, null]);
    expect(assembly.length).toBe(12);
    expect(assembly.announce(13)).toMatchObject({ status: 400 });
    expect(put(assembly, 11, 13)).toMatchObject({ status: 400 });
    expect(assembly.end(11)).toMatchObject({ status: 400 });
    expect([assembly.total, assembly.end(12), assembly.total]).toEqual([null, null, 12]);
  });

  test('two ends; the same one twice is none', () => {
    const assembly = new Assembly(maxSize);
    put(assembly, 1, 10);
    expect([assembly.end(20), assembly.end(20)]).toEqual([null, null]);
    expect(assembly.end(21)).toMatchObject({ status: 400 });
  });
});

describe('bounds', () => {
  test('CC-167 a message of the greatest length is taken, one octet more is 413', () => {
    const assembly = new Assembly(100);
    expect(put(assembly, 1, 100)).toBeNull();
    expect(put(assembly, 100, 101)).toMatchObject({ status: 413 });
    expect(assembly.end(101)).toMatchObject({ status: 413 });
    expect([100, 101].map((total) => new Assembly(100).announce(total)?.status)).toEqual([undefined, 413]);
    expect(new Assembly(100).put(102, Buffer.alloc(0))).toMatchObject({ status: 413 });
  });

  test('what is too far ahead of the first gap: 413; the window goes on with what is taken', () => {
    const assembly = new Assembly(maxSize);
    const window = limits.messageWindowBytes;
    expect(put(assembly, 2, window)).toBeNull();
    expect(put(assembly, window + 1, window + 1)).toMatchObject({ status: 413 });
    expect(put(assembly, 1, 1)).toBeNull();
    expect(assembly.take(window)).toEqual(octets(1, window));
    expect(put(assembly, window + 1, 2 * window)).toBeNull();
    expect(put(assembly, 2 * window + 1, 2 * window + 1)).toMatchObject({ status: 413 });
    expect(assembly.take(window)).toEqual(octets(window + 1, 2 * window));
  });

  test('too many gaps: 413', () => {
    const assembly = new Assembly(maxSize);
    for (let i = 1; i <= limits.messageGapsMax; i += 1) expect(put(assembly, 2 * i, 2 * i)).toBeNull();
    const next = 2 * limits.messageGapsMax + 2;
    expect(put(assembly, next, next)).toMatchObject({ status: 413 });
  });

  test('a message of many windows passes through one', () => {
    const assembly = new Assembly(maxSize);
    const size = 700_000;
    for (let from = 1; from <= size; from += 30_000) {
      expect(put(assembly, from, Math.min(size, from + 29_999))).toBeNull();
      while (assembly.readyLength > 16_384) {
        const at = assembly.next;
        expect(assembly.take(16_384).equals(octets(at, at + 16_383))).toBe(true);
      }
    }
    expect(assembly.end(size)).toBeNull();
    const at = assembly.next;
    expect(assembly.take(size).equals(octets(at, size))).toBe(true);
    expect(assembly.isComplete).toBe(true);
  });
});
