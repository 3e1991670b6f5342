import { expect, test } from 'vitest';
import { answerFiles } from '../../src/core/conference/file-lines.ts';
import type { LocalMedia } from '../../src/core/conference/local-media.ts';
import { answerTo } from '../../src/core/conference/negotiation.ts';
import { limits } from '../../src/core/limits.ts';
import { answers } from '../../src/msrp/answers.ts';
import { parseSdp, writeSdp } from '../../src/wire/sdp.ts';
import { crlf } from '../support/bodies.ts';
import { msrpSelf } from '../support/fixtures.ts';
import { pairsTable, printedSection } from './documents.ts';

const page = 'docs/msrp.md';

const octets = (count: number): string => `${count.toLocaleString('en')} octets`;
const characters = (count: number): string => `${count.toLocaleString('en')} characters`;
const seconds = (ms: number): string => `${(ms / 1_000).toLocaleString('en')} seconds`;

const statuses: Readonly<Record<number, string>> = {
  200: 'it is passed on to whom it is for; or nothing was to be done',
  400: 'what cannot be read: Message-ID, Byte-Range, two Content-Types, the headers of the message/cpim; or a Require in it of what is not known here; or a length that is not the one of the Byte-Range',
  403: 'From is not the sender’s own URI, To is not one URI, there is a cc, the sender is not in the conference, or nicknames are off, or asked for too often',
  404: 'To is neither the conference nor in it, or is the sender’s only session',
  413: 'longer than `a=max-size`, out of bounds below, or too long between two chunks: the sender stops with this message',
  415: 'the content is no message/cpim',
  424: 'Use-Nickname is missing or malformed, or no nickname',
  425: 'the nickname is somebody else’s',
  428: 'To is in the conference, and private messages are not taken',
  481: 'To-Path names no session of ours',
  501: 'neither SEND nor NICKNAME nor REPORT',
  506: 'the session has another connection',
};

const picture = 'name:"cat.jpg" type:image/jpeg size:4092';

/** What answers an offer of messages and of a file. */
function answer(): string {
  const local: LocalMedia = {
    msrp: msrpSelf({ host: 'chat.example.com' }),
    sessionId: 'KSUrTFF3Oq2CvlKSW0bk',
    relays: [],
    originId: '2890844526',
    audio: 'off',
    chatroom: ['nickname', 'private-messages'],
    secureOnly: false,
    lenient: true,
  };
  const lines = (id: string, ...more: readonly string[]): readonly string[] => [
    'm=message 7965 TCP/MSRP *',
    'a=accept-types:message/cpim',
    'a=setup:actpass',
    `a=path:msrp://alice.example.com:7965/${id};tcp`,
    ...more,
  ];
  const file = lines('file', 'a=sendonly', `a=file-selector:${picture}`, 'a=file-transfer-id:Q6LMoGymJdh0IKIgD6wD');
  const session = ['v=0', 'o=alice 1 1 IN IP4 alice.example.com', 's=-', 'c=IN IP4 alice.example.com', 't=0 0'];
  const offer = parseSdp(crlf(...session, ...lines('bar'), ...file));
  const files = answerFiles(offer, local, { known: [], newSessionId: () => 'CQSFOLBWbRR_CdE7CsyH' });
  const media = answerTo(offer, local)?.lines.map((line, index) => files.lines.get(index) ?? line) ?? [];
  const origin = { username: 'focus', sessionId: local.originId, version: local.originId, address: 'chat.example.com' };
  return writeSdp({ origin, connection: 'chat.example.com', attributes: [], media }).replaceAll('\r\n', '\n');
}

const sections = {
  'an answer': `\`\`\`sdp\n${answer()}\`\`\``,
  'statuses': pairsTable(['status', 'why'], Object.entries(statuses)),
  'limits': pairsTable(
    ['what', 'how much'],
    [
      ['a message', '`MSRP_MAX_SIZE`, said in `a=max-size`'],
      ['a message that is passed on as it came; chunks of longer ones', `at most ${octets(limits.messagePartBytes)}`],
      ['the headers of a message/cpim', `at most ${octets(limits.messageHeaderBytesMax)}`],
      ['what is held of a message that has gaps', `at most ${octets(limits.messageWindowBytes)}`],
      ['unfinished messages of one session', `at most ${limits.unfinishedMessagesMax}`],
      ['the next chunk of a message', `within ${seconds(limits.chunkTimeoutMs)}`],
      ['files that one endpoint sends at once', `at most ${limits.filesPerEndpointMax}`],
      ['a nickname', `at most ${octets(limits.nicknameBytesMax)}`],
      ['nicknames that one session asks for in a minute', `at most ${limits.nicknamesPerMinuteMax}`],
      ['a nickname that is given up is kept for its user', seconds(limits.nicknameKeptMs)],
      ['what a peer may leave unread', octets(limits.msrpQueueBytesMax)],
      ['of that, before large messages to it wait', octets(limits.msrpWindowBytes)],
      ['how long they wait', seconds(limits.msrpPatienceMs)],
      [
        'or in all, for one receiver while most do not hold them up',
        `${seconds(limits.msrpPatienceMs)} and what the message takes at ${octets(limits.msrpPaceBytes)} a second`,
      ],
      ['a peer that reads nothing loses its session', `after ${seconds(limits.msrpStallMs)}`],
      ['an answer to what the focus sends', `within ${seconds(limits.msrpAnswerTimeoutMs)}`],
      ['a connection that names no session is closed', `after ${seconds(limits.msrpBindTimeoutMs)}`],
      ['connections', `at most ${limits.msrpConnectionsMax.toLocaleString('en')}`],
      ['what an operator has the focus say at once', `at most ${characters(limits.noticeCharactersMax)}`],
      ['what the history keeps of a text', `at most ${octets(limits.keptContentBytesMax)}`],
    ],
  ),
};

for (const [name, expected] of Object.entries(sections)) {
  test(`${page} has the ${name} as the code has them (npm run docs:rewrite writes them)`, () => {
    expect(printedSection(page, name, expected)).toBe(expected);
  });
}

test(`${page} explains every status that a chunk is answered`, () => {
  const given = Object.values(answers).map(({ status }) => status);
  expect(given.filter((status) => statuses[status] === undefined)).toEqual([]);
});
