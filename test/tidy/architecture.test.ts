import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conferenceTransitions } from '../../src/core/conference/conference-state.ts';
import { endpointTransitions } from '../../src/core/conference/endpoint-state.ts';
import { reportTransitions } from '../../src/core/conference/referral-state.ts';
import { silenceTransitions } from '../../src/core/conference/silence-state.ts';
import { subscriptionTransitions } from '../../src/core/conference/subscription-state.ts';
import { msrpSessionTransitions } from '../../src/core/messaging/msrp-session.ts';
import { absentFiles, pathsNamed, printedSection, sectionOf, stateDiagram, unmapped } from './documents.ts';
import { foldersTable, partsTable } from './import-tables.ts';
import { sourceFile, sourceFiles } from './source-files.ts';

const machines = {
  'conference': conferenceTransitions,
  'endpoint': endpointTransitions,
  'silence': silenceTransitions,
  'subscription': subscriptionTransitions,
  'report': reportTransitions,
  'MSRP session': msrpSessionTransitions,
};

for (const [name, transitions] of Object.entries(machines)) {
  test(`ARCHITECTURE.md shows the ${name} states as the table has them (npm run docs:rewrite writes them)`, () => {
    const expected = stateDiagram(transitions);
    expect(printedSection('ARCHITECTURE.md', `${name} states`, expected)).toBe(expected);
  });
}

test('the codemap has a line for each folder and each file beside them, and names what is there', () => {
  const codemap = sectionOf(sourceFile('ARCHITECTURE.md').text, 'codemap');
  const paths = sourceFiles('src', '.ts').map(({ path }) => path);
  expect(unmapped(codemap, paths)).toEqual([]);
  expect(absentFiles(codemap, paths)).toEqual([]);
});

const sources = sourceFiles('src', '.ts');
const imports = { parts: partsTable, folders: foldersTable };

for (const [name, table] of Object.entries(imports)) {
  test(`ARCHITECTURE.md has the imports between ${name} that there are, and no others (npm run docs:rewrite)`, () => {
    const expected = table(sources);
    expect(printedSection('ARCHITECTURE.md', `imports between ${name}`, expected)).toBe(expected);
  });
}

test('every folder and part the codemap names exists, once', () => {
  const [, , ...lines] = sectionOf(sourceFile('ARCHITECTURE.md').text, 'codemap').split('\n');
  const named = lines.map((line) => pathsNamed(line)[0] ?? line);
  expect(named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
  expect(named).toEqual([...new Set(named)]);
});

test('test/README.md has a line for each folder of tests, and for none that is not', () => {
  const { text } = sourceFile('test/README.md');
  const cells = text.split('\n').flatMap((line) => /^\| (`[^|]*`) \|/.exec(line)?.[1] ?? []);
  const named = cells.flatMap((cell) => cell.replaceAll('`', '').split(', '));
  const folders = sourceFiles('test', '.ts').map(({ path }) => path.split('/').slice(1, -1)[0]);
  expect(named.sort()).toEqual([...new Set(folders.filter((folder) => folder !== undefined))].sort());
});

test('every path a document names exists', () => {
  const documents = [...sourceFiles('docs', '.md'), ...sourceFiles('test', '.md'), ...sourceFiles('', '.md')];
  const missing = documents.flatMap(({ path, text }) =>
    pathsNamed(text)
      .filter((named) => !existsSync(new URL(`../../${named}`, import.meta.url)))
      .map((named) => `${path}: ${named}`),
  );
  expect([...new Set(missing)]).toEqual([]);
});
