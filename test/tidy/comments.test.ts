import { expect, test } from 'vitest';
import { absentNotes, undocumentedExports } from './comments.ts';
import { sourceFiles } from './source-files.ts';

test('no source and no test cites a note that is not in the repository', () => {
  const files = [...sourceFiles('src', '.ts'), ...sourceFiles('test', '.ts', '.xml', '.md')];
  expect(files.flatMap(absentNotes)).toEqual([]);
});

test('a note that is cited is found, a clause is not', () => {
  const found = (text: string) => absentNotes({ path: 'src/core/limits.ts', text });
  for (const pieces of [
    ['/** Standards', ' 7.2: a bound. */'],
    ['// as standard', ' 3 says'],
    ['// what standards.md', ' 7.3 wants'],
    ['// drachtio-', 'protocol 14.1'],
    ['// see feasib', 'ility.md'],
    ['// see perfor', 'mance.md'],
  ]) {
    expect(found(pieces.join('')), pieces.join('')).toHaveLength(1);
  }
  expect(found('// RFC 3261 8.1.1.6, the standards’ own word\nconst performance = 1; // docs/drachtio.md')).toEqual([]);
});

test('every exported function and class has a docstring', () => {
  const sources = sourceFiles('src', '.ts');
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.flatMap(undocumentedExports)).toEqual([]);
});

test('an export without a docstring is found, types and constants are left alone', () => {
  const found = (text: string) => undocumentedExports({ path: 'src/core/service.ts', text });
  for (const text of [
    'export function f(): void {}',
    'export async function f(): Promise<void> {}',
    'export class F {}',
    'export const f = (a: number) => a;',
    '// No docstring.\nexport function f(): void {}',
    '/** Of another thing. */\nconst a = 1;\nexport function f(): void {}',
    '/** Not right above. */\n\nexport class F {}',
  ]) {
    expect(found(text), text).toHaveLength(1);
  }
  expect(found('/** Says it. */\nexport function f(): void {}\n/**\n * So does this.\n */\nexport class F {}')).toEqual(
    [],
  );
  expect(found('export type F = () => void;\nexport const limits = { a: 1 };\nfunction f(): void {}')).toEqual([]);
});
