import { expect, test } from 'vitest';
import { parseConferenceInfo, writeConferenceInfo } from '../../src/wire/conference-info.ts';
import { RemoteError } from '../../src/wire/remote-error.ts';

test('elements and attributes that the model lacks are passed over', () => {
  const xml = `<ci:conference-info xmlns:ci="urn:ietf:params:xml:ns:conference-info" xmlns:x="urn:x" entity="sip:c@example.com" version="4">
    <ci:conference-description><ci:keywords>a b</ci:keywords><ci:subject>S</ci:subject><x:subject>T</x:subject></ci:conference-description>
    <ci:host-info><x:uris/></ci:host-info>
    <ci:conference-state><ci:user-count> 3 </ci:user-count><ci:active>1</ci:active><ci:locked>0</ci:locked></ci:conference-state>
    <ci:users><ci:user entity="sip:a@example.com" x:nickname="al"><ci:endpoint entity="sip:a@1.example.com"><ci:status>on-hold</ci:status><ci:call-info><x:h323/></ci:call-info></ci:endpoint></ci:user></ci:users>
  </ci:conference-info>`;
  expect(parseConferenceInfo(xml)).toMatchObject({
    entity: 'sip:c@example.com',
    state: 'full',
    version: 4,
    description: { subject: 'S', confUris: [], maximumUserCount: null },
    hostInfo: { displayText: null, webPage: null, uris: [] },
    conferenceState: { userCount: 3, active: true, locked: false },
    users: [
      {
        entity: 'sip:a@example.com',
        state: 'full',
        nickname: null,
        endpoints: [{ status: 'on-hold', media: [], callInfo: null }],
      },
    ],
  });
});

test('a nickname is known by its namespace and languages by blanks of any kind', () => {
  const xml = `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" xmlns:n="urn:ietf:params:xml:ns:xcon-conference-info" entity="sip:c@example.com" version="4">
    <users><user entity="sip:a@example.com" nickname="none" n:nickname="al"><languages> en
      de-AT\t</languages></user></users>
  </conference-info>`;
  expect(parseConferenceInfo(xml).users).toMatchObject([{ nickname: 'al', languages: ['en', 'de-AT'] }]);
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
  [
    'a call without its tags',
    wrapped(
      good,
      '<users><user entity="a"><endpoint entity="b"><call-info><sip><call-id>c</call-id></sip></call-info></endpoint></user></users>',
    ),
  ],
  [
    'another address without uri',
    wrapped(good, '<users><user entity="a"><associated-aors><entry/></associated-aors></user></users>'),
  ],
  [
    'a medium without label',
    wrapped(
      good,
      '<conference-description><available-media><entry><type>message</type></entry></available-media></conference-description>',
    ),
  ],
  [
    'a medium without type',
    wrapped(
      good,
      '<conference-description><available-media><entry label="1"/></available-media></conference-description>',
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
  const execution = { when: 0, reason: '</reason>', by: 'sip:b@example.com' };
  const xml = writeConferenceInfo({
    entity: 'sip:c@example.com',
    state: 'full',
    version: 1,
    description: { subject: 'S', confUris: [{ uri: 'sip:c@example.com', purpose: null }], maximumUserCount: 2 },
    conferenceState: null,
    users: [
      {
        entity: 'sip:a@example.com',
        nickname: 'al',
        displayText: 'A & B',
        roles: [],
        endpoints: [
          {
            entity: 'sip:a@192.0.2.1',
            referred: execution,
            status: 'connected',
            joiningMethod: 'dialed-in',
            joiningInfo: execution,
            disconnectionMethod: null,
            disconnectionInfo: null,
            media: [{ id: '1', type: 'message', status: 'sendrecv' }],
          },
        ],
      },
    ],
  });
  expect(parseConferenceInfo(xml).users).toHaveLength(1);
  for (let length = 0; length < xml.length; length += 1)
    expect(() => parseConferenceInfo(xml.slice(0, length))).toThrow(RemoteError);
});
