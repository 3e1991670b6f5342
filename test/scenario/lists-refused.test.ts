import { describe, expect, test } from 'vitest';
import type { SipInvite } from '../../src/core/effect.ts';
import { limits } from '../../src/core/limits.ts';
import { addressOf, clientSdp, recipients } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** What follows when invitees refuse, do not answer, or answer too late. */

function inviting(list: readonly string[], settings: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(settings);
  world.factoryInvite(list);
  world.ladder.take();
  return world;
}

type Said = { minSe?: number; reasonHeader?: string; members?: readonly string[] };

/** A refusal that says more than its status. */
function refuses(world: World, name: string, answer: [status: number, said: Said]): void {
  const [status, { minSe = null, reasonHeader = null, members }] = answer;
  const behind = members === undefined ? null : recipients(members, world.settings.lenient);
  const more = `${minSe === null ? '' : ` Min-SE: ${minSe}`}${behind === null ? '' : ` members: ${behind.length}`}`;
  world.ladder.add(name, 'focus', `${status} INVITE${more}`);
  const cause = { status, reason: `Reason ${status}` };
  const endpointId = world.endpointOf(name);
  world.happens({ type: 'endpoint-failed', endpointId, cause, unsupported: [], reasonHeader, minSe, members: behind });
}

const invitesIn = (world: World): readonly SipInvite[] =>
  world.effects.filter((effect): effect is SipInvite => effect.type === 'sip.invite');

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
    world.happens({
      type: 'endpoint-answered',
      endpointId: world.endpointOf(name),
      dialogId: 'dialog',
      contact: null,
      remoteTag: 'x',
      displayName: null,
      private: false,
      answer: clientSdp(name, { setup: 'active' }),
      sessionTimer,
    });
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

describe('CC-052 a URI that is a list itself is refused, and its members are told', () => {
  const friends = 'sip:friends@lists.example.org';

  test('they are invited in its stead, and the URI stays refused', () => {
    const world = inviting([friends, 'bob']);
    refuses(world, friends, [403, { members: ['ted', 'carol'] }]);
    world.ladder.matches(`
      sip:friends@lists.example.org -> focus : 403 INVITE members: 2
      focus -> store : save v2
      focus -> ted   : INVITE
      focus -> carol : INVITE
    `);
    expect(world.participant(friends)).toMatchObject({ status: 'disconnected', disconnection: { sipStatus: 403 } });
    expect(world.inviteTo('ted')).toMatchObject({ referredBy: addressOf['alice'], maxForwards: 69, history: null });
    expect(world.participant('ted')).toMatchObject({ listEntry: { raw: addressOf['ted'] } });
    expect(world.participant('ted').endpoints[0]?.origin).toMatchObject({ by: 'list', received: addressOf['ted'] });
    expect(world.events).toContain('participant.list-refused');
  });

  test('nobody is invited twice, nor the creator, nor the focus, nor whoever cannot be', () => {
    const world = inviting([friends, 'bob'], { privateTargets: 'refuse' });
    const before = invitesIn(world).length;
    const members = [
      'bob',
      'alice',
      world.conferenceUri,
      'sip:conf-fact@conf.example.com',
      'sip:x@10.0.0.7',
      'ted',
      'ted',
    ];
    refuses(world, friends, [403, { members }]);
    expect(
      invitesIn(world)
        .slice(before)
        .map(({ target }) => target),
    ).toEqual([addressOf['ted']]);
    expect(world.participant('sip:x@10.0.0.7')).toMatchObject({ disconnection: { sipStatus: 403 } });
  });

  test('members that are lists are asked too, once; what stands behind those is not', () => {
    const world = inviting([friends]);
    refuses(world, friends, [403, { members: ['sip:team@lists.example.org'] }]);
    refuses(world, 'sip:team@lists.example.org', [403, { members: ['sip:staff@lists.example.org'] }]);
    refuses(world, 'sip:staff@lists.example.org', [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
    expect(world.participant('sip:staff@lists.example.org').status).toBe('disconnected');
  });

  test('a list in itself leads nowhere', () => {
    const world = inviting([friends]);
    refuses(world, friends, [403, { members: [friends] }]);
    expect(invitesIn(world)).toHaveLength(1);
  });

  test('members beyond what a list may have, in one or in several, are not invited at all', () => {
    const people = (name: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `sip:${name}${index}@${name}${index}.example`);
    const world = inviting([friends, 'sip:team@lists.example.org']);
    refuses(world, friends, [403, { members: people('a', limits.listEntriesMax) }]);
    expect(world.saved.participants.size).toBe(3 + limits.listEntriesMax);
    refuses(world, 'sip:team@lists.example.org', [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
    const other = inviting([friends]);
    refuses(other, friends, [403, { members: people('a', limits.listEntriesMax + 1) }]);
    expect(other.saved.participants.size).toBe(2);
  });

  test('who has not agreed to be invited is not (RFC 5363 5.2)', () => {
    const world = new World({ consent: 'on' });
    const agrees = (id: string, uri: string): void =>
      world.happens({
        type: 'user-defined',
        user: {
          id,
          uri,
          displayName: null,
          secrets: null,
          barred: false,
          mayCreate: true,
          consents: true,
          createdAt: 0,
          updatedAt: 0,
          revision: 1,
        },
      });
    agrees('u1', friends);
    agrees('u2', addressOf['ted'] ?? '');
    world.factoryInvite([friends]);
    refuses(world, friends, [403, { members: ['ted', 'carol'] }]);
    expect(world.wasInvited('ted')).toBe(true);
    expect(world.wasInvited('carol')).toBe(false);
    expect(world.participant('carol')).toMatchObject({ disconnection: { method: 'failed', sipStatus: 470 } });
  });

  test('of a URI that is being cancelled, or in a conference that is over, nobody', () => {
    const cancelled = inviting([friends]);
    cancelled.passes(limits.ringTimeoutMs);
    refuses(cancelled, friends, [403, { members: ['ted'] }]);
    expect(cancelled.wasInvited('ted')).toBe(false);
    const ending = inviting([friends]);
    ending.hangsUp('alice');
    refuses(ending, friends, [403, { members: ['ted'] }]);
    expect(ending.wasInvited('ted')).toBe(false);
    expect(ending.conference.status).toBe('ended');
  });

  test('a locked conference takes nobody in their stead', () => {
    const world = inviting([friends]);
    const conferenceId = world.conference.id;
    world.happens({ type: 'change-requested', reply: 'http:op:1', actor: 'key:1', conferenceId, locked: true });
    refuses(world, friends, [403, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
  });

  test('another status with members is a refusal like any', () => {
    const world = inviting([friends]);
    refuses(world, friends, [404, { members: ['ted'] }]);
    expect(world.wasInvited('ted')).toBe(false);
  });
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
