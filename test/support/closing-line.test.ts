import { expect, test } from 'vitest';
import { closingLineOf, failsOnCi, skipLinesOf, skipReasonOf } from './closing-line.ts';

test('the closing line names passed and failed, and skipped only when there are any', () => {
  expect(closingLineOf({ passed: 12, failed: 0, skipped: 0, skippedInVain: 0 })).toBe('12 passed, 0 failed');
  expect(closingLineOf({ passed: 12, failed: 1, skipped: 3, skippedInVain: 3 })).toBe('12 passed, 1 failed, 3 skipped');
});

test('a skipped test fails the run when CI is set, and only then', () => {
  const tally = { passed: 1, failed: 0, skipped: 1, skippedInVain: 1 };
  expect(failsOnCi(tally, { CI: 'true' })).toBe(true);
  expect(failsOnCi(tally, { CI: 'false' })).toBe(false);
  expect(failsOnCi(tally, {})).toBe(false);
});

test('a test skipped for want of reference data does not fail the run', () => {
  expect(failsOnCi({ passed: 1, failed: 0, skipped: 1, skippedInVain: 0 }, { CI: 'true' })).toBe(false);
});

test('why a test was skipped is told once for each reason, with the number of tests', () => {
  const noPostgres = 'the store (no Postgres: neither a URL nor initdb (Debian: postgresql) is there) > saves';
  expect(skipReasonOf({ note: 'no sipp', fullName: 'x' })).toBe('no sipp');
  expect(skipReasonOf({ note: undefined, fullName: noPostgres })).toBe(
    'no Postgres: neither a URL nor initdb (Debian: postgresql) is there',
  );
  expect(skipReasonOf({ note: undefined, fullName: 'a story (of two)' })).toBe('a story (of two)');
  expect(skipLinesOf(['no sipp', 'no Postgres', 'no sipp'])).toEqual(['skipped 2: no sipp', 'skipped 1: no Postgres']);
});
