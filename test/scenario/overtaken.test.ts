import { expect, test } from 'vitest';
import { addressOf, inviteFrom } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** What comes in another order than one would like. */

function watched(): World {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.subscribes('alice', { expires: 60 });
  world.answersNotify('alice');
  world.ladder.take();
  return world;
}

test('a subscription that is refreshed does not end with the timer that it had before', () => {
  const world = watched();
  const { id } = world.subscriptionOf('alice');
  world.passes(59_000);
  world.refreshes('alice', 600);
  world.happens({ type: 'timer-fired', timer: `expiry:${world.conference.id}:${id}` });
  expect(world.subscriptionOf('alice').state).toBe('active');
  world.answersNotify('alice');
  world.passes(599_000);
  expect(world.subscriptionOf('alice').state).toBe('active');
  world.passes(1_000);
  expect(world.subscriptionOf('alice')).toMatchObject({ state: 'terminated', terminatedReason: 'timeout' });
});

test('a refresh while a NOTIFY is under way is answered at once, its NOTIFY goes when that one is answered', () => {
  const world = watched();
  world.refreshes('alice', 600);
  world.refreshes('alice', 600);
  world.hangsUp('bob');
  world.ladder.take();
  world.answersNotify('alice');
  world.ladder.matches(`
    alice -> focus : 200 NOTIFY
    focus -> alice : NOTIFY active v2 [alice:connected bob:disconnected]
  `);
  world.answersNotify('alice');
  world.ladder.matches('alice -> focus : 200 NOTIFY');
});

test('whoever leaves while another device of the same user rings has left, and may come again', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.rings('bob');
  const { reply } = world.dialsIn('bob', { caller: inviteFrom('bob', addressOf['bob'] ?? '').caller });
  const outcome = world.outcome(reply);
  if (outcome.kind !== 'session-accepted') throw new Error('Bob is not in');
  world.happens({ type: 'dialog-ended', endpointId: outcome.endpointId, by: 'peer', reason: null });
  expect(world.conference.participantCount).toBe(1);
  const told = world.events.filter((type) => type === 'participant.joined' || type === 'participant.left');
  expect(told).toEqual(['participant.joined', 'participant.joined', 'participant.left']);
});
