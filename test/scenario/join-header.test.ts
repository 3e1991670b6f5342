import { expect, test } from 'vitest';
import type { InviteReceived } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import { clientSdp, factoryUri } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** INVITE with Join: somebody comes in by naming a dialog that is in the conference already (RFC 3911 4). */

/** Alice's conference with Bob in it. */
function bobIsIn(): World {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob');
  world.ladder.take();
  return world;
}

/** How Carol is answered who names Bob's dialog. */
function carolJoins(world: World, changes: Partial<InviteReceived> = {}) {
  return world.outcome(world.dialsIn('carol', { join: world.dialogOf('bob'), ...changes }).reply);
}

const factory = parseSipUri(factoryUri);
const nowhere = parseSipUri('sip:conf-nowhere@conf.example.com');

test('CC-093 RFC 3911 4: whoever names a dialog of ours is in its conference, beside all who were', () => {
  const world = bobIsIn();
  expect(carolJoins(world, { target: factory })).toMatchObject({
    kind: 'session-accepted',
    contact: 'sip:conf-1@conf.example.com',
    at: 'conference',
  });
  world.ladder.matches(`
    carol -> focus : INVITE sip:conf-1@conf.example.com
    focus -> store : save v3
    focus -> carol : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
  `);
  expect(world.participant('carol')).toMatchObject({ status: 'connected', joiningMethod: 'dialed-in' });
  expect(world.participant('bob').status).toBe('connected');
  expect(world.saved.conferences.size).toBe(1);
});

test('an early dialog is as good: RFC 3911 4 makes no difference', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.happens({ type: 'endpoint-alerting', endpointId: world.endpointOf('bob'), remoteTag: 'bobtag' });
  expect(carolJoins(world, { target: nowhere })).toMatchObject({ kind: 'session-accepted' });
  expect(world.participant('bob').status).toBe('alerting');
});

test('CC-093 at a conference URI a Join that names nothing is ignored: a plain dial-in', () => {
  const world = bobIsIn();
  const join = { ...world.dialogOf('bob'), toTag: 'none' };
  expect(carolJoins(world, { join })).toMatchObject({ kind: 'session-accepted' });
  expect(world.participant('carol').status).toBe('connected');
});

test('what the Request-URI names goes before what the Join names', () => {
  const world = bobIsIn();
  const join = world.dialogOf('bob');
  world.factoryInvite(null);
  expect(carolJoins(world, { join, target: parseSipUri('sip:conf-2@conf.example.com') })).toMatchObject({
    contact: 'sip:conf-2@conf.example.com',
  });
});

test.each([
  ['the factory', factory],
  ['a URI that was never given', nowhere],
])('CC-093 at %s a Join that names nothing is 481', (_where, target) => {
  const world = bobIsIn();
  const join = { ...world.dialogOf('bob'), callId: 'none' };
  expect(carolJoins(world, { join, target })).toMatchObject({ code: 'no-such-dialog' });
  expect(world.attempts).toMatchObject([{ code: 'no-such-dialog', status: 481 }]);
  expect(world.saved.conferences.size).toBe(1);
});

test('CC-093 a dialog that has ended is 603, wherever it is named, until it is forgotten', () => {
  const world = bobIsIn();
  const join = world.dialogOf('bob');
  world.hangsUp('bob');
  for (const target of [factory, nowhere, parseSipUri(world.conferenceUri)]) {
    expect(carolJoins(world, { join, target })).toMatchObject({ code: 'dialog-ended' });
  }
  world.passes(limits.goneDialogMemoryMs + 1);
  expect(carolJoins(world, { join, target: nowhere })).toMatchObject({ code: 'no-such-dialog' });
});

test('a Join opens no door: who may not dial in may not join either, and its media must fit', () => {
  const world = bobIsIn();
  expect(carolJoins(world, { offer: clientSdp('carol', { port: 0 }) })).toMatchObject({ code: 'media-not-acceptable' });
  const { id: conferenceId } = world.conference;
  world.happens({ type: 'change-requested', reply: 'http:1', actor: 'key:1', conferenceId, locked: true });
  expect(carolJoins(world, { target: factory })).toMatchObject({ code: 'conference-locked' });
  expect(carolJoins(world, { caller: null })).toMatchObject({ code: 'unauthenticated' });
});
