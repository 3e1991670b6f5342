import { expect, test } from 'vitest';
import { type BoundRow, compared, isMet, jsonLine, median, type Result, tableLine } from './row.ts';

const result: Result = { ours: 2508.31, anchor: 4463, ratio: 0.5623, unit: 'calls/s' };
const row = (bound: BoundRow['bound']): BoundRow => ({
  name: 'sipd-uas',
  about: 'calls',
  bound,
  run: async () => await Promise.resolve(result),
});

test('the median of the ratios of each pair stands, not the ratio of the medians', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2);
  expect(compared([100, 50, 90], [200, 200, 100])).toEqual({ ours: 90, anchor: 200, ratio: 0.5 });
});

test('a bound is a least or a most; a row without one is only reported', () => {
  expect([isMet({ min: 0.45 }, 0.45), isMet({ min: 0.45 }, 0.44)]).toEqual([true, false]);
  expect([isMet({ max: 6 }, 6), isMet({ max: 6 }, 6.1)]).toEqual([true, false]);
  expect(isMet({}, 99)).toBe(true);
});

test('a ratio that is no number meets nothing', () => {
  expect([isMet({ min: 0.45 }, Number.NaN), isMet({ max: 6 }, Number.NaN)]).toEqual([false, false]);
});

test('a row as a line of JSON, and as a line for people', () => {
  expect(jsonLine(row({ min: 0.45 }), result)).toBe(
    '{"row":"sipd-uas","ours":2508,"anchor":4463,"ratio":0.5623,"unit":"calls/s","min":0.45}',
  );
  expect(tableLine(row({ max: 0.5 }), result)).toBe(
    'sipd-uas                2508      4463    0.56  calls/s        at most 0.5: MISSED',
  );
});
