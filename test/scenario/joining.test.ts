import { expect, test } from 'vitest';
import type { MsrpOpen } from '../../src/core/effect.ts';
import { writeSdp } from '../../src/wire/sdp.ts';
import { callerNamed, clientSdp, unexplained } from '../support/fixtures.ts';
import { losesMessages, sessionOf } from '../support/message-session.ts';
import { World } from '../support/world.ts';

function acceptedSdp(world: World, reply: string): string {
  const outcome = world.outcome(reply);
  if (outcome.kind !== 'session-accepted' || outcome.sdp === null) throw new Error(outcome.kind);
  return outcome.sdp;
}

function sessionsOf(world: World, endpointId: string): readonly MsrpOpen[] {
  return world.effects.filter(
    (effect): effect is MsrpOpen => effect.type === 'msrp.open' && effect.endpointId === endpointId,
  );
}

test('CC-003 no list: a conference with only the creator', () => {
  const world = new World();
  world.factoryInvite(null);
  world.ladder.matches(`
    alice -> focus : INVITE sip:conf-fact@conf.example.com
    focus -> store : save v1
    focus -> alice : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
});

test('CC-002 two creations give two conference URIs', () => {
  const world = new World();
  world.factoryInvite(null);
  world.factoryInvite(null);
  const uris = [...world.saved.conferences.values()].map((row) => row.uri);
  expect(new Set(uris).size).toBe(2);
});

test('CC-004 the creator stays answered although every invitee fails', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.refuses('bob', 486);
  world.refuses('ted', 503);
  expect(world.conference).toMatchObject({ status: 'active', participantCount: 1 });
  expect(world.participant('bob')).toMatchObject({ disconnection: { method: 'busy', sipStatus: 486 } });
  expect(world.participant('ted')).toMatchObject({ disconnection: { method: 'failed', sipStatus: 503 } });
});

test('CC-011 a late offer: the 200 offers, the ACK answers', () => {
  const world = new World();
  const input = world.factoryInvite(['bob'], { offer: null });
  expect(acceptedSdp(world, input.reply)).toContain('a=setup:actpass');
  world.acknowledges('alice', clientSdp('alice', { setup: 'passive' }));
  const sessions = sessionsOf(world, world.endpointOf('alice'));
  expect(sessions.at(-1)).toMatchObject({
    role: 'active',
    remotePath: ['msrp://pc.alice.example.com:7656/aliceSession;tcp'],
  });
  expect(world.participant('alice').endpoints[0]?.media).toMatchObject([{ type: 'message', status: 'sendrecv' }]);
});

test('CC-012 a late offer whose ACK brings no answer ends in BYE', () => {
  const world = new World();
  world.factoryInvite([], { offer: null });
  world.ladder.take();
  world.acknowledges('alice', null);
  world.ladder.matches(`
    alice -> focus : ACK
    focus -> store : save v2
    focus -> alice : BYE (No usable answer in the ACK)
  `);
});

test('CC-086 dial-in to a conference URI, CC-087 and to one that never was', () => {
  const world = new World();
  world.factoryInvite([]);
  world.ladder.take();
  world.dialsIn('carol');
  world.dialsIn('bob', { target: { ...world.factoryInvite(null).target, user: 'conf-nowhere' } });
  expect(world.participant('carol')).toMatchObject({
    status: 'connected',
    joiningMethod: 'dialed-in',
    role: 'participant',
  });
  expect(world.attempts).toMatchObject([{ code: 'no-such-conference', status: 404 }]);
});

test('CC-088 a locked conference takes nobody more in, and its roster says so', () => {
  const world = new World();
  world.factoryInvite([]);
  world.subscribes('alice');
  world.answersNotify('alice');
  const { id: conferenceId } = world.conference;
  world.happens({ type: 'change-requested', reply: 'http:op:1', actor: 'key:1', conferenceId, locked: true });
  world.ladder.take();
  const carol = world.dialsIn('carol');
  world.ladder.matches(`
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : attempt conference-locked
    focus -> carol : 403 conference-locked
  `);
  expect(world.outcome(carol.reply)).toMatchObject({ code: 'conference-locked' });
  expect(world.documents('alice').at(-1)?.conferenceState).toMatchObject({ locked: true, userCount: 1 });
});

test('two devices of one participant: a second 200, one line in the roster, and he stays when one of them leaves', () => {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.dialsIn('bob', { contact: 'sip:bob@tablet.bob.example.com' });
  world.answersNotify('alice');
  const joinedAt = world.participant('bob').joinedAt;
  world.hangsUp('bob');
  world.ladder.matches(`
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> alice : NOTIFY active v1 partial [bob:connected]
    alice -> focus : 200 NOTIFY
    bob   -> focus : BYE
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial [bob:gone]
  `);
  const [before, both, one] = world
    .documents('alice')
    .map(({ users }) => users?.at(-1)?.endpoints.map(({ entity, state }) => [entity, state]));
  expect(before).toEqual([['sip:bob@pc.bob.example.com', 'full']]);
  expect(both).toEqual([['sip:bob@tablet.bob.example.com', 'full']]);
  expect(one).toEqual([['sip:bob@tablet.bob.example.com', 'deleted']]);
  expect(world.participant('bob')).toMatchObject({ status: 'connected', joinedAt, leftAt: null });
  expect(world.conference.participantCount).toBe(2);
  expect(world.route().members).toHaveLength(2);
});

test.each(['100rel', 'timer', 'replaces', 'join', 'norefersub', 'Timer'])(
  'CC-008 %s may be required: it is understood',
  (option) => {
    const world = new World();
    expect(world.outcome(world.factoryInvite(null, { requires: [option] }).reply)).toMatchObject({
      kind: 'session-accepted',
    });
    expect(world.outcome(world.dialsIn('bob', { requires: [option] }).reply)).toMatchObject({
      kind: 'session-accepted',
    });
    const unknown = world.dialsIn('carol', { requires: [option, 'x-unknown'] });
    expect(world.outcome(unknown.reply)).toMatchObject({ headers: { Unsupported: 'x-unknown' } });
  },
);

test('what came in an INVITE, and how it was read, is kept with the endpoint', () => {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob', { received: 'INVITE sip:conf-1@conf.example.com SIP/2.0', quirks: ['QK-37'] });
  const origin = { by: 'invite', received: 'INVITE sip:conf-1@conf.example.com SIP/2.0', quirks: ['QK-37'] };
  expect(world.participant('bob').endpoints[0]?.origin).toEqual(origin);
});

test('of an INVITE that nothing was odd in, the beginning is kept', () => {
  const world = new World();
  world.factoryInvite([]);
  const received = `INVITE ${world.conferenceUri} SIP/2.0\r\nX: ${'x'.repeat(1_000)}`;
  world.dialsIn('bob', { received, quirks: ['QK-37'] });
  world.dialsIn('carol', { received });
  expect(world.participant('bob').endpoints[0]?.origin.received).toBe(received);
  expect(world.participant('carol').endpoints[0]?.origin.received).toBe(received.slice(0, 500));
});

test('CC-007 a list within the session, or at a conference URI, is not supported and changes nothing', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  const dialIn = world.dialsIn('carol', { requires: ['recipient-list-invite'] });
  expect(world.outcome(dialIn.reply)).toMatchObject({
    code: 'unknown-extension',
    headers: { Unsupported: 'recipient-list-invite' },
  });
  world.reinvites('alice', {
    reply: 'sip:alice:again',
    requires: ['recipient-list-invite'],
    carriesList: true,
  });
  expect(world.outcome('sip:alice:again')).toMatchObject({
    code: 'unknown-extension',
    headers: { Unsupported: 'recipient-list-invite' },
  });
  expect(world.participant('alice').status).toBe('connected');
});

test.each([
  ['actpass', 'passive'],
  ['active', 'passive'],
  ['passive', 'active'],
])('CC-172 offered %s, the focus is %s (RFC 6135 4.2)', (offered, taken) => {
  const world = new World();
  const input = world.factoryInvite([], { offer: clientSdp('alice', { setup: offered }) });
  expect(acceptedSdp(world, input.reply)).toContain(`a=setup:${taken}`);
  expect(sessionsOf(world, world.endpointOf('alice')).at(-1)).toMatchObject({ role: taken });
});

test('CC-171, CC-174 the answer names our path in c=, port and a=path, and takes message/cpim only', () => {
  const world = new World();
  const sdp = acceptedSdp(world, world.factoryInvite([]).reply);
  expect(sdp).toContain('c=IN IP4 focus.conf.example.com\r\n');
  expect(sdp).toContain('m=message 2855 TCP/MSRP *\r\n');
  expect(sdp).toContain('a=accept-types:message/cpim\r\n');
  expect(sdp).toMatch(/a=path:msrp:\/\/focus\.conf\.example\.com:2855\/session-1;tcp\r\n/);
  // RFC 7701 8: by its grammar, as nothing else is said.
  expect(sdp).toContain('a=chatroom:nickname private-messages\r\n');
});

test('a line beside MSRP is refused with port 0; with AUDIO=inactive it is taken without sound', () => {
  const off = new World();
  const refused = off.factoryInvite([], { offer: clientSdp('alice', { audio: true }) });
  expect(acceptedSdp(off, refused.reply)).toContain('m=audio 0 RTP/AVP 0 8\r\n');
  const inactive = new World({ audio: 'inactive' });
  const taken = inactive.factoryInvite([], { offer: clientSdp('alice', { audio: true, msrp: false }) });
  expect(acceptedSdp(inactive, taken.reply)).toContain('m=audio 9 RTP/AVP 0\r\na=inactive\r\n');
  expect(inactive.participant('alice').endpoints[0]?.media).toMatchObject([{ type: 'audio', status: 'inactive' }]);
});

test('with AUDIO=inactive a dial-out answered 488 is tried once more with an audio line', () => {
  const world = new World({ audio: 'inactive' });
  world.factoryInvite(['bob']);
  expect(world.inviteTo('bob').sdp).not.toContain('m=audio');
  world.refuses('bob', 488);
  expect(world.inviteTo('bob').sdp).toContain('m=audio 9 RTP/AVP 0\r\na=inactive\r\n');
  world.refuses('bob', 488);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', lastError: { status: 488 } });
});

test('an invitee whose answer takes nothing is acknowledged, sent BYE and shown as failed', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.ladder.take();
  world.answers('bob', clientSdp('bob', { port: 0 }));
  world.ladder.matches(`
    bob   -> focus : 200 INVITE
    focus -> store : save v2
    focus -> bob   : BYE (No usable media in the answer)
  `);
  expect(world.participant('bob')).toMatchObject({
    disconnection: { method: 'failed', sipStatus: 488 },
    attempts: [{ outcome: { status: 488 } }],
  });
});

test('CC-047, CC-048 the invitees learn the authenticated creator, unless privacy was asked for', () => {
  const open = new World();
  open.factoryInvite(['bob']);
  expect(open.inviteTo('bob').referredBy).toBe('sip:alice@atlanta.example.com');
  const anonymous = new World();
  anonymous.factoryInvite(['bob'], { caller: callerNamed('alice', { private: true }) });
  expect(anonymous.inviteTo('bob').referredBy).toBeNull();
});

test('CC-118 an anonymous participant is shown under .invalid, without Contact', () => {
  const world = new World();
  world.factoryInvite(['bob'], { caller: callerNamed('alice', { private: true }) });
  world.answers('bob');
  world.subscribes('bob');
  const [document] = world.documents('bob');
  expect(document?.users?.[0]).toMatchObject({
    entity: 'sip:anonymous1@anonymous.invalid',
    endpoints: [{ entity: 'sip:anonymous1-1@anonymous.invalid' }],
  });
  expect(JSON.stringify(document)).not.toContain('alice');
});

test('CC-045 the Request-URI has neither method nor headers, other parameters stay', () => {
  const world = new World();
  world.factoryInvite([{ uri: 'sip:bob@biloxi.example.com;transport=tcp', replaces: 'x;to-tag=1;from-tag=2' }]);
  expect(world.effects.find((effect) => effect.type === 'sip.invite')).toMatchObject({
    target: 'sip:bob@biloxi.example.com;transport=tcp',
  });
});

test('many invitees of one host are dialled five at a time; who rings makes room', () => {
  const world = new World();
  const guests = Array.from({ length: 7 }, (_, index) => `sip:guest${index}@example.org`);
  world.factoryInvite(guests);
  const invites = (): number => world.effects.filter((effect) => effect.type === 'sip.invite').length;
  expect(invites()).toBe(5);
  world.happens({ type: 'endpoint-alerting', endpointId: world.endpointOf('sip:guest0@example.org'), remoteTag: null });
  expect(invites()).toBe(6);
  world.happens({
    type: 'endpoint-failed',
    endpointId: world.endpointOf('sip:guest1@example.org'),
    cause: { status: 486, reason: 'Busy' },
    unsupported: [],
    ...unexplained,
  });
  expect(invites()).toBe(7);
});

test.each([
  ['message/cpim', 'text/plain', ['text/plain']],
  ['message/cpim text/html', 'text/plain', ['text/html', 'text/plain']],
  ['message/cpim', null, ['*']],
])('what %s with wrapped %s lets in', (acceptTypes, wrapped, expected) => {
  const world = new World();
  world.factoryInvite([], { offer: clientSdp('alice', { acceptTypes, wrapped }) });
  const route = world.effects.find((effect) => effect.type === 'msrp.route')?.route;
  expect(route?.members[0]?.acceptsWrapped).toEqual(expected);
});

test('a softphone that takes the audio line alone leaves no message session open', () => {
  const world = new World({ audio: 'inactive' });
  world.factoryInvite(['bob']);
  world.refuses('bob', 488);
  world.answers('bob', clientSdp('bob', { msrp: false, audio: true }));
  expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{ media: [{ type: 'audio' }] }] });
  expect(world.effects.at(-1)).not.toMatchObject({ type: 'msrp.open' });
  expect(world.effects).toContainEqual({ type: 'msrp.close', endpointId: world.endpointOf('bob') });
});

test('a lost message session shows as inactive and leaves the participant in', () => {
  const world = new World();
  world.factoryInvite([]);
  losesMessages(world, 'alice');
  expect(world.participant('alice')).toMatchObject({
    status: 'connected',
    endpoints: [{ media: [{ status: 'inactive' }] }],
  });
  expect(world.effects.at(-1)).toMatchObject({ type: 'msrp.route', route: { members: [] } });
});

test('whoever does not read what it is sent is let go, and the roster says that it failed', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.ladder.take();
  losesMessages(world, 'bob', 'stalled');
  world.ladder.matches(`
    bob   -> focus : message session stalled
    focus -> store : save v3
    focus -> bob   : BYE (The connection closed)
  `);
  const disconnection = { method: 'failed', sipStatus: null, reason: 'The connection closed' };
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', disconnection });
});

test('the loss of a session that is no longer the endpoint’s is no loss (RFC 4975 5.4, 8.4)', () => {
  const world = new World();
  world.factoryInvite([]);
  const first = sessionOf(world, 'alice');
  world.reinvites('alice', { offer: clientSdp('alice-again'), reply: 'sip:alice:again' });
  const second = sessionOf(world, 'alice');
  expect(second.sessionId).not.toBe(first.sessionId);
  expect(second.localPath).toContain(second.sessionId);
  const { conferenceId, endpointId, sessionId } = first;
  world.happens({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause: 'lost', reason: 'late' });
  expect(world.participant('alice')).toMatchObject({ endpoints: [{ media: [{ status: 'sendrecv' }] }] });
});

test('what is offered is what is written: the answer can be read back', () => {
  expect(writeSdp(clientSdp('alice'))).toContain('a=accept-types:message/cpim');
});
