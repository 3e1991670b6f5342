import { expect, test } from 'vitest';
import { sourceFile } from '../tidy/source-files.ts';
import {
  checksOf,
  claimsOf,
  documentOf,
  outcomesOf,
  summaryOf,
  type TestOutcome,
  unknownClaims,
  verdictsOf,
} from './verdicts.ts';

const checks = [
  { id: 'CC-001', statement: 'one' },
  { id: 'CC-002', statement: 'two' },
  { id: 'QK-7', statement: 'seven' },
];
const outcome = (title: string, status: TestOutcome['status']): TestOutcome => ({ titles: [title], status });

test('docs/checks.md holds every check and quirk once, in order', () => {
  const numbers = (count: number, write: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => write(at + 1));
  const expected = [...numbers(205, (at) => `CC-${String(at).padStart(3, '0')}`), ...numbers(40, (at) => `QK-${at}`)];
  expect(checksOf(sourceFile('docs/checks.md').text).map(({ id }) => id)).toEqual(expected);
});

test('checks are read from table rows and nothing else', () => {
  expect(checksOf('# CC-009\n| id | statement | source |\n| CC-001 | a `|` b | 3261 8 |\nCC-003')).toEqual([
    { id: 'CC-001', statement: 'a `|` b' },
  ]);
});

test('a document without checks, or with one number twice, is refused', () => {
  expect(() => checksOf('nothing')).toThrow(/no checks/);
  expect(() => checksOf('| CC-001 | a | b |\n| CC-001 | a | b |')).toThrow(/twice/);
});

test('a test claims the numbers its title begins with', () => {
  expect(claimsOf(['CC-055 the INVITE carries Replaces'])).toEqual(['CC-055']);
  expect(claimsOf(['CC-055, CC-056 and QK-7: exact value'])).toEqual(['CC-055', 'CC-056', 'QK-7']);
  expect(claimsOf(['QK-10'])).toEqual(['QK-10']);
  expect(claimsOf(['the factory', 'CC-001 is answered'])).toEqual(['CC-001']);
  // A title of test.each that names a field of its row is quoted by vitest.
  expect(claimsOf(["'CC-017 a list that is not well-formed': 400"])).toEqual(['CC-017']);
  expect(claimsOf(['as CC-055 says', 'CC-055x'])).toEqual([]);
});

test('a check passes when all tests of it that ran passed, and is not claimed when none ran', () => {
  const verdicts = verdictsOf(checks, [
    outcome('CC-001 a', 'passed'),
    outcome('CC-001 b', 'not run'),
    outcome('CC-002 a', 'passed'),
    outcome('CC-002 b', 'failed'),
    outcome('QK-7 a', 'not run'),
  ]);
  expect(verdicts.map(({ verdict, testCount }) => [verdict, testCount])).toEqual([
    ['passed', 1],
    ['failed', 2],
    ['not claimed', 0],
  ]);
  expect(summaryOf(verdicts)).toBe('1 passed, 1 failed, 1 not claimed');
  expect(documentOf(verdicts)).toContain('| CC-002 | failed | 2 | two |');
});

test('a claim of a number that does not exist is named', () => {
  expect(unknownClaims(checks, [outcome('CC-999 a', 'passed'), outcome('CC-001 a', 'passed')])).toEqual(['CC-999']);
});

test('a report of vitest is read, suites and all', () => {
  const test = (title: string, status: string, ancestorTitles: string[] = []) => ({ title, status, ancestorTitles });
  const report = { testResults: [{ assertionResults: [test('a', 'passed', ['CC-001 x']), test('b', 'skipped')] }] };
  expect(outcomesOf(JSON.stringify(report))).toEqual([
    { titles: ['CC-001 x', 'a'], status: 'passed' },
    { titles: ['b'], status: 'not run' },
  ]);
  expect(() => outcomesOf('{}')).toThrow(/testResults/);
});
