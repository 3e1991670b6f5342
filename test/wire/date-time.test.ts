import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDateTime, writeDateTime } from '../../src/wire/date-time.ts';

const firstMs = Date.UTC(1, 0, 1);
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

test('CC-121 every instant is written in UTC with Z, and read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: firstMs, max: lastMs }), (ms) => {
      const text = writeDateTime(ms);
      expect(text).toBe(new Date(ms).toISOString().replace('.000Z', 'Z'));
      expect(readDateTime(text)).toBe(ms);
    }),
    { numRuns: 1_000 },
  );
});

test('every day of four centuries is written as the calendar has it', () => {
  for (let ms = Date.UTC(1900, 0, 1); ms < Date.UTC(2301, 0, 1); ms += 86_400_000) {
    if (writeDateTime(ms) !== new Date(ms).toISOString().replace('.000Z', 'Z'))
      expect(writeDateTime(ms)).toBe(new Date(ms).toISOString());
  }
});

test.each([
  ['2005-02-21T13:05:07Z', Date.UTC(2005, 1, 21, 13, 5, 7)],
  [' 2005-02-21T13:05:07.25Z ', Date.UTC(2005, 1, 21, 13, 5, 7, 250)],
  ['2005-02-21T13:05:07.123456789Z', Date.UTC(2005, 1, 21, 13, 5, 7, 123)],
  ['2005-02-21T13:05:07', Date.UTC(2005, 1, 21, 13, 5, 7)],
  ['2005-02-21T23:05:07-02:30', Date.UTC(2005, 1, 22, 1, 35, 7)],
  ['2005-02-21T00:05:07+01:00', Date.UTC(2005, 1, 20, 23, 5, 7)],
  ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
])('%s is read', (text, ms) => {
  expect(readDateTime(text)).toBe(ms);
});

test.each([
  '',
  '2005-02-21',
  '2005-02-21T13:05Z',
  '2005-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2005-13-01T00:00:00Z',
  '2005-00-01T00:00:00Z',
  '2005-01-00T00:00:00Z',
  '2005-01-01T24:00:00Z',
  '2005-01-01T00:60:00Z',
  '2005-01-01 00:00:00Z',
  'now',
])('%j is no dateTime', (text) => {
  expect(readDateTime(text)).toBeNull();
});
