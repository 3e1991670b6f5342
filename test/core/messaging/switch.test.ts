import { describe, expect, test } from 'vitest';
import {
  isAboutMessages,
  judge,
  type MessageFacts,
  type MsrpRoute,
  readMessage,
} from '../../../src/core/messaging/switch.ts';
import { CpimUnfinished } from '../../../src/wire/cpim.ts';
import { RemoteError } from '../../../src/wire/remote-error.ts';

const room = 'sip:conf-7f3a9c51@conf.example.com';
const alice = 'sip:alice@atlanta.example.com';
const bob = 'sip:bob@biloxi.example.com';
const ted = 'sip:ted@example.net';

const route: MsrpRoute = {
  conferenceId: 'conf-1',
  conferenceUri: room,
  version: 3,
  privateMessages: false,
  keeps: 'nothing',
  members: [
    { endpointId: 'alice-phone', uri: alice, acceptsWrapped: ['*'], privateMessages: false },
    { endpointId: 'alice-desk', uri: alice, acceptsWrapped: ['text/plain'], privateMessages: false },
    { endpointId: 'bob', uri: bob, acceptsWrapped: ['text/plain', 'text/html'], privateMessages: false },
    { endpointId: 'ted', uri: ted, acceptsWrapped: ['text/*'], privateMessages: false },
    { endpointId: 'carol', uri: 'sip:anonymous-1@anonymous.invalid', acceptsWrapped: [], privateMessages: false },
  ],
};

const facts: MessageFacts = {
  from: [alice],
  to: [room],
  cc: [],
  requires: [],
  wrappedType: 'text/plain',
  headerBytes: 0,
};

/** Status and endpoints that get a message of alice's phone. */
function judged(change: Partial<MessageFacts>, senderId = 'alice-phone', where = route): readonly [number, string[]] {
  const { status, recipients } = judge(where, senderId, { ...facts, ...change });
  return [status, recipients.map((member) => member.endpointId)];
}

describe('to the room', () => {
  test('CC-180 everybody but the sending session gets it, the sender’s other endpoint too', () => {
    expect(judged({})).toEqual([200, ['alice-desk', 'bob', 'ted']]);
    expect(judged({ from: [bob] }, 'bob')).toEqual([200, ['alice-phone', 'alice-desk', 'ted']]);
  });

  test.each<[string, string[]]>([
    ['text/plain', ['alice-desk', 'bob', 'ted']],
    ['text/html', ['bob', 'ted']],
    ['text/css', ['ted']],
    ['image/png', []],
    ['textile/plain', []],
    ['text', []],
    ['', []],
  ])('CC-187 who cannot take %s is left out and the sender is not told', (wrappedType, expected) => {
    expect(judged({ wrappedType })).toEqual([200, expected]);
  });

  test('CC-187 who is left out is told to whoever keeps the history', () => {
    const { skipped, to } = judge(route, 'alice-phone', { ...facts, wrappedType: 'text/html' });
    expect(skipped.map(({ endpointId }) => endpointId)).toEqual(['alice-desk', 'carol']);
    expect(to).toBeNull();
  });

  test.each([
    `${room};transport=tcp`,
    'sip:conf-7f3a9c51@CONF.example.com',
    'sip:conf-7f3a9c51@conf.example.com:5060',
    `${room};foo=bar`,
  ])('%s is the room', (to) => expect(judged({ to: [to] })[0]).toBe(200));

  test.each([
    'sip:conf-7F3A9C51@conf.example.com',
    'sip:conf-7f3a9c51@other.example.com',
    'sips:conf-7f3a9c51@conf.example.com',
  ])('%s is not the room', (to) => expect(judged({ to: [to] })).toEqual([404, []]));

  test('alone in the room a message is taken and reaches nobody', () => {
    const alone = { ...route, members: route.members.slice(0, 1) };
    expect(judged({}, 'alice-phone', alone)).toEqual([200, []]);
  });
});

describe('refused, and nobody receives', () => {
  test('CC-176 what is not message/cpim: 415', () => {
    expect(judge(route, 'alice-phone', null)).toMatchObject({ status: 415, recipients: [] });
  });

  test.each<[string, readonly string[]]>([
    ['somebody else’s', [bob]],
    ['an unknown', ['sip:mallory@example.org']],
    ['no', []],
    ['a second', [alice, bob]],
    ['the own one twice', [alice, alice]],
    ['an unreadable', ['alice']],
    ['a foreign scheme’s', ['im:alice@atlanta.example.com']],
    ['the room’s', [room]],
    ['the secure form of the own', ['sips:alice@atlanta.example.com']],
    ['the own one with other case in the user', ['sip:Alice@atlanta.example.com']],
  ])('CC-177 %s From: 403', (_, from) => expect(judged({ from })).toEqual([403, []]));

  test('CC-177 an anonymous member may not speak under its real URI, only under the one in the roster', () => {
    expect(judged({ from: ['sip:carol@example.org'] }, 'carol')[0]).toBe(403);
    expect(judged({ from: ['sip:anonymous-1@anonymous.invalid'] }, 'carol')[0]).toBe(200);
  });

  test('an endpoint that is not in the conference: 403', () => {
    expect(judged({}, 'stranger')).toEqual([403, []]);
  });

  test.each<[string, Partial<MessageFacts>]>([
    ['two To', { to: [room, bob] }],
    ['the room twice', { to: [room, room] }],
    ['no To', { to: [] }],
    ['a cc', { cc: [bob] }],
  ])('CC-178 %s: 403', (_, change) => expect(judged(change)).toEqual([403, []]));

  test.each(['sip:stranger@example.org', 'tel:+15551234', 'im:bob@biloxi.example.com', 'bob', ''])(
    'CC-182 To is %j, who is not in the conference: 404',
    (to) => expect(judged({ to: [to] })).toEqual([404, []]),
  );

  test.each([bob, `${ted};transport=tcp`, alice])('CC-183 a private message to %s in a room without them: 428', (to) =>
    expect(judged({ to: [to] })).toEqual([428, []]),
  );

  test('a feature that is required and not understood: 400; the known headers may be required', () => {
    expect(judged({ requires: ['Subject', 'Locale.MustRenderKanji'] })).toEqual([400, []]);
    expect(judged({ requires: ['Subject', 'DateTime'] })[0]).toBe(200);
  });
});

describe('private messages (RFC 7701 6.2)', () => {
  const bobs = ['bob', 'bob-desk', 'bob-old'];
  const members = [
    ...route.members.filter(({ endpointId }) => endpointId !== 'bob'),
    ...bobs.map((endpointId) => ({ endpointId, uri: bob, acceptsWrapped: ['text/plain'], privateMessages: true })),
  ].map((member) => ({ ...member, privateMessages: !['bob-old', 'ted'].includes(member.endpointId) }));
  const open = { ...route, members, privateMessages: true };

  test.each([bob, `${bob};transport=tcp`, 'sip:bob@BILOXI.example.com'])(
    'CC-181 to %s: only those sessions of the member that take them receive it',
    (to) => expect(judged({ to: [to] }, 'alice-phone', open)).toEqual([200, ['bob', 'bob-desk']]),
  );

  test('the member is named as the roster has it', () => {
    expect(judge(open, 'alice-phone', { ...facts, to: [`${bob};transport=tcp`] }).to).toBe(bob);
  });

  test('CC-183 to a member none of whose sessions takes them: 428', () => {
    expect(judged({ to: [ted] }, 'alice-phone', open)).toEqual([428, []]);
    expect(judged({ to: [bob] }, 'alice-phone', { ...open, privateMessages: false })).toEqual([428, []]);
  });

  test('CC-182 to a stranger: 404', () => {
    expect(judged({ to: ['sip:mallory@example.org'] }, 'alice-phone', open)).toEqual([404, []]);
  });

  test('to oneself: the other endpoints get it, and without any it is 404', () => {
    expect(judged({ to: [alice] }, 'alice-phone', open)).toEqual([200, ['alice-desk']]);
    const alone = { ...open, members: members.filter(({ endpointId }) => endpointId !== 'alice-desk') };
    expect(judged({ to: [alice] }, 'alice-phone', alone)).toEqual([404, []]);
  });

  test('CC-187 a session that cannot take what is wrapped is left out, and the sender is not told', () => {
    const { status, recipients, skipped } = judge(open, 'alice-phone', { ...facts, to: [bob], wrappedType: 'a/b' });
    expect([status, recipients.length, skipped.length]).toEqual([200, 0, 2]);
  });

  test('an IMDN goes to all sessions of the member that it names, be there private messages or not (RFC 5438)', () => {
    const wrappedType = 'message/imdn+xml';
    const taking = members.map((member) => ({ ...member, acceptsWrapped: [wrappedType] }));
    const closed = { ...open, members: taking, privateMessages: false };
    expect(judged({ to: [bob], wrappedType }, 'alice-phone', closed)).toEqual([200, bobs]);
    expect(judged({ to: [ted], wrappedType }, 'alice-phone', closed)).toEqual([200, ['ted']]);
    expect(judged({ to: ['sip:mallory@example.org'], wrappedType }, 'alice-phone', closed)).toEqual([404, []]);
  });
});

test('IMDN and isComposing are about messages, all else is one', () => {
  const types = ['message/imdn+xml', 'application/im-iscomposing+xml', 'text/plain'];
  expect(types.map(isAboutMessages)).toEqual([true, true, false]);
});

describe('the order of the checks', () => {
  test('From goes before To, To before its meaning', () => {
    expect(judged({ from: [bob], to: ['sip:stranger@example.org', bob] })[0]).toBe(403);
    expect(judged({ to: ['sip:stranger@example.org', bob] })[0]).toBe(403);
    expect(judge(route, 'stranger', null).status).toBe(415);
  });
});

test.each([`${alice};transport=tcp`, 'sip:alice@ATLANTA.example.com', 'sip:%61lice@atlanta.example.com'])(
  'a sender may write its own URI as %s',
  (from) => expect(judged({ from: [from] })[0]).toBe(200),
);

describe('reading a message', () => {
  const content = (...lines: readonly string[]): Buffer => Buffer.from([...lines, '', 'Hello'].join('\r\n'));

  test('the facts of a message/cpim', () => {
    const lines = [
      `From: "Alice" <${alice}>`,
      `To: <${room}>`,
      `cc: <${bob}>`,
      'Require: x',
      '',
      'Content-Type: Text/HTML; a=b',
    ];
    expect(readMessage('Message/CPIM;charset=utf-8', content(...lines))).toEqual({
      from: [alice],
      to: [room],
      cc: [bob],
      requires: ['x'],
      wrappedType: 'text/html',
      headerBytes: content(...lines).length - 'Hello'.length,
    });
  });

  test.each([null, 'text/plain', 'message/cpimx', ''])('content of type %s is no message/cpim', (type) => {
    expect(readMessage(type, content('x'))).toBeNull();
  });

  test('what cannot be read is said to be so', () => {
    expect(() => readMessage('message/cpim', content('Hello'))).toThrow(RemoteError);
    expect(() => readMessage('message/cpim', content('From: alice', '', 'Content-Type: a/b'))).toThrow(RemoteError);
  });

  test('a message whose headers have not all come is unfinished wherever it is cut, unless it is wrong already', () => {
    const whole = content(`From: <${alice}>`, `To: <${room}>`, '', 'Content-Type: text/plain');
    for (let length = 0; length < whole.length - 'Hello'.length; length += 1)
      expect(() => readMessage('message/cpim', whole.subarray(0, length)), String(length)).toThrow(CpimUnfinished);
    expect(readMessage('message/cpim', whole.subarray(0, -5))?.from).toEqual([alice]);
    for (const wrong of [`Hello\r\nFrom:`, 'x'.repeat(5_000)]) {
      expect(() => readMessage('message/cpim', Buffer.from(wrong))).toThrow(RemoteError);
      expect(() => readMessage('message/cpim', Buffer.from(wrong))).not.toThrow(CpimUnfinished);
    }
  });
});
