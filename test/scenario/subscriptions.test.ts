import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

function conference(): World {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.ladder.take();
  return world;
}

test('CC-094, CC-095 no Expires means 3600; 200 and a full NOTIFY at once', () => {
  const world = conference();
  world.subscribes('alice');
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE
    focus -> store : save v2
    focus -> alice : 200 SUBSCRIBE Expires: 3600
    focus -> alice : NOTIFY active v0 [alice:connected bob:connected]
  `);
  expect(world.documents('alice')).toMatchObject([{ state: 'full', version: 0, conferenceState: { userCount: 2 } }]);
});

test.each([null, 'presence'])('CC-096 Event %s: 489', (event) => {
  const world = conference();
  const input = world.subscribes('alice', { event });
  expect(world.outcome(input.reply)).toMatchObject({ code: 'bad-event' });
});

test.each([null, 'presence'])('CC-096 nor is a subscription refreshed with Event %s', (event) => {
  const world = conference();
  world.subscribes('alice');
  world.answersNotify('alice');
  world.refreshes('alice', 100, { event, reply: 'sip:alice:again' });
  expect(world.outcome('sip:alice:again')).toMatchObject({ code: 'bad-event', detail: event ?? 'no Event header' });
  expect(world.notifies('alice')).toHaveLength(1);
});

test('CC-097 Accept without conference-info: 406; wildcards will do', () => {
  const world = conference();
  expect(world.outcome(world.subscribes('alice', { accepts: ['text/plain'] }).reply)).toMatchObject({
    code: 'not-acceptable',
  });
  expect(world.outcome(world.subscribes('alice', { accepts: ['application/*'] }).reply)).toMatchObject({
    kind: 'subscription-accepted',
  });
});

test('CC-098 five seconds are too brief: 423 with Min-Expires', () => {
  const world = conference();
  const input = world.subscribes('alice', { expires: 5 });
  expect(world.outcome(input.reply)).toMatchObject({ code: 'interval-too-brief', headers: { 'Min-Expires': '60' } });
});

test('CC-099 what is asked is granted, or less, never more', () => {
  const world = conference();
  expect(world.outcome(world.subscribes('alice', { expires: 7_200 }).reply)).toMatchObject({ expires: 7_200 });
  expect(world.outcome(world.subscribes('bob', { expires: 1_000_000 }).reply)).toMatchObject({ expires: 86_400 });
});

test('CC-100 a fetch gets one full document and is over', () => {
  const world = conference();
  world.subscribes('alice', { expires: 0 });
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE Expires: 0
    focus -> store : save v2
    focus -> alice : 200 SUBSCRIBE Expires: 0
    focus -> alice : NOTIFY terminated;timeout v0 [alice:connected bob:connected]
  `);
  expect(world.documents('alice')).toMatchObject([{ state: 'full', conferenceState: { userCount: 2 } }]);
});

test('CC-101, CC-104 a refresh brings the full roster again; expiry without one ends the subscription', () => {
  const world = conference();
  world.subscribes('alice', { expires: 100 });
  world.answersNotify('alice');
  world.passes(60_000);
  world.refreshes('alice', 100);
  world.answersNotify('alice');
  world.passes(100_000);
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE Expires: 100
    focus -> store : save v2
    focus -> alice : 200 SUBSCRIBE Expires: 100
    focus -> alice : NOTIFY active v0 [alice:connected bob:connected]
    alice -> focus : 200 NOTIFY
    alice -> focus : SUBSCRIBE (refresh) Expires: 100
    focus -> store : save
    focus -> alice : 200 SUBSCRIBE Expires: 100
    focus -> alice : NOTIFY active v1 [alice:connected bob:connected]
    alice -> focus : 200 NOTIFY
    clock -> focus : expiry timer
    focus -> store : save v2
    focus -> alice : NOTIFY terminated;timeout v2 [alice:connected bob:connected]
  `);
});

test('an unsubscribe is answered and confirmed by a last NOTIFY', () => {
  const world = conference();
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.refreshes('alice', 0);
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE (refresh) Expires: 0
    focus -> store : save v2
    focus -> alice : 200 SUBSCRIBE Expires: 0
    focus -> alice : NOTIFY terminated;timeout v1 [alice:connected bob:connected]
  `);
  expect(world.timers.filter((timer) => timer.startsWith('expiry'))).toEqual([]);
});

test('CC-102 a refresh of an ended subscription: 481', () => {
  const world = conference();
  world.subscribes('alice', { expires: 0 });
  world.ladder.take();
  world.refreshes('alice', 100);
  world.ladder.matches(`
    alice -> focus : SUBSCRIBE (refresh) Expires: 100
    focus -> alice : 481 no-such-dialog
  `);
});

test('CC-103 a stranger gets 403 and nothing else', () => {
  const world = conference();
  world.subscribes('eve');
  world.ladder.matches(`
    eve   -> focus : SUBSCRIBE
    focus -> eve   : 403 not-a-participant
  `);
});

test('changes while a NOTIFY is under way become one; versions step by one', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted', 'carol']);
  world.subscribes('alice');
  world.ladder.take();
  world.answers('bob');
  world.rings('ted');
  world.answers('carol');
  world.answersNotify('alice');
  world.ladder.matches(`
    bob   -> focus : 200 INVITE
    focus -> store : save v2
    ted   -> focus : 180 INVITE
    focus -> store : save v3
    carol -> focus : 200 INVITE
    focus -> store : save v4
    alice -> focus : 200 NOTIFY
    focus -> alice : NOTIFY active v1 partial [bob:connected ted:alerting carol:connected]
  `);
  expect(world.documents('alice').map((document) => document.version)).toEqual([0, 1]);
});

test.each([404, 405, 410, 416, 480, 485, 489, 501, 604, 408])(
  'CC-105 NOTIFY answered %i ends the subscription',
  (status) => {
    const world = conference();
    world.subscribes('alice');
    world.answersNotify('alice', status);
    expect(world.subscriptionOf('alice')).toMatchObject({ state: 'terminated' });
    expect(world.effects.at(-1)).toMatchObject({ type: 'sip.release' });
  },
);

test.each([500, 503])('CC-105 NOTIFY answered %i keeps it', (status) => {
  const world = conference();
  world.subscribes('alice');
  world.answersNotify('alice', status);
  expect(world.subscriptionOf('alice')).toMatchObject({ state: 'active' });
});
