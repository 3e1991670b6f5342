import { expect, test } from 'vitest';
import type { Input } from '../../src/core/input.ts';
import { answerFrom, unexplained } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** Outside things go on for a while when what they are about is over. */

const gone = { endpointId: 'gone', dialogId: 'gone', subscriptionId: 'gone', referralId: 'gone' };
const { endpointId, dialogId, subscriptionId, referralId } = gone;
const busy = { status: 486, reason: 'Busy Here' };

test.each<Input>([
  { type: 'invite-cancelled', dialogId },
  { type: 'ack-received', endpointId, answer: null },
  { type: 'dialog-ended', endpointId, by: 'peer', reason: null },
  { type: 'endpoint-alerting', endpointId, remoteTag: 'tag' },
  { type: 'endpoint-failed', endpointId, cause: busy, unsupported: [], ...unexplained },
  { type: 'reinvite-failed', endpointId, cause: busy },
  { type: 'notify-answered', subscriptionId, status: 481 },
  { type: 'referral-notify-answered', referralId, status: 481 },
  { type: 'refer-answered', referralId, target: 0, cause: busy },
  { type: 'timer-fired', timer: 'idle:gone' },
  { type: 'timer-fired', timer: 'notify:gone:gone' },
  { type: 'timer-fired', timer: 'nothing' },
  { type: 'sip-server-lost', conferenceId: 'gone' },
])('$type of what nobody knows any more changes nothing', (input) => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.ladder.take();
  world.happens(input);
  world.ladder.matches('');
});

test('whoever answers when nobody waits any more is hung up', () => {
  const world = new World();
  world.happens(answerFrom('bob', { endpointId, dialogId }));
  expect(world.effects).toEqual([{ type: 'sip.bye', endpointId, dialogId, reason: 'Conference ended' }]);
});

test('a timer that was stopped as it fired does nothing: nobody is cancelled, hung up or forgotten, and nothing ends', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.subscribes('bob');
  const { id: participantId, conferenceId } = world.participant('bob');
  const endpointId = world.endpointOf('bob');
  world.ladder.take();
  for (const kind of ['ring', 'cancel', 'glare', 'linger', 'expiry', 'pace', 'referral', 'idle', 'unheard-of'])
    for (const item of ['', endpointId, participantId])
      world.happens({ type: 'timer-fired', timer: `${kind}:${conferenceId}:${item}` });
  world.ladder.matches('');
  expect(world.conference).toMatchObject({ status: 'active', participantCount: 2 });
});
