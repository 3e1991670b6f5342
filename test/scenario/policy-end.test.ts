import { expect, test } from 'vitest';
import { addressOf, callerNamed } from '../support/fixtures.ts';
import { callsTeam, policy, teamWorld } from '../support/teams.ts';
import { World } from '../support/world.ts';

function conference(settings: ConstructorParameters<typeof World>[0]): World {
  const world = new World(settings);
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  world.ladder.take();
  return world;
}

test('CC-083 creator-leaves: with the last endpoint of the creator everybody is let go', () => {
  const world = conference({});
  world.subscribes('bob');
  world.dialsIn('alice');
  const [first, second] = world.participant('alice').endpoints.map(({ id }) => id);
  world.answersNotify('bob');
  world.ladder.take();
  world.happens({ type: 'dialog-ended', endpointId: first ?? '', by: 'peer', reason: null });
  expect(world.conference.status).toBe('active');
  world.answersNotify('bob');
  world.happens({ type: 'dialog-ended', endpointId: second ?? '', by: 'peer', reason: null });
  world.subscribes('bob');
  world.ladder.matches(`
    focus -> store : save v4
    bob   -> focus : 200 NOTIFY
    focus -> bob   : NOTIFY active v2 partial [alice:gone]
    focus -> store : save v5
    focus -> bob   : NOTIFY terminated;noresource v3 deleted
    focus -> bob   : BYE (Conference ended)
    focus -> ted   : CANCEL
    bob   -> focus : SUBSCRIBE
    focus -> bob   : 410 conference-ended
  `);
  expect(world.conference).toMatchObject({ endReason: 'creator-left', endedBy: addressOf['alice'] });
});

test('CC-084, CC-085 last-leaves: the creator may go like anybody, and watch on; who rings keeps it alive', () => {
  const world = conference({ endPolicy: 'last-leaves' });
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.hangsUp('alice');
  world.answersNotify('alice');
  world.hangsUp('bob');
  world.answersNotify('alice');
  world.refuses('ted', 486);
  world.ladder.matches(`
    alice -> focus : BYE
    focus -> store : save v3
    focus -> alice : NOTIFY active v1 partial [alice:disconnected]
    alice -> focus : 200 NOTIFY
    bob   -> focus : BYE
    focus -> store : save v4
    focus -> alice : NOTIFY active v2 partial [bob:disconnected]
    alice -> focus : 200 NOTIFY
    ted   -> focus : 486 INVITE
    focus -> store : save v5
    focus -> alice : NOTIFY terminated;noresource v3 deleted
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'last-left', endedBy: null });
  expect(world.timers).toEqual([]);
});

test('last-leaves: an operator who removes the last one has ended it', () => {
  const world = new World({ endPolicy: 'last-leaves' });
  world.factoryInvite(null);
  world.removes('alice');
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'last-left', endedBy: 'key:1' });
});

test('last-leaves: a session whose members all refuse goes on while somebody is in it', () => {
  const world = teamWorld();
  callsTeam(world, 'alice');
  world.refuses('bob', 603);
  world.refuses('ted', 603);
  expect(world.conference.status).toBe('active');
  world.hangsUp('alice');
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'last-left' });
});

test('idle: it stands empty for as long as was said, whoever comes in between keeps it', () => {
  const world = conference({ endPolicy: 'idle', idleSeconds: 60 });
  world.refuses('ted', 486);
  world.hangsUp('alice');
  world.hangsUp('bob');
  expect(world.timers.filter((timer) => timer.startsWith('idle'))).toHaveLength(1);
  world.passes(59_000);
  world.dialsIn('carol');
  expect(world.timers.filter((timer) => timer.startsWith('idle'))).toEqual([]);
  world.passes(3_600_000);
  expect(world.conference.status).toBe('active');
  world.hangsUp('carol');
  world.ladder.take();
  world.passes(60_000);
  world.ladder.matches(`
    clock -> focus : linger timer
    focus -> store : save v11
    clock -> focus : idle timer
    focus -> store : save v11
  `);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'idle', endedBy: null });
  expect(world.timers).toEqual([]);
});

test('idle: nobody is waited for while somebody is still being called, nor after the creator took it all back', () => {
  const world = conference({ endPolicy: 'idle', idleSeconds: 10 });
  world.hangsUp('alice');
  world.hangsUp('bob');
  world.rings('ted');
  world.passes(59_000);
  expect(world.conference.status).toBe('active');
  const withdrawn = new World({ endPolicy: 'idle' });
  const input = withdrawn.factoryInvite(['bob']);
  withdrawn.happens({ type: 'invite-cancelled', dialogId: input.dialogId });
  withdrawn.refuses('bob', 487);
  expect(withdrawn.conference).toMatchObject({ status: 'ended', endReason: 'cancelled' });
});

test('a session of a group that ends with its creator is over when who started it leaves', () => {
  const world = teamWorld(policy({ end: 'creator-leaves' }));
  callsTeam(world, 'bob');
  world.answers('alice');
  world.hangsUp('bob');
  world.refuses('ted', 487);
  expect(world.conference).toMatchObject({ status: 'ended', endReason: 'creator-left', endedBy: addressOf['bob'] });
});

test('an operator who removes the creator has ended the conference', () => {
  const world = new World();
  world.factoryInvite(null, { caller: callerNamed('carol') });
  world.removes('carol');
  expect(world.conference).toMatchObject({ endReason: 'operator', endedBy: 'key:1' });
});
