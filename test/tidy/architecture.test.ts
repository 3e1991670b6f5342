import { expect, test } from 'vitest';
import { conferenceTransitions } from '../../src/core/conference/conference-state.ts';
import { endpointTransitions } from '../../src/core/conference/endpoint-state.ts';
import { subscriptionTransitions } from '../../src/core/conference/subscription-state.ts';
import { printedSection, stateDiagram } from './documents.ts';
import { sourceFile, sourceFiles } from './source-files.ts';

const machines = {
  conference: conferenceTransitions,
  endpoint: endpointTransitions,
  subscription: subscriptionTransitions,
};

for (const [name, transitions] of Object.entries(machines)) {
  test(`the diagram of the ${name} states in ARCHITECTURE.md is that of the table (npm run docs:rewrite writes it)`, () => {
    const expected = stateDiagram(transitions);
    expect(printedSection('ARCHITECTURE.md', `${name} states`, expected)).toBe(expected);
  });
}
