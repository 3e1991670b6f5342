import { describe, expect, test } from 'vitest';
import { answered, asked, got, nothing, type Scene, scene, statusOf } from './proxying.ts';

const branch = 'z9hG4bKf';

/** A name with two addresses; the first says 100 and then that it cannot. */
function secondAttempt(): Scene {
  const stage = scene();
  const { world, bob, carol } = stage;
  asked(stage, ['sip:pbx'], { request: { branch } });
  world.finds({ kind: 'a', addresses: [bob.at.host, carol.at.host] });
  const first = got(world, bob, 'INVITE');
  world.answers(bob, first, '100 Trying');
  world.answers(bob, first, '503 Service Unavailable');
  world.ladder.length = 0;
  return stage;
}

describe('a target whose first server has said 100 and failed', () => {
  test('the second has not been heard of: its CANCEL is held until it has (RFC 3261 9.1)', () => {
    const stage = secondAttempt();
    const { world, alice, carol } = stage;
    world.asks(alice, 'CANCEL', { branch });
    expect(world.ladder.some((line) => line.endsWith('-> carol : CANCEL'))).toBe(false);
    world.answers(carol, got(world, carol, 'INVITE'), '100 Trying');
    world.answers(carol, got(world, carol, 'CANCEL'), '200 OK');
    world.answers(carol, got(world, carol, 'INVITE'), '487 Request Terminated');
    expect(statusOf(answered(world, alice))).toBe(487);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('while the name of the second is looked up nothing has to be cancelled: 487 at once', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    asked(stage, ['sip:pbx.example.com;transport=udp'], { request: { branch } });
    const target = (name: string) => ({ priority: 1, weight: 0, target: name, port: 5060 });
    world.finds({ kind: 'srv', records: [target('one.example.com'), target('two.example.com')] });
    world.finds({ kind: 'a', addresses: [bob.at.host] });
    const first = got(world, bob, 'INVITE');
    world.answers(bob, first, '100 Trying');
    world.answers(bob, first, '503 Service Unavailable');
    world.asks(alice, 'CANCEL', { branch });
    expect(statusOf(answered(world, alice))).toBe(487);
    world.finds({ kind: 'a', addresses: [carol.at.host] });
    expect(world.sent.some(({ to }) => to === carol.name)).toBe(false);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });
});
