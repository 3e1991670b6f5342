import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { World } from '../support/world.ts';

function conference(list: readonly string[] = ['bob', 'ted']): World {
  const world = new World();
  world.factoryInvite(list);
  world.answers('bob');
  world.ladder.take();
  return world;
}

test('CC-019 CANCEL crosses the 200: every invitation is cancelled and the conference ends', () => {
  const world = new World();
  const input = world.factoryInvite(['bob', 'ted']);
  world.ladder.take();
  world.happens({ type: 'invite-cancelled', dialogId: input.dialogId });
  world.refuses('bob', 487);
  world.refuses('ted', 487);
  world.ladder.matches(`
    focus -> store : save v2
    focus -> bob   : CANCEL
    focus -> ted   : CANCEL
    bob   -> focus : 487 INVITE
    focus -> store : save v3
    ted   -> focus : 487 INVITE
    focus -> store : save v4
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'cancelled' });
  expect(world.timers).toEqual([]);
});

test('CC-020 no ACK for the 200: the SIP server ended the dialog, and the conference goes with its creator', () => {
  const world = conference(['bob']);
  world.happens({ type: 'dialog-ended', endpointId: world.endpointOf('alice'), by: 'server', reason: 'ACK timeout' });
  world.ladder.matches(`
    focus -> store : save v3
    focus -> bob   : BYE (Conference ended)
  `);
  expect(world.participant('alice')).toMatchObject({ disconnection: { method: 'failed', reason: 'ACK timeout' } });
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'creator-left' });
});

test('an invitee who rings too long is cancelled; CC-054 a 200 that crosses the CANCEL is ended by BYE', () => {
  const world = conference();
  world.rings('ted');
  world.passes(60_000);
  world.answers('ted');
  world.ladder.matches(`
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    clock -> focus : ring timer
    focus -> store : save v4
    focus -> ted   : CANCEL
    ted   -> focus : 200 INVITE
    focus -> store : save v5
    focus -> ted   : BYE (Cancelled)
  `);
  expect(world.participant('ted')).toMatchObject({
    status: 'disconnected',
    disconnection: { method: 'failed', sipStatus: 408 },
  });
  expect(world.conference.status).toBe('active');
});

test('a cancelled INVITE that nobody ever ends is given up', () => {
  const world = conference();
  world.hangsUp('alice');
  expect(world.conference.status).toBe('ending');
  world.passes(40_000);
  expect(world.conference.status).toBe('ended');
  expect(world.timers).toEqual([]);
});

test('an operator removes a participant: BYE, booted, and an end to what it watches (RFC 4579 5.11)', () => {
  const world = conference();
  world.subscribes('bob');
  world.answersNotify('bob');
  world.ladder.take();
  const { id, conferenceId } = world.participant('bob');
  world.happens({
    type: 'removal-requested',
    reply: 'http:op:1',
    actor: 'key:1',
    conferenceId,
    participantId: id,
    reason: null,
  });
  world.subscribes('bob');
  world.ladder.matches(`
    focus -> store : save v3
    focus -> op    : participant-removed
    focus -> bob   : BYE (Removed by the operator)
    focus -> bob   : NOTIFY terminated;rejected
    bob   -> focus : SUBSCRIBE
    focus -> bob   : 403 not-a-participant
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', disconnection: { method: 'booted' } });
});

test('an operator removes somebody who still rings: CANCEL, and booted once it has ended', () => {
  const world = conference();
  const { id, conferenceId } = world.participant('ted');
  world.happens({
    type: 'removal-requested',
    reply: 'http:op:1',
    actor: 'key:1',
    conferenceId,
    participantId: id,
    reason: null,
  });
  expect(world.participant('ted').status).toBe('disconnecting');
  world.refuses('ted', 487);
  expect(world.participant('ted')).toMatchObject({ status: 'disconnected', disconnection: { method: 'booted' } });
});

test('an operator ends the conference; a second time it is over', () => {
  const world = conference(['bob']);
  const { id } = world.conference;
  world.happens({ type: 'end-requested', reply: 'http:op:1', actor: 'key:1', conferenceId: id, reason: 'Maintenance' });
  world.happens({ type: 'end-requested', reply: 'http:op:2', actor: 'key:1', conferenceId: id, reason: null });
  world.ladder.matches(`
    focus -> store : save v3
    focus -> alice : BYE (Maintenance)
    focus -> bob   : BYE (Maintenance)
    focus -> op    : conference-ended
    focus -> op    : 404 no-such-conference
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'operator', endedBy: 'key:1' });
});

test('an operator dials out a further participant; one who is there is not dialled again', () => {
  const world = conference(['bob']);
  const { id: conferenceId } = world.conference;
  world.dialsOut('carol', conferenceId);
  world.dialsOut('bob', conferenceId);
  world.ladder.matches(`
    op    -> focus : dial carol
    focus -> store : save v3
    focus -> carol : INVITE
    focus -> op    : participant-dialled
    op    -> focus : dial bob
    focus -> store : attempt already-joined
    focus -> op    : 403 already-joined
  `);
});

test('whom an operator dials again has the name and the role that are said now, else those of before', () => {
  const world = conference(['bob']);
  const { id: conferenceId } = world.conference;
  world.hangsUp('bob');
  world.dialsOut('bob', conferenceId, { displayName: 'Robert', role: 'observer' });
  expect(world.participant('bob')).toMatchObject({ displayName: 'Robert', role: 'observer', status: 'dialing-out' });
  world.answers('bob');
  world.hangsUp('bob');
  world.dialsOut(world.participant('bob').uri, conferenceId);
  expect(world.participant('bob')).toMatchObject({ displayName: 'Robert', role: 'observer', status: 'dialing-out' });
});

test('an operator’s URI is no longer than one of a list', () => {
  const world = conference();
  const uri = `sip:${'x'.repeat(limits.uriCharactersMax)}@example.org`;
  world.dialsOut(uri, world.conference.id);
  expect(world.outcome(`http:op:${uri}`)).toMatchObject({ code: 'uri-too-long' });
});

test('the process stops: everybody is sent BYE, subscribers may come back (deactivated)', () => {
  const world = conference(['bob']);
  world.subscribes('alice');
  world.ladder.take();
  world.happens({ type: 'shutdown-requested', reply: 'http:op:1', actor: 'process' });
  world.ladder.matches(`
    focus -> store : save v3
    focus -> alice : NOTIFY terminated;deactivated
    focus -> alice : BYE (Service stopping)
    focus -> bob   : BYE (Service stopping)
    focus -> op    : shut-down
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'restarted' });
});

test('the SIP server is lost, and with it every dialog: the conference ends as an error', () => {
  const world = conference(['bob']);
  world.happens({ type: 'sip-server-lost', conferenceId: null });
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'error' });
});

test('facts about what is long gone change nothing', () => {
  const world = conference(['bob']);
  const endpointId = world.endpointOf('bob');
  world.hangsUp('alice');
  world.ladder.take();
  world.happens({ type: 'dialog-ended', endpointId, by: 'peer', reason: null });
  world.happens({ type: 'endpoint-alerting', endpointId, remoteTag: null });
  world.happens({ type: 'timer-fired', timer: 'ring:row-1:row-2' });
  world.happens({ type: 'notify-answered', subscriptionId: 'row-99', status: 200 });
  world.ladder.matches('');
});
