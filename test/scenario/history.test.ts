import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import { limits } from '../../src/core/limits.ts';
import type { DeliveryLoss, SwitchedDelivery, SwitchedMessage } from '../../src/core/messaging/switched.ts';
import type { ChatPolicy, MessageRow } from '../../src/core/rows.ts';
import { callerNamed } from '../support/fixtures.ts';
import { losesMessages } from '../support/message-session.ts';
import { World } from '../support/world.ts';

/** Alice and Bob talk. */
function conference(policy: Partial<ChatPolicy> = {}): World {
  const world = new World({ chat: { ...usualChat, ...policy } });
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.ladder.take();
  world.events.length = 0;
  return world;
}

type Told = { count?: number; messages?: readonly SwitchedMessage[]; losses?: readonly DeliveryLoss[] };

function switched(world: World, { count = 0, messages = [], losses = [] }: Told): void {
  world.ladder.add('msrp', 'focus', `${count} messages, ${messages.length} told`);
  world.happens({ type: 'messages-switched', conferenceId: world.conference.id, count, messages, losses });
}

/** What became of a message at somebody's latest endpoint. */
function at(world: World, name: string, part: Partial<SwitchedDelivery> = {}): SwitchedDelivery {
  return { endpointId: world.endpointOf(name), outcome: 'delivered', status: 200, reason: null, ...part };
}

function message(world: World, part: Partial<SwitchedMessage> = {}): SwitchedMessage {
  return {
    messageId: '87652',
    from: 'sip:alice@atlanta.example.com',
    to: null,
    contentType: 'text/plain',
    size: 321,
    sentAt: world.now,
    content: 'Hello',
    deliveries: [at(world, 'bob')],
    ...part,
  };
}

const rows = (world: World): readonly MessageRow[] => [...world.saved.messages.values()];

test('without a history messages are counted, and nothing else is known of them', () => {
  const world = conference();
  says(world, 'Fire!');
  expect(world.outcome('http:op:Fire!')).toMatchObject({ isKept: false });
  expect(toldOf(world, [])).not.toHaveProperty('kept');
  world.ladder.take();
  switched(world, { count: 3, messages: [message(world)] });
  switched(world, { count: 2 });
  world.ladder.matches(`
    msrp  -> focus : 3 messages, 1 told
    focus -> store : save v2
    msrp  -> focus : 2 messages, 0 told
    focus -> store : save v2
  `);
  expect(world.conference.messageCount).toBe(5);
  expect([rows(world), world.events]).toEqual([[], []]);
});

test('with its facts kept, what became of each message is known at every receiver, and not what it said', () => {
  const world = conference({ history: 'facts', historyDays: 7 });
  world.dialsIn('carol');
  world.dialsIn('ted');
  world.events.length = 0;
  const deliveries = [
    at(world, 'bob'),
    at(world, 'carol', { outcome: 'failed', status: 408, reason: 'no answer' }),
    at(world, 'ted', { outcome: 'skipped', status: null, reason: 'it takes no text/html' }),
  ];
  switched(world, { count: 1, messages: [message(world, { contentType: 'text/html', deliveries })] });
  const [row] = rows(world);
  const known = (name: string) => ({
    participantId: world.participant(name).id,
    uri: world.participant(name).uri,
    endpointId: world.endpointOf(name),
  });
  expect(row).toEqual({
    id: row?.id,
    conferenceId: world.conference.id,
    messageId: '87652',
    from: 'sip:alice@atlanta.example.com',
    to: null,
    contentType: 'text/html',
    size: 321,
    sentAt: world.now,
    content: null,
    deliveries: [
      { ...known('bob'), outcome: 'delivered', status: 200, reason: null },
      { ...known('carol'), outcome: 'failed', status: 408, reason: 'no answer' },
      { ...known('ted'), outcome: 'skipped', status: null, reason: 'it takes no text/html' },
    ],
    expiresAt: world.now + 7 * 86_400_000,
  });
  expect(world.events).toEqual(['message.sent']);
});

test('with its content kept, a private message is kept with its words and whom it was for', () => {
  const world = conference({ history: 'content' });
  switched(world, { count: 1, messages: [message(world, { to: 'sip:bob@biloxi.example.com' })] });
  expect(rows(world)).toMatchObject([{ content: 'Hello', to: ['sip:bob@biloxi.example.com'] }]);
});

test('a message that reached nobody has failed; one for nobody has not', () => {
  const world = conference({ history: 'facts' });
  const deliveries = [at(world, 'bob', { outcome: 'failed', status: 408, reason: 'no answer' })];
  switched(world, { messages: [message(world, { deliveries }), message(world, { deliveries: [] })] });
  expect(world.events).toEqual(['message.failed', 'message.sent']);
});

test('what receivers lost is told for each of them, whatever the history', () => {
  const world = conference();
  const endpointId = world.endpointOf('bob');
  const losses = [
    { endpointId, count: 12, reason: 'congested' },
    { endpointId: 'forgotten', count: 1, reason: 'stalled' },
  ];
  switched(world, { losses });
  expect(world.events).toEqual(['message.failed', 'message.failed']);
  const { id: participant_id } = world.participant('bob');
  const save = world.effects.findLast((effect) => effect.type === 'store.save');
  const events = save?.type === 'store.save' ? save.change.events : [];
  expect(events.map(({ data }) => data)).toEqual([
    { participant_id, endpoint_id: endpointId, count: 12, reason: 'congested' },
    { participant_id: null, endpoint_id: 'forgotten', count: 1, reason: 'stalled' },
  ]);
});

/** An operator says something; the message as it was answered. */
function says(world: World, text: string, participantIds: readonly string[] | null = null): MessageRow {
  const reply = `http:op:${text}`;
  const asked = { actor: 'key:1', conferenceId: world.conference.id, contentType: 'text/plain', text, participantIds };
  world.happens({ type: 'notice-requested', reply, ...asked });
  const outcome = world.outcome(reply);
  if (outcome.kind !== 'notice-sent') throw new Error(`it was answered ${outcome.kind}`);
  return outcome.message;
}

/** What the switch has to tell of the last notice that it was given. */
function toldOf(world: World, deliveries: readonly SwitchedDelivery[]): SwitchedMessage {
  const notice = world.effects.findLast(({ type }) => type === 'msrp.notice');
  if (notice?.type !== 'msrp.notice') throw new Error('nothing was said');
  const { messageId, kept } = notice;
  const facts = { messageId, from: world.conferenceUri, content: null, deliveries };
  return message(world, { ...facts, ...(kept && { kept }) });
}

test('what the focus says is kept at once, and what became of it later under the same id', () => {
  const world = conference({ history: 'content' });
  const known = (name: string) => ({
    participantId: world.participant(name).id,
    uri: world.participant(name).uri,
    endpointId: world.endpointOf(name),
  });
  const before = says(world, 'Fire!');
  const pending = { outcome: 'pending', status: null, reason: null } as const;
  expect(before).toMatchObject({ from: world.conferenceUri, content: 'Fire!', size: 5 });
  expect(before.deliveries).toEqual([
    { ...known('alice'), ...pending },
    { ...known('bob'), ...pending },
  ]);
  expect([rows(world), world.events]).toEqual([[before], []]);
  const told = toldOf(world, [
    at(world, 'bob'),
    at(world, 'alice', { outcome: 'failed', status: 408, reason: 'late' }),
  ]);
  switched(world, { messages: [told] });
  const after = [
    { ...known('alice'), outcome: 'failed', status: 408, reason: 'late' },
    { ...known('bob'), outcome: 'delivered', status: 200, reason: null },
  ];
  expect(rows(world)).toEqual([{ ...before, size: 321, deliveries: after }]);
  expect(world.events).toEqual(['message.sent']);
  // Told again, after a save that failed, it is the same message.
  switched(world, { messages: [told] });
  expect(rows(world)).toHaveLength(1);
});

test('however many notices are on their way at once, each is in the history once', () => {
  const world = conference({ history: 'facts' });
  const told = Array.from({ length: 150 }, (_, index) => {
    says(world, `Notice ${index}`);
    return toldOf(world, [at(world, 'bob'), at(world, 'alice')]);
  });
  switched(world, { messages: told });
  expect(rows(world)).toHaveLength(150);
  const outcomes = rows(world).flatMap(({ deliveries }) => deliveries.map(({ outcome }) => outcome));
  expect(new Set(outcomes)).toEqual(new Set(['delivered']));
});

test('of a notice that nobody is there to get, that is known at once', () => {
  const world = new World({ chat: { ...usualChat, history: 'facts' } });
  world.factoryInvite(['bob']);
  losesMessages(world, 'alice');
  world.events.length = 0;
  const { deliveries } = says(world, 'Is anybody here?');
  expect(world.outcome('http:op:Is anybody here?')).toMatchObject({ isKept: true });
  expect([deliveries, rows(world).length, world.events]).toEqual([[], 1, ['message.sent']]);
  const toAlice = says(world, 'Alice?', [world.participant('alice').id]);
  const endpointId = world.endpointOf('alice');
  const failed = { endpointId, outcome: 'failed', status: null, reason: 'it has no session' };
  expect(toAlice.deliveries).toMatchObject([failed]);
  expect(rows(world)).toContainEqual(toAlice);
  expect(world.events).toEqual(['message.sent', 'message.failed']);
  expect(world.effects.filter(({ type }) => type === 'msrp.notice')).toEqual([]);
});

test('of a notice for some, who has no session is known at once, and the others when they have it', () => {
  const world = conference({ history: 'facts' });
  losesMessages(world, 'alice');
  says(world, 'You two', [world.participant('alice').id, world.participant('bob').id]);
  switched(world, { messages: [toldOf(world, [at(world, 'bob')])] });
  const { deliveries = [] } = rows(world)[0] ?? {};
  expect(deliveries).toMatchObject([
    { endpointId: world.endpointOf('alice'), outcome: 'failed', reason: 'it has no session' },
    { endpointId: world.endpointOf('bob'), outcome: 'delivered' },
  ]);
});

test('who goes by another name in the roster does so in the history', () => {
  const world = conference({ history: 'facts' });
  world.dialsIn('carol', { caller: callerNamed('carol', { private: true }) });
  const anonymous = 'sip:anonymous3@anonymous.invalid';
  const notice = says(world, 'You', [world.participant('carol').id]);
  expect(notice.deliveries).toMatchObject([{ uri: anonymous }]);
  switched(world, { messages: [message(world, { from: anonymous, deliveries: [at(world, 'carol')] })] });
  expect(rows(world).at(-1)).toMatchObject({ from: anonymous, deliveries: [{ uri: anonymous }] });
  expect(JSON.stringify(rows(world))).not.toContain('sip:carol');
});

test('words that are too long for the history are not kept, whoever has said them', () => {
  const world = conference({ history: 'content' });
  const long = '☎'.repeat(limits.keptContentBytesMax / 3 + 1);
  expect(says(world, long)).toMatchObject({ size: Buffer.byteLength(long), content: null });
  const short = 'x'.repeat(limits.keptContentBytesMax);
  expect(says(world, short)).toMatchObject({ content: short });
});

test('what the last messages came to is kept though the conference is over, for a moment', () => {
  const world = conference({ history: 'facts' });
  const told = message(world);
  const { id: conferenceId } = world.conference;
  world.hangsUp('alice');
  expect(world.conference.status).toBe('ended');
  world.passes(limits.lateReportMs);
  world.happens({ type: 'messages-switched', conferenceId, count: 2, messages: [told], losses: [] });
  expect(world.conference).toMatchObject({ status: 'ended', messageCount: 2 });
  expect(rows(world)).toHaveLength(1);
  expect(world.events.slice(-2)).toEqual(['conference.ended', 'message.sent']);
  // It is not back again for anybody else.
  expect(world.view(conferenceId)).toBeUndefined();
  expect(world.outcome(world.dialsIn('carol').reply)).toMatchObject({ code: 'conference-ended' });
});
