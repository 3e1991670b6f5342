import { describe, expect, test } from 'vitest';
import { answered, asked, forward, got, nothing, scene, statusOf, toBob, toCarol } from './proxying.ts';

/** A proxy before us has forked Alice’s INVITE: the copies differ in branch and Request-URI. */
const forks = [{ uri: 'sip:bob@example.com' }, { uri: 'sip:carol@example.com' }];

describe('copies of one request that come over several paths', () => {
  test('those for different Request-URIs are different targets: each is the application’s to forward', () => {
    const stage = scene();
    const { world, alice, bob, carol } = stage;
    const [toB, toC] = forks.map((request) => {
      world.asks(alice, 'INVITE', request);
      return world.lastEvent(1).transactionId;
    });
    forward(world, [toBob], { transactionId: toB ?? '' });
    forward(world, [toCarol], { transactionId: toC ?? '' });
    expect(got(world, bob, 'INVITE').split(' ')[1]).toBe('sip:bob@example.com');
    expect(got(world, carol, 'INVITE').split(' ')[1]).toBe('sip:carol@example.com');
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    world.answers(carol, got(world, carol, 'INVITE'), '486 Busy Here');
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('a request that comes back to us with another Request-URI while the first waits is a spiral, no merge', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    const copy = got(world, bob, 'INVITE');
    world.receive(bob, copy.replace('z9hG4bK', 'z9hG4bKone').replace('bob@example.com', 'c@example.com'));
    world.receive(bob, copy.replace('z9hG4bK', 'z9hG4bKtwo').replace('bob@example.com', 'd@example.com'));
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event INVITE');
  });

  test('CC-201 those for the same Request-URI are refused with 482 while the first is unanswered', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE', forks[0]);
    world.asks(alice, 'INVITE', forks[0]);
    expect(statusOf(answered(world, alice))).toBe(482);
  });

  test('once the application accepts one itself, it cannot have the others: 482', () => {
    const { world, alice } = scene();
    for (const request of forks) world.asks(alice, 'INVITE', request);
    world.appAnswers(1, '200 OK', ['Contact: <sip:focus@localhost>']);
    expect(world.ladder.filter((line) => line.includes('-> alice')).map((line) => line.split(' : ')[1])).toEqual([
      '200 INVITE',
      '482 INVITE',
    ]);
  });
});
