import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conferenceTransitions } from '../../src/core/conference/conference-state.ts';
import { endpointTransitions } from '../../src/core/conference/endpoint-state.ts';
import { reportTransitions } from '../../src/core/conference/referral-state.ts';
import { silenceTransitions } from '../../src/core/conference/silence-state.ts';
import { subscriptionTransitions } from '../../src/core/conference/subscription-state.ts';
import { msrpSessionTransitions } from '../../src/core/messaging/msrp-session.ts';
import { absentFiles, pathsNamed, printedSection, sectionOf, stateDiagram, unmapped } from './documents.ts';
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

test('every path a document names exists', () => {
  const documents = [...sourceFiles('docs', '.md'), ...sourceFiles('test', '.md'), ...sourceFiles('', '.md')];
  const missing = documents.flatMap(({ path, text }) =>
    pathsNamed(text)
      .filter((named) => !existsSync(new URL(`../../${named}`, import.meta.url)))
      .map((named) => `${path}: ${named}`),
  );
  expect([...new Set(missing)]).toEqual([]);
});
