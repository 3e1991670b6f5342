import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import type { Command } from '../../src/core/input.ts';
import type { ChatPolicy } from '../../src/core/rows.ts';
import { callerNamed, clientSdp } from '../support/fixtures.ts';
import { losesMessages } from '../support/message-session.ts';
import { World } from '../support/world.ts';

/** Alice has asked Bob in, who is here, and Ted, who is not. */
function conference(policy: Partial<ChatPolicy> = {}, subject: string | null = 'Lunch'): World {
  const world = new World({ chat: { ...usualChat, ...policy } });
  world.factoryInvite(['bob', 'ted'], { subject });
  world.answers('bob');
  return world;
}

/** An operator says something; the reply's token. */
function says(world: World, text: string, to: readonly string[] | null = null): string {
  const reply = `http:op:${text}`;
  const asked: Command<'notice-requested'> = {
    type: 'notice-requested',
    reply,
    actor: 'key:1',
    conferenceId: world.conference.id,
    contentType: 'text/plain',
    text,
    participantIds: to?.map((name) => world.participant(name).id) ?? null,
  };
  world.ladder.add('op', 'focus', `say "${text}"`);
  world.happens(asked);
  return reply;
}

test('an operator says something to all, or to some on all of their devices', () => {
  const world = conference();
  world.dialsIn('bob');
  world.ladder.take();
  says(world, 'Fire!');
  const toBob = says(world, 'Your door', ['bob', 'bob']);
  world.ladder.matches(`
    op    -> focus : say "Fire!"
    focus -> all   : SEND "Fire!"
    focus -> op    : notice-sent
    op    -> focus : say "Your door"
    focus -> bob+bob : SEND "Your door"
    focus -> op    : notice-sent
  `);
  expect(world.outcome(toBob)).toMatchObject({
    message: {
      from: world.conferenceUri,
      to: ['sip:bob@biloxi.example.com'],
      content: null,
      deliveries: world.participant('bob').endpoints.map(({ id }) => ({ endpointId: id, outcome: 'pending' })),
    },
  });
  const notice = world.effects.findLast(({ type }) => type === 'msrp.notice');
  // RFC 4975 9: 4 to 32 characters.
  expect(notice).toMatchObject({ messageId: expect.stringMatching(/^[A-Za-z0-9]{4,32}$/), sentAt: world.now });
});

test('whom a notice was for is kept by the names that the roster has, as of any message', () => {
  const world = conference({ history: 'facts' });
  world.dialsIn('carol', { caller: callerNamed('carol', { private: true }) });
  const said = says(world, 'Your door', ['carol', 'bob']);
  const to = ['sip:anonymous4@anonymous.invalid', 'sip:bob@biloxi.example.com'];
  expect(world.outcome(said)).toMatchObject({ message: { to } });
  expect([...world.saved.messages.values()]).toMatchObject([{ to }]);
});

test('nothing is said to who is not in the conference', () => {
  const world = conference();
  expect(world.outcome(says(world, 'to Ted', ['bob', 'ted']))).toMatchObject({ code: 'not-in-conference' });
  const { id: conferenceId } = world.conference;
  const asked = { actor: 'key:1', conferenceId, contentType: 'text/plain', text: 'x' } as const;
  world.happens({ ...asked, type: 'notice-requested', reply: 'http:op:who', participantIds: ['nobody'] });
  expect(world.outcome('http:op:who')).toMatchObject({ code: 'no-such-participant', detail: 'nobody' });
  world.hangsUp('alice');
  world.happens({ ...asked, type: 'notice-requested', reply: 'http:op:over', participantIds: null });
  expect(world.outcome('http:op:over')).toMatchObject({ kind: 'refused' });
  expect(world.effects.filter(({ type }) => type === 'msrp.notice')).toEqual([]);
});

test('every endpoint is greeted with the subject, once, when it can be told', () => {
  const world = conference({ greeting: true });
  world.acknowledges('alice');
  losesMessages(world, 'bob');
  world.reinvites('bob', { reply: 'sip:bob:again', offer: clientSdp('bob', { setup: 'active' }) });
  world.dialsIn('bob');
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com [bob ted]
    focus -> store : save v1
    focus -> alice : SEND "Lunch"
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : INVITE
    focus -> ted   : INVITE
    bob   -> focus : 200 INVITE
    focus -> store : save v2
    focus -> bob   : SEND "Lunch"
    alice -> focus : ACK
    bob   -> focus : message session lost
    focus -> store : save v3
    bob   -> focus : INVITE (again)
    focus -> store : save v4
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v5
    focus -> bob   : SEND "Lunch"
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
});

test('where there is no subject, nobody is greeted', () => {
  const world = conference({ greeting: true }, null);
  expect(world.effects.filter(({ type }) => type === 'msrp.notice')).toEqual([]);
});

test('all are told who has come and who has left, by the name that the roster has', () => {
  const world = conference({ announcements: true });
  world.ladder.take();
  const { id: conferenceId } = world.conference;
  world.dialsIn('carol', { caller: callerNamed('carol', { private: true }) });
  const endpointId = world.endpointOf('bob');
  world.happens({ type: 'nickname-asked', reply: 'msrp:bob:1', conferenceId, endpointId, nickname: 'Bobby' });
  // Another device brings nobody.
  world.dialsIn('bob');
  world.happens({ type: 'dialog-ended', endpointId, by: 'peer', reason: null });
  world.hangsUp('bob');
  world.refuses('ted', 486);
  world.hangsUp('carol');
  expect(world.ladder.take().filter((line) => line.includes('SEND'))).toEqual([
    'focus -> alice+bob : SEND "Anonymous 4 has come"',
    'focus -> all   : SEND "Bobby has left"',
    'focus -> all   : SEND "Anonymous 4 has left"',
  ]);
});

test('nobody is told that a conference is left as it ends', () => {
  const world = conference({ announcements: true });
  world.ladder.take();
  world.hangsUp('alice');
  expect(world.conference.status).toBe('ending');
  expect(world.ladder.take().filter((line) => line.includes('SEND'))).toEqual([]);
});
