import { describe, expect, test } from 'vitest';
import { StackWorld, steps, toTagOf } from './stack-world.ts';

function opened(mode: 'free' | 'strict', protocol: 'udp' | 'tcp' = 'udp') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice', { protocol, connection: protocol === 'tcp' ? 7 : null });
  const app = world.application(1, 'invite', 'message', 'options');
  return { world, alice, app };
}

function times(world: StackWorld, what: string): number[] {
  return world.ladder.filter((line) => line.endsWith(what)).map((line) => Number(line.split(' ')[0]));
}

describe('RFC 4320: requests that are no INVITE', () => {
  test.each(['udp', 'tcp'] as const)(
    '100 over %s when the client’s timer E has grown to T2, and not before',
    (protocol) => {
      const { world, alice, app } = opened('free', protocol);
      const message = world.asks(alice, 'MESSAGE');
      world.pass(3_499);
      expect(world.sent).toEqual([]);
      world.pass(1_000);
      world.receive(alice, message);
      world.pass(1_000);
      world.appAnswers(app, '200 OK');
      expect(world.ladder).toEqual(
        steps(`
        0 alice -> sipd : MESSAGE
        0 sipd -> app1 : event MESSAGE
        3500 sipd -> alice : 100 MESSAGE
        4499 alice -> sipd : MESSAGE
        4499 sipd -> alice : 100 MESSAGE
        5499 app1 -> sipd : 200
        5499 sipd -> alice : 200 MESSAGE
        5499 sipd -> app1 : OK`),
      );
    },
  );

  test('applications may answer neither 1xx nor 408, and nothing after 32 s (the daemon lets them)', () => {
    for (const mode of ['free', 'strict'] as const) {
      const { world, alice, app } = opened(mode);
      const taken = mode === 'strict';
      world.asks(alice, 'MESSAGE');
      world.appAnswers(app, '180 Ringing');
      expect(world.lastReply(app).tokens[0]).toBe(taken ? 'OK' : 'NOK');
      world.appAnswers(app, '408 Request Timeout');
      expect(world.lastReply(app).tokens[0]).toBe(taken ? 'OK' : 'NOK');
      world.asks(alice, 'OPTIONS');
      world.pass(32_001);
      world.appAnswers(app, '200 OK');
      expect(world.lastReply(app).tokens[0]).toBe(taken ? 'OK' : 'NOK');
      expect(times(world, '100 MESSAGE')).toEqual(taken ? [] : [3_500]);
      world.pass(64_000);
      expect(world.stack.counts()).toMatchObject({ pendingRequests: 0, serverTransactions: 0, timers: 0 });
    }
  });

  test('RFC 3261 17.2.2: over a stream the answer is not kept, for nothing is repeated there', () => {
    const { world, alice, app } = opened('free', 'tcp');
    world.asks(alice, 'MESSAGE');
    world.appAnswers(app, '200 OK');
    expect(world.stack.counts()).toMatchObject({ serverTransactions: 0, timers: 0 });
  });
});

describe('RFC 3261 17.2.1, RFC 6026: INVITE', () => {
  test('over a stream a refusal is sent once and waits 32 s for its ACK', () => {
    const { world, alice, app } = opened('free', 'tcp');
    world.asks(alice, 'INVITE');
    world.appAnswers(app, '486 Busy Here');
    world.pass(31_999);
    expect(times(world, '486 INVITE')).toEqual([0]);
    expect(world.stack.counts().serverTransactions).toBe(1);
    world.pass(1);
    expect(world.stack.counts()).toMatchObject({ serverTransactions: 0, timers: 0 });
  });

  test('after a 200 a repeated INVITE is absorbed for 32 s, ACK or not', () => {
    const { world, alice, app } = opened('free');
    const invite = world.asks(alice, 'INVITE');
    world.appAnswers(app, '200 OK');
    world.asks(alice, 'ACK', { toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
    world.pass(31_999);
    world.ladder.length = 0;
    world.receive(alice, invite);
    expect(world.ladder).toEqual(['31999 alice -> sipd : INVITE']);
  });

  test('an ACK that comes again after a refusal is absorbed for 5 s', () => {
    const { world, alice, app } = opened('free');
    world.asks(alice, 'INVITE', { branch: 'z9hG4bK-x' });
    world.appAnswers(app, '486 Busy Here');
    const ack = world.asks(alice, 'ACK', { branch: 'z9hG4bK-x', toTag: toTagOf(world.lastSent('SIP/2.0 486')) });
    world.receive(alice, ack);
    world.pass(4_999);
    expect(world.stack.counts().serverTransactions).toBe(1);
    world.pass(1);
    expect(world.stack.counts()).toMatchObject({ serverTransactions: 0, timers: 0 });
    expect(world.ladder.some((line) => line.includes('event ACK'))).toBe(false);
  });
});

describe('RFC 3261 9.2: CANCEL at each moment', () => {
  const branch = 'z9hG4bK-x';

  test('before any answer: the 487 is repeated until its ACK (the daemon sends it once)', () => {
    for (const [mode, repeated] of [
      ['free', [0, 500, 1_500]],
      ['strict', [0]],
    ] as const) {
      const { world, alice } = opened(mode);
      world.asks(alice, 'INVITE', { branch });
      world.asks(alice, 'CANCEL', { branch });
      world.pass(2_000);
      world.asks(alice, 'ACK', { branch, toTag: toTagOf(world.lastSent('SIP/2.0 487')) });
      world.pass(64_000);
      expect(times(world, '487 INVITE')).toEqual(repeated);
      expect(world.stack.counts()).toMatchObject({ serverTransactions: 0, pendingRequests: 0, timers: 0 });
    }
  });

  test.each(['free', 'strict'] as const)(
    'while it rings: the 487 is repeated, and the early dialog is gone (%s)',
    (mode) => {
      const { world, alice, app } = opened(mode);
      world.asks(alice, 'INVITE', { branch });
      world.appAnswers(app, '180 Ringing');
      const toTag = toTagOf(world.lastSent('SIP/2.0 180'));
      world.asks(alice, 'CANCEL', { branch });
      world.pass(600);
      expect(times(world, '487 INVITE')).toEqual([0, 500]);
      expect(toTagOf(world.lastSent('SIP/2.0 487'))).toBe(toTag);
      expect(world.stack.counts().dialogs).toBe(0);
    },
  );

  test('after the 200 it has no effect, whether the ACK has come or not', () => {
    for (const acknowledged of [false, true]) {
      const { world, alice, app } = opened('free');
      world.asks(alice, 'INVITE', { branch });
      world.appAnswers(app, '200 OK');
      const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
      if (acknowledged) world.asks(alice, 'ACK', { toTag });
      world.ladder.length = 0;
      world.asks(alice, 'CANCEL', { branch });
      expect(world.ladder).toEqual(['0 alice -> sipd : CANCEL', '0 sipd -> alice : 200 CANCEL']);
      expect(world.stack.counts().dialogs).toBe(1);
    }
  });

  test('after a refusal it has no effect, and the refusal goes on being repeated', () => {
    const { world, alice, app } = opened('free');
    world.asks(alice, 'INVITE', { branch });
    world.appAnswers(app, '486 Busy Here');
    world.asks(alice, 'CANCEL', { branch });
    world.pass(600);
    expect(times(world, '486 INVITE')).toEqual([0, 500]);
    expect(times(world, '200 CANCEL')).toEqual([0]);
    expect(world.ladder.some((line) => line.includes('event CANCEL'))).toBe(false);
  });

  test('of another method it finds nothing to cancel, and of a request we do not know neither', () => {
    const { world, alice } = opened('free');
    world.asks(alice, 'MESSAGE', { branch });
    world.asks(alice, 'CANCEL', { branch });
    world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-y' });
    expect(times(world, '481 CANCEL')).toEqual([0, 0]);
  });

  test('RFC 3261 17.2.3: of a client of RFC 2543, whose branch says nothing, by Call-ID, From, CSeq and URI', () => {
    const { world, alice } = opened('free');
    world.asks(alice, 'INVITE', { branch: '1' });
    world.asks(alice, 'CANCEL', { branch: '1', cseq: 7 });
    world.asks(alice, 'CANCEL', { branch: '1', uri: 'sip:other@10.0.0.9' });
    world.asks(alice, 'CANCEL', { branch: '1' });
    world.asks(alice, 'ACK', { branch: '1', toTag: toTagOf(world.lastSent('SIP/2.0 487')) });
    expect(world.ladder.slice(2)).toEqual(
      steps(`
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 481 CANCEL
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 481 CANCEL
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> alice : 487 INVITE
        0 alice -> sipd : ACK`),
    );
    world.pass(10_000);
    expect(times(world, '487 INVITE')).toEqual([0]);
  });
});
