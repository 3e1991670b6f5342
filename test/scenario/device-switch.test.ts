import { expect, test } from 'vitest';
import type { InviteReceived } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import type { ReplacesValue } from '../../src/core/rows.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { addressOf, answerFrom, clientSdp, factoryUri } from '../support/fixtures.ts';
import { callsTeam, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

/** INVITE with Replaces of one of our dialogs: somebody goes on with another device (RFC 3891 3, RFC 4579 5.9). */

const tablet = 'sip:bob@tablet.bob.example.com';

/** Alice's conference; Bob is in it by his phone, and Alice watches. */
function bobIsIn(changes: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(changes);
  world.factoryInvite([]);
  world.dialsIn('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  return world;
}

/** Bob's tablet calls, to go on in place of his phone. */
function switches(world: World, changes: Partial<InviteReceived> = {}): InviteReceived {
  return world.dialsIn('bob', { contact: tablet, replaces: world.dialogOf('bob'), ...changes });
}

/** How an INVITE like this is refused; what it names stays as it was. */
function refusedFor(world: World, changes: Partial<InviteReceived>): string {
  const before = world.record;
  const outcome = world.outcome(switches(world, changes).reply);
  expect(world.record).toEqual(before);
  expect(world.effects.filter(({ type }) => type === 'sip.bye')).toEqual([]);
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}

test('CC-071 RFC 4579 5.9: 200 for the tablet, BYE for the phone, one change of the roster, nobody leaves', () => {
  const world = bobIsIn();
  const before = world.participant('bob');
  const events = world.events.length;
  switches(world);
  world.ladder.matches(`
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : BYE (Replaced)
    focus -> alice : NOTIFY active v1 partial [bob:gone+connected]
  `);
  expect(world.events.slice(events)).toEqual(['participant.updated']);
  const bob = world.participant('bob');
  const { id, role, position, joinedAt, displayName } = before;
  expect(bob).toMatchObject({ id, role, position, joinedAt, displayName, status: 'connected', leftAt: null });
  expect(bob.endpoints).toMatchObject([
    { status: 'disconnected', disconnection: { method: 'departed', sipStatus: null, reason: 'Replaced' } },
    { status: 'connected', entity: tablet, joiningMethod: 'dialed-in', origin: { by: 'invite' } },
  ]);
  expect(world.documents('alice').at(-1)?.users?.[0]?.endpoints).toMatchObject([
    { state: 'deleted' },
    { entity: tablet, status: 'connected' },
  ]);
});

test('his messages go to the tablet from then on: a session of its own, the phone’s is closed', () => {
  const world = bobIsIn();
  const phone = world.endpointOf('bob');
  switches(world, { offer: clientSdp('tablet') });
  expect(world.effects).toContainEqual({ type: 'msrp.close', endpointId: phone });
  const members = world.route().members.map(({ endpointId }) => endpointId);
  expect(members).toEqual([world.endpointOf('alice'), world.endpointOf('bob')]);
  expect(members).not.toContain(phone);
});

test('the creator who switches ends nothing, though her policy ends the conference when she leaves', () => {
  const world = bobIsIn();
  world.dialsIn('alice', { replaces: world.dialogOf('alice') });
  expect(world.conference).toMatchObject({ status: 'active', participantCount: 2 });
  expect(world.participant('alice')).toMatchObject({ status: 'connected', role: 'chair' });
});

test('who is hidden stays hidden', () => {
  const world = new World();
  world.factoryInvite([]);
  const caller = { aor: addressOf['bob'] ?? '', displayName: null, private: true };
  world.dialsIn('bob', { caller });
  switches(world, { caller: { ...caller, private: false } });
  expect(world.participant('bob').private).toBe(true);
});

test('it adds nobody: neither a lock nor a full house nor ten devices stand in its way', () => {
  const world = bobIsIn();
  for (let more = 1; more < limits.endpointsPerParticipantMax; more += 1) world.dialsIn('bob');
  const { id: conferenceId } = world.conference;
  const shut = { locked: true, maxParticipants: 2 };
  world.happens({ type: 'change-requested', reply: 'http:1', actor: 'key:1', conferenceId, ...shut });
  expect(world.outcome(world.dialsIn('carol').reply)).toMatchObject({ code: 'conference-locked' });
  expect(world.outcome(world.dialsIn('bob').reply)).toMatchObject({ code: 'conference-full' });
  expect(world.outcome(switches(world).reply)).toMatchObject({ kind: 'session-accepted' });
});

test('on hold or not: the new device is not', () => {
  const world = bobIsIn();
  world.reinvites('bob', { offer: clientSdp('bob', { direction: 'inactive' }), reply: 'sip:bob:hold' });
  switches(world);
  expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{}, { status: 'connected' }] });
});

test('CC-066 RFC 3891 3: a dialog that never was, or another by one tag, is 481', () => {
  const world = bobIsIn();
  const named = world.dialogOf('bob');
  const wrong: readonly Partial<ReplacesValue>[] = [
    { callId: 'none' },
    { toTag: 'none' },
    { fromTag: 'none' },
    // The tags are those of the receiver, not of the sender.
    { toTag: named.fromTag, fromTag: named.toTag },
  ];
  for (const change of wrong) {
    expect(refusedFor(world, { replaces: { ...named, ...change } })).toBe('no-such-dialog');
  }
});

test('CC-066 nor is a dialog found anywhere but at its own conference', () => {
  const world = bobIsIn();
  const replaces = world.dialogOf('bob');
  const elsewhere = [factoryUri, 'sip:conf-nowhere@conf.example.com', 'sip:conf-2@conf.example.com'];
  world.factoryInvite(null);
  for (const target of elsewhere) {
    expect(refusedFor(world, { target: parseSipUri(target), replaces })).toBe('no-such-dialog');
  }
});

test('at a group’s URI the dialogs of its session are found', () => {
  const world = teamWorld();
  callsTeam(world, 'alice');
  callsTeam(world, 'bob');
  const replaces = world.dialogOf('bob');
  const input = callsTeam(world, 'bob', { contact: tablet, replaces });
  expect(world.outcome(input.reply)).toMatchObject({ kind: 'session-accepted' });
  expect(world.participant('bob')).toMatchObject({ status: 'connected' });
  const outside = world.dialsIn('bob', { target: parseSipUri(factoryUri), replaces: world.dialogOf('bob') });
  expect(world.outcome(outside.reply)).toMatchObject({ code: 'no-such-dialog' });
});

test('a subscription is no dialog that an INVITE could take over', () => {
  const world = bobIsIn();
  const { dialogId } = world.subscriptionOf('alice');
  const [callId = '', fromTag = ''] = dialogId.split(';from-tag=');
  expect(refusedFor(world, { replaces: { callId, fromTag, toTag: 'tag-3', earlyOnly: false } })).toBe('no-such-dialog');
});

test('a tag of zero means a peer of old that had none', () => {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob', { fromTag: '', dialogId: 'old;from-tag=', callId: 'old' });
  const replaces = { ...world.dialogOf('bob'), fromTag: '0' };
  const input = switches(world, { replaces });
  expect(world.outcome(input.reply)).toMatchObject({ kind: 'session-accepted' });
});

test('CC-067 RFC 3891 3: a dialog that has ended is 603, for a while', () => {
  const world = bobIsIn();
  const replaces = world.dialogOf('bob');
  world.hangsUp('bob');
  expect(refusedFor(world, { replaces })).toBe('dialog-ended');
  world.passes(limits.goneDialogMemoryMs + 1);
  expect(refusedFor(world, { replaces })).toBe('no-such-dialog');
});

test('CC-067 so is one of a conference that is over, and one that was taken over before', () => {
  const world = bobIsIn();
  const replaces = world.dialogOf('bob');
  switches(world);
  const again = switches(world, { replaces });
  expect(world.outcome(again.reply)).toMatchObject({ code: 'dialog-ended' });
  const second = world.dialogOf('bob');
  world.hangsUp('alice');
  const late = switches(world, { replaces: second });
  expect(world.outcome(late.reply)).toMatchObject({ code: 'dialog-ended' });
});

test('CC-068 RFC 3891 3: early-only of a confirmed dialog is 486', () => {
  const world = bobIsIn();
  expect(refusedFor(world, { replaces: { ...world.dialogOf('bob'), earlyOnly: true } })).toBe('dialog-confirmed');
});

test('CC-069 RFC 3891 3: somebody else’s dialog is 403, and goes on', () => {
  const world = bobIsIn();
  const replaces = world.dialogOf('bob');
  const before = world.participant('bob');
  const eve = world.dialsIn('eve', { replaces });
  expect(world.outcome(eve.reply)).toMatchObject({ code: 'not-your-dialog' });
  expect(world.participant('bob')).toBe(before);
  expect(world.attempts.at(-1)).toMatchObject({ code: 'not-your-dialog', status: 403 });
});

test('RFC 3892: on the word of its user somebody else may take it over, who comes as the other goes', () => {
  const world = bobIsIn();
  const referredBy = { uri: parseSipUri(addressOf['bob'] ?? ''), value: `<${addressOf['bob']}>`, token: null };
  world.dialsIn('carol', { replaces: world.dialogOf('bob'), referredBy });
  world.ladder.matches(`
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : BYE (Replaced)
    focus -> alice : NOTIFY active v1 partial [bob:disconnected carol:connected]
  `);
  expect(world.events.slice(-2)).toEqual(['participant.joined', 'participant.left']);
});

test('CC-070 RFC 3891 3: an offer that cannot be used is 488, and the old dialog goes on', () => {
  const world = bobIsIn();
  expect(refusedFor(world, { offer: clientSdp('bob', { acceptTypes: 'text/plain' }) })).toBe('media-not-acceptable');
  expect(world.route().members).toHaveLength(2);
  switches(world);
  expect(world.participant('bob').status).toBe('connected');
});

test('what is refused of any INVITE is refused before the dialog is looked for', () => {
  const world = bobIsIn();
  expect(refusedFor(world, { requires: ['x-unknown'] })).toBe('unknown-extension');
  expect(refusedFor(world, { list: [] })).toBe('unknown-extension');
  expect(refusedFor(world, { accepts: ['text/plain'] })).toBe('not-acceptable');
  expect(refusedFor(world, { caller: null })).toBe('unauthenticated');
});

/** Bob's phone rings: the focus has called it. */
function bobRings(): { world: World; replaces: ReplacesValue } {
  const world = new World();
  world.factoryInvite(['bob']);
  const endpointId = world.endpointOf('bob');
  world.happens({ type: 'endpoint-alerting', endpointId, remoteTag: 'phonetag' });
  world.ladder.take();
  const { callId, fromTag } = world.inviteTo('bob');
  return { world, replaces: { callId, toTag: fromTag, fromTag: 'phonetag', earlyOnly: true } };
}

test('RFC 3891 3: an early dialog that we began is taken over too; its INVITE is cancelled', () => {
  const { world, replaces } = bobRings();
  const phone = world.endpointOf('bob');
  switches(world, { replaces });
  expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{ status: 'disconnecting' }, {}] });
  const cause = { status: 487, reason: 'Request Terminated' };
  const none = { unsupported: [], reasonHeader: null, minSe: null, members: null };
  world.happens({ type: 'endpoint-failed', endpointId: phone, cause, ...none });
  world.ladder.matches(`
    bob   -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    focus -> bob   : CANCEL
    focus -> store : save v4
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{ status: 'disconnected' }, {}] });
  expect(world.timers).toEqual([]);
});

test('RFC 3891 3: of a forked INVITE each phone that rings has an early dialog, and any of them is taken over', () => {
  const { world, replaces } = bobRings();
  const endpointId = world.endpointOf('bob');
  world.happens({ type: 'endpoint-alerting', endpointId, remoteTag: 'desktag' });
  expect(world.ladder.take()).toEqual([]);
  const unknown = switches(world, { replaces: { ...replaces, fromTag: 'doortag' } });
  expect(world.outcome(unknown.reply)).toMatchObject({ code: 'no-such-dialog' });
  const input = switches(world, { replaces: { ...replaces, fromTag: 'desktag' } });
  expect(world.outcome(input.reply)).toMatchObject({ kind: 'session-accepted' });
  expect(world.effects).toContainEqual({ type: 'sip.cancel', endpointId });
});

test('RFC 3261 13.2.2.4: once one of them has answered the others are no dialogs any more', () => {
  const { world, replaces } = bobRings();
  const endpointId = world.endpointOf('bob');
  world.happens({ type: 'endpoint-alerting', endpointId, remoteTag: 'desktag' });
  world.happens(answerFrom('bob', { endpointId, remoteTag: 'phonetag' }));
  const named = { ...replaces, earlyOnly: false };
  const gone = switches(world, { replaces: { ...named, fromTag: 'desktag' } });
  expect(world.outcome(gone.reply)).toMatchObject({ code: 'no-such-dialog' });
  expect(world.outcome(switches(world, { replaces: named }).reply)).toMatchObject({ kind: 'session-accepted' });
});

test('while that is being cancelled it is 603, and its answer that crosses is hung up', () => {
  const { world, replaces } = bobRings();
  const phone = world.endpointOf('bob');
  switches(world, { replaces });
  const again = switches(world, { replaces });
  expect(world.outcome(again.reply)).toMatchObject({ code: 'dialog-ended' });
  world.happens(answerFrom('bob', { endpointId: phone, remoteTag: 'phonetag' }));
  expect(world.effects).toContainEqual(expect.objectContaining({ type: 'sip.bye', endpointId: phone }));
  expect(world.participant('bob').status).toBe('connected');
});

test('before it rings, or when the 18x had no tag, an early dialog has no name', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  const { callId, fromTag } = world.inviteTo('bob');
  const replaces = { callId, toTag: fromTag, fromTag: '', earlyOnly: false };
  world.rings('bob');
  for (const tag of ['', '0']) {
    const input = world.dialsIn('bob', { replaces: { ...replaces, fromTag: tag } });
    expect(world.outcome(input.reply)).toMatchObject({ code: 'no-such-dialog' });
  }
});

test('whoever takes over a call that only rings gets no place in a full house', () => {
  const { world, replaces } = bobRings();
  world.dialsIn('bob');
  const { id: conferenceId } = world.conference;
  world.happens({ type: 'change-requested', reply: 'http:1', actor: 'key:1', conferenceId, maxParticipants: 2 });
  const referredBy = { uri: parseSipUri(addressOf['bob'] ?? ''), value: `<${addressOf['bob']}>`, token: null };
  const carol = world.dialsIn('carol', { replaces, referredBy });
  expect(world.outcome(carol.reply)).toMatchObject({ code: 'conference-full' });
  expect(world.conference.participantCount).toBe(2);
});
