import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ConferenceInfoDocument,
  type ConferenceInfoUser,
  conferenceInfoParts,
  writeConferenceInfo,
  writeConferenceState,
  writeDescription,
  writeEndpoint,
  writeHostInfo,
  writeUser,
  writeUsers,
} from '../../src/wire/conference-info.ts';
import { elementStates } from '../../src/wire/conference-info-words.ts';
import { cleanText, documentsOf, hostileText, sipUri } from '../support/conference-info-documents.ts';
import { referenceConferenceInfo } from '../support/reference-conference-info.ts';

const tame = documentsOf({ text: cleanText, uri: sipUri, states: elementStates, leavesOut: true });
const hostile = documentsOf({ text: hostileText, uri: hostileText, states: elementStates, leavesOut: true });

test.each([
  ['tame', tame, 500],
  ['hostile', hostile, 2_000],
] as const)(
  'byte for byte %s documents are what the XML package writes of them',
  (_, documents, numRuns) => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(writeConferenceInfo(document)).toBe(referenceConferenceInfo(document));
      }),
      { seed: 4575, numRuns },
    );
  },
  60_000,
);

test('every UTF-16 code unit, in text and in an attribute, is what the XML package writes of it', () => {
  const written = (values: readonly string[]): ConferenceInfoDocument => ({
    entity: 'sip:c@example.com',
    state: 'full',
    version: 0,
    description: { subject: null, confUris: [], maximumUserCount: null },
    conferenceState: null,
    users: values.map((value) => ({ entity: value, displayText: value, roles: [], endpoints: [] })),
  });
  const units = Array.from({ length: 0x1_0000 }, (_, code) => `${String.fromCharCode(code)}.`);
  // Those by which something begins or ends have a value to themselves: others beside them would be escaped with them.
  const edges = units.filter((_, code) => code < 0x100 || (code >= 0xd7fe && code <= 0xe001) || code >= 0xfffc);
  const blocks = Array.from({ length: 0x100 }, (_, block) => units.slice(block * 0x100, (block + 1) * 0x100).join(''));
  for (const document of [written(edges), written(blocks)]) {
    expect(userByUser(writeConferenceInfo(document))).toEqual(userByUser(referenceConferenceInfo(document)));
  }
}, 30_000);

test('a document put together of its parts is the whole document', () => {
  fc.assert(
    fc.property(hostile, (document) => {
      const whole = writeConferenceInfo(document);
      if (document.state === 'deleted' || isEmpty(document)) expect(whole).toMatch(/\/>$/);
      else expect(assembled(document, document.state)).toBe(whole);
    }),
    { seed: 4575, numRuns: 2_000 },
  );
}, 30_000);

test('a user ends with its endpoints as they are written alone', () => {
  fc.assert(
    fc.property(hostile, (document) => {
      for (const user of document.users ?? []) {
        if (user.state === 'deleted' || user.endpoints.length === 0) expect(writeUser(user)).not.toContain('<endpoint');
        else expect(writeUser(user).endsWith(`${user.endpoints.map(writeEndpoint).join('')}</user>`)).toBe(true);
      }
    }),
    { seed: 4575, numRuns: 300 },
  );
});

test('users always say their state, and deleted ones nothing else', () => {
  const user = '<user entity="sip:a@example.com" state="deleted"/>';
  expect(writeUsers('full', [])).toBe('<users state="full"/>');
  expect(writeUsers('partial', [user, user])).toBe(`<users state="partial">${user}${user}</users>`);
  expect(writeUsers('deleted', [user])).toBe('<users state="deleted"/>');
});

test('the prefix of nicknames is declared where there is one, and nowhere else', () => {
  const user: ConferenceInfoUser = { entity: 'sip:a@example.com', displayText: null, roles: [], endpoints: [] };
  expect(writeUser({ ...user, nickname: 'al' })).toBe(
    '<user entity="sip:a@example.com" state="full" xmlns:xcon="urn:ietf:params:xml:ns:xcon-conference-info" xcon:nickname="al"/>',
  );
  expect(writeUser({ ...user, nickname: null })).toBe('<user entity="sip:a@example.com" state="full"/>');
  expect(writeUser({ ...user, nickname: 'al', state: 'deleted' })).toBe(
    '<user entity="sip:a@example.com" state="deleted"/>',
  );
});

function assembled(document: ConferenceInfoDocument, state: 'full' | 'partial'): string {
  const { entity, version, description, hostInfo, conferenceState, users, usersState = 'full' } = document;
  const { beforeVersion, afterVersion, tail } = conferenceInfoParts({ entity, state });
  return [
    beforeVersion,
    version,
    afterVersion,
    description === null ? '' : writeDescription(description),
    hostInfo ? writeHostInfo(hostInfo) : '',
    conferenceState === null ? '' : writeConferenceState(conferenceState),
    users === null ? '' : writeUsers(usersState, users.map(writeUser)),
    tail,
  ].join('');
}

/** For a failure to show the user that differs. */
function userByUser(xml: string): readonly string[] {
  return xml.split('<user ');
}

function isEmpty({ description, hostInfo = null, conferenceState, users }: ConferenceInfoDocument): boolean {
  return [description, hostInfo, conferenceState, users].every((child) => child === null);
}
