import { describe, expect, test } from 'vitest';
import type { ReinviteReceived } from '../../src/core/input.ts';
import { limits } from '../../src/core/limits.ts';
import { clientSdp, type OfferOptions } from '../support/fixtures.ts';
import { losesMessages } from '../support/message-session.ts';
import { World } from '../support/world.ts';

/** Offers within sessions, by re-INVITE or UPDATE: hold, refreshes, and offers that cross (RFC 3261 14, RFC 3311 5). */

/** Alice's conference with Bob in it; Alice watches. */
function bobIsIn(changes: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(changes);
  world.factoryInvite([]);
  world.dialsIn('bob');
  world.acknowledges('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  return world;
}

let asked = 0;

/** Bob asks within his session; gives how he is answered. */
function bobAsks(world: World, changes: Partial<ReinviteReceived> = {}) {
  asked += 1;
  const reply = `sip:bob:within-${asked}`;
  world.reinvites('bob', { ...changes, reply });
  return world.outcome(reply);
}

function bobOffers(world: World, options: OfferOptions): void {
  expect(bobAsks(world, { offer: clientSdp('bob', options) })).toMatchObject({ kind: 'session-accepted' });
}

function statusOf(world: World): string | undefined {
  return world.participant('bob').endpoints[0]?.status;
}

describe('hold', () => {
  test('whoever takes no messages any more is on hold, and connected again when he takes them up', () => {
    const world = bobIsIn();
    bobOffers(world, { direction: 'inactive' });
    world.answersNotify('alice');
    bobOffers(world, {});
    world.ladder.matches(`
      bob   -> focus : INVITE (again)
      focus -> store : save v3
      focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
      focus -> alice : NOTIFY active v1 partial [bob:on-hold]
      alice -> focus : 200 NOTIFY
      bob   -> focus : INVITE (again)
      focus -> store : save v4
      focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
      focus -> alice : NOTIFY active v2 partial [bob:connected]
    `);
    expect(world.events.slice(-2)).toEqual(['participant.updated', 'participant.updated']);
    expect(world.participant('bob')).toMatchObject({ status: 'connected', leftAt: null });
  });

  test.each([
    ['inactive', 'on-hold', 'inactive', []],
    ['sendonly', 'on-hold', 'recvonly', []],
    ['recvonly', 'connected', 'sendonly', ['text/plain']],
    ['sendrecv', 'connected', 'sendrecv', ['text/plain']],
  ])('%s is %s', (direction, status, ...[answered, accepts]) => {
    const world = bobIsIn();
    bobOffers(world, { direction });
    expect(statusOf(world)).toBe(status);
    const answer = world.effects.flatMap((effect) =>
      effect.type === 'reply' && effect.outcome.kind === 'session-accepted' ? [effect.outcome.sdp ?? ''] : [],
    );
    expect(answer.at(-1)?.includes(`a=${answered}`)).toBe(answered !== 'sendrecv');
    const members = world.route().members;
    expect(members.find(({ endpointId }) => endpointId === world.endpointOf('bob'))?.acceptsWrapped).toEqual(accepts);
    expect(world.conference.participantCount).toBe(2);
  });

  test('sound never counts: ours is silent anyhow', () => {
    const world = bobIsIn({ audio: 'inactive' });
    bobOffers(world, { audio: 'inactive' });
    expect(statusOf(world)).toBe('connected');
    bobOffers(world, { audio: 'sendrecv', direction: 'inactive' });
    expect(statusOf(world)).toBe('on-hold');
    bobOffers(world, { audio: 'inactive', port: 0 });
    expect(statusOf(world)).toBe('connected');
  });

  test('it is not what a first offer says, nor what a broken connection leaves', () => {
    const world = new World();
    world.factoryInvite([]);
    world.dialsIn('bob', { offer: clientSdp('bob', { direction: 'sendonly' }) });
    expect(statusOf(world)).toBe('connected');
    losesMessages(world, 'bob');
    expect(statusOf(world)).toBe('connected');
  });

  test('the answer to our offer may hold, too', () => {
    const world = bobIsIn();
    bobAsks(world, { offer: null });
    world.acknowledges('bob', clientSdp('bob', { setup: 'active', direction: 'inactive' }));
    expect(statusOf(world)).toBe('on-hold');
  });

  test('RFC 3264 8.4: hold is the peer’s own: our next offer takes messages both ways, so that he can resume by its answer', () => {
    const world = bobIsIn();
    for (const direction of ['sendonly', 'inactive'] as const) {
      bobAsks(world, { offer: clientSdp('bob', { direction }) });
      expect(statusOf(world)).toBe('on-hold');
      const outcome = bobAsks(world, { offer: null });
      expect(outcome).toMatchObject({ sdp: expect.not.stringMatching(/a=(?:recvonly|sendonly|inactive)/) });
      world.acknowledges('bob', clientSdp('bob', { setup: 'active' }));
      expect(statusOf(world)).toBe('connected');
    }
  });

  test('a participant is on hold only with all devices; whoever is may leave', () => {
    const world = bobIsIn();
    world.dialsIn('bob');
    world.reinvites('bob', { offer: clientSdp('bob', { direction: 'inactive' }), reply: 'sip:bob:tablet' });
    expect(world.participant('bob')).toMatchObject({ status: 'connected', endpoints: [{}, { status: 'on-hold' }] });
    world.hangsUp('bob');
    expect(world.participant('bob')).toMatchObject({
      status: 'connected',
      endpoints: [{}, { status: 'disconnected' }],
    });
  });
});

describe('UPDATE (RFC 3311)', () => {
  test('its offer is answered as that of a re-INVITE', () => {
    const world = bobIsIn();
    const outcome = bobAsks(world, { method: 'UPDATE', offer: clientSdp('bob', { direction: 'sendonly' }) });
    expect(outcome).toMatchObject({ kind: 'session-accepted', sdp: expect.stringContaining('a=recvonly') });
    expect(statusOf(world)).toBe('on-hold');
  });

  test('without one it is answered without one, and changes nothing', () => {
    const world = bobIsIn();
    const before = world.participant('bob');
    expect(bobAsks(world, { method: 'UPDATE', offer: null })).toMatchObject({ kind: 'session-accepted', sdp: null });
    world.ladder.matches(`
      bob   -> focus : UPDATE
      focus -> bob   : 200 INVITE <sip:conf-1@conf.example.com>;isfocus
    `);
    expect(world.participant('bob')).toBe(before);
  });

  test('an offer that cannot be used leaves the session as it was', () => {
    const world = bobIsIn();
    const before = world.participant('bob');
    const offer = clientSdp('bob', { acceptTypes: 'text/plain' });
    expect(bobAsks(world, { method: 'UPDATE', offer })).toMatchObject({ code: 'media-not-acceptable' });
    expect(world.participant('bob')).toBe(before);
  });

  test('nobody waits for its ACK: the focus may ask at once', () => {
    const world = new World({ audio: 'inactive' });
    world.factoryInvite([]);
    world.dialsIn('bob');
    world.acknowledges('bob');
    const sound = clientSdp('bob', { audio: true });
    bobAsks(world, { method: 'UPDATE', offer: sound });
    world.acknowledges('bob');
    expect(world.offersWithin('bob')).toHaveLength(1);
  });
});

describe('offers that cross', () => {
  const pending = { code: 'request-pending' };

  /** The focus has made an offer by re-INVITE, which is not answered yet. */
  function focusHasAsked(): World {
    const world = new World({ audio: 'inactive' });
    world.factoryInvite([]);
    world.dialsIn('bob', { offer: clientSdp('bob', { audio: true }) });
    world.acknowledges('bob');
    expect(world.offersWithin('bob')).toHaveLength(1);
    return world;
  }

  test('CC-092 while the focus waits for an answer, an offer gets 491, an UPDATE without one 200', () => {
    const world = focusHasAsked();
    expect(bobAsks(world)).toMatchObject(pending);
    expect(bobAsks(world, { offer: null })).toMatchObject(pending);
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject(pending);
    expect(bobAsks(world, { method: 'UPDATE', offer: null })).toMatchObject({ kind: 'session-accepted', sdp: null });
    world.answersAgain('bob', clientSdp('bob', { audio: 'inactive' }));
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject({ kind: 'session-accepted' });
  });

  test('RFC 3311 5.2: so it is while our offer in a 200 waits for the ACK, but no longer than an ACK may take', () => {
    const world = bobIsIn();
    bobAsks(world, { offer: null });
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject(pending);
    expect(bobAsks(world, { method: 'UPDATE', offer: null })).toMatchObject({ kind: 'session-accepted' });
    world.passes(limits.ackTimeoutMs);
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject(pending);
    world.passes(1);
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject({ kind: 'session-accepted' });
  });

  test('RFC 3261 14.2: what overlaps another of the same side is to come again in 0 to 10 seconds', () => {
    const world = bobIsIn();
    expect(bobAsks(world, { overlaps: true })).toMatchObject({
      code: 'request-overlaps',
      headers: { 'Retry-After': '7' },
    });
  });

  test.each(['rings', 'is only dialled'])('RFC 3311 5.2: an invitee who %s may refresh, but not offer', (how) => {
    const world = new World();
    world.factoryInvite(['bob']);
    if (how === 'rings') world.rings('bob');
    const before = world.participant('bob');
    expect(bobAsks(world, { method: 'UPDATE' })).toMatchObject(pending);
    expect(bobAsks(world)).toMatchObject(pending);
    expect(bobAsks(world, { method: 'UPDATE', offer: null })).toMatchObject({ kind: 'session-accepted', sdp: null });
    expect(world.participant('bob')).toBe(before);
  });

  test('who is gone asks in vain', () => {
    const world = bobIsIn();
    world.hangsUp('bob');
    expect(bobAsks(world)).toMatchObject({ code: 'no-such-dialog' });
  });
});
