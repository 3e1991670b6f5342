import { expect, test } from 'vitest';
import { writeResourceList } from '../../src/wire/resource-list-text.ts';
import { parseResourceList } from '../../src/wire/resource-lists.ts';

const limits = { bytesMax: 10_000, elementsMax: 100, depthMax: 1 };

test('entries are read as they were written, in their order, with the names of those who have one', () => {
  const entries = [
    { uri: 'sip:bob@example.com?Subject=a%20b&Priority=urgent', displayName: 'Bob "the <b>" & Söhne' },
    { uri: 'sip:ted@example.net', displayName: null },
    { uri: 'sip:alice@example.com', displayName: 'Alice' },
  ];
  const { entries: read } = parseResourceList(writeResourceList(entries), { lenient: false, ...limits });
  expect(read.map(({ raw, displayName }) => ({ uri: raw, displayName }))).toEqual(entries);
});

test('a name that nobody has is no element', () => {
  expect(writeResourceList([{ uri: 'sip:ted@example.net', displayName: null }])).not.toContain('display-name');
});
