import { describe, expect, test } from 'vitest';
import { limits } from '../../src/sipd/limits.ts';
import { StackWorld, toTagOf } from './stack-world.ts';

const dialogId = 'call-alice;from-tag=alice';

/** Alice's call stands. */
function called() {
  const world = new StackWorld('free');
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'refer', 'subscribe', 'notify', 'info', 'message');
  world.asks(alice, 'INVITE');
  world.appAnswers(app, '200 OK');
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  let cseq = 1;
  const asks = (method: string, ...more: string[]): string => {
    cseq += 1;
    return world.asks(alice, method, { toTag, cseq, more });
  };
  /** The application's last NOTIFY of a subscription, and its answer. */
  const notifies = (event: string): void => {
    const headers = [`Event: ${event}`, 'Subscription-State: terminated'];
    world.appAsks(app, 'NOTIFY sip:placeholder', { dialogId, headers });
    world.answers(alice, world.lastSent('NOTIFY'), '200 OK');
  };
  return { world, alice, app, toTag, asks, notifies, dialogs: () => world.stack.counts().dialogs };
}

describe('several usages in one dialog (RFC 5057)', () => {
  test('each of two REFERs is a subscription of its own, told apart by the CSeq (RFC 3515 2.4.6)', () => {
    const { world, app, asks, notifies, dialogs } = called();
    asks('REFER', 'Refer-To: <sip:bob@example.com>');
    world.appAnswers(app, '202 Accepted');
    asks('REFER', 'Refer-To: <sip:ted@example.com>');
    world.appAnswers(app, '202 Accepted');
    asks('BYE');
    world.appAnswers(app, '200 OK');
    notifies('refer;id=3');
    expect(dialogs()).toBe(1);
    notifies('refer');
    expect(dialogs()).toBe(0);
  });

  test('the end of a subscription leaves the call and the other subscriptions', () => {
    const { world, app, asks, notifies, dialogs } = called();
    asks('SUBSCRIBE', 'Event: conference');
    world.appAnswers(app, '200 OK');
    asks('SUBSCRIBE', 'Event: dialog');
    world.appAnswers(app, '200 OK');
    notifies('conference');
    expect(dialogs()).toBe(1);
    asks('BYE');
    world.appAnswers(app, '200 OK');
    expect(dialogs()).toBe(1);
    notifies('dialog');
    expect(dialogs()).toBe(0);
  });

  test('BYE refuses what is open of the call with 487; what is of a subscription can still be answered', () => {
    const { world, app, asks } = called();
    asks('SUBSCRIBE', 'Event: conference');
    world.appAnswers(app, '200 OK');
    asks('SUBSCRIBE', 'Event: conference');
    const { transactionId } = world.lastEvent(app);
    asks('INFO');
    world.ladder.length = 0;
    asks('BYE');
    expect(world.ladder.slice(1)).toEqual([`0 sipd -> app1 : event BYE in ${dialogId}`, '0 sipd -> alice : 487 INFO']);
    world.say(app, `sip|${transactionId}|`, 'SIP/2.0 200 OK\r\nExpires: 60\r\n\r\n');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> alice : 200 SUBSCRIBE', '0 sipd -> app1 : OK']);
  });

  test('a subscription nobody ends does not keep the dialog of an ended call for ever', () => {
    const { world, app, asks } = called();
    asks('SUBSCRIBE', 'Event: conference');
    world.appAnswers(app, '200 OK');
    asks('BYE');
    world.appAnswers(app, '200 OK');
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, serverTransactions: 0, timers: 0 });
  });
});

describe('REFER without a subscription (RFC 4488)', () => {
  test('in a call: BYE ends the dialog at once', () => {
    const { world, app, asks, dialogs } = called();
    asks('REFER', 'Refer-To: <sip:bob@example.com>', 'Refer-Sub: false');
    world.appAnswers(app, '202 Accepted', ['Refer-Sub: false']);
    asks('BYE');
    expect(dialogs()).toBe(0);
  });

  test('outside: no dialog is made, unless the application does not go along', () => {
    for (const [headers, made] of [
      [['Refer-Sub: false'], 0],
      [['Refer-Sub: true'], 1],
      [[], 1],
    ] as const) {
      const world = new StackWorld('free');
      const alice = world.peer('alice');
      const app = world.application(1, 'refer');
      world.asks(alice, 'REFER', { more: ['Refer-To: <sip:bob@example.com>', 'Refer-Sub: false'] });
      world.appAnswers(app, '202 Accepted', headers);
      expect(world.stack.counts().dialogs).toBe(made);
      expect(world.lastReply(app).tokens[8]).toBe(made === 0 ? '' : dialogId);
    }
  });
});

test('a call whose owner is forgotten as by the daemon is not kept for ever: whoever takes over orphans ends it too', () => {
  const world = new StackWorld(['refuses-early-notify']);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'notify');
  world.asks(alice, 'INVITE');
  world.appAnswers(app, '200 OK');
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  world.asks(alice, 'NOTIFY', { toTag, cseq: 2, more: ['Event: conference', 'Subscription-State: terminated'] });
  world.appAnswers(app, '200 OK');
  expect(world.stack.counts().dialogs).toBe(1);
  world.pass(limits.orphanMs + 64_000);
  expect(world.stack.counts().dialogs).toBe(0);
});
