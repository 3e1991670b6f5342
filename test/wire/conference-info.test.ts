import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ConferenceInfoDocument,
  type ConferenceInfoUser,
  parseConferenceInfo,
  writeConferenceInfo,
} from '../../src/wire/conference-info.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';
import { withSchema } from '../support/schema.ts';

const alice: ConferenceInfoUser = {
  entity: 'sip:alice@atlanta.example.com',
  displayText: 'Alice',
  roles: ['chair'],
  endpoints: [
    {
      entity: 'sip:alice@pc33.atlanta.example.com;transport=tcp',
      referred: null,
      status: 'connected',
      joiningMethod: 'dialed-in',
      joiningInfo: { when: Date.UTC(2026, 10, 22, 18, 0, 5), reason: null, by: null },
      disconnectionMethod: null,
      disconnectionInfo: null,
      media: [{ id: '1', type: 'message', status: 'sendrecv' }],
    },
  ],
};

const bob: ConferenceInfoUser = {
  entity: 'sip:bob@biloxi.example.com',
  displayText: null,
  roles: [],
  endpoints: [
    {
      entity: 'sip:bob@biloxi.example.com',
      referred: { when: null, reason: null, by: 'sip:alice@atlanta.example.com' },
      status: 'disconnected',
      joiningMethod: 'dialed-out',
      joiningInfo: null,
      disconnectionMethod: 'busy',
      disconnectionInfo: {
        when: Date.UTC(2026, 10, 22, 18, 0, 9, 40),
        reason: 'SIP;cause=486;text="Busy Here"',
        by: null,
      },
      media: [],
    },
  ],
};

const full: ConferenceInfoDocument = {
  entity: 'sip:conf-7f3a9c51@conf.example.com',
  state: 'full',
  version: 0,
  description: {
    subject: 'Project chat',
    confUris: [{ uri: 'sip:conf-7f3a9c51@conf.example.com', purpose: 'participation' }],
    maximumUserCount: 50,
  },
  conferenceState: { userCount: 1, active: true, locked: false },
  users: [alice, bob],
};

test('a full document is written element by element in the order of the schema', () => {
  expect(writeConferenceInfo(full).replaceAll('><', '>\n<').split('\n')).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:conf-7f3a9c51@conf.example.com" state="full" version="0">',
    '<conference-description>',
    '<subject>Project chat</subject>',
    '<conf-uris>',
    '<entry>',
    '<uri>sip:conf-7f3a9c51@conf.example.com</uri>',
    '<purpose>participation</purpose>',
    '</entry>',
    '</conf-uris>',
    '<maximum-user-count>50</maximum-user-count>',
    '</conference-description>',
    '<conference-state>',
    '<user-count>1</user-count>',
    '<active>true</active>',
    '<locked>false</locked>',
    '</conference-state>',
    '<users state="full">',
    '<user entity="sip:alice@atlanta.example.com" state="full">',
    '<display-text>Alice</display-text>',
    '<roles>',
    '<entry>chair</entry>',
    '</roles>',
    '<endpoint entity="sip:alice@pc33.atlanta.example.com;transport=tcp" state="full">',
    '<status>connected</status>',
    '<joining-method>dialed-in</joining-method>',
    '<joining-info>',
    '<when>2026-11-22T18:00:05Z</when>',
    '</joining-info>',
    '<media id="1">',
    '<type>message</type>',
    '<status>sendrecv</status>',
    '</media>',
    '</endpoint>',
    '</user>',
    '<user entity="sip:bob@biloxi.example.com" state="full">',
    '<endpoint entity="sip:bob@biloxi.example.com" state="full">',
    '<referred>',
    '<by>sip:alice@atlanta.example.com</by>',
    '</referred>',
    '<status>disconnected</status>',
    '<joining-method>dialed-out</joining-method>',
    '<disconnection-method>busy</disconnection-method>',
    '<disconnection-info>',
    '<when>2026-11-22T18:00:09.040Z</when>',
    '<reason>SIP;cause=486;text="Busy Here"</reason>',
    '</disconnection-info>',
    '</endpoint>',
    '</user>',
    '</users>',
    '</conference-info>',
  ]);
});

// XML has no other characters; what the service is given beyond them it replaces.
const text = fc.string({
  unit: fc.constantFrom('a', 'Ä', '😀', '<', '>', '&', '"', "'", ']]>', ' ', '\t', '\n', '\r', '&lt;', '-->'),
});
const when = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
const uri = fc
  .tuple(
    fc.constantFrom('sip', 'sips'),
    fc.stringMatching(/^[a-z0-9.!~*'()&=+$,;?_-]{1,12}$/),
    fc.oneof(fc.domain(), fc.ipV4()),
    fc.constantFrom('', ':5062', ';transport=tcp', ';gr=urn:uuid:1', ';x=%22%3C'),
  )
  .map(([scheme, user, host, rest]) => `${scheme}:${user}@${host}${rest}`);
const execution = fc.option(fc.record({ when: fc.option(when), reason: fc.option(text), by: fc.option(uri) }));
const state = fc.constantFrom('full', 'partial');
const endpoint = fc.record({
  entity: uri,
  state,
  referred: execution,
  status: fc.option(
    fc.constantFrom(
      'pending',
      'dialing-out',
      'dialing-in',
      'alerting',
      'on-hold',
      'connected',
      'muted-via-focus',
      'disconnecting',
      'disconnected',
    ),
  ),
  joiningMethod: fc.option(fc.constantFrom('dialed-in', 'dialed-out', 'focus-owner')),
  joiningInfo: execution,
  disconnectionMethod: fc.option(fc.constantFrom('departed', 'booted', 'failed', 'busy')),
  disconnectionInfo: execution,
  media: fc.array(
    fc.record({
      id: text,
      type: fc.option(fc.constantFrom('message', 'audio')),
      status: fc.option(fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive')),
    }),
    { maxLength: 2 },
  ),
});
const count = fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const documents = fc.record({
  entity: uri,
  state: fc.constant('full'),
  version: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  description: fc.record({
    subject: fc.option(text),
    confUris: fc.array(fc.record({ uri, purpose: fc.option(fc.constantFrom('participation', 'streaming')) }), {
      maxLength: 2,
    }),
    maximumUserCount: count,
  }),
  conferenceState: fc.option(
    fc.record({ userCount: count, active: fc.option(fc.boolean()), locked: fc.option(fc.boolean()) }),
  ),
  users: fc.array(
    fc.record({
      entity: uri,
      state,
      displayText: fc.option(text),
      roles: fc.array(text, { maxLength: 2 }),
      endpoints: fc.array(endpoint, { maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
  usersState: state,
}) as fc.Arbitrary<ConferenceInfoDocument>;

test('what was written reads as what it was', () => {
  fc.assert(
    fc.property(documents, (document) => {
      expect(parseConferenceInfo(writeConferenceInfo(document))).toEqual(document);
    }),
    { numRuns: 200 },
  );
});

test('CC-109 a full document has conference-description and users, entity and version on the root, however little there is to say', (context) => {
  const empty: ConferenceInfoDocument = {
    ...full,
    description: { subject: null, confUris: [], maximumUserCount: null },
    conferenceState: null,
    users: [],
  };
  const root = /<conference-info [^>]*entity="sip:conf-7f3a9c51@conf.example.com"[^>]* version="\d+">/;
  for (const document of [full, empty]) {
    const xml = writeConferenceInfo(document);
    expect(xml).toMatch(root);
    expect(xml).toMatch(/<conference-description[ />]/);
    expect(xml).toMatch(/<users[ />]/);
  }
  expect(() => writeConferenceInfo({ ...full, users: null })).toThrow();
  expect(() => writeConferenceInfo({ ...full, description: null })).toThrow();
  withSchema(context, 'conference-info.xsd', (judge) => judge(writeConferenceInfo(empty)));
});

test('CC-110 every document that the model can express validates against the schema', (context) => {
  withSchema(context, 'conference-info.xsd', (judge) => {
    judge(writeConferenceInfo(full));
    fc.assert(
      fc.property(documents, (document) => judge(writeConferenceInfo(document))),
      { numRuns: 300 },
    );
    // The judge itself: elements out of order are found.
    expect(() =>
      judge(
        writeConferenceInfo(full).replace(
          /(<status>connected<\/status>)(<joining-method>[^/]*\/joining-method>)/,
          '$2$1',
        ),
      ),
    ).toThrow();
  });
});

test('a deleted document has no children', (context) => {
  const xml = writeConferenceInfo({ ...full, state: 'deleted', version: 7 });
  expect(xml).toContain('state="deleted" version="7"/>');
  expect(parseConferenceInfo(xml)).toMatchObject({ state: 'deleted', version: 7, description: null, users: null });
  withSchema(context, 'conference-info.xsd', (judge) => judge(xml));
});

test('users, a user and an endpoint can be partial or deleted, and a deleted one is empty', (context) => {
  const [endpoint0] = bob.endpoints;
  const xml = writeConferenceInfo({
    ...full,
    state: 'partial',
    description: null,
    usersState: 'partial',
    users: [
      { ...alice, state: 'deleted' },
      { ...bob, state: 'partial', endpoints: endpoint0 === undefined ? [] : [{ ...endpoint0, state: 'deleted' }] },
    ],
  });
  expect(xml).toContain(
    '<users state="partial"><user entity="sip:alice@atlanta.example.com" state="deleted"/><user entity="sip:bob@biloxi.example.com" state="partial"><endpoint entity="sip:bob@biloxi.example.com" state="deleted"/></user></users>',
  );
  withSchema(context, 'conference-info.xsd', (judge) => judge(xml));
});

test('CC-121 the times of a document end in Z', () => {
  const times = [...writeConferenceInfo(full).matchAll(/<when>([^<]*)<\/when>/g)].map((match) => match[1]);
  expect(times).toEqual(['2026-11-22T18:00:05Z', '2026-11-22T18:00:09.040Z']);
});

test('CC-123 names and subjects with XML’s own and forbidden characters neither break the document nor get lost', (context) => {
  const nasty = '</subject><a b="&lt;">&amp;\u0000\u0007\uD800 ]]> 😀\r\n';
  const xml = writeConferenceInfo({
    ...full,
    description: { subject: nasty, confUris: [], maximumUserCount: null },
    users: [{ ...alice, displayText: nasty, entity: 'sip:a&b"<@example.com' }],
  });
  const read = parseConferenceInfo(xml);
  const safe = '</subject><a b="&lt;">&amp;\uFFFD\uFFFD\uFFFD ]]> 😀\r\n';
  expect([read.description?.subject, read.users?.[0]?.displayText]).toEqual([safe, safe]);
  expect(read.users?.[0]?.entity).toBe('sip:a&b"<@example.com');
  withSchema(context, 'conference-info.xsd', (judge) =>
    judge(xml.replace('sip:a&amp;b&quot;&lt;@example.com', 'sip:ab@example.com')),
  );
});

test('elements and attributes that the model lacks are passed over', () => {
  const xml = `<ci:conference-info xmlns:ci="urn:ietf:params:xml:ns:conference-info" xmlns:x="urn:x" entity="sip:c@example.com" version="4">
    <ci:conference-description><ci:keywords>a b</ci:keywords><ci:subject>S</ci:subject><x:subject>T</x:subject></ci:conference-description>
    <ci:host-info/>
    <ci:conference-state><ci:user-count> 3 </ci:user-count><ci:active>1</ci:active><ci:locked>0</ci:locked></ci:conference-state>
    <ci:users><ci:user entity="sip:a@example.com" x:nickname="al"><ci:endpoint entity="sip:a@1.example.com"><ci:status>on-hold</ci:status><ci:call-info/></ci:endpoint></ci:user></ci:users>
  </ci:conference-info>`;
  expect(parseConferenceInfo(xml)).toMatchObject({
    entity: 'sip:c@example.com',
    state: 'full',
    version: 4,
    description: { subject: 'S', confUris: [], maximumUserCount: null },
    conferenceState: { userCount: 3, active: true, locked: false },
    users: [{ entity: 'sip:a@example.com', state: 'full', endpoints: [{ status: 'on-hold', media: [] }] }],
  });
});

const wrapped = (attributes: string, children: string): string =>
  `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" ${attributes}>${children}</conference-info>`;
const good = 'entity="sip:c@example.com" version="1"';

test.each([
  ['another root', '<users xmlns="urn:ietf:params:xml:ns:conference-info"/>'],
  ['no namespace', '<conference-info entity="sip:c@example.com" version="1"/>'],
  ['no entity', wrapped('version="1"', '')],
  ['no version', wrapped('entity="sip:c@example.com"', '')],
  ['a version that is none', wrapped('entity="sip:c@example.com" version="-1"', '')],
  ['a version of 2**32', wrapped('entity="sip:c@example.com" version="4294967296"', '')],
  ['an unknown state', wrapped(`${good} state="halved"`, '')],
  ['a user without entity', wrapped(good, '<users><user/></users>')],
  [
    'an unknown status',
    wrapped(good, '<users><user entity="a"><endpoint entity="b"><status>gone</status></endpoint></user></users>'),
  ],
  [
    'media without id',
    wrapped(good, '<users><user entity="a"><endpoint entity="b"><media/></endpoint></user></users>'),
  ],
  [
    'a time that is none',
    wrapped(
      good,
      '<users><user entity="a"><endpoint entity="b"><referred><when>now</when></referred></endpoint></user></users>',
    ),
  ],
  ['a count that is none', wrapped(good, '<conference-state><user-count>many</user-count></conference-state>')],
  ['a boolean that is none', wrapped(good, '<conference-state><active>yes</active></conference-state>')],
  [
    'an address entry without uri',
    wrapped(good, '<conference-description><conf-uris><entry/></conf-uris></conference-description>'),
  ],
])('a document with %s is refused with 400', (_, xml) => {
  expect(() => parseConferenceInfo(xml)).toThrow(RemoteError);
});

test('a document cut off anywhere is refused with 400', () => {
  const xml = writeConferenceInfo(full);
  for (let length = 0; length < xml.length; length += 1)
    expect(() => parseConferenceInfo(xml.slice(0, length))).toThrow(RemoteError);
});
