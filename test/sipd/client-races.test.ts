import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, steps, type WorldPeer } from './stack-world.ts';

const dialogId = 'chosen;from-tag=ours';
const nothing = { calls: 0, dialogs: 0, clientTransactions: 0, timers: 0 };

type Scene = {
  readonly world: StackWorld;
  readonly bob: WorldPeer;
  readonly says: (status: string) => void;
  readonly cancels: () => void;
};

/** An INVITE of the application to bob, on its way. */
function calling(mode: 'free' | 'strict'): Scene {
  const world = new StackWorld(mode);
  const bob = world.peer('bob');
  world.application(1);
  world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers: ['From: <sip:c@localhost>;tag=ours', 'Call-ID: chosen'] });
  const invite = world.lastSent('INVITE');
  const transactionId = world.lastReply(1).tokens[7] ?? '';
  world.ladder.length = 0;
  return {
    world,
    bob,
    says: (status) => world.answers(bob, invite, status),
    cancels: () => world.appAsks(1, 'CANCEL sip:bob@10.0.0.1', { transactionId }),
  };
}

function hangsUp({ world }: Scene): void {
  world.ladder.length = 0;
  world.appAsks(1, 'ACK sip:placeholder', { dialogId });
  expect(world.ladder).toEqual(
    steps(`
      0 app1 -> sipd : ACK
      0 sipd -> bob : ACK
      0 sipd -> app1 : OK
      0 sipd -> app1 : event BYE in ${dialogId} unsolicited
      0 sipd -> bob : BYE`),
  );
  expect(headerOf(world.lastSent('BYE'), 'Reason')).toBe('SIP;cause=200;text="ACK-BYE due to cancel race condition"');
}

describe.each(['free', 'strict'] as const)('CANCEL and what crosses it (%s)', (mode) => {
  test('RFC 3261 9.1: it is held until a provisional answer, 100 too, and sent once', () => {
    const { world, bob, says, cancels } = calling(mode);
    cancels();
    cancels();
    says('100 Trying');
    says('180 Ringing');
    expect(world.sent.filter(({ text }) => text.startsWith('CANCEL'))).toHaveLength(1);
    world.answers(bob, world.lastSent('CANCEL'), '200 OK');
    says('487 Request Terminated');
    expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event 487 INVITE in ${dialogId}`);
    expect(world.ladder.filter((line) => line.includes('event 200'))).toEqual([]);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('a 200 instead of the provisional answer it is held for: no CANCEL, ACK by the application, BYE by the server', () => {
    const scene = calling(mode);
    scene.cancels();
    scene.says('200 OK');
    hangsUp(scene);
    expect(scene.world.sent.some(({ text }) => text.startsWith('CANCEL'))).toBe(false);
  });

  test('a 200 that crosses it', () => {
    const scene = calling(mode);
    scene.says('180 Ringing');
    scene.cancels();
    scene.says('200 OK');
    hangsUp(scene);
  });

  test('a refusal instead, before it is sent or after: the application hears of it and nothing else happens', () => {
    for (const first of ['180 Ringing', null] as const) {
      const { world, says, cancels } = calling(mode);
      if (first !== null) says(first);
      cancels();
      says('486 Busy Here');
      const ends = world.ladder.slice(-2);
      expect(ends[0]).toBe('0 sipd -> bob : ACK');
      expect(ends[1]).toContain('event 486 INVITE');
      world.pass(64_000);
      expect(world.stack.counts()).toMatchObject(nothing);
    }
  });

  test('after the final answer there is nothing to cancel', () => {
    const { world, says, cancels } = calling(mode);
    says('200 OK');
    cancels();
    expect(world.lastReply(1).tokens[1]).toContain('unable to cancel unknown transaction id');
  });

  test('it gets its own retransmissions, and an answer to it is not the answer to the INVITE', () => {
    const { world, bob, says, cancels } = calling(mode);
    says('180 Ringing');
    cancels();
    world.pass(1_600);
    expect(world.ladder.filter((line) => line.includes('-> bob : CANCEL')).length).toBe(mode === 'free' ? 3 : 2);
    world.answers(bob, world.lastSent('CANCEL'), '481 No Such Call');
    says('200 OK');
    expect(world.ladder.at(-1)).toBe(`1600 sipd -> app1 : event 200 INVITE in ${dialogId}`);
  });

  test('the INVITE times out before anything comes: 408, and the held CANCEL is never sent', () => {
    const { world, cancels } = calling(mode);
    cancels();
    world.pass(64_000);
    expect(world.sent.some(({ text }) => text.startsWith('CANCEL'))).toBe(false);
    expect(world.stack.counts()).toMatchObject(nothing);
    expect(world.ladder.filter((line) => line.includes('event 408'))).toHaveLength(mode === 'free' ? 1 : 0);
  });
});

describe('answers that come late', () => {
  test('RFC 6026 7.2: a 2xx that comes again within 64*T1 gets its ACK again, one that comes later nothing', () => {
    const { world, says } = calling('free');
    says('200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    world.pass(31_999);
    says('200 OK');
    world.pass(1);
    says('200 OK');
    expect(world.ladder.slice(-3)).toEqual([
      '31999 bob -> sipd : 200 INVITE',
      '31999 sipd -> bob : ACK',
      '32000 bob -> sipd : 200 INVITE',
    ]);
  });

  test('RFC 3261 17.1.1.2: a refusal that comes again within timer D gets its ACK again, and is told once', () => {
    const { world, says } = calling('free');
    says('486 Busy Here');
    world.pass(31_999);
    says('486 Busy Here');
    world.pass(1);
    says('486 Busy Here');
    expect(world.ladder.slice(-3)).toEqual([
      '31999 bob -> sipd : 486 INVITE',
      '31999 sipd -> bob : ACK',
      '32000 bob -> sipd : 486 INVITE',
    ]);
    expect(world.ladder.filter((line) => line.includes('event'))).toHaveLength(1);
  });

  test('a 2xx behind a refusal, a refusal behind a 2xx and a 1xx behind either are ignored', () => {
    for (const [first, then] of [
      ['486 Busy Here', ['200 OK', '180 Ringing']],
      ['200 OK', ['486 Busy Here', '180 Ringing']],
    ] as const) {
      const { world, says } = calling('free');
      says(first);
      world.ladder.length = 0;
      for (const status of then) says(status);
      expect(world.ladder.filter((line) => line.includes('sipd ->'))).toEqual([]);
    }
  });

  test('RFC 3261 17.1.2.2: a provisional answer slows a MESSAGE down to T2 and does not stop timer F', () => {
    const world = new StackWorld('free');
    const bob = world.peer('bob');
    world.application(1);
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1');
    world.pass(600);
    world.answers(bob, world.lastSent('MESSAGE'), '100 Trying');
    world.ladder.length = 0;
    world.pass(31_400);
    expect(world.ladder.map((line) => line.split(' ')[0])).toEqual(
      [1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500, 32_000].map(String),
    );
    expect(world.ladder.at(-1)).toBe('32000 sipd -> app1 : event 408 MESSAGE');
    world.answers(bob, world.lastSent('MESSAGE'), '200 OK');
    expect(world.ladder.at(-1)).toBe('32000 bob -> sipd : 200 MESSAGE');
    expect(world.stack.counts()).toMatchObject(nothing);
  });
});
