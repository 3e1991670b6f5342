import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import { limits } from '../../src/core/limits.ts';
import type { DeliveryLoss, SwitchedDelivery, SwitchedMessage } from '../../src/core/messaging/switched.ts';
import type { ChatPolicy, MessageRow } from '../../src/core/rows.ts';
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

test('what the focus says is kept at once, and what became of it later under the same id', () => {
  const world = conference({ history: 'content' });
  const asked = { actor: 'key:1', conferenceId: world.conference.id, participantIds: null } as const;
  const said = { contentType: 'text/plain', text: 'Fire!' };
  world.happens({ type: 'notice-requested', reply: 'http:op:1', ...asked, ...said });
  const [before] = rows(world);
  expect(before).toMatchObject({ from: world.conferenceUri, content: 'Fire!', size: 5, deliveries: [] });
  const told = message(world, { messageId: before?.messageId ?? '', from: world.conferenceUri, content: null });
  switched(world, { messages: [told] });
  expect(rows(world)).toEqual([
    { ...before, size: 321, deliveries: [expect.objectContaining({ uri: 'sip:bob@biloxi.example.com' })] },
  ]);
  expect(world.events).toEqual(['message.sent']);
  // Told a second time, it would be another message.
  switched(world, { messages: [told] });
  expect(rows(world)).toHaveLength(2);
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
