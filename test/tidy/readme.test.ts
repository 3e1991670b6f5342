import { expect, test } from 'vitest';
import { variables } from '../../src/variables.ts';
import { printedSection, variablesTable } from './documents.ts';

test('the table in README names every variable the configuration reads (npm run docs:rewrite writes it)', () => {
  const expected = variablesTable(variables);
  expect(printedSection('README.md', 'variables', expected)).toBe(expected);
});
