import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { answerFrom } from '../support/fixtures.ts';
import { invitesIn, inviting, refuses } from '../support/refusing.ts';
import { World } from '../support/world.ts';

/** What follows when invitees refuse, do not answer, or answer too late. */

describe('CC-053 422', () => {
  test('once more in the same call, with the interval and the Min-SE that were asked for', () => {
    const world = inviting(['bob']);
    refuses(world, 'bob', [422, { minSe: 3_600 }]);
    world.ladder.matches(`
      bob   -> focus : 422 INVITE Min-SE: 3600
      focus -> store : save v2
      focus -> bob   : INVITE CSeq: 2 Session-Expires: 3600
    `);
    const [first, second] = invitesIn(world);
    expect(first).toMatchObject({ cseq: 1, sessionTimer: { expires: 1_800, minSe: null } });
    expect(second).toMatchObject({
      callId: first?.callId,
      fromTag: first?.fromTag,
      dialogId: first?.dialogId,
      cseq: 2,
      sessionTimer: { expires: 3_600, minSe: 3_600 },
    });
    world.answers('bob');
    expect(world.participant('bob')).toMatchObject({
      status: 'connected',
      attempts: [{ change: null }, { change: 'Session-Expires 3600', outcome: { status: 200 } }],
    });
  });

  test('an interval that was long enough is not made shorter', () => {
    const world = inviting(['bob'], { sessionExpires: 7_200 });
    refuses(world, 'bob', [422, { minSe: 600 }]);
    expect(world.inviteTo('bob').sessionTimer).toEqual({ expires: 7_200, minSe: 600 });
  });

  test('a second one is final, and so is one that names no interval or one of days', () => {
    const world = inviting(['bob']);
    refuses(world, 'bob', [422, { minSe: 3_600 }]);
    refuses(world, 'bob', [422, { minSe: 7_200 }]);
    expect(world.participant('bob')).toMatchObject({ status: 'disconnected', lastError: { status: 422 } });
    for (const said of [{}, { minSe: limits.sessionSecondsMax + 1 }]) {
      const other = inviting(['bob']);
      refuses(other, 'bob', [422, said]);
      expect(invitesIn(other)).toHaveLength(1);
    }
  });

  test('what else an answer asks for is another call again', () => {
    const world = new World();
    world.factoryInvite([{ uri: 'bob', replaces: 'x;to-tag=1;from-tag=2' }]);
    refuses(world, 'bob', [422, { minSe: 3_600 }]);
    world.refuses('bob', 420, ['replaces']);
    const [first, , third] = invitesIn(world);
    expect(third).toMatchObject({ cseq: 1, replaces: null, sessionTimer: { expires: 3_600, minSe: 3_600 } });
    expect(third?.callId).not.toBe(first?.callId);
  });

  test('an operator whose least is above 90 seconds says so from the first', () => {
    expect(inviting(['bob'], { minSe: 120 }).inviteTo('bob').sessionTimer).toEqual({ expires: 1_800, minSe: 120 });
  });
});

test('who keeps the session alive follows from the 2xx', () => {
  const world = inviting(['bob', 'ted', 'carol']);
  const answered = (name: string, sessionTimer: { expires: number; refresher: 'uac' | 'uas' } | null) => {
    world.happens(answerFrom(name, { endpointId: world.endpointOf(name), sessionTimer }));
    return world.participant(name).endpoints[0]?.sessionTimer;
  };
  expect(answered('bob', { expires: 600, refresher: 'uac' })).toEqual({ expires: 600, refresher: 'focus' });
  expect(answered('ted', { expires: 900, refresher: 'uas' })).toEqual({ expires: 900, refresher: 'peer' });
  expect(answered('carol', null)).toBeNull();
});

describe('CC-054 nobody answers', () => {
  test('CANCEL after the ring time, and 487 ends it', () => {
    const world = inviting(['bob']);
    world.rings('bob');
    world.passes(limits.ringTimeoutMs);
    world.refuses('bob', 487);
    world.ladder.matches(`
      bob   -> focus : 180 INVITE
      focus -> store : save v2
      clock -> focus : ring timer
      focus -> store : save v3
      focus -> bob   : CANCEL
      bob   -> focus : 487 INVITE
      focus -> store : save v4
    `);
    expect(world.participant('bob')).toMatchObject({
      disconnection: { method: 'failed', sipStatus: 408, reason: 'No answer' },
      attempts: [{ outcome: { status: 487 } }],
    });
    world.passes(limits.lingerMs);
    expect(world.timers).toEqual([]);
  });

  test('a 200 that crosses the CANCEL is acknowledged and hung up', () => {
    const world = inviting(['bob']);
    world.rings('bob');
    world.passes(limits.ringTimeoutMs);
    world.answers('bob');
    world.ladder.matches(`
      bob   -> focus : 180 INVITE
      focus -> store : save v2
      clock -> focus : ring timer
      focus -> store : save v3
      focus -> bob   : CANCEL
      bob   -> focus : 200 INVITE
      focus -> store : save v4
      focus -> bob   : BYE (Cancelled)
    `);
    expect(world.participant('bob')).toMatchObject({ status: 'disconnected', joinedAt: null });
  });

  test('no end is told at all: given up in the end', () => {
    const world = inviting(['bob']);
    world.passes(limits.ringTimeoutMs);
    expect(world.participant('bob').status).toBe('disconnecting');
    world.passes(limits.cancelTimeoutMs);
    expect(world.participant('bob')).toMatchObject({
      status: 'disconnected',
      attempts: [{ outcome: { status: 408 } }],
    });
  });
});

test.each([300, 301, 302, 305, 380, 401, 407, 488, 513, 606])(
  '%i is final: nobody is redirected, nothing is proved for others',
  (status) => {
    const world = inviting(['bob']);
    world.refuses('bob', status);
    expect(invitesIn(world)).toHaveLength(1);
    expect(world.participant('bob').disconnection).toMatchObject({ method: 'failed', sipStatus: status });
  },
);

test('an attempt keeps when it began and ended, and what Reason said', () => {
  const world = inviting(['bob']);
  const began = world.now;
  world.passes(2_500);
  refuses(world, 'bob', [503, { reasonHeader: 'Q.850;cause=34;text="No circuit"' }]);
  expect(world.participant('bob').attempts).toEqual([
    {
      endpointId: world.endpointOf('bob'),
      at: began,
      endedAt: began + 2_500,
      replaces: null,
      change: null,
      outcome: { status: 503, reason: 'Reason 503' },
      reasonHeader: 'Q.850;cause=34;text="No circuit"',
    },
  ]);
});

test('the tag of an early dialog is kept while it lasts', () => {
  const world = inviting(['bob']);
  const rings = (remoteTag: string | null): void =>
    world.happens({ type: 'endpoint-alerting', endpointId: world.endpointOf('bob'), remoteTag });
  rings(null);
  expect(world.participant('bob').endpoints[0]).toMatchObject({ status: 'alerting', remoteTag: null });
  rings('desk');
  rings('mobile');
  expect(world.participant('bob').endpoints[0]?.remoteTag).toBe('desk');
  world.answers('bob');
  expect(world.participant('bob').endpoints[0]?.remoteTag).toBe('bobtag');
});

describe('a list of fifty, with every kind of outcome', () => {
  const outcomes: readonly { act: (world: World, who: string) => void; shown: string }[] = [
    { act: (world, who) => world.answers(who), shown: 'connected' },
    {
      act: (world, who) => {
        world.rings(who);
        world.refuses(who, 486);
      },
      shown: 'busy 486',
    },
    ...[302, 401, 404, 408, 420, 422, 481, 488, 503, 603].map((status) => ({
      act: (world: World, who: string) => world.refuses(who, status),
      shown: `failed ${status}`,
    })),
    { act: (world, who) => world.rings(who), shown: 'failed 408' },
  ];
  const guests = Array.from(
    { length: limits.listEntriesMax },
    (_, index) => `sip:guest${index}@host${index % 7}.example`,
  );

  /** At most so many dialled at once, to all and to one host. */
  function keepsBounds(world: World): void {
    const dialled = [...world.saved.participants.values()].filter(({ status }) => status === 'dialing-out');
    expect(dialled.length).toBeLessThanOrEqual(limits.parallelInvitesMax);
    const hosts = dialled.map(({ uri }) => uri.split('@')[1]);
    for (const host of new Set(hosts))
      expect(hosts.filter((one) => one === host).length).toBeLessThanOrEqual(limits.parallelInvitesPerHostMax);
  }

  test('CC-004 CC-051 the creator is answered first, each outcome is shown, and nothing is left over', () => {
    const world = new World();
    const input = world.factoryInvite(guests);
    const [reply, firstInvite] = ['reply', 'sip.invite'].map((type) =>
      world.effects.findIndex((one) => one.type === type),
    );
    expect(world.outcome(input.reply)).toMatchObject({ kind: 'session-accepted' });
    expect(reply).toBeLessThan(firstInvite ?? -1);
    const decided = new Set<string>();
    while (decided.size < guests.length) {
      const next = guests.findIndex((guest) => !decided.has(guest) && world.wasInvited(guest));
      const guest = guests[next] ?? '';
      outcomes[next % outcomes.length]?.act(world, guest);
      decided.add(guest);
      keepsBounds(world);
    }
    world.passes(limits.ringTimeoutMs);
    for (const [index, guest] of guests.entries())
      if (
        outcomes[index % outcomes.length]?.shown === 'failed 408' &&
        world.participant(guest).status === 'disconnecting'
      )
        world.refuses(guest, 487);
    const shown = guests.map((guest) => {
      const { status, disconnection } = world.participant(guest);
      return disconnection === null ? status : `${disconnection.method} ${disconnection.sipStatus}`;
    });
    expect(shown).toEqual(guests.map((_, index) => outcomes[index % outcomes.length]?.shown));
    world.hangsUp('alice');
    expect(world.conference.status).toBe('ended');
    expect(world.timers).toEqual([]);
    for (const { attempts } of world.saved.participants.values())
      for (const { outcome, endedAt } of attempts) expect([outcome, endedAt]).not.toContain(null);
  });
});
