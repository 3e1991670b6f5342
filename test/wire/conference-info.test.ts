import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ConferenceInfoDocument,
  type ConferenceInfoEndpoint,
  type ConferenceInfoUser,
  parseConferenceInfo,
  writeConferenceInfo,
  writeEndpoint,
} from '../../src/wire/conference-info.ts';
import { elementStates } from '../../src/wire/conference-info-words.ts';
import { cleanText, documentsOf, sipUri } from '../support/conference-info-documents.ts';
import { withSchema } from '../support/schema.ts';

const alice: ConferenceInfoUser = {
  entity: 'sip:alice@atlanta.example.com',
  nickname: 'Al "the Pal"',
  displayText: 'Alice',
  associatedAors: ['tel:+1-212-555-0100', 'sip:alice@example.net'],
  roles: ['chair'],
  languages: ['en', 'de-AT'],
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
      callInfo: { callId: 'a84b4c76e66710@pc33.atlanta.example.com', fromTag: '1928301774', toTag: 'a6c85cf' },
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
    serviceUris: [{ uri: 'https://conf.example.com/7f3a9c51', displayText: 'Minutes & more', purpose: 'web-page' }],
    maximumUserCount: 50,
    availableMedia: [{ label: 'message', type: 'message', status: 'sendrecv' }],
  },
  hostInfo: {
    displayText: 'Alice',
    webPage: 'https://example.com/alice',
    uris: [{ uri: 'sip:alice@atlanta.example.com', purpose: null }],
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
    '<service-uris>',
    '<entry>',
    '<uri>https://conf.example.com/7f3a9c51</uri>',
    '<display-text>Minutes &amp; more</display-text>',
    '<purpose>web-page</purpose>',
    '</entry>',
    '</service-uris>',
    '<maximum-user-count>50</maximum-user-count>',
    '<available-media>',
    '<entry label="message">',
    '<type>message</type>',
    '<status>sendrecv</status>',
    '</entry>',
    '</available-media>',
    '</conference-description>',
    '<host-info>',
    '<display-text>Alice</display-text>',
    '<web-page>https://example.com/alice</web-page>',
    '<uris>',
    '<entry>',
    '<uri>sip:alice@atlanta.example.com</uri>',
    '</entry>',
    '</uris>',
    '</host-info>',
    '<conference-state>',
    '<user-count>1</user-count>',
    '<active>true</active>',
    '<locked>false</locked>',
    '</conference-state>',
    '<users state="full">',
    '<user entity="sip:alice@atlanta.example.com" state="full" xmlns:xcon="urn:ietf:params:xml:ns:xcon-conference-info" xcon:nickname="Al &quot;the Pal&quot;">',
    '<display-text>Alice</display-text>',
    '<associated-aors>',
    '<entry>',
    '<uri>tel:+1-212-555-0100</uri>',
    '</entry>',
    '<entry>',
    '<uri>sip:alice@example.net</uri>',
    '</entry>',
    '</associated-aors>',
    '<roles>',
    '<entry>chair</entry>',
    '</roles>',
    '<languages>en de-AT</languages>',
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
    '<call-info>',
    '<sip>',
    '<call-id>a84b4c76e66710@pc33.atlanta.example.com</call-id>',
    '<from-tag>1928301774</from-tag>',
    '<to-tag>a6c85cf</to-tag>',
    '</sip>',
    '</call-info>',
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

const documents = documentsOf({ text: cleanText, uri: sipUri, states: elementStates, leavesOut: true });

test('what was written reads as what it was, with all that may be left out', () => {
  const whole = documentsOf({ text: cleanText, uri: sipUri, states: ['full', 'partial'], leavesOut: false });
  fc.assert(
    fc.property(whole, (document) => {
      expect(parseConferenceInfo(writeConferenceInfo(document))).toEqual(document);
    }),
    { seed: 4575, numRuns: 200 },
  );
}, 30_000);

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
      { seed: 4575, numRuns: 300 },
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
}, 30_000);

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

test('a partial endpoint has the atoms that changed', (context) => {
  const onHold: ConferenceInfoEndpoint = {
    entity: 'sip:alice@pc33.atlanta.example.com;transport=tcp',
    state: 'partial',
    referred: null,
    status: 'on-hold',
    joiningMethod: null,
    joiningInfo: null,
    disconnectionMethod: null,
    disconnectionInfo: null,
    media: [{ id: '1', type: 'message', status: 'recvonly' }],
  };
  expect(writeEndpoint(onHold)).toBe(
    '<endpoint entity="sip:alice@pc33.atlanta.example.com;transport=tcp" state="partial"><status>on-hold</status><media id="1"><type>message</type><status>recvonly</status></media></endpoint>',
  );
  const users = [
    { entity: alice.entity, state: 'partial', displayText: null, roles: [], endpoints: [onHold] } as const,
  ];
  const partial: ConferenceInfoDocument = {
    ...full,
    state: 'partial',
    description: null,
    usersState: 'partial',
    users,
  };
  withSchema(context, 'conference-info.xsd', (judge) => judge(writeConferenceInfo(partial)));
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
