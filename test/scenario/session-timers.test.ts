import { describe, expect, test } from 'vitest';
import type { SessionTimerGrant } from '../../src/core/effect.ts';
import type { InviteReceived, SessionTimerAsk } from '../../src/core/input.ts';
import { clientSdp, noTimer } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** Session timers (RFC 4028): the focus says for how long a session stands and who refreshes it; the SIP server runs them. */

type Asked = Partial<SessionTimerAsk>;

/** What Bob, whose client knows timers unless said, is granted when he dials in. */
function granted(asked: Asked, changes: Partial<InviteReceived> = {}): SessionTimerGrant | null {
  const world = new World({ sessionExpires: 1_800, minSe: 120 });
  world.factoryInvite([]);
  const input = world.dialsIn('bob', { supports: ['timer'], sessionTimer: { ...noTimer, ...asked }, ...changes });
  const outcome = world.outcome(input.reply);
  if (outcome.kind !== 'session-accepted') throw new Error(outcome.kind);
  return outcome.sessionTimer;
}

describe('RFC 4028 9: what is granted', () => {
  test.each<[asked: Asked, expires: number, refresher: 'uac' | 'uas']>([
    // Whoever asks for nothing gets the usual, and refreshes.
    [{}, 1_800, 'uac'],
    [{ expires: 600 }, 600, 'uac'],
    // A refresher that is named stands.
    [{ expires: 600, refresher: 'uas' }, 600, 'uas'],
    [{ expires: 600, refresher: 'uac' }, 600, 'uac'],
    [{ expires: 120 }, 120, 'uac'],
    // What is more than ours is lowered to ours, but not below what the request allows.
    [{ expires: 7_200 }, 1_800, 'uac'],
    [{ expires: 7_200, minSe: 3_600 }, 3_600, 'uac'],
    [{ minSe: 3_600 }, 3_600, 'uac'],
  ])('%j', (asked, expires, refresher) => {
    expect(granted(asked)).toEqual({ expires, refresher, required: true });
  });

  test.each<[asked: Asked, expires: number]>([
    [{}, 1_800],
    // A proxy has put it there: only the focus can refresh, and none of the two can be told that it is too little.
    [{ expires: 600, refresher: 'uac' }, 600],
    [{ expires: 100 }, 100],
  ])('%j, to whom timers are unknown: the focus refreshes, and nothing is required', (asked, expires) => {
    expect(granted(asked, { supports: [] })).toEqual({ expires, refresher: 'uas', required: false });
  });

  test('none: below the least there is, which may not be raised, and above what makes sense', () => {
    expect(granted({ expires: 60 }, { supports: [] })).toBeNull();
    expect(granted({ expires: 200_000, minSe: 100_000 })).toBeNull();
  });

  test('CC-089 RFC 4028 9: less than our Min-SE is 422 with it, for whoever knows timers', () => {
    const world = new World({ minSe: 120 });
    world.factoryInvite([]);
    const supports = ['timer'];
    const bob = world.dialsIn('bob', { supports, sessionTimer: { ...noTimer, expires: 119 } });
    const refused = { code: 'session-interval-too-small', headers: { 'Min-SE': '120' } };
    expect(world.outcome(bob.reply)).toMatchObject(refused);
    const carol = world.factoryInvite(null, { supports, sessionTimer: { ...noTimer, expires: 90 } });
    expect(world.outcome(carol.reply)).toMatchObject(refused);
    expect(world.attempts).toMatchObject([{ status: 422 }, { status: 422 }]);
    expect(world.conference.participantCount).toBe(1);
  });
});

describe('within a session', () => {
  const supports = ['timer'];

  function bobIsIn(asked: Asked = {}): World {
    const world = new World();
    world.factoryInvite([]);
    world.dialsIn('bob', { supports, sessionTimer: { ...noTimer, ...asked } });
    return world;
  }

  test.each(['INVITE', 'UPDATE'])(
    'CC-091 a refresh by %s that changes nothing gets the same description, and is no news',
    (method) => {
      const world = bobIsIn({ expires: 600, refresher: 'uac' });
      const offer = clientSdp('bob');
      const timed = { method, supports, sessionTimer: { expires: 600, refresher: 'uac', minSe: null } } as const;
      world.reinvites('bob', { ...timed, offer, reply: 'sip:bob:first' });
      const before = world.participant('bob');
      world.ladder.take();
      world.reinvites('bob', { ...timed, offer, reply: 'sip:bob:second' });
      expect(world.ladder.take()).toHaveLength(2);
      expect(world.participant('bob')).toBe(before);
      const first = world.outcome('sip:bob:first');
      expect(first).toMatchObject({ sessionTimer: { expires: 600, refresher: 'uac', required: true } });
      expect(world.outcome('sip:bob:second')).toEqual(first);
    },
  );

  test('who refreshes stays who he was, unless the refresh names somebody', () => {
    const world = bobIsIn({ expires: 600, refresher: 'uas' });
    const refresh = (reply: string, asked: Asked) => {
      const sessionTimer = { ...noTimer, ...asked };
      world.reinvites('bob', { method: 'UPDATE', offer: null, supports, sessionTimer, reply });
      return world.outcome(reply);
    };
    expect(refresh('sip:bob:1', {})).toMatchObject({ sessionTimer: { expires: 1_800, refresher: 'uas' } });
    expect(refresh('sip:bob:2', { expires: 300, refresher: 'uac' })).toMatchObject({
      sessionTimer: { expires: 300, refresher: 'uac' },
    });
    expect(refresh('sip:bob:3', { expires: 300 })).toMatchObject({ sessionTimer: { refresher: 'uac' } });
    expect(world.participant('bob').endpoints[0]?.sessionTimer).toEqual({ expires: 300, refresher: 'peer' });
    expect(refresh('sip:bob:4', { expires: 30 })).toMatchObject({ code: 'session-interval-too-small' });
    expect(world.participant('bob').endpoints[0]?.sessionTimer).toEqual({ expires: 300, refresher: 'peer' });
  });
});

test('CC-090 RFC 4028 10: a session that nobody refreshes is ended by the SIP server: failed, with the reason it gives', () => {
  const world = new World();
  world.factoryInvite([]);
  world.dialsIn('bob', { supports: ['timer'], sessionTimer: { ...noTimer, expires: 90, refresher: 'uac' } });
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.isGivenUp('bob', 'Session timer expired');
  world.ladder.matches(`
    sipd  -> focus : BYE to bob (Session timer expired)
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [bob:disconnected]
  `);
  const disconnection = { method: 'failed', sipStatus: null, reason: 'Session timer expired' };
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', disconnection });
  expect(world.documents('alice').at(-1)?.users?.[0]?.endpoints[0]).toMatchObject({
    disconnectionMethod: 'failed',
    disconnectionInfo: { reason: 'Session timer expired' },
  });
});
