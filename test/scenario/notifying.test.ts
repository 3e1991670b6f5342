import { expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { addressOf, clientSdp, inviteFrom } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** What watchers are told, and when (RFC 4575 3.9, 4.4, 4.6, 5.2). */

/** Alice, who has made it, watches a conference with Bob; Ted and Carol have been asked in. */
function watched(notifyMinIntervalMs: number): World {
  const world = new World({ notifyMinIntervalMs });
  world.factoryInvite(['bob', 'ted', 'carol']);
  world.answers('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  return world;
}

test('CC-107, CC-111, CC-112 what changes within five seconds is one partial document, one version on', () => {
  const world = watched(5_000);
  world.rings('ted');
  world.passes(2_000);
  world.answers('ted');
  world.answers('carol');
  world.passes(3_000);
  world.answersNotify('alice');
  world.hangsUp('bob');
  world.passes(4_999);
  world.passes(1);
  world.ladder.matches(`
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    ted   -> focus : 200 INVITE
    focus -> store : save v4
    carol -> focus : 200 INVITE
    focus -> store : save v5
    clock -> focus : pace timer
    focus -> alice : NOTIFY active v1 partial [ted:connected carol:connected]
    alice -> focus : 200 NOTIFY
    bob   -> focus : BYE
    focus -> store : save v6
    clock -> focus : pace timer
    focus -> alice : NOTIFY active v2 partial [bob:disconnected]
  `);
});

test('who has waited long enough is told of a change at once', () => {
  const world = watched(5_000);
  world.passes(5_000);
  world.hangsUp('bob');
  world.ladder.matches(`
    bob   -> focus : BYE
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [bob:disconnected]
  `);
});

test('the answer to a refresh and the last NOTIFY do not wait', () => {
  const world = watched(5_000);
  world.hangsUp('bob');
  world.refreshes('alice', 600);
  world.answersNotify('alice');
  world.refreshes('alice', 0);
  world.passes(10_000);
  world.ladder.matches(`
    bob   -> focus : BYE
    focus -> store : save v3
    alice -> focus : SUBSCRIBE (refresh) Expires: 600
    focus -> store : save
    focus -> alice : 200 SUBSCRIBE Expires: 600
    focus -> alice : NOTIFY active v1 [alice:connected bob:disconnected ted:dialing-out carol:dialing-out]
    alice -> focus : 200 NOTIFY
    alice -> focus : SUBSCRIBE (refresh) Expires: 0
    focus -> store : save v3
    focus -> alice : 200 SUBSCRIBE Expires: 0
    focus -> alice : NOTIFY terminated;timeout v2 [alice:connected bob:disconnected ted:dialing-out carol:dialing-out]
  `);
});

test('what has come and gone meanwhile is not told of', () => {
  const world = watched(0);
  world.hangsUp('bob');
  world.dialsIn('bob');
  world.hangsUp('bob');
  world.answersNotify('alice');
  world.answersNotify('alice');
  expect(world.documents('alice').map(({ version }) => version)).toEqual([0, 1, 2]);
  world.passes(30_000);
  expect(world.documents('alice').at(-1)?.users).toMatchObject([{ entity: addressOf['bob'], state: 'deleted' }]);
});

test('CC-105 after a NOTIFY that failed the next change brings everything again', () => {
  const world = watched(0);
  world.rings('ted');
  world.answersNotify('alice', 503);
  world.hangsUp('bob');
  world.ladder.matches(`
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [ted:alerting]
    alice -> focus : 503 NOTIFY
    bob   -> focus : BYE
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 [alice:connected bob:disconnected ted:alerting carol:dialing-out]
  `);
});

test('a change that came while a NOTIFY was under way that failed is the next one, at the pace of all', () => {
  const world = watched(5_000);
  world.passes(5_000);
  world.rings('ted');
  world.hangsUp('bob');
  world.passes(2_000);
  world.ladder.take();
  world.answersNotify('alice', 500);
  world.passes(3_000);
  world.ladder.matches(`
    alice -> focus : 500 NOTIFY
    clock -> focus : pace timer
    focus -> alice : NOTIFY active v2 [alice:connected bob:disconnected ted:alerting carol:dialing-out]
  `);
});

test('that somebody rings is no news for those who are not told', () => {
  const world = watched(0);
  world.subscribes('bob');
  world.answersNotify('bob');
  world.ladder.take();
  world.rings('ted');
  world.answersNotify('alice');
  world.answers('ted');
  world.ladder.matches(`
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [ted:alerting]
    alice -> focus : 200 NOTIFY
    ted   -> focus : 200 INVITE
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial [ted:connected]
    focus -> bob   : NOTIFY active v1 partial [ted:connected]
  `);
});

test('CC-118 who hides from now on is deleted under the old name, in what others are told of it too', () => {
  const world = watched(0);
  const { caller } = inviteFrom('bob', addressOf['bob'] ?? '');
  world.dialsIn('bob', { caller: caller === null ? null : { ...caller, private: true } });
  const [change] = world.documents('alice').slice(-1);
  expect(change?.users).toMatchObject([
    { entity: addressOf['bob'], state: 'deleted' },
    { entity: 'sip:anonymous2@anonymous.invalid', state: 'full' },
  ]);
});

test('RFC 4575 5.6.2, 5.6.4: languages and further AORs come with who answers, and those of its next call with that', () => {
  const world = watched(0);
  world.answers('ted', undefined, { languages: ['de'], associatedAors: ['tel:+4930123'] });
  world.answersNotify('alice');
  world.hangsUp('ted');
  world.answersNotify('alice');
  world.dialsIn('ted', { languages: ['fr', 'de'], associatedAors: ['tel:+4930123'] });
  const told = world.documents('alice').slice(1);
  expect(told.flatMap(({ users }) => users ?? [])).toMatchObject([
    { state: 'partial', languages: ['de'], associatedAors: ['tel:+4930123'] },
    { state: 'partial', languages: [], associatedAors: [] },
    { state: 'partial', languages: ['fr', 'de'], associatedAors: [] },
  ]);
});

test('Last-Notify-Version: within a subscription, and in the next, only what came after that document', () => {
  const world = watched(0);
  world.hangsUp('bob');
  world.answersNotify('alice');
  world.refreshes('alice', 600, { lastNotifyVersion: 1 });
  world.answersNotify('alice');
  world.refreshes('alice', 0);
  world.rings('ted');
  world.ladder.take();
  world.subscribes('alice', { lastNotifyVersion: 3 });
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE
    focus -> store : save v4
    focus -> alice : 200 SUBSCRIBE Expires: 3600
    focus -> alice : NOTIFY active v4 partial [ted:alerting]
  `);
  expect(world.documents('alice').map(({ version, state }) => [version, state])).toEqual([
    [0, 'full'],
    [1, 'partial'],
    [2, 'partial'],
    [3, 'full'],
    [4, 'partial'],
  ]);
});

test('Last-Notify-Version: whoever lacks the last document of a subscription is told everything', () => {
  const world = watched(0);
  world.hangsUp('bob');
  world.answersNotify('alice');
  world.refreshes('alice', 600, { lastNotifyVersion: 0 });
  expect(world.documents('alice').at(-1)).toMatchObject({ state: 'full', version: 2 });
});

test.each([1, 7])('Last-Notify-Version %i, which nobody here knows of: everything, as the next version', (version) => {
  const world = watched(0);
  world.refreshes('alice', 600, { lastNotifyVersion: version });
  expect(world.documents('alice').at(-1)).toMatchObject({ state: 'full', version: 1 });
  const other = new World();
  other.factoryInvite(['bob']);
  other.subscribes('alice', { lastNotifyVersion: version });
  expect(other.documents('alice')).toMatchObject([{ state: 'full', version: version + 1 }]);
});

test('two devices of one user: what the one has says nothing of what the other was told', () => {
  const world = watched(0);
  world.refreshes('alice', 0);
  world.rings('ted');
  // Her tablet, from the start.
  world.subscribes('alice', { dialogId: 'tablet;from-tag=alice' });
  world.answersNotify('alice');
  world.refreshes('alice', 0);
  world.subscribes('alice', { dialogId: 'phone;from-tag=alice', lastNotifyVersion: 1 });
  expect(world.documents('alice').at(-1)).toMatchObject({ state: 'full', version: 2 });
});

test('two devices of one user: nor while the other watches', () => {
  const world = watched(0);
  const { id } = world.subscriptionOf('alice');
  world.subscribes('alice', { dialogId: 'tablet;from-tag=alice' });
  world.answersNotify('alice');
  world.rings('ted');
  world.refreshes('alice', 0);
  expect(world.subscriptionOf('alice').id).not.toBe(id);
  world.happens({ type: 'notify-answered', subscriptionId: id, status: 200 });
  world.subscribes('alice', { dialogId: 'phone;from-tag=alice', lastNotifyVersion: 1 });
  expect(world.documents('alice').at(-1)).toMatchObject({ state: 'full', version: 2 });
});

test('a room too large for one document: first who is in, then at once the rest, in documents of bounded size', () => {
  const world = new World({ notifyMinIntervalMs: 5_000 });
  world.factoryInvite([]);
  const guests = Array.from({ length: 120 }, (_, index) => `guest${index}`);
  for (const guest of guests) {
    const caller = { aor: `sip:${guest}@host.example.org`, displayName: guest, private: false };
    world.dialsIn(guest, { caller, claimed: caller, fromTag: guest, contact: `sip:${guest}@192.0.2.7:5070` });
  }
  world.subscribes('alice');
  while (world.notifies('alice').length < 200) {
    const before = world.notifies('alice').length;
    world.answersNotify('alice');
    if (world.notifies('alice').length === before) break;
  }
  const [first, ...rest] = world.documents('alice');
  const [firstBytes = 0, ...bytes] = world.notifies('alice').map(({ body }) => Buffer.byteLength(body ?? ''));
  expect(firstBytes).toBeLessThanOrEqual(limits.conferenceInfoBytesMax);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(limits.partialInfoBytesMax);
  expect(first).toMatchObject({ state: 'full', conferenceState: { userCount: 121 } });
  expect(first?.users?.every(({ endpoints }) => endpoints.length === 0)).toBe(true);
  expect(rest.every(({ state }) => state === 'partial')).toBe(true);
  const told = rest.flatMap(({ users }) => users ?? []);
  expect(told.every(({ endpoints }) => endpoints.length === 1)).toBe(true);
  expect(new Set(told.map(({ entity }) => entity)).size).toBe(121);
  expect(world.timers.filter((timer) => timer.startsWith('pace'))).toEqual([]);
});

/** Alice, who has just subscribed, and Bob are in a room that is too large for one document. */
function crowded(): World {
  const world = new World({ notifyMinIntervalMs: 5_000 });
  world.factoryInvite(['bob']);
  world.answers('bob');
  for (let index = 0; index < 60; index += 1) {
    const guest = `guest${index}`;
    const caller = { aor: `sip:${guest}@host.example.org`, displayName: guest, private: false };
    world.dialsIn(guest, { caller, claimed: caller, fromTag: guest, contact: `sip:${guest}@192.0.2.7:5070` });
  }
  world.subscribes('alice');
  return world;
}

test('what came and went while a large roster was being told is told again, once all of it was', () => {
  const world = crowded();
  const offer = (direction: 'inactive' | 'sendrecv') => clientSdp('bob', { direction });
  world.reinvites('bob', { offer: offer('inactive'), reply: 'sip:bob:hold' });
  world.answersNotify('alice');
  expect(world.documents('alice').at(-1)?.users?.[1]?.endpoints).toMatchObject([{ status: 'on-hold' }]);
  world.reinvites('bob', { offer: offer('sendrecv'), reply: 'sip:bob:resume' });
  for (let page = 0; page < 20; page += 1) world.answersNotify('alice');
  world.passes(6_000);
  expect(world.documents('alice').at(-1)?.users).toMatchObject([
    { entity: addressOf['bob'], state: 'full', endpoints: [{ status: 'connected' }] },
  ]);
});

test('who left while a large roster was being told, and came again, is told of as somebody new', () => {
  const world = crowded();
  world.hangsUp('bob');
  world.passes(30_000);
  world.answersNotify('alice');
  expect(world.documents('alice').at(-1)?.users?.[1]).toMatchObject({ entity: addressOf['bob'], state: 'deleted' });
  world.dialsIn('bob', { reply: 'sip:bob:again', fromTag: 'again', dialogId: 'again;from-tag=again' });
  for (let page = 0; page < 20; page += 1) world.answersNotify('alice');
  world.passes(6_000);
  expect(world.documents('alice').at(-1)?.users).toMatchObject([{ entity: addressOf['bob'], state: 'full' }]);
});
