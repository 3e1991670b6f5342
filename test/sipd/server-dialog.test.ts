import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, toTagOf } from './stack-world.ts';

const contact = ['Contact: <sip:conf1@localhost>;isfocus'];

describe('requests in dialogs', () => {
  /** A call of alice, answered and acknowledged. */
  function call(mode: 'free' | 'strict'): { world: StackWorld; alice: ReturnType<StackWorld['peer']>; toTag: string } {
    const world = new StackWorld(mode);
    const alice = world.peer('alice');
    world.application(1, 'invite', 'subscribe');
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK', contact);
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    world.ladder.length = 0;
    world.sent.length = 0;
    return { world, alice, toTag };
  }

  test('CC-203 any method becomes an event; a lower CSeq gets 500 (the daemon lets it through)', () => {
    const free = call('free');
    free.world.asks(free.alice, 'INFO', { toTag: free.toTag, cseq: 5 });
    free.world.asks(free.alice, 'INFO', { toTag: free.toTag, cseq: 4 });
    expect(free.world.ladder.at(-1)).toBe('0 sipd -> alice : 500 INFO');
    const strict = call('strict');
    strict.world.asks(strict.alice, 'INFO', { toTag: strict.toTag, cseq: 5 });
    strict.world.asks(strict.alice, 'WHATEVER', { toTag: strict.toTag, cseq: 4 });
    expect(strict.world.ladder.at(-1)).toBe('0 sipd -> app1 : event WHATEVER in call-alice;from-tag=alice');
  });

  test('a re-INVITE brings the new Contact and keeps ours (the daemon: neither)', () => {
    for (const [mode, target, ours] of [
      ['free', 'sip:alice@10.0.0.77:5060', '<sip:conf1@10.0.0.9:5060>;isfocus'],
      ['strict', 'sip:alice@10.0.0.1:5060', '<sip:10.0.0.9:5060>'],
    ] as const) {
      const { world, alice, toTag } = call(mode);
      world.asks(alice, 'INVITE', { toTag, cseq: 2, contact: 'sip:alice@10.0.0.77:5060' });
      world.appAnswers(1, '200 OK');
      expect(headerOf(world.lastSent('SIP/2.0 200'), 'Contact')).toBe(ours);
      world.asks(alice, 'ACK', { toTag, cseq: 2 });
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
      expect(world.lastSent('INFO').startsWith(`INFO ${target} SIP/2.0`)).toBe(true);
    }
  });

  test('BYE answers what is still open: 487 (the daemon: 500)', () => {
    for (const [mode, status] of [
      ['free', '487'],
      ['strict', '500'],
    ] as const) {
      const { world, alice, toTag } = call(mode);
      world.asks(alice, 'INFO', { toTag, cseq: 2 });
      world.asks(alice, 'BYE', { toTag, cseq: 3 });
      expect(world.ladder.slice(-2)).toEqual([
        '0 sipd -> app1 : event BYE in call-alice;from-tag=alice',
        `0 sipd -> alice : ${status} INFO`,
      ]);
      world.pass(32_000);
      expect(world.ladder.at(-1)).toBe('32000 sipd -> alice : 500 BYE');
    }
  });

  test('the application is gone: the peer is to try again later (the daemon: 481), and its BYE ends the dialog', () => {
    for (const [mode, answers] of [
      ['free', ['503 INFO', '503 INVITE', '200 BYE']],
      ['strict', ['481 INFO', '481 INVITE', '481 BYE']],
    ] as const) {
      const { world, alice, toTag } = call(mode);
      world.input({ kind: 'session-closed', session: 1 });
      world.application(2, 'invite', 'info');
      for (const method of ['INFO', 'INVITE', 'BYE']) world.asks(alice, method, { toTag, cseq: 2 });
      const finals = world.ladder.filter((line) => line.includes('-> alice') && !line.includes('100'));
      expect(finals).toEqual(answers.map((answer) => `0 sipd -> alice : ${answer}`));
      expect(world.stack.counts().dialogs).toBe(0);
    }
  });

  test('any application may use a dialog whose id it knows, and gets the answers', () => {
    const { world, alice } = call('free');
    world.application(2);
    world.appAsks(2, 'BYE sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
    world.answers(alice, world.lastSent('BYE'), '200 OK');
    expect(world.ladder.at(-1)).toBe('0 sipd -> app2 : event 200 BYE in call-alice;from-tag=alice');
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('a subscription in a call outlives the BYE for its last NOTIFY (the daemon forgets it)', () => {
    const { world, alice, toTag } = call('free');
    world.asks(alice, 'SUBSCRIBE', { toTag, cseq: 2, more: ['Event: conference'] });
    world.appAnswers(1, '200 OK', contact);
    world.asks(alice, 'BYE', { toTag, cseq: 3 });
    world.appAnswers(1, '200 OK');
    expect(world.stack.counts().dialogs).toBe(1);
    const headers = ['Event: conference', 'Subscription-State: terminated'];
    world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: 'call-alice;from-tag=alice', headers });
    world.answers(alice, world.lastSent('NOTIFY'), '200 OK');
    expect(world.stack.counts().dialogs).toBe(0);
  });
});

describe('an application that goes while a request waits', () => {
  test('the peer is told 503 (the daemon leaves it waiting)', () => {
    for (const [mode, count] of [
      ['free', 1],
      ['strict', 0],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'invite');
      world.asks(alice, 'INVITE');
      world.input({ kind: 'session-closed', session: 1 });
      expect(world.ladder.filter((line) => line.includes('503 INVITE'))).toHaveLength(count);
    }
  });
});
