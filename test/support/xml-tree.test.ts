import { expect, test } from 'vitest';
import { readXmlTree, textOfPart } from './xml-tree.ts';

test('elements, attributes and text are read whatever their spelling', () => {
  const { namespace, root } = readXmlTree(
    `<a:r xmlns:a="urn:1" xmlns:b="urn:2" x='"&lt;' b:y="2"><!-- c --><a:s/> <b:t>1 &lt; <![CDATA[2 & 3]]>&#10;</b:t></a:r>`,
  );
  expect(namespace).toBe('urn:1');
  expect(root.name).toBe('r');
  expect([...root.attributes]).toEqual(
    expect.arrayContaining([
      ['x', '"<'],
      ['{urn:2}y', '2'],
    ]),
  );
  expect(root.parts.map(({ name, text }) => [name, text])).toEqual([
    ['s', ''],
    ['{urn:2}t', '1 < 2 & 3\n'],
  ]);
});

test('two spellings of the same have one text', () => {
  const [one, other] = [
    '<r xmlns="urn:1" x="1" y="2"><s></s></r>',
    '<p:r xmlns:p="urn:1" y="2" x="1">\n<p:s/>\n</p:r>',
  ].map((xml) => textOfPart(readXmlTree(xml).root));
  expect(one).toBe('<r x="1" y="2"><s></s></r>');
  expect(other).toBe(one);
});

test('what is not well-formed is thrown', () => {
  expect(() => readXmlTree('<r><s></r>')).toThrow();
});
