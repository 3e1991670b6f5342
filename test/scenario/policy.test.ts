import { expect, test } from 'vitest';
import type { CommandInput } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { addressOf, callerNamed, recipients } from '../support/fixtures.ts';
import { conferenceOfTwo, refers } from '../support/refer-steps.ts';
import { callsTeam, defineUser, member, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

type Change = Partial<Extract<CommandInput, { type: 'change-requested' }>>;

let changes = 0;

/** An operator changes the conference; the reply's token. */
function changed(world: World, change: Change): string {
  changes += 1;
  const reply = `http:op:${changes}`;
  world.ladder.add('op', 'focus', `change ${Object.keys(change).join(' ')}`);
  world.happens({ type: 'change-requested', reply, actor: 'key:1', conferenceId: world.conference.id, ...change });
  return reply;
}

/** Alice and Bob talk, and Alice watches. */
function conference(): World {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.events.length = 0;
  return world;
}

test('CC-088 locked: whoever is new gets 403, the roster says so, and unlocked they may come', () => {
  const world = conference();
  changed(world, { locked: true });
  world.answersNotify('alice');
  world.dialsIn('carol');
  changed(world, { locked: false });
  world.dialsIn('carol');
  world.ladder.matches(`
    op    -> focus : change locked
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial []
    focus -> op    : conference-changed
    alice -> focus : 200 NOTIFY
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt conference-locked
    focus -> carol : 403 conference-locked
    op    -> focus : change locked
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial []
    focus -> op    : conference-changed
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v5
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.documents('alice').map(({ conferenceState }) => conferenceState?.locked)).toEqual([false, true, false]);
  expect(world.events).toEqual(['conference.locked', 'conference.unlocked', 'participant.joined']);
  expect(world.attempts).toMatchObject([{ code: 'conference-locked', status: 403, caller: addressOf['carol'] }]);
});

test('a locked conference takes another device of who is in it, and those who were being asked in', () => {
  const world = conference();
  changed(world, { locked: true });
  world.dialsIn('bob');
  world.dialsIn('ted');
  expect(world.participant('bob').endpoints).toHaveLength(2);
  expect(world.participant('ted').status).toBe('connected');
  world.hangsUp('ted');
  world.dialsOut('carol', world.conference.id);
  expect(world.outcome('http:op:carol')).toMatchObject({ code: 'conference-locked' });
});

test('who left a locked conference does not come back', () => {
  const world = conference();
  changed(world, { locked: true });
  world.hangsUp('bob');
  expect(world.outcome(world.dialsIn('bob').reply)).toMatchObject({ code: 'conference-locked' });
});

test('a full conference: 486 to one more, but not to another device of who is in it', () => {
  const world = conference();
  changed(world, { maxParticipants: 2 });
  world.ladder.take();
  world.dialsIn('carol');
  world.dialsIn('ted');
  world.dialsIn('bob');
  world.ladder.matches(`
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt conference-full
    focus -> carol : 486 conference-full
    ted   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt conference-full
    focus -> ted   : 486 conference-full
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v4
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.documents('alice').at(-1)?.description?.maximumUserCount).toBe(2);
  world.dialsOut('carol', world.conference.id);
  expect(world.outcome('http:op:carol')).toMatchObject({ code: 'conference-full' });
});

test('an invitee who answers when the conference is full is thanked and let go', () => {
  const world = conference();
  changed(world, { maxParticipants: 2 });
  world.ladder.take();
  world.answers('ted');
  world.ladder.matches(`
    ted   -> focus : 200 INVITE
    focus -> store : save v4
    focus -> ted   : BYE (The conference is full)
  `);
  expect(world.participant('ted')).toMatchObject({
    status: 'disconnected',
    disconnection: { method: 'failed', sipStatus: 403, reason: 'The conference is full' },
  });
});

test('of more members than find room only as many are called as may still come', () => {
  const members = Array.from({ length: 30 }, (_, index) => member(`sip:member${index}@host${index}.example.org`));
  const world = teamWorld({ members: [member('alice'), ...members], maxParticipants: 2 });
  callsTeam(world, 'alice');
  world.answers('sip:member0@host0.example.org');
  expect(world.effects.filter(({ type }) => type === 'sip.invite')).toHaveLength(limits.parallelInvitesMax);
  expect(world.participant('sip:member29@host29.example.org')).toMatchObject({
    status: 'disconnected',
    attempts: [],
    lastError: { status: 403, reason: 'The conference is full' },
  });
});

test('subject, limit and labels change in one go; what stands already is no change', () => {
  const world = conference();
  const change = { subject: 'x'.repeat(500), maxParticipants: 7, labels: { ticket: '42' } };
  const first = changed(world, change);
  world.answersNotify('alice');
  const again = changed(world, { ...change, locked: false });
  world.ladder.matches(`
    op    -> focus : change subject maxParticipants labels
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial []
    focus -> op    : conference-changed
    alice -> focus : 200 NOTIFY
    op    -> focus : change subject maxParticipants labels locked
    focus -> op    : conference-changed
  `);
  const subject = `${'x'.repeat(limits.textCharactersMax - 1)}…`;
  const row = { subject, maxParticipants: 7, labels: { ticket: '42' }, version: world.conference.version };
  expect(world.outcome(first)).toMatchObject({ kind: 'conference-changed', conference: row });
  expect(world.outcome(again)).toMatchObject({ kind: 'conference-changed', conference: row });
  expect(world.documents('alice').at(-1)?.description).toMatchObject({ subject, maximumUserCount: 7 });
  expect(world.events).toEqual(['conference.updated']);
});

test('labels are nobody’s but the operator’s: no version, no NOTIFY; null takes a subject away', () => {
  const world = conference();
  changed(world, { labels: { ticket: '42' } });
  changed(world, { subject: 'Plans' });
  world.answersNotify('alice');
  changed(world, { subject: null });
  world.ladder.matches(`
    op    -> focus : change labels
    focus -> store : save v2
    focus -> op    : conference-changed
    op    -> focus : change subject
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial []
    focus -> op    : conference-changed
    alice -> focus : 200 NOTIFY
    op    -> focus : change subject
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial []
    focus -> op    : conference-changed
  `);
  expect(world.conference).toMatchObject({ subject: null, labels: { ticket: '42' } });
});

test('a conference that is over cannot be changed', () => {
  const world = conference();
  world.hangsUp('alice');
  const reply = changed(world, { locked: true });
  expect(world.outcome(reply)).toMatchObject({ code: 'conference-ended' });
});

test('who was removed from a closed conference may not come back, who was invited may', () => {
  const world = new World();
  world.happens({
    type: 'conference-requested',
    reply: 'http:op:new',
    actor: 'key:1',
    subject: null,
    participants: [],
    policy: { join: 'members' },
    maxParticipants: null,
    locked: false,
    labels: {},
    dryRun: false,
  });
  const { id: conferenceId } = world.conference;
  for (const name of ['alice', 'bob', 'ted']) world.dialsOut(name, conferenceId);
  world.answers('alice');
  world.answers('bob');
  world.refuses('ted', 480);
  world.removes('bob');
  world.ladder.take();
  world.dialsIn('ted');
  world.dialsIn('bob');
  world.dialsIn('carol');
  world.ladder.matches(`
    ted   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v8
    focus -> ted   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt not-a-member
    focus -> bob   : 403 not-a-member
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt not-a-member
    focus -> carol : 403 not-a-member
  `);
});

test('who is barred gets nothing; sessions that there are go on', () => {
  const world = conference();
  defineUser(world, 'bob', { barred: true });
  world.dialsIn('bob');
  world.subscribes('bob');
  world.factoryInvite(['carol'], { caller: callerNamed('bob') });
  world.ladder.matches(`
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt barred
    focus -> bob   : 403 barred
    bob   -> focus : SUBSCRIBE
    focus -> bob   : 403 barred
    bob   -> focus : INVITE sip:conf-fact@conf.example.com [carol]
    focus -> store : attempt barred
    focus -> bob   : 403 barred
  `);
  expect(world.participant('bob').status).toBe('connected');
  expect(world.attempts).toMatchObject([{ code: 'barred' }, { code: 'barred' }]);
  defineUser(world, 'bob', { barred: false, revision: 2 });
  expect(world.outcome(world.subscribes('bob').reply).kind).toBe('subscription-accepted');
});

test('who is barred is not called either, by whomever and whatever way', () => {
  const world = teamWorld();
  defineUser(world, 'bob', { barred: true });
  const barred = { status: 'disconnected', disconnection: { method: 'failed', sipStatus: 403 } };
  callsTeam(world, 'alice');
  expect(world.wasInvited('ted')).toBe(true);
  expect(world.wasInvited('bob')).toBe(false);
  expect(world.participant('bob')).toMatchObject(barred);

  const conference = conferenceOfTwo();
  defineUser(conference, 'carol', { barred: true });
  expect(conference.outcome(refers(conference, 'alice', { to: 'carol' }).reply)).toMatchObject({ code: 'barred' });
  conference.dialsOut('carol', conference.conference.id);
  expect(conference.outcome('http:op:carol')).toMatchObject({ code: 'barred' });
  expect(conference.wasInvited('carol')).toBe(false);

  const list = new World();
  defineUser(list, 'bob', { barred: true });
  list.factoryInvite(['bob', 'ted']);
  expect(list.participant('bob')).toMatchObject(barred);
  expect([list.wasInvited('bob'), list.wasInvited('ted')]).toEqual([false, true]);
});

test('RFC 3261 19.1: who is barred is so by sips: too, and so is who may make no conferences', () => {
  const secure = { aor: 'sips:bob@biloxi.example.com', displayName: null, private: false };
  const world = conference();
  defineUser(world, 'bob', { uri: 'sip:bob@biloxi.example.com', barred: true });
  expect(world.outcome(world.dialsIn('bob', { caller: secure }).reply)).toMatchObject({ code: 'barred' });
  expect(world.outcome(world.subscribes('bob', { caller: secure }).reply)).toMatchObject({ code: 'barred' });
  defineUser(world, 'carol', { uri: 'sip:bob@biloxi.example.com', mayCreate: false, revision: 2 });
  defineUser(world, 'bob', { uri: 'sips:bob@biloxi.example.com', revision: 2 });
  expect(world.outcome(world.factoryInvite([], { caller: secure }).reply)).toMatchObject({ code: 'not-allowed' });
});

test('a barred member of a list that refuses us is not called in its stead', () => {
  const world = new World();
  defineUser(world, 'carol', { barred: true });
  world.factoryInvite(['ted']);
  world.happens({
    type: 'endpoint-failed',
    endpointId: world.endpointOf('ted'),
    cause: { status: 403, reason: 'List' },
    unsupported: [],
    reasonHeader: null,
    minSe: null,
    members: recipients(['bob', 'carol'], true),
  });
  expect([world.wasInvited('bob'), world.wasInvited('carol')]).toEqual([true, false]);
});

test('CC-010 who may make no conferences gets 403 at the factory, and nobody is invited', () => {
  const world = new World();
  defineUser(world, 'alice', { mayCreate: false });
  world.factoryInvite(['bob']);
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com [bob]
    focus -> store : attempt not-allowed
    focus -> alice : 403 not-allowed
  `);
  expect(world.saved.conferences.size).toBe(0);
});

test('a change is for the state that is known: messages are none, labels are, in whatever order', () => {
  const world = conference();
  changed(world, { labels: { room: '1', floor: '2' } });
  const { version } = world.conference;
  const asKnown = { version, labels: { floor: '2', room: '1' } };
  const told = { count: 1, messages: [], losses: [{ endpointId: world.endpointOf('bob'), count: 1, reason: 'lost' }] };
  world.happens({ type: 'messages-switched', conferenceId: world.conference.id, ...told });
  expect(world.outcome(changed(world, { labels: { room: '2' }, asKnown }))).toMatchObject({
    kind: 'conference-changed',
  });
  expect(world.outcome(changed(world, { locked: true, asKnown }))).toMatchObject({ code: 'changed-meanwhile' });
  const later = { asKnown: { version: version + 1, labels: { room: '2' } } };
  expect(world.outcome(changed(world, { locked: true, ...later }))).toMatchObject({ code: 'changed-meanwhile' });
});
