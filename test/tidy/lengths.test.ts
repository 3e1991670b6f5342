import { expect, test } from 'vitest';
import { fileLinesMax, functionLengths, functionLinesMax, tooLongFile, tooLongFunctions } from './lengths.ts';
import { sourceFiles } from './source-files.ts';

const sources = sourceFiles('src', '.ts');
// A suite is one long function by its nature, be it a test file or one that several test files run.
const isSuite = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/contract/');
const testSupport = sourceFiles('test', '.ts').filter(({ path }) => !isSuite(path));

test(`no source file is longer than ${fileLinesMax} lines`, () => {
  expect([...sources, ...testSupport].flatMap(tooLongFile)).toEqual([]);
});

test('a file of one line too many is found', () => {
  expect(tooLongFile({ path: 'src/a.ts', text: 'x\n'.repeat(fileLinesMax) })).toEqual([]);
  expect(tooLongFile({ path: 'src/a.ts', text: 'x\n'.repeat(fileLinesMax + 1) })).toHaveLength(1);
});

test(`no function is longer than ${functionLinesMax} lines`, () => {
  expect([...sources, ...testSupport].flatMap(tooLongFunctions)).toEqual([]);
});

test('a function of one line too many is found, whatever its form', () => {
  const body = (lines: number) => `{\n${'x();\n'.repeat(lines - 2)}}`;
  for (const head of [
    'function f(a: number): void ',
    'const f = (a: number): { b: string } => ',
    'const f = () => ',
    'class A { f<T>(a: T): Promise<{ b: T }> ',
    'class A { get f() ',
    'const o = { async f(): Promise<void> ',
    'const f = function () ',
    'function f(a: unknown): a is { b: string } ',
  ]) {
    expect(tooLongFunctions({ path: 'src/a.ts', text: head + body(functionLinesMax) }), head).toEqual([]);
    expect(tooLongFunctions({ path: 'src/a.ts', text: head + body(functionLinesMax + 1) }), head).toHaveLength(1);
  }
});

test('statements, types and calls are not functions', () => {
  const source = `if (a) {\n}\nfor (const b of c) {\n}\nswitch (d) {\n case e(1): {\n}\n}\nconst g = h(1) ? i(2) : { j: 3 };
    type K = (a: string) => { b: string };`;
  expect(functionLengths(source).map(({ line }) => line)).not.toContain(1);
  expect(functionLengths(source).length).toBeLessThanOrEqual(1);
});

test('an inner function is counted beside its outer one', () => {
  expect(functionLengths('function a() {\n  const b = () => {\n  };\n}')).toEqual([
    { line: 1, lineCount: 4 },
    { line: 2, lineCount: 2 },
  ]);
});
