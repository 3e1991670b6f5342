import { expect, test } from 'vitest';
import {
  absentFiles,
  codeBlock,
  indented,
  pairsTable,
  pathsNamed,
  sectionOf,
  stateDiagram,
  unmapped,
  variablesTable,
  withSection,
} from './documents.ts';

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
  expect(
    variablesTable([{ name: 'AUDIO', default: '`off`', meaning: 'off | inactive' }])
      .split('\n')
      .at(-1),
  ).toBe('| `AUDIO` | `off` | off \\| inactive |');
});

test('pairs are rows, their bars escaped', () => {
  expect(pairsTable(['a', 'b'], [['1', 'x|y']])).toBe('| a | b |\n| --- | --- |\n| 1 | x\\|y |');
});

test('XML is a line for each tag, and for each element with nothing but text, further in the deeper it stands', () => {
  expect(indented('<?xml version="1.0"?><a b="1"><c/><d><e>x > y</e></d></a>').split('\n')).toEqual([
    '<?xml version="1.0"?>',
    '<a b="1">',
    '  <c/>',
    '  <d>',
    '    <e>x > y</e>',
    '  </d>',
    '</a>',
  ]);
});

test('a block of code is the first in its language', () => {
  expect(codeBlock('```sh\nls\n```\n\n```js\nlet a;\nlet b;\n```\n', 'js')).toBe('let a;\nlet b;\n');
  expect(() => codeBlock('```sh\nls\n```\n', 'js')).toThrow(/js/);
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

test('paths in backticks are found, commands are not', () => {
  expect(pathsNamed('`src/app.ts`, `docs/adr/`, `npm test`, src/log.ts, `test` and `src/sipd/*`')).toEqual([
    'src/app.ts',
    'docs/adr',
    'test',
  ]);
});

test('a folder or file without a line in the codemap is found', () => {
  const paths = ['src/app.ts', 'src/ids.ts', 'src/core/service.ts', 'src/core/ids.ts', 'src/sipd/control/frame.ts'];
  expect(unmapped('`src/app.ts` joins; `src/core/` decides', paths)).toEqual(['src/ids.ts', 'src/sipd/control']);
});

test('a file that its folder in the codemap does not hold is found', () => {
  const codemap = '| `src/core` | `service.ts` decides, `gone.ts` did |\n| `src/app.ts` | joins |';
  expect(absentFiles(codemap, ['src/core/service.ts', 'src/sip/gone.ts', 'src/app.ts'])).toEqual(['src/core/gone.ts']);
});
