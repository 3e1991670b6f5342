import { expect, test } from 'vitest';
import { sourceFile, sourceFiles } from './source-files.ts';
import { bannedTexts, untestedTexts } from './texts.ts';

const endings = [
  '.ts',
  '.md',
  '.json',
  '.sql',
  '.prisma',
  '.xml',
  '.yaml',
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'run',
];

test('no file has open ends, paths of one machine, registry hosts or silenced checks', () => {
  const files = sourceFiles('', ...endings);
  expect(files.map(({ path }) => path)).toContain('package-lock.json');
  expect(files.flatMap(bannedTexts)).toEqual([]);
});

test('each banned text is found', () => {
  const found = (text: string) => bannedTexts({ path: 'docs/a.md', text });
  for (const pieces of [
    ['// TO', 'DO later'],
    ['FIX', 'ME'],
    ['see /wo', 'rk/main/src'],
    ['"/ho', 'me/me/x"'],
    ['https://regi', 'stry.example.org/a.tgz'],
    ['// biome', '-ignore lint: x'],
    ['// @ts', '-ignore'],
  ]) {
    expect(found(pieces.join('')), pieces.join('')).toHaveLength(1);
  }
  expect(found('GET /v1/conferences\nhttps://example.org/home/\nthe method todo')).toEqual([]);
});

test('no package of the lock file names where it was fetched from', () => {
  expect(sourceFile('package-lock.json').text).not.toMatch(/"resolved": "http/);
});

test('every test runs, against the real modules', () => {
  expect(sourceFiles('test', '.test.ts').flatMap(untestedTexts)).toEqual([]);
});

test('a test that is not run, and a mock, are found', () => {
  const found = (text: string) => untestedTexts({ path: 'test/a.test.ts', text });
  for (const pieces of [
    ['test.sk', "ip('a', b)"],
    ['it.on', "ly('a', b)"],
    ['describe.sk', "ip('a', b)"],
    ['vi.mo', "ck('./a.ts')"],
  ]) {
    expect(found(pieces.join('')), pieces.join('')).toHaveLength(1);
  }
  expect(found("test('skip the rest', b); context.skip(reason);")).toEqual([]);
});
