import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { parseResourceList, type RecipientEntry, type RecipientList } from '../../src/wire/resource-lists.ts';
import { writeReplaces } from '../../src/wire/sip-headers.ts';
import { writeSipUri } from '../../src/wire/sip-uri.ts';
import { resourceList } from '../support/bodies.ts';

const options = { lenient: true, bytesMax: 65_536, elementsMax: 200, depthMax: 8 };
const read = (text: string, changes: Partial<typeof options> = {}): RecipientList =>
  parseResourceList(text, { ...options, ...changes });

const wrapped = (content: string): string =>
  `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol" xmlns:CP="urn:ietf:params:xml:ns:copyControl" xmlns:x="urn:x">${content}</resource-lists>`;

const statusOf = (text: string, changes: Partial<typeof options> = {}): number => {
  try {
    read(text, changes);
  } catch (error) {
    if (error instanceof RemoteError) return error.statusHint;
    throw error;
  }
  return 200;
};

const targets = (list: RecipientList): readonly string[] =>
  list.entries.map(({ reading }) => (reading.ok ? writeSipUri(reading.target) : String(reading.status)));
const only = (entry: string): RecipientEntry => {
  const [first] = read(wrapped(`<list>${entry}</list>`)).entries;
  if (first === undefined) throw new Error('the list is empty');
  return first;
};

/** The list of Appendix M as RFC 5366 and RFC 3261 have it. */
const standardForm = resourceList([
  {
    uri: 'sip:bob@biloxi.example.com;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3Da6c85cf%3Bfrom-tag%3D1928301774',
    copyControl: 'to',
  },
  { uri: 'sip:ted@example.net', copyControl: 'to' },
]);

/** The same as the source document prints it. */
const sourceForm = `<?xml version="1.0" encoding="UTF-8"?>\r
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"\r
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\r
  <list>\r
    <entry uri="bob@biloxi.example.com;method=INVITE?Replaces: a84b4c76e66710;to-tag=1928301774;from-tag= a6c85cf" />\r
    <entry uri="sip:ted@example.net" />\r
  </list>\r
</resource-lists>\r
`;

test('a list in the form of the standards needs no quirk', () => {
  const list = read(standardForm, { lenient: false });
  expect(targets(list)).toEqual(['sip:bob@biloxi.example.com', 'sip:ted@example.net']);
  expect([list.quirks, list.ignoredRefs]).toEqual([[], 0]);
  expect(list.entries.map(({ position, copyControl }) => [position, copyControl])).toEqual([
    [0, 'to'],
    [1, 'to'],
  ]);
});

test('the source document’s list is read with QK-6, QK-7 and QK-8, its Replaces passed on as it stands', () => {
  const list = read(sourceForm);
  expect(list.quirks).toEqual(['QK-6', 'QK-7', 'QK-8']);
  expect(targets(list)).toEqual(['sip:bob@biloxi.example.com', 'sip:ted@example.net']);
  const [bob, ted] = list.entries;
  const replaces = bob?.reading.ok === true ? bob.reading.replaces : null;
  expect(replaces && writeReplaces(replaces)).toBe('a84b4c76e66710;to-tag=1928301774;from-tag=a6c85cf');
  expect(bob?.copyControl).toBe('bcc');
  expect(ted?.reading).toMatchObject({ ok: true, replaces: null });
});

test('strictly the source document’s first entry fails and the other is read', () => {
  const list = read(sourceForm, { lenient: false });
  expect(targets(list)).toEqual(['416', 'sip:ted@example.net']);
  expect(list.entries[0]?.reading).toEqual({ ok: false, status: 416, reason: 'The URI has no scheme' });
  expect(list.quirks).toEqual([]);
});

test('CC-043 &amp; between header escapes is decoded before the URI is read', () => {
  const entry = only('<entry uri="sip:bob@x.example?Subject=one&amp;Priority=urgent&#38;In-Reply-To=a"/>');
  expect(entry.raw).toBe('sip:bob@x.example?Subject=one&Priority=urgent&In-Reply-To=a');
  expect(entry.reading).toMatchObject({
    ok: true,
    headers: [{ name: 'Subject' }, { name: 'Priority' }, { name: 'In-Reply-To' }],
  });
});

test('CC-050 a line end that XML brings in by reference is not read into a header', () => {
  const entry = only('<entry uri="sip:bob@x.example?Subject=a&#13;&#10;Via:x"/>');
  expect(entry.reading).toMatchObject({ ok: false, status: 400 });
});

test('CC-036 nested lists are flattened in document order, references are counted and passed over', () => {
  const list = read(
    wrapped(`<list name="a"><display-name>A</display-name><entry uri="sip:1@x.example"/>
      <list><entry uri="sip:2@x.example"/><entry-ref ref="resource-lists/users/sip:a@x.example"/>
        <list><entry uri="sip:3@x.example"/></list></list>
      <external anchor="http://192.0.2.1/lists"/><x:foreign><x:entry uri="sip:0@x.example"/></x:foreign>
      <entry uri="sip:4@x.example"/></list>
      <list><entry uri="sip:5@x.example"/></list><list/>`),
  );
  expect(targets(list)).toEqual([1, 2, 3, 4, 5].map((n) => `sip:${n}@x.example`));
  expect(list.entries.map((entry) => entry.position)).toEqual([0, 1, 2, 3, 4]);
  expect(list.ignoredRefs).toBe(2);
});

test('duplicates are kept for the core to judge', () => {
  expect(targets(read(resourceList([{ uri: 'sip:a@x.example' }, { uri: 'sip:a@x.example' }])))).toHaveLength(2);
});

test('a list nested deeper than allowed is refused with 400', () => {
  const nested = (depth: number): string =>
    wrapped(`${'<list>'.repeat(depth)}<entry uri="sip:a@x.example"/>${'</list>'.repeat(depth)}`);
  expect([statusOf(nested(8)), statusOf(nested(9)), statusOf(nested(100))]).toEqual([200, 400, 400]);
});

test('a document over its bounds is refused', () => {
  const many = (count: number): string => wrapped(`<list>${'<entry uri="sip:a@x.example"/>'.repeat(count)}</list>`);
  expect([statusOf(many(198)), statusOf(many(199))]).toEqual([200, 400]);
  expect(statusOf(many(10), { bytesMax: 100 })).toBe(413);
});

test('CC-035 copyControl is read in both spellings of its namespace and is bcc when absent', () => {
  const uri = 'uri="sip:a@x.example"';
  expect(only(`<entry ${uri}/>`).copyControl).toBe('bcc');
  expect(only(`<entry ${uri} cp:copyControl="to"/>`).copyControl).toBe('to');
  expect(only(`<entry ${uri} CP:copyControl="cc"/>`).copyControl).toBe('cc');
  // Without its namespace the attribute is none: nobody is disclosed by mistake.
  expect(only(`<entry ${uri} copyControl="to"/>`).copyControl).toBe('bcc');
  expect(only(`<entry ${uri} x:copyControl="to"/>`).copyControl).toBe('bcc');
});

test('CC-026 anonymize is a boolean of XML Schema, so 1 is true', () => {
  const anonymize = (value: string): boolean =>
    only(`<entry uri="sip:a@x.example" cp:anonymize="${value}"/>`).anonymize;
  expect(['true', '1', ' true ', 'false', '0'].map(anonymize)).toEqual([true, true, true, false, false]);
  expect(only('<entry uri="sip:a@x.example"/>').anonymize).toBe(false);
});

test('a list that is anonymized hides all of its entries', () => {
  const list = read(
    wrapped(
      '<list><list cp:anonymize="1"><entry uri="sip:a@x.example" cp:anonymize="false"/></list><entry uri="sip:b@x.example"/></list>',
    ),
  );
  expect(list.entries.map((entry) => entry.anonymize)).toEqual([true, false]);
});

test('a display name is its text on one line', () => {
  expect(
    only(
      '<entry uri="sip:a@x.example"><display-name xml:lang="en"> Bob\r\n &lt;B&gt; <![CDATA[&]]> </display-name></entry>',
    ).displayName,
  ).toBe('Bob <B> &');
  expect(only('<entry uri="sip:a@x.example"><display-name> </display-name></entry>').displayName).toBeNull();
  expect(only('<entry uri="sip:a@x.example"><x:display-name>X</x:display-name></entry>').displayName).toBeNull();
});

test('an entry that cannot be read spoils no other', () => {
  const list = read(
    resourceList(
      ['mailto:a@x.example', 'not a uri', '', 'sip:b@x.example', 'sip:c@x.example?Replaces=x', 'tel:+12015550123'].map(
        (uri) => ({ uri }),
      ),
    ),
  );
  expect(targets(list)).toEqual(['416', '400', '400', 'sip:b@x.example', '400', 'tel:+12015550123']);
  expect(list.entries.map((entry) => entry.raw)[0]).toBe('mailto:a@x.example');
});

test('blanks around the attribute do not belong to the URI', () => {
  expect(only('<entry uri=" sip:a@x.example\n"/>')).toMatchObject({ quirks: [], reading: { ok: true } });
});

test('CC-018 a list with a DOCTYPE is refused with 400 before anything in it is expanded', () => {
  const list = '<list><entry uri="&who;"/></list>';
  const doctypes = [
    '<!DOCTYPE resource-lists>',
    '<!DOCTYPE resource-lists [<!ENTITY who "sip:a@x.example">]>',
    '<!DOCTYPE resource-lists [<!ENTITY who SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE resource-lists SYSTEM "http://192.0.2.1/evil.dtd">',
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
  ];
  for (const doctype of doctypes)
    expect([doctype, statusOf(`<?xml version="1.0"?>${doctype}${wrapped(list)}`)]).toEqual([doctype, 400]);
  expect(statusOf(wrapped(list))).toBe(400);
});

test.each([
  ['nothing', ''],
  ['plain text', 'sip:a@x.example'],
  ['another root', '<list xmlns="urn:ietf:params:xml:ns:resource-lists"/>'],
  ['no namespace', '<resource-lists><list/></resource-lists>'],
  ['another namespace', '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-list"/>'],
  ['an undeclared prefix', '<rl:resource-lists/>'],
  ['an entry without uri', wrapped('<list><entry/></list>')],
  ['an entry outside a list', wrapped('<entry uri="sip:a@x.example"/>')],
  ['an element that is misspelt', wrapped('<list><entri uri="sip:a@x.example"/></list>')],
  ['text in place of entries', wrapped('<list>sip:a@x.example</list>')],
  ['a copyControl that is none', wrapped('<list><entry uri="sip:a@x.example" cp:copyControl="To"/></list>')],
  ['an anonymize that is none', wrapped('<list><entry uri="sip:a@x.example" cp:anonymize="yes"/></list>')],
])('a document with %s is refused with 400', (_, text) => {
  expect(statusOf(text)).toBe(400);
});

test('a prefix of its own for the namespace makes no difference', () => {
  const text =
    '<rl:resource-lists xmlns:rl="urn:ietf:params:xml:ns:resource-lists"><rl:list><rl:entry uri="sip:a@x.example"/></rl:list></rl:resource-lists>';
  expect(targets(read(text))).toEqual(['sip:a@x.example']);
});

test('a list cut off anywhere is refused with 400', () => {
  const end = sourceForm.trimEnd().length;
  for (let length = 0; length < end; length += 1)
    expect([length, statusOf(sourceForm.slice(0, length))]).toEqual([length, 400]);
  expect(statusOf(sourceForm.slice(0, end))).toBe(200);
});

test('whatever stands in the attribute, the list is read and the text kept', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({
          unit: fc.constantFrom('sip:', '@', '?', '&', '"', '<', '%', '=', ':', ';', ' ', 'Replaces', 'a', '%0D', 'ä'),
          maxLength: 12,
        }),
        { maxLength: 5 },
      ),
      (uris) => {
        const list = read(resourceList(uris.map((uri) => ({ uri }))));
        expect(list.entries.map((entry) => entry.raw)).toEqual(uris);
      },
    ),
    { numRuns: 500 },
  );
});
