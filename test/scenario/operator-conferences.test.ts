import { expect, test } from 'vitest';
import type { CommandInput, ListedOrder } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { addressOf, factoryUri, msrpSelf } from '../support/fixtures.ts';
import { defineUser, member, team, teamUri, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

type Wanted = Extract<CommandInput, { type: 'conference-requested' }>;

/** Somebody, by name or by the URI itself, is to be asked in. */
function order(name: string, changes: Partial<ListedOrder> = {}): ListedOrder {
  return { raw: addressOf[name] ?? name, displayName: null, role: 'participant', replaces: null, ...changes };
}

/** An operator asks for a conference. */
function asks(world: World, participants: readonly ListedOrder[], changes: Partial<Wanted> = {}): void {
  world.ladder.add('op', 'focus', 'make a conference');
  world.happens({
    type: 'conference-requested',
    reply: 'http:op:1',
    actor: 'key:1',
    subject: null,
    participants,
    policy: {},
    maxParticipants: null,
    locked: false,
    labels: {},
    dryRun: false,
    ...changes,
  });
}

const inviteCount = (world: World): number => world.effects.filter(({ type }) => type === 'sip.invite').length;

test('an operator makes a conference: everybody is asked in, nobody is its creator', () => {
  const world = new World();
  const replaces = { callId: 'x', toTag: '1', fromTag: '2', earlyOnly: false };
  asks(world, [order('alice', { role: 'chair', displayName: 'Alice' }), order('bob', { replaces })], {
    subject: 'Review',
    maxParticipants: 3,
    locked: true,
    labels: { ticket: '42' },
    policy: { join: 'members' },
  });
  world.ladder.matches(`
    op    -> focus : make a conference
    focus -> store : save v1
    focus -> alice : INVITE
    focus -> bob   : INVITE Replaces: x;to-tag=1;from-tag=2
    focus -> op    : conference-created
  `);
  expect(world.conference).toMatchObject({
    kind: 'ad_hoc',
    factoryUri: null,
    createdBy: 'key:1',
    subject: 'Review',
    maxParticipants: 3,
    locked: true,
    labels: { ticket: '42' },
    policy: { end: 'last-leaves', join: 'members', subscribe: 'participants', invite: 'participants' },
    status: 'active',
  });
  expect(world.outcome('http:op:1')).toMatchObject({ kind: 'conference-created', conference: world.conference });
  expect(world.inviteTo('alice')).toMatchObject({ referredBy: null, displayName: 'Alice', history: null });
  expect(world.participant('alice')).toMatchObject({ role: 'chair', endpoints: [{ origin: { by: 'rest' } }] });
  expect(world.events.slice(0, 2)).toEqual(['conference.created', 'conference.activated']);
});

test('it lasts until the last has left; who is still being called counts', () => {
  const world = new World();
  asks(world, [order('alice'), order('bob')]);
  world.answers('alice');
  world.hangsUp('alice');
  expect(world.conference.status).toBe('active');
  world.answers('bob');
  world.hangsUp('bob');
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'last-left' });
});

test('one that nobody has come to yet waits for the first for a while, empty or not', () => {
  const world = new World({ idleSeconds: 100 });
  asks(world, []);
  expect(world.timers).toHaveLength(1);
  world.passes(99_000);
  world.dialsIn('carol');
  expect(world.timers).toEqual([]);
  const refused = new World({ idleSeconds: 100 });
  asks(refused, [order('alice')]);
  refused.refuses('alice', 603);
  refused.passes(99_999);
  expect(refused.conference.status).toBe('active');
  refused.passes(1);
  expect(refused.conference).toMatchObject({ status: 'ended', endReason: 'idle' });
});

test('the service’s own end policy holds where nobody need have created it; another may be asked for', () => {
  const idle = new World({ endPolicy: 'idle' });
  asks(idle, []);
  expect(idle.conference.policy.end).toBe('idle');
  const world = new World();
  asks(world, [], { policy: { end: 'idle', idleSeconds: 5 } });
  expect(world.conference.policy).toMatchObject({ end: 'idle', idleSeconds: 5 });
  const refused = new World();
  asks(refused, [], { policy: { end: 'creator-leaves' } });
  expect(refused.outcome('http:op:1')).toMatchObject({ code: 'validation-failed' });
});

test('CC-173 no conference that wants TLS is made where none is spoken: nobody could be invited to it', () => {
  const wanted = { policy: { transport: 'tls' } } as const;
  const without = new World();
  asks(without, [order('bob')], wanted);
  const detail = 'No messages can come over TLS: MSRP_TLS_PORT is off';
  expect(without.outcome('http:op:1')).toMatchObject({ code: 'validation-failed', detail });
  expect(inviteCount(without)).toBe(0);
  const present = () => ({ fingerprint: null, relays: ['msrp://relay.example.com:2855/r;tcp'] });
  const behindClear = new World({ msrp: msrpSelf({ tlsPort: 2_856, present }) });
  asks(behindClear, [order('bob')], wanted);
  expect(behindClear.outcome('http:op:1')).toMatchObject({
    code: 'validation-failed',
    detail: 'No messages can come over TLS: the relay before us is one of msrp',
  });
  const secure = new World({ msrp: msrpSelf({ tlsPort: 2_856 }) });
  asks(secure, [order('bob')], wanted);
  expect(inviteCount(secure)).toBe(1);
});

test('entries are judged as at the factory: duplicates once, ourselves not at all, the rest with its reason', () => {
  const world = new World();
  asks(world, [
    order('bob'),
    order('sip:bob@BILOXI.example.com'),
    order(factoryUri),
    order('mailto:ted@example.net'),
    order('sip:carol@10.0.0.1'),
  ]);
  expect(inviteCount(world)).toBe(1);
  expect(world.participant('mailto:ted@example.net')).toMatchObject({ disconnection: { sipStatus: 416 } });
  expect(world.participant('sip:carol@10.0.0.1')).toMatchObject({ disconnection: { sipStatus: 403 } });
});

test('every group is open to an operator, and is its members', () => {
  const world = teamWorld({ members: [member('alice'), member('bob')] }, { consent: 'on' });
  asks(world, [order(teamUri, { role: 'observer' })]);
  expect(world.wasInvited('alice')).toBe(true);
  expect(world.participant('bob')).toMatchObject({ role: 'observer', listEntry: { raw: teamUri } });
});

test('what is refused as a whole makes nothing, and is kept among the attempts', () => {
  const world = new World({ consent: 'on' });
  asks(world, [order('bob')], { subject: 'Review' });
  world.ladder.matches(`
    op    -> focus : make a conference
    focus -> store : attempt consent-missing
    focus -> op    : 470 consent-missing
  `);
  expect(world.saved.conferences.size).toBe(0);
  expect(world.attempts).toMatchObject([
    {
      method: 'POST',
      target: factoryUri,
      caller: 'key:1',
      code: 'consent-missing',
      status: 409,
      received: JSON.stringify({ subject: 'Review', participants: [addressOf['bob']] }),
    },
  ]);
});

test('a list of an operator’s is no longer than anybody’s, and none is made while the service stops', () => {
  const world = new World();
  asks(
    world,
    Array.from({ length: limits.listEntriesMax + 1 }, (_, index) => order(`sip:guest${index}@example.org`)),
  );
  expect(world.outcome('http:op:1')).toMatchObject({ code: 'list-too-long' });
  const stopping = new World();
  stopping.happens({ type: 'shutdown-requested', reply: 'http:op:0', actor: 'process' });
  asks(stopping, []);
  expect(stopping.outcome('http:op:1')).toMatchObject({ code: 'stopping' });
});

test('whom an operator asks into a conference that runs has no private address either, where none may be called', () => {
  const world = new World({ privateTargets: 'refuse' });
  world.factoryInvite(null);
  const { conferenceId } = world.participant('alice');
  world.dialsOut('sip:pbx@192.168.0.7', conferenceId);
  expect(world.outcome('http:op:sip:pbx@192.168.0.7')).toMatchObject({ code: 'private-target' });
  expect(inviteCount(world)).toBe(0);
  world.dialsOut('bob', conferenceId);
  expect(world.outcome('http:op:bob')).toMatchObject({ kind: 'participant-dialled' });
});

test('operators make as many as they like', () => {
  const world = new World({ creationsPerMinute: 1 });
  asks(world, [order('bob')]);
  asks(world, [order('bob')], { reply: 'http:op:2' });
  expect(world.saved.conferences.size).toBe(2);
});

test('a dry run tells how each entry would be read and what would become of it, and does nothing', () => {
  const world = teamWorld({}, { consent: 'on' });
  for (const name of ['bob', 'ted']) defineUser(world, name, { consents: true });
  asks(
    world,
    [
      order('bob@biloxi.example.com;method=INVITE?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2'),
      order('bob', { displayName: 'Bob' }),
      order(factoryUri),
      order('mailto:ted@example.net'),
      order(teamUri),
      order('carol'),
    ],
    { dryRun: true },
  );
  world.ladder.matches(`
    op    -> focus : make a conference
    focus -> op    : conference-planned
  `);
  const outcome = world.outcome('http:op:1');
  if (outcome.kind !== 'conference-planned') throw new Error(outcome.kind);
  expect(outcome.plan.entries.map(({ verdict, cause }) => [verdict, cause?.status ?? null])).toEqual([
    ['dial', null],
    ['dropped', null],
    ['dropped', null],
    ['refused', 416],
    ['dial', null],
    ['refused', 470],
  ]);
  expect(outcome.plan.entries[0]).toMatchObject({
    entry: { uri: addressOf['bob'], quirks: ['QK-6'], position: 0 },
    replaces: { callId: 'x', toTag: '1', fromTag: '2' },
  });
  expect(outcome.plan.refused).toMatchObject({ code: 'consent-missing' });
  expect(world.saved.conferences.size).toBe(0);
  expect(world.attempts).toEqual([]);
});

test('a dry run of what would be done is refused by nothing', () => {
  const world = new World();
  asks(world, [order('bob')], { dryRun: true });
  expect(world.outcome('http:op:1')).toMatchObject({ plan: { entries: [{ verdict: 'dial' }], refused: null } });
  expect(inviteCount(world)).toBe(0);
  const stopping = teamWorld({ members: team().members });
  stopping.happens({ type: 'shutdown-requested', reply: 'http:op:0', actor: 'process' });
  asks(stopping, [], { dryRun: true });
  expect(stopping.outcome('http:op:1')).toMatchObject({ plan: { refused: { code: 'stopping' } } });
});

test('what a dry run tells is what comes of the same in earnest', () => {
  const ours = 'sip:team@10.0.0.7';
  const here = { ownHosts: new Set(['conf.example.com', '10.0.0.7']), consent: 'on' } as const;
  const entries = [
    order('mailto:ted@example.net'),
    order(ours),
    order('bob'),
    order('mailto:ted@example.net'),
    order('sip:nobody@conf.example.com'),
    order('sip:10.0.0.8'),
  ];
  const play = (dryRun: boolean) => {
    const world = teamWorld({ uri: ours, members: [member('alice'), member('bob')] }, here);
    world.happens({
      type: 'group-defined',
      group: team({ id: 'empty', uri: 'sip:nobody@conf.example.com', members: [] }),
    });
    asks(world, entries, { dryRun });
    return world;
  };
  const outcome = play(true).outcome('http:op:1');
  if (outcome.kind !== 'conference-planned') throw new Error(outcome.kind);
  expect(outcome.plan.refused).toBeNull();
  const told = outcome.plan.entries.map(({ verdict, cause }) => [verdict, cause?.status ?? null]);
  expect(told).toEqual([
    ['refused', 416],
    ['dial', null],
    ['dropped', null],
    ['dropped', null],
    ['dropped', null],
    ['refused', 403],
  ]);
  const done = [...play(false).saved.participants.values()].map(({ listEntry, lastError }) => [
    listEntry?.position,
    lastError?.status ?? null,
  ]);
  expect(done).toEqual([
    [0, 416],
    [1, null],
    [1, null],
    [5, 403],
  ]);
});

test('a group that is too long for a list is told as such before anybody in it is read', () => {
  const members = Array.from({ length: limits.listEntriesMax + 1 }, (_, index) => member(`sip:g${index}@example.org`));
  const world = teamWorld({ members });
  asks(world, [order(teamUri)], { dryRun: true });
  expect(world.outcome('http:op:1')).toMatchObject({
    plan: { entries: [{ verdict: 'dial' }], refused: { code: 'list-too-long' } },
  });
});
