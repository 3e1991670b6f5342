import { expect, test } from 'vitest';
import { addressOf } from '../support/fixtures.ts';
import { answersReferNotify, referralOf, refers } from '../support/refer-steps.ts';
import { World } from '../support/world.ts';

/** Alice, who made it, Bob and Ted are in; Bob watches. */
function conference(): World {
  const world = new World();
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.answers('ted');
  world.subscribes('bob');
  world.answersNotify('bob');
  world.ladder.take();
  return world;
}

test('CC-075 RFC 4579 5.11: a chair removes Bob, who gets BYE and watches no more', () => {
  const world = conference();
  refers(world, 'alice', { to: 'bob;method=BYE', inSession: true });
  answersReferNotify(world, 'alice');
  world.ladder.matches(`
    alice -> focus : REFER sip:bob@biloxi.example.com;method=BYE
    focus -> store : save v4
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer terminated;noresource 200 OK
    focus -> bob   : BYE (Removed by a chair)
    focus -> bob   : NOTIFY terminated;rejected
    alice -> focus : 200 NOTIFY refer
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', disconnection: { method: 'booted' } });
  expect(world.subscriptionOf('bob')).toMatchObject({ state: 'terminated', terminatedReason: 'rejected' });
  expect(referralOf(world, 'alice')).toMatchObject({
    state: 'ended',
    targets: [{ method: 'BYE', participantId: world.participant('bob').id, outcome: { status: 200 } }],
  });
});

test('CC-075 the method may be written as a header, in any case', () => {
  const world = conference();
  refers(world, 'alice', { to: 'bob?method=bye', wantsSubscription: false });
  world.ladder.matches(`
    alice -> focus : REFER sip:bob@biloxi.example.com?method=bye
    focus -> store : save v4
    focus -> alice : 200 REFER Refer-Sub: false
    focus -> bob   : BYE (Removed by a chair)
    focus -> bob   : NOTIFY terminated;rejected
  `);
});

test('CC-075 whoever is still being called is called no more', () => {
  const world = conference();
  refers(world, 'alice', { to: 'carol', wantsSubscription: false });
  world.rings('carol');
  world.ladder.take();
  refers(world, 'alice', { to: 'carol;method=BYE', wantsSubscription: false });
  world.ladder.matches(`
    alice -> focus : REFER sip:carol@chicago.example.com;method=BYE
    focus -> store : save v6
    focus -> alice : 200 REFER Refer-Sub: false
    focus -> carol : CANCEL
  `);
});

test('CC-075 whoever hides is removed by the name that the roster shows', () => {
  const world = conference();
  const hidden = { aor: addressOf['carol'] ?? '', displayName: null, private: true };
  world.dialsIn('carol', { caller: hidden });
  const { position } = world.participant('carol');
  world.ladder.take();
  refers(world, 'alice', { to: `sip:anonymous${position + 1}@anonymous.invalid;method=BYE`, wantsSubscription: false });
  expect(world.participant('carol')).toMatchObject({ status: 'disconnected', disconnection: { method: 'booted' } });
});

test('CC-076 an ordinary participant removes nobody, and does not learn who is here', () => {
  const world = conference();
  refers(world, 'bob', { to: 'ted;method=BYE' });
  refers(world, 'bob', { to: 'eve;method=BYE' });
  world.ladder.matches(`
    bob   -> focus : REFER sip:ted@example.net;method=BYE
    focus -> store : attempt not-a-chair
    focus -> bob   : 403 not-a-chair
    bob   -> focus : REFER sip:eve@elsewhere.example.com;method=BYE
    focus -> store : attempt not-a-chair
    focus -> bob   : 403 not-a-chair
  `);
});

test('whoever removes himself leaves, and may go on watching', () => {
  const world = conference();
  refers(world, 'bob', { to: 'bob;method=BYE', inSession: true });
  world.ladder.matches(`
    bob   -> focus : REFER sip:bob@biloxi.example.com;method=BYE
    focus -> store : save v4
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer terminated;noresource 200 OK
    focus -> bob   : BYE (Left at own request)
    focus -> bob   : NOTIFY active v1 partial [bob:disconnected]
  `);
  expect(world.participant('bob')).toMatchObject({ disconnection: { method: 'departed' } });
  expect(world.subscriptionOf('bob')).toMatchObject({ state: 'active' });
});

test('the creator who removes himself ends the conference, as by leaving', () => {
  const world = conference();
  refers(world, 'alice', { to: 'alice;method=BYE', inSession: true });
  world.ladder.matches(`
    alice -> focus : REFER sip:alice@atlanta.example.com;method=BYE
    focus -> store : save v4
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer terminated;noresource 200 OK
    focus -> alice : BYE (Left at own request)
    focus -> bob   : NOTIFY terminated;noresource v1 deleted
    focus -> bob   : BYE (Conference ended)
    focus -> ted   : BYE (Conference ended)
  `);
  expect(world.conference).toMatchObject({ endReason: 'creator-left', endedBy: addressOf['alice'] });
});

test('somebody who is not here: 404 in a NOTIFY where one is wanted, else as the answer', () => {
  const world = conference();
  refers(world, 'alice', { to: 'carol;method=BYE' });
  refers(world, 'alice', { to: 'carol;method=BYE', wantsSubscription: false });
  world.ladder.matches(`
    alice -> focus : REFER sip:carol@chicago.example.com;method=BYE
    focus -> store : save v3
    focus -> alice : 200 REFER
    focus -> alice : NOTIFY refer terminated;noresource 404 No such participant
    alice -> focus : REFER sip:carol@chicago.example.com;method=BYE
    focus -> store : attempt no-such-participant
    focus -> alice : 404 no-such-participant
  `);
});

test('somebody who has left is not here', () => {
  const world = conference();
  world.hangsUp('ted');
  world.ladder.take();
  refers(world, 'alice', { to: 'ted;method=BYE', wantsSubscription: false });
  world.ladder.matches(`
    alice -> focus : REFER sip:ted@example.net;method=BYE
    focus -> store : attempt no-such-participant
    focus -> alice : 404 no-such-participant
  `);
});
