import { expect, test } from 'vitest';
import { sectionOf, stateDiagram, variablesTable, withSection } from './documents.ts';

const document = 'Before.\n\n<!-- table -->\n\nold\n\n<!-- /table -->\n\nAfter.\n';

test('a section is read and replaced, and nothing around it', () => {
  expect(sectionOf(document, 'table')).toBe('old');
  expect(withSection(document, 'table', 'new')).toBe(document.replace('old', 'new'));
});

test('a missing section is an error', () => {
  expect(() => sectionOf(document, 'picture')).toThrow(/picture/);
  expect(() => sectionOf('<!-- /table --> <!-- table -->', 'table')).toThrow(/table/);
});

test('a variable is one row, its bars escaped', () => {
  expect(variablesTable([{ name: 'AUDIO', default: '`off`', meaning: 'off | inactive' }]).split('\n').at(-1)).toBe(
    '| `AUDIO` | `off` | off \\| inactive |',
  );
});

test('a diagram has one arrow for each pair of states, and leaves out states that no event touches', () => {
  const diagram = stateDiagram({ 'a-b': { go: 'c', run: 'c' }, 'c': { stay: 'c' }, 'lost': {} });
  expect(diagram.split('\n')).toEqual([
    '```mermaid',
    'stateDiagram-v2',
    '  state "a-b" as a_b',
    '  a_b --> c: go, run',
    '  c --> c: stay',
    '```',
  ]);
});
