import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pacingBounds } from '../../src/sip/bounds.ts';
import { type PacedFrame, Pacing } from '../../src/sip/pacing.ts';

const { smallBytesMax, unconfirmedBytesMax, unconfirmedFramesMax, queuedFramesMax } = pacingBounds;

let count = 0;
function frame(bytes: number): PacedFrame {
  count += 1;
  return { id: `frame-${count}`, bytes };
}

function pacing(): Pacing<PacedFrame> {
  return new Pacing<PacedFrame>(pacingBounds);
}

/** Offers frames of these lengths and tells the lengths of those that go at once. */
function going(target: Pacing<PacedFrame>, ...lengths: number[]): number[] {
  for (const bytes of lengths) expect(target.offer(frame(bytes))).toBe('queued');
  return target.take(0).map(({ bytes }) => bytes);
}

describe('small frames', () => {
  test('flow freely up to the number of unconfirmed frames, and no further', () => {
    const target = pacing();
    const lengths = Array.from({ length: unconfirmedFramesMax + 1 }, () => smallBytesMax);
    expect(going(target, ...lengths)).toHaveLength(unconfirmedFramesMax);
    expect(target.unconfirmedBytes).toBe(unconfirmedFramesMax * smallBytesMax);
    expect(target.queuedFrames).toBe(1);
  });

  test('go on as soon as one is confirmed', () => {
    const target = pacing();
    const frames = Array.from({ length: unconfirmedFramesMax + 2 }, () => frame(100));
    for (const each of frames) target.offer(each);
    expect(target.take(0)).toHaveLength(unconfirmedFramesMax);
    expect(target.take(0)).toEqual([]);
    expect(target.confirm(frames[5]?.id ?? '')).toBe(true);
    expect(target.take(0)).toEqual([frames[unconfirmedFramesMax]]);
  });
});

describe('a large frame', () => {
  test('is one of more than 4,000 octets', () => {
    expect(going(pacing(), 4_000, 4_000, 4_000, 4_000)).toHaveLength(4);
    expect(going(pacing(), 4_001, 4_001, 4_001)).toEqual([4_001, 4_001]);
  });

  test('goes at once when everything unconfirmed fits beside it', () => {
    expect(going(pacing(), 3_000, 4_000, 5_000)).toEqual([3_000, 4_000, 5_000]);
  });

  test('waits while it does not fit beside what is unconfirmed', () => {
    const target = pacing();
    const small = [frame(4_000), frame(4_000), frame(4_000)];
    for (const each of small) target.offer(each);
    expect(target.take(0)).toHaveLength(3);
    expect(going(target, 4_001)).toEqual([]);
    target.confirm(small[0]?.id ?? '');
    expect(target.take(0)).toEqual([]);
    target.confirm(small[1]?.id ?? '');
    expect(target.take(0).map(({ bytes }) => bytes)).toEqual([4_001]);
  });

  test('holds the bound for small ones until it is confirmed', () => {
    const target = pacing();
    const large = frame(10_000);
    target.offer(large);
    expect(target.take(0)).toEqual([large]);
    expect(going(target, 2_000, 1)).toEqual([2_000]);
    target.confirm(large.id);
    expect(going(target, 4_000, 4_000, 4_000, 4_000)).toEqual([1, 4_000, 4_000, 4_000, 4_000]);
  });

  test('is not overtaken by small ones behind it', () => {
    const target = pacing();
    expect(going(target, 8_000)).toEqual([8_000]);
    expect(going(target, 8_000, 10, 10)).toEqual([]);
    expect(target.queuedFrames).toBe(3);
  });

  test('of 12,000 octets goes alone, of 12,001 never', () => {
    const target = pacing();
    expect(going(target, unconfirmedBytesMax)).toEqual([unconfirmedBytesMax]);
    expect(going(target, 1)).toEqual([]);
    expect(target.offer(frame(unconfirmedBytesMax + 1))).toBe('too-large');
    expect(target.queuedFrames).toBe(1);
  });
});

test('the queue is bounded', () => {
  const target = pacing();
  for (let at = 0; at < queuedFramesMax; at += 1) expect(target.offer(frame(1))).toBe('queued');
  expect(target.offer(frame(1))).toBe('full');
  target.take(0);
  expect(target.offer(frame(1))).toBe('queued');
});

test('a confirmation counts once, an unknown one not at all', () => {
  const target = pacing();
  const one = frame(5_000);
  target.offer(one);
  target.take(0);
  expect(target.confirm('frame-of-another')).toBe(false);
  expect(target.confirm(one.id)).toBe(true);
  expect(target.confirm(one.id)).toBe(false);
  expect([target.unconfirmedBytes, target.unconfirmedFrames]).toEqual([0, 0]);
});

test('frames that are never confirmed are released by age, and only those', () => {
  const target = pacing();
  target.offer(frame(9_000));
  target.take(1_000);
  target.offer(frame(3_000));
  target.take(2_000);
  expect(target.release(999)).toBe(0);
  expect(target.release(1_000)).toBe(1);
  expect(target.unconfirmedBytes).toBe(3_000);
});

test('whatever happens, frames leave in order and the bounds hold', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('offer' as const), bytes: fc.integer({ min: 1, max: 13_000 }) }),
    fc.record({ kind: fc.constant('confirm' as const), nth: fc.nat(200) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const target = pacing();
      const queued: PacedFrame[] = [];
      const sent: PacedFrame[] = [];
      for (const each of steps) {
        if (each.kind === 'offer') {
          const offered = frame(each.bytes);
          if (target.offer(offered) === 'queued') queued.push(offered);
        } else {
          const [confirmed] = sent.splice(each.nth % Math.max(1, sent.length), 1);
          if (confirmed) target.confirm(confirmed.id);
        }
        const gone = target.take(0);
        expect(gone).toEqual(queued.splice(0, gone.length));
        sent.push(...gone);
        const bytes = sent.reduce((sum, one) => sum + one.bytes, 0);
        expect(target.unconfirmedBytes).toBe(bytes);
        expect(sent.length).toBeLessThanOrEqual(unconfirmedFramesMax);
        const newestIsLarge = gone.some((one) => one.bytes > smallBytesMax);
        if (newestIsLarge) expect(bytes).toBeLessThanOrEqual(unconfirmedBytesMax);
        // Nothing waits for nothing.
        if (sent.length === 0) expect(target.queuedFrames).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});
