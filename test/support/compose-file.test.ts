import { expect, test } from 'vitest';
import { at, interpolate, readYaml } from './compose-file.ts';

test('maps, lists and scalars are read by their indentation', () => {
  const source = [
    '# a comment',
    'services:',
    '  one:',
    '    image: a/b:1',
    '    command:',
    '      - run',
    '      - "8"',
    '    test: ["CMD", "true"]',
    '',
    'volumes:',
    '  data:',
  ].join('\n');
  expect(readYaml(source)).toEqual({
    services: { one: { image: 'a/b:1', command: ['run', '8'], test: ['CMD', 'true'] } },
    volumes: { data: null },
  });
});

test.each([
  'a: {b: c}',
  'a: |',
  'a: b # c',
  'a: b: c',
  'a:\n  b: c\n d: e',
  'a: 1\na: 2',
  'a:\n  - b\n  c: d',
  '  a: b\nc: d',
])('more YAML than that is an error: %j', (source) => {
  expect(() => readYaml(source)).toThrow(/line \d/);
});

test('variables are filled in, and missed', () => {
  const value = readYaml(`a: x-\${A}-\${B:-none}\nb: \${C:?is wanted}`);
  expect(interpolate(value, { A: '1', C: '2' })).toEqual({ a: 'x-1-none', b: '2' });
  expect(() => interpolate(value, { A: '1' })).toThrow('C is wanted');
  expect(() => at(value, 'a', 'b')).toThrow('nothing at a b');
});
