import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { addressOf, answerFrom, callerNamed, clientSdp, inviteFrom, unexplained } from '../support/fixtures.ts';
import { teamUri, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

/** What is easy to get wrong: each of these once was. */

test('two endpoints of one participant in one list are two INVITEs, each with its own outcome', () => {
  const world = new World();
  world.factoryInvite(['sip:bob@biloxi.example.com;transport=tcp', 'bob']);
  const invites = world.effects.filter((effect) => effect.type === 'sip.invite');
  expect(new Set(invites.map((invite) => invite.dialogId)).size).toBe(2);
  const [first, second] = world.participant('bob').endpoints;
  world.happens({
    type: 'endpoint-failed',
    endpointId: second?.id ?? '',
    cause: { status: 486, reason: 'Busy' },
    unsupported: [],
    ...unexplained,
  });
  world.happens(answerFrom('bob', { endpointId: first?.id ?? '' }));
  expect(world.participant('bob')).toMatchObject({
    status: 'connected',
    attempts: [{ outcome: { status: 200 } }, { outcome: { status: 486 } }],
  });
  expect(world.effects.filter((effect) => effect.type === 'sip.bye')).toEqual([]);
});

test('whoever waits is dialled when somebody else is given up, whatever the reason', () => {
  const world = new World();
  const guests = Array.from({ length: 6 }, (_, index) => `sip:guest${index}@example.org`);
  world.factoryInvite(guests);
  for (const guest of guests.slice(0, 5)) world.answers(guest, clientSdp('guest', { port: 0 }));
  expect(world.participant(guests[5] ?? '').status).toBe('dialing-out');
});

test('a conference that ends while a CANCEL is unanswered still ends', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.passes(limits.ringTimeoutMs);
  world.hangsUp('alice');
  expect(world.conference.status).toBe('ending');
  world.passes(limits.cancelTimeoutMs);
  expect(world.conference.status).toBe('ended');
  expect(world.timers).toEqual([]);
});

test('the SIP server is lost while invitees ring: nobody is waited for', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.rings('bob');
  world.happens({ type: 'sip-server-lost', conferenceId: null });
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'error' });
  expect(world.timers).toEqual([]);
});

test('and also when the conference was ending already', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.hangsUp('alice');
  world.happens({ type: 'sip-server-lost', conferenceId: null });
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'creator-left' });
});

test('whoever was kicked while ringing stays booted when the conference ends meanwhile', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  const { id, conferenceId } = world.participant('bob');
  world.happens({
    type: 'removal-requested',
    reply: 'http:op:1',
    actor: 'key:1',
    conferenceId,
    participantId: id,
    reason: null,
  });
  world.hangsUp('alice');
  world.refuses('bob', 487);
  expect(world.participant('bob').disconnection?.method).toBe('booted');
});

test('a 200 that comes when the conference is gone is hung up', () => {
  const world = new World();
  world.happens(answerFrom('bob', { endpointId: 'row-99', dialogId: 'some-dialog' }));
  expect(world.effects).toMatchObject([{ type: 'sip.bye', dialogId: 'some-dialog' }]);
});

test('names, subjects and contacts of any length leave the roster readable', () => {
  const world = new World();
  const long = 'x'.repeat(9_900);
  world.factoryInvite(['bob'], { subject: long, caller: callerNamed('alice', { displayName: long }) });
  world.answers('bob');
  world.subscribes('bob');
  const [document] = world.documents('bob');
  expect(document?.users?.map((user) => user.endpoints.length)).toEqual([1, 1]);
  expect(world.inviteTo('bob').subject?.length).toBe(limits.textCharactersMax);
  const refused = new World();
  const input = refused.factoryInvite([], { contact: `sip:${long}@x.example.com` });
  expect(refused.outcome(input.reply)).toMatchObject({ kind: 'refused', code: 'uri-too-long' });
  const entry = new World();
  entry.factoryInvite([`sip:${long}@x.example.com`]);
  expect([...entry.saved.participants.values()].at(-1)).toMatchObject({ disconnection: { sipStatus: 414 } });
});

test('an entry that is no URI has a roster key that is one', () => {
  const world = new World();
  world.factoryInvite(['http://[bad', 'mailto:a%zzb@c', 'mailto:carol@example.org']);
  world.subscribes('alice');
  const entities = world.documents('alice')[0]?.users?.map((user) => user.entity);
  expect(entities).toEqual([
    addressOf['alice'],
    'sip:entry2@unreadable.invalid',
    'sip:entry3@unreadable.invalid',
    'mailto:carol@example.org',
  ]);
  expect(world.participant('http://[bad').listEntry?.raw).toBe('http://[bad');
});

test('CC-116 roster keys are unique: the same person as different entries, the same Contact twice', () => {
  const world = new World();
  world.factoryInvite(['bob', 'sip:bob@biloxi.example.com;method=BYE', 'sip:alice@atlanta.example.com;method=BYE']);
  world.answers('bob');
  world.dialsIn('alice');
  world.subscribes('bob');
  const users = world.documents('bob')[0]?.users ?? [];
  expect(users.map((user) => user.entity)).toEqual([addressOf['alice'], addressOf['bob']]);
  const keys = users[0]?.endpoints.map((endpoint) => endpoint.entity) ?? [];
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(2);
});

test('whoever takes no messages gets none: direction is obeyed, and o= steps when the description changes', () => {
  const world = new World();
  const input = world.factoryInvite([]);
  const before = acceptedSdp(world, input.reply);
  world.reinvites('alice', { offer: clientSdp('alice', { direction: 'inactive' }), reply: 'sip:alice:hold' });
  const held = acceptedSdp(world, 'sip:alice:hold');
  expect(held).toContain('a=inactive\r\n');
  expect(originVersion(held)).toBe(originVersion(before) + 1);
  expect(world.route().members).toMatchObject([{ acceptsWrapped: [] }]);
  world.reinvites('alice', { offer: clientSdp('alice', { direction: 'inactive' }), reply: 'sip:alice:again' });
  expect(originVersion(acceptedSdp(world, 'sip:alice:again'))).toBe(originVersion(held));
  world.reinvites('alice', { offer: clientSdp('alice'), reply: 'sip:alice:back' });
  expect(world.route().members).toMatchObject([{ acceptsWrapped: ['text/plain'] }]);
});

test('CC-091 a re-INVITE that changes nothing gets the very same description', () => {
  const world = new World();
  const input = world.factoryInvite([]);
  world.reinvites('alice', { offer: clientSdp('alice'), reply: 'sip:alice:same' });
  expect(acceptedSdp(world, 'sip:alice:same')).toBe(acceptedSdp(world, input.reply));
});

test('a re-INVITE without an offer is offered every line there was, in its place (RFC 3264 8)', () => {
  const world = new World({ audio: 'inactive' });
  world.factoryInvite([], { offer: clientSdp('alice', { audio: true }) });
  world.reinvites('alice', { offer: null, reply: 'sip:alice:late' });
  const lines = acceptedSdp(world, 'sip:alice:late')
    .split('\r\n')
    .filter((line) => line.startsWith('m='));
  expect(lines).toEqual(['m=message 2855 TCP/MSRP *', 'm=audio 9 RTP/AVP 0']);
});

test('an answer that takes messages where we offered none brings nobody into the route (RFC 3264 6)', () => {
  const world = new World({ audio: 'inactive' });
  world.factoryInvite([], { offer: clientSdp('alice', { audio: true }) });
  world.reinvites('alice', { offer: clientSdp('alice', { port: 0, audio: true }), reply: 'sip:alice:none' });
  expect(world.route().members).toEqual([]);
  world.reinvites('alice', { offer: null, reply: 'sip:alice:late' });
  expect(acceptedSdp(world, 'sip:alice:late')).toContain('m=message 0 TCP/MSRP *');
  world.acknowledges('alice', clientSdp('alice', { audio: true, setup: 'active' }));
  expect(world.route().members).toEqual([]);
  expect(world.participant('alice').endpoints[0]?.media).toMatchObject([{ type: 'audio' }]);
});

test('one person can have only so many endpoints at once', () => {
  const world = new World();
  world.factoryInvite([]);
  for (let count = 1; count < limits.endpointsPerParticipantMax; count += 1) world.dialsIn('alice');
  const input = world.dialsIn('alice');
  expect(world.outcome(input.reply)).toMatchObject({ kind: 'refused', code: 'conference-full' });
});

test('those who left long ago are forgotten by the running conference, and count for nothing', () => {
  const world = new World();
  world.factoryInvite([]);
  for (let index = 0; index < limits.pastParticipantsMax + 20; index += 1) {
    const input = inviteFrom(`sip:guest${index}@example.org`, world.conferenceUri, {
      offer: clientSdp('guest'),
      contact: 'sip:guest@pc.example.org',
    });
    world.happens(input);
    world.hangsUp(`sip:guest${index}@example.org`);
    world.passes(limits.lingerMs);
  }
  expect(world.record?.participants.length).toBe(limits.pastParticipantsMax + 1);
  const positions = world.record?.participants.map((participant) => participant.position) ?? [];
  expect(new Set(positions).size).toBe(positions.length);
});

test('who dials in anonymously is hidden even when the conference knew the name before', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.refuses('bob', 486);
  world.dialsIn('bob', { caller: callerNamed('bob', { private: true }) });
  world.subscribes('alice');
  expect(JSON.stringify(world.documents('alice'))).not.toContain('bob');
});

test('an operator cannot have the focus call itself', () => {
  const world = new World();
  world.factoryInvite([]);
  const { id } = world.conference;
  world.dialsOut('sip:conf-fact@conf.example.com', id);
  world.dialsOut(world.conferenceUri, id);
  expect(world.effects.filter((effect) => effect.type === 'sip.invite')).toEqual([]);
  expect(world.outcome('http:op:sip:conf-fact@conf.example.com')).toMatchObject({ code: 'loop' });
  expect(world.attempts).toMatchObject([
    { method: 'POST', target: world.conferenceUri, caller: 'key:1', code: 'loop', status: 400 },
    { received: expect.stringContaining(world.conferenceUri) },
  ]);
});

test('RFC 5318 4: whoever asks a group into a conference is told that it is one', () => {
  const world = teamWorld();
  world.factoryInvite([]);
  world.dialsOut(teamUri, world.conference.id);
  expect(world.outcome(`http:op:${teamUri}`)).toMatchObject({ code: 'list-of-lists', detail: 'It is a group' });
});

test('who comes back and fails has left once only', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.hangsUp('bob');
  world.dialsOut('bob', world.conference.id);
  world.refuses('bob', 486);
  expect(world.events.filter((type) => type.startsWith('participant.')).slice(-5)).toEqual([
    'participant.invited',
    'participant.joined',
    'participant.left',
    'participant.invited',
    'participant.failed',
  ]);
});

test('events bear the roster version that their change made', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  expect(new Set(world.eventVersions)).toEqual(new Set([1]));
  world.answers('bob');
  expect(world.eventVersions.at(-1)).toBe(2);
});

test('a list within the session that nobody required is not understood there: 415', () => {
  const world = new World();
  world.factoryInvite([]);
  world.reinvites('alice', { offer: clientSdp('alice'), carriesList: true, reply: 'sip:alice:list' });
  expect(world.outcome('sip:alice:list')).toMatchObject({ code: 'unsupported-body' });
});

test('where credentials count, nobody acts in another one’s dialog', () => {
  const world = new World({ auth: 'digest' });
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.reinvites('alice', { caller: null, reply: 'sip:x:1' });
  world.reinvites('alice', { caller: callerNamed('eve'), reply: 'sip:x:2' });
  world.reinvites('bob', { caller: null, reply: 'sip:x:3' });
  expect(world.outcome('sip:x:1')).toMatchObject({ code: 'unauthenticated' });
  expect(world.outcome('sip:x:2')).toMatchObject({ code: 'not-allowed' });
  // Bob was called where he is; he never had to say who he was.
  expect(world.outcome('sip:x:3')).toMatchObject({ kind: 'session-accepted' });
  world.subscribes('alice');
  world.refreshes('alice', 0, { caller: null });
  expect(world.subscriptionOf('alice').state).toBe('active');
});

function acceptedSdp(world: World, reply: string): string {
  const outcome = world.outcome(reply);
  if (outcome.kind !== 'session-accepted' || outcome.sdp === null) throw new Error(outcome.kind);
  return outcome.sdp;
}

function originVersion(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1]);
}
