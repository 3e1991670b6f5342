import { expect, test } from 'vitest';
import { answersReferNotify, referralOf, refers } from '../support/refer-steps.ts';
import { World } from '../support/world.ts';

/** Alice, who made it, and Bob are in. */
function conference(): World {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.ladder.take();
  return world;
}

test('CC-072 RFC 3515 2.4: 200, NOTIFY 100 at once, the INVITE, and a last NOTIFY with its answer', () => {
  const world = conference();
  refers(world, 'bob', { to: 'carol' });
  answersReferNotify(world, 'bob');
  world.rings('carol');
  answersReferNotify(world, 'bob');
  world.answers('carol');
  world.ladder.matches(`
    bob   -> focus : REFER sip:carol@chicago.example.com
    focus -> store : save v3
    focus -> bob   : 200 REFER
    focus -> bob   : NOTIFY refer active 100 Trying
    focus -> carol : INVITE
    bob   -> focus : 200 NOTIFY refer
    carol -> focus : 180 INVITE
    focus -> store : save v4
    focus -> bob   : NOTIFY refer active 180 Ringing
    bob   -> focus : 200 NOTIFY refer
    carol -> focus : 200 INVITE
    focus -> store : save v5
    focus -> bob   : NOTIFY refer terminated;noresource 200 OK
  `);
  expect(referralOf(world, 'bob')).toMatchObject({ state: 'ended', targets: [{ outcome: { status: 200 } }] });
});
