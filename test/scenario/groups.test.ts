import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { parseResourceList } from '../../src/wire/resource-lists.ts';
import { addressOf, callerNamed, clientSdp, inviteFrom, recipients, subscribeFrom } from '../support/fixtures.ts';
import { callsTeam, defineUser, member, policy, team, teamUri, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

test('a member calls the group: its session starts, and the other members are invited', () => {
  const world = teamWorld({ subject: 'Stand-up', maxParticipants: 5 });
  callsTeam(world, 'bob');
  world.ladder.matches(`
    bob   -> focus : INVITE sip:team@conf.example.com
    focus -> store : save v1
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> alice : INVITE
    focus -> ted   : INVITE
  `);
  expect(world.conference).toMatchObject({
    kind: 'pre_arranged',
    groupId: 'team',
    uri: 'sip:conf-1@conf.example.com',
    factoryUri: null,
    subject: 'Stand-up',
    maxParticipants: 5,
    createdBy: addressOf['bob'],
    policy: { end: 'last-leaves', join: 'members' },
  });
  expect(world.inviteTo('alice')).toMatchObject({
    conferenceUri: 'sip:conf-1@conf.example.com',
    referredBy: addressOf['bob'],
    subject: 'Stand-up',
    history: null,
  });
  expect(world.participant('alice')).toMatchObject({ listEntry: null, endpoints: [{ origin: { by: 'group' } }] });
});

test('the subject is the group’s, whatever its first caller says; where it has none, the caller’s', () => {
  const named = teamWorld({ subject: 'Stand-up' });
  callsTeam(named, 'bob', { subject: 'Lunch' });
  expect([named.conference?.subject, named.inviteTo('alice').subject]).toEqual(['Stand-up', 'Stand-up']);
  const unnamed = teamWorld({ subject: null });
  callsTeam(unnamed, 'bob', { subject: 'Lunch' });
  expect([unnamed.conference?.subject, unnamed.inviteTo('alice').subject]).toEqual(['Lunch', 'Lunch']);
});

test('each has the role that the member list says; who starts it is not chair beside one who is', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  expect(['alice', 'bob', 'ted'].map((name) => world.participant(name).role)).toEqual([
    'chair',
    'participant',
    'participant',
  ]);
});

test('a group without a chair is led by who starts its session', () => {
  const world = teamWorld({ members: [member('alice'), member('bob', 'observer'), member('ted')] });
  callsTeam(world, 'ted');
  expect(['alice', 'bob', 'ted'].map((name) => world.participant(name).role)).toEqual([
    'participant',
    'observer',
    'chair',
  ]);
});

test('one session at a time: the second caller joins the first one’s', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.ladder.take();
  callsTeam(world, 'alice');
  world.ladder.matches(`
    alice -> focus : INVITE sip:team@conf.example.com
    focus -> store : save v2
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.saved.conferences.size).toBe(1);
  expect(world.participant('alice')).toMatchObject({ status: 'connected', role: 'chair' });
});

test('a member who left calls again and is in again', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.answers('alice');
  world.hangsUp('bob');
  world.ladder.take();
  callsTeam(world, 'bob');
  world.ladder.matches(`
    bob   -> focus : INVITE sip:team@conf.example.com
    focus -> store : save v4
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'connected', role: 'participant' });
});

test('who was invited while it rings may call as well, and is one participant', () => {
  const world = teamWorld();
  callsTeam(world, 'alice');
  world.rings('bob');
  callsTeam(world, 'bob');
  expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{}, {}] });
  expect(world.conference.participantCount).toBe(2);
});

test('a closed group is closed to whoever is no member, before anything', () => {
  const world = teamWorld();
  callsTeam(world, 'eve', { requires: ['unheard-of'], offer: clientSdp('eve', { msrp: false }) });
  world.ladder.matches(`
    eve   -> focus : INVITE sip:team@conf.example.com
    focus -> store : attempt not-a-member
    focus -> eve   : 403 not-a-member
  `);
  callsTeam(world, 'bob');
  world.ladder.take();
  callsTeam(world, 'eve', { requires: ['unheard-of'] });
  world.dialsIn('eve');
  world.ladder.matches(`
    eve   -> focus : INVITE sip:team@conf.example.com
    focus -> store : attempt not-a-member
    focus -> eve   : 403 not-a-member
    eve   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt not-a-member
    focus -> eve   : 403 not-a-member
  `);
  expect(world.attempts).toMatchObject([
    { code: 'not-a-member', target: teamUri, caller: addressOf['eve'], method: 'INVITE' },
    { code: 'not-a-member', target: teamUri },
    { code: 'not-a-member', target: world.conferenceUri },
  ]);
});

test('anybody may start, and join, the session of an open group', () => {
  const world = teamWorld(policy({ join: 'anyone' }));
  callsTeam(world, 'eve');
  callsTeam(world, 'carol');
  expect(world.participant('eve')).toMatchObject({ status: 'connected', role: 'participant' });
  expect(world.participant('carol')).toMatchObject({ status: 'connected', role: 'participant' });
  expect(world.wasInvited('alice')).toBe(true);
});

test('whom an operator asked in may come back to a closed session', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.dialsOut('carol', world.conference.id);
  world.answers('carol');
  world.hangsUp('carol');
  callsTeam(world, 'carol');
  expect(world.participant('carol').status).toBe('connected');
});

test('a list has no meaning at a group: 420, and nobody is invited', () => {
  const world = teamWorld();
  const input = callsTeam(world, 'bob', { list: recipients(['carol']) });
  expect(world.outcome(input.reply)).toMatchObject({
    code: 'unknown-extension',
    headers: { Unsupported: 'recipient-list-invite' },
  });
  expect(world.saved.conferences.size).toBe(0);
});

test('an offer that holds no message session starts nothing', () => {
  const world = teamWorld();
  const input = callsTeam(world, 'bob', { offer: clientSdp('bob', { msrp: false, audio: true }) });
  expect(world.outcome(input.reply)).toMatchObject({ code: 'media-not-acceptable' });
  expect(world.wasInvited('alice')).toBe(false);
  expect(world.saved.conferences.size).toBe(0);
  callsTeam(world, 'ted');
  expect(world.conference.createdBy).toBe(addressOf['ted']);
});

test('the session ends when the last one leaves, and the next call starts another', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.refuses('alice', 486);
  world.refuses('ted', 480);
  world.ladder.take();
  world.hangsUp('bob');
  callsTeam(world, 'alice');
  world.ladder.matches(`
    bob   -> focus : BYE
    focus -> store : save v4
    alice -> focus : INVITE sip:team@conf.example.com
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-2@conf.example.com>;isfocus
    focus -> bob   : INVITE
    focus -> ted   : INVITE
  `);
  expect([...world.saved.conferences.values()]).toMatchObject([
    { status: 'ended', endReason: 'last-left' },
    { status: 'active', uri: 'sip:conf-2@conf.example.com' },
  ]);
});

test('while its last invitee is being cancelled a session is over, and a call starts the next', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.happens({
    type: 'end-requested',
    reply: 'http:op:1',
    actor: 'key:1',
    conferenceId: world.conference.id,
    reason: null,
  });
  expect(world.conference.status).toBe('ending');
  callsTeam(world, 'bob');
  expect([...world.saved.conferences.values()].map(({ status }) => status)).toEqual(['ending', 'active']);
  world.passes(limits.cancelTimeoutMs);
  callsTeam(world, 'alice');
  expect(world.saved.conferences.size).toBe(2);
});

test('who starts a session and takes that back before anybody came has not started it', () => {
  const world = teamWorld();
  const input = callsTeam(world, 'bob');
  world.ladder.take();
  world.happens({ type: 'invite-cancelled', dialogId: input.dialogId });
  world.ladder.matches(`
    focus -> store : save v2
    focus -> alice : CANCEL
    focus -> ted   : CANCEL
  `);
  expect(world.conference).toMatchObject({ endReason: 'cancelled' });
});

test('a group that changes while its session runs: the session goes on, who comes is judged anew', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.refuses('ted', 486);
  const members = [member('alice', 'chair'), member('carol')];
  world.happens({ type: 'group-defined', group: team({ members, revision: 2, subject: 'Other' }) });
  callsTeam(world, 'bob');
  expect(world.participant('bob').endpoints).toHaveLength(2);
  callsTeam(world, 'ted');
  callsTeam(world, 'carol');
  world.hangsUp('bob');
  expect(world.participant('ted').status).toBe('disconnected');
  expect(world.participant('carol').status).toBe('connected');
  expect(world.conference).toMatchObject({ status: 'active', subject: null });
  expect(world.attempts).toMatchObject([{ code: 'not-a-member', caller: addressOf['ted'] }]);
});

test('a group that is removed while its session runs: the session goes on, its URI is nobody’s', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.refuses('ted', 486);
  world.happens({ type: 'group-removed', groupId: 'team' });
  const input = callsTeam(world, 'alice');
  expect(world.outcome(input.reply)).toMatchObject({ code: 'no-such-conference' });
  world.dialsIn('ted');
  expect(world.participant('ted').status).toBe('connected');
  const eve = world.dialsIn('eve');
  expect(world.outcome(eve.reply)).toMatchObject({ code: 'not-a-member' });
});

test('CC-130 a group is watched by its own URI, as its session is by the conference’s', () => {
  const world = teamWorld();
  callsTeam(world, 'bob');
  world.ladder.take();
  const input = subscribeFrom('ted', teamUri);
  world.ladder.add('ted', 'focus', `SUBSCRIBE ${teamUri}`);
  world.happens(input);
  world.subscribes('bob');
  world.ladder.matches(`
    ted   -> focus : SUBSCRIBE sip:team@conf.example.com
    focus -> store : save v1
    focus -> ted   : 200 SUBSCRIBE Expires: 3600
    focus -> ted   : NOTIFY active v0 [bob:connected alice:pending ted:pending]
    bob   -> focus : SUBSCRIBE
    focus -> store : save v1
    focus -> bob   : 200 SUBSCRIBE Expires: 3600
    focus -> bob   : NOTIFY active v0 [bob:connected alice:dialing-out ted:dialing-out]
  `);
  expect(world.outcome(input.reply)).toMatchObject({ contact: world.conferenceUri });
  expect(world.documents('ted')).toMatchObject([{ entity: world.conferenceUri }]);
  expect(world.subscriptionOf('ted').target).toBe(teamUri);
  expect(world.subscriptionOf('bob').target).toBe(world.conferenceUri);
});

test('a group that is not in session: members are told so, strangers are not', () => {
  const world = teamWorld();
  const asks = (name: string): unknown => {
    const input = subscribeFrom(name, teamUri);
    world.happens(input);
    return world.outcome(input.reply);
  };
  expect(asks('bob')).toMatchObject({ code: 'no-session' });
  expect(asks('eve')).toMatchObject({ code: 'not-a-participant' });
});

test('a stranger cannot tell by any SUBSCRIBE whether a group is in session', () => {
  const asks = (world: World, changes: Parameters<typeof subscribeFrom>[2]): unknown => {
    const input = subscribeFrom('eve', teamUri, changes);
    world.happens(input);
    return world.outcome(input.reply);
  };
  const [silent, running] = [teamWorld(), teamWorld()];
  callsTeam(running, 'alice');
  for (const changes of [{}, { requires: ['unheard-of'] }, { accepts: ['text/plain'] }, { expires: 1 }])
    expect(asks(running, changes)).toEqual(asks(silent, changes));
});

test.each([
  ['participants', ['not-a-participant', 'not-a-participant']],
  ['members', [null, 'not-a-participant']],
  ['anyone', [null, null]],
] as const)('with subscribe: %s a member who is not in it, and a stranger', (subscribe, expected) => {
  const world = teamWorld(policy({ subscribe }));
  callsTeam(world, 'alice');
  world.happens({
    type: 'group-defined',
    group: team({ ...policy({ subscribe }), members: [...team().members, member('carol')], revision: 2 }),
  });
  const codes = ['carol', 'eve'].map((name) => {
    const input = subscribeFrom(name, teamUri);
    world.happens(input);
    const outcome = world.outcome(input.reply);
    return outcome.kind === 'refused' ? outcome.code : null;
  });
  expect(codes).toEqual(expected);
});

test('a focus that calls our group is told who is in it, if it may call', () => {
  const world = teamWorld(policy({ join: 'anyone' }));
  const input = callsTeam(world, 'eve', { fromFocus: true });
  const outcome = world.outcome(input.reply);
  if (outcome.kind !== 'refused' || outcome.body === undefined) throw new Error('no list came');
  const { contentId, type, text } = outcome.body;
  expect(outcome).toMatchObject({
    code: 'list-of-lists',
    headers: { 'P-Refused-URI-List': `<${teamUri}>;members="<cid:${contentId}>"` },
  });
  expect(type).toBe('application/resource-lists+xml');
  const read = parseResourceList(text, { lenient: false, bytesMax: 65_536, elementsMax: 100, depthMax: 1 });
  expect(read.entries.map(({ raw }) => raw)).toEqual(['alice', 'bob', 'ted'].map((name) => addressOf[name]));
  expect(world.saved.conferences.size).toBe(0);
});

test('and if it may not, only that it is a group', () => {
  const world = teamWorld();
  const input = callsTeam(world, 'eve', { fromFocus: true });
  expect(world.outcome(input.reply)).toEqual({
    kind: 'refused',
    code: 'list-of-lists',
    detail: 'It is a group',
    headers: { 'P-Refused-URI-List': `<${teamUri}>` },
  });
});

test('members too many for an answer are not told', () => {
  const members = Array.from({ length: 200 }, (_, index) => member(`sip:member${index}@example.com`));
  const world = teamWorld({ ...policy({ join: 'anyone' }), members });
  const input = callsTeam(world, 'eve', { fromFocus: true });
  expect(world.outcome(input.reply)).not.toHaveProperty('body');
});

test('a group in the list of one of its members is its members', () => {
  const world = teamWorld();
  world.factoryInvite(['carol', teamUri], { caller: callerNamed('ted') });
  world.ladder.matches(`
    ted   -> focus : INVITE sip:conf-fact@conf.example.com [carol sip:team@conf.example.com]
    focus -> store : save v1
    focus -> ted   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> carol : INVITE
    focus -> alice : INVITE
    focus -> bob   : INVITE
  `);
  expect(world.conference).toMatchObject({ kind: 'ad_hoc', groupId: null });
  expect(world.participant('alice')).toMatchObject({
    role: 'participant',
    listEntry: { raw: teamUri, uri: addressOf['alice'], position: 1 },
    endpoints: [{ origin: { by: 'list' } }],
  });
});

test('a group in the list of somebody it is closed to: the list is refused, and says which', () => {
  const world = teamWorld();
  const input = world.factoryInvite(['carol', teamUri], { caller: callerNamed('eve') });
  expect(world.outcome(input.reply)).toMatchObject({
    code: 'list-of-lists',
    headers: { 'P-Refused-URI-List': `<${teamUri}>` },
  });
  expect(world.effects.filter(({ type }) => type === 'sip.invite')).toEqual([]);
  expect(world.attempts).toMatchObject([{ code: 'list-of-lists' }]);
});

test('the members count as entries of the list', () => {
  const guests = Array.from({ length: limits.listEntriesMax - 2 }, (_, index) => `sip:guest${index}@example.org`);
  const world = teamWorld();
  const input = world.factoryInvite([...guests, teamUri], { caller: callerNamed('bob') });
  expect(world.outcome(input.reply)).toMatchObject({ code: 'list-too-long' });
});

test('a member who is a group, and an entry that would not invite one, are no groups taken apart', () => {
  const world = teamWorld({ members: [member('alice'), member('sip:board@conf.example.com'), member(teamUri)] });
  world.happens({ type: 'group-defined', group: team({ id: 'board', uri: 'sip:board@conf.example.com' }) });
  callsTeam(world, 'alice');
  expect(world.effects.filter(({ type }) => type === 'sip.invite')).toEqual([]);
  world.factoryInvite([`${teamUri};method=BYE`], { caller: callerNamed('alice') });
  expect(world.wasInvited('bob')).toBe(false);
});

test('members are called without having agreed to lists; no more of them at once than a list’s', () => {
  const members = Array.from({ length: 30 }, (_, index) => member(`sip:member${index}@host${index}.example.org`));
  const world = teamWorld({ members: [member('alice'), ...members] }, { consent: 'on', creationsPerMinute: 1 });
  callsTeam(world, 'alice');
  expect(world.effects.filter(({ type }) => type === 'sip.invite')).toHaveLength(limits.parallelInvitesMax);
  expect(world.participant('sip:member29@host29.example.org').status).toBe('pending');
});

test('CC-010 who may make no conferences starts no session, but may join one', () => {
  const world = teamWorld();
  defineUser(world, 'bob', { mayCreate: false });
  const input = callsTeam(world, 'bob');
  expect(world.outcome(input.reply)).toMatchObject({ code: 'not-allowed' });
  callsTeam(world, 'alice');
  callsTeam(world, 'bob');
  expect(world.participant('bob').status).toBe('connected');
  expect(world.attempts).toMatchObject([{ code: 'not-allowed', target: teamUri }]);
});

test('a stopping service starts no session, and a group is found whatever port and parameters its URI has', () => {
  const world = teamWorld();
  world.happens(inviteFrom('bob', 'sip:team@conf.example.com:5090;transport=tcp'));
  expect(world.conference.groupId).toBe('team');
  const stopping = teamWorld();
  stopping.happens({ type: 'shutdown-requested', reply: 'http:op:1', actor: 'process' });
  const input = callsTeam(stopping, 'bob');
  expect(stopping.outcome(input.reply)).toMatchObject({ code: 'stopping' });
});

test('no group is called what nobody has defined', () => {
  const world = new World();
  const input = callsTeam(world, 'bob');
  expect(world.outcome(input.reply)).toMatchObject({ code: 'no-such-conference' });
});

test('CC-173 a group that wants TLS, whose service speaks none any more, is not started, and its caller told why', () => {
  const world = teamWorld(policy({ transport: 'tls' }));
  const { reply } = callsTeam(world, 'alice');
  expect(world.outcome(reply)).toMatchObject({
    code: 'media-not-acceptable',
    detail: 'No messages can come over TLS: MSRP_TLS_PORT is off',
  });
});
