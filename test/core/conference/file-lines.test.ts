import { expect, test } from 'vitest';
import { answerFiles, type FileSession } from '../../../src/core/conference/file-lines.ts';
import type { LocalMedia } from '../../../src/core/conference/local-media.ts';
import { limits } from '../../../src/core/limits.ts';
import { parseSdp, writeSdp } from '../../../src/wire/sdp.ts';
import { crlf } from '../../support/bodies.ts';
import { msrpSelf } from '../../support/fixtures.ts';

const local: LocalMedia = {
  msrp: msrpSelf({ host: '127.0.0.1', port: 2855, maxSize: 5_000 }),
  sessionId: 'messages',
  relays: [],
  originId: '1',
  audio: 'off',
  chatroom: [],
  secureOnly: false,
  lenient: true,
};

const picture = [
  'm=message 4000 TCP/MSRP *',
  'a=sendonly',
  'a=accept-types:message/cpim',
  'a=path:msrp://127.0.0.1:4000/file;tcp',
  'a=setup:actpass',
  'a=file-selector:name:"cat.jpg" type:image/jpeg size:5000',
  'a=file-transfer-id:Q6LMoGymJdh0IKIgD6wD0jkcfgva4xvE',
];

const without = (name: string): readonly string[] => picture.filter((line) => !line.startsWith(name));
const instead = (name: string, line: string): readonly string[] =>
  picture.map((each) => (each.startsWith(name) ? line : each));

/** The lines of a media description in the order of RFC 4566 5. */
const connectionFirst = (a: string, b: string): number => 'mca'.indexOf(a.slice(0, 1)) - 'mca'.indexOf(b.slice(0, 1));

function answered(lines: readonly string[], known: readonly FileSession[] = [], ours: Partial<LocalMedia> = {}) {
  const offer = parseSdp(crlf('v=0', 'o=phone 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines));
  let count = 0;
  const newSessionId = (): string => {
    count += 1;
    return `file-${count}`;
  };
  return answerFiles(offer, { ...local, ...ours }, { known, newSessionId });
}

test('a file that is pushed has a session of its own, and its line says what is received', () => {
  const { lines, sessions } = answered(picture);
  const origin = { username: 'focus', sessionId: '1', version: '1', address: '127.0.0.1' };
  const media = [...lines.values()];
  expect(writeSdp({ origin, connection: null, attributes: [], media }).split('\r\n').slice(4, -1)).toEqual([
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:*',
    'a=max-size:5000',
    'a=setup:passive',
    'a=path:msrp://127.0.0.1:2855/file-1;tcp',
    'a=file-selector:name:"cat.jpg" type:image/jpeg size:5000',
    'a=file-transfer-id:Q6LMoGymJdh0IKIgD6wD0jkcfgva4xvE',
    'a=recvonly',
  ]);
  expect(sessions.map(({ open }) => open)).toEqual([
    {
      sessionId: 'file-1',
      localPath: 'msrp://127.0.0.1:2855/file-1;tcp',
      relays: [],
      remotePath: ['msrp://127.0.0.1:4000/file;tcp'],
      connectTo: null,
      fingerprints: [],
      role: 'passive',
      file: { name: 'cat.jpg', type: 'image/jpeg' },
    },
  ]);
});

test('offered again, it is the same session; another transfer is another', () => {
  const first = answered(picture).sessions;
  expect(answered(picture, first).sessions[0]).toBe(first[0]);
  const other = answered(instead('a=file-transfer-id', 'a=file-transfer-id:other'), first).sessions;
  expect(other.map(({ transferId }) => transferId)).toEqual(['other']);
});

test.each([
  ['is larger than a message may be', instead('a=file-selector', 'a=file-selector:size:5001')],
  ['is to be fetched from us', instead('a=sendonly', 'a=recvonly')],
  ['says nothing of its direction', without('a=sendonly')],
  ['has no id', without('a=file-transfer-id')],
  ['has a selector that cannot be read', instead('a=file-selector', 'a=file-selector:name:cat')],
  ['goes on where it broke off', [...picture, 'a=file-range:100-5000']],
  ['is refused already by its port', instead('m=', 'm=message 0 TCP/MSRP *')],
  ['comes over TLS, which is not there', instead('m=', 'm=message 4000 TCP/TLS/MSRP *')],
  ['comes by a transport that is not ours', instead('a=path', 'a=path:msrp://127.0.0.1:4000/file;sctp')],
])('a file is refused that %s', (_what, lines) => {
  expect(answered(lines)).toEqual({ lines: new Map(), sessions: [] });
});

test('an endpoint sends only so many at once', () => {
  const many = Array.from({ length: limits.filesPerEndpointMax + 1 }, () => picture).flat();
  expect(answered(many).lines.size).toBe(limits.filesPerEndpointMax);
});

test('a file whose size is not said is taken: what is too large is seen as it comes', () => {
  expect(answered(instead('a=file-selector', 'a=file-selector:name:"cat.jpg"')).sessions).toHaveLength(1);
});

test('where nothing may come in the clear, no file does (RFC 7701 4.1)', () => {
  expect(answered(picture, [], { secureOnly: true }).sessions).toEqual([]);
});

const attributesOf = ({ lines }: ReturnType<typeof answered>, name: string): readonly (string | null)[] =>
  [...lines.values()].flatMap(({ attributes }) =>
    attributes.filter((each) => each.name === name).map(({ value }) => value),
  );

test('RFC 6714 4: where CEMA is offered it is answered, and what middleboxes wrote is connected to', () => {
  const file = answered([...picture, 'c=IN IP4 192.0.2.99', 'a=msrp-cema'].toSorted(connectionFirst));
  expect(file.sessions[0]?.open.connectTo).toEqual({ host: '192.0.2.99', port: 4000 });
  expect(attributesOf(file, 'msrp-cema')).toEqual([null]);
});

test('behind a relay of ours a file comes by it, and CEMA has no say (RFC 6714 4.1)', () => {
  const relay = 'msrp://relay.example.com:2855/token;tcp';
  const file = answered([...picture, 'a=msrp-cema'], [], { relays: [relay] });
  expect(file.sessions[0]?.open).toMatchObject({
    relays: [relay],
    localPath: 'msrp://127.0.0.1:2855/file-1;tcp',
    connectTo: null,
  });
  expect([...file.lines.values()]).toMatchObject([{ port: 2855, connection: 'relay.example.com' }]);
  expect(attributesOf(file, 'path')).toEqual([`${relay} msrp://127.0.0.1:2855/file-1;tcp`]);
  expect(attributesOf(file, 'msrp-cema')).toEqual([]);
});

test('behind a relay of the peer, too', () => {
  const relayed = 'a=path:msrp://relay.example.net:2855/token;tcp msrp://127.0.0.1:4000/file;tcp';
  const file = answered([...instead('a=path', relayed), 'a=msrp-cema']);
  expect(file.sessions[0]?.open.connectTo).toBeNull();
  expect(attributesOf(file, 'msrp-cema')).toEqual([]);
});
