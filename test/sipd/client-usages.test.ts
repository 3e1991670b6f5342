import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld } from './stack-world.ts';

const headers = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen'];
const dialogId = 'chosen;from-tag=ours';

function opened() {
  const world = new StackWorld('free');
  const bob = world.peer('bob');
  const app = world.application(1, 'notify');
  return { world, bob, app };
}

test('what is answered in an early dialog of ours does not make it a call: the refusal ends it', () => {
  const { world, bob, app } = opened();
  world.appAsks(app, 'INVITE sip:bob@10.0.0.1', { headers });
  const invite = world.lastSent('INVITE');
  world.answers(bob, invite, { status: '183 Session Progress', more: ['Require: 100rel', 'RSeq: 1'] });
  const rack = `RAck: 1 ${headerOf(invite, 'CSeq')}`;
  world.appAsks(app, 'PRACK sip:placeholder', { dialogId, headers: [rack] });
  world.answers(bob, world.lastSent('PRACK'), '200 OK');
  world.answers(bob, invite, '486 Busy Here');
  expect(world.stack.counts()).toMatchObject({ dialogs: 0, calls: 0 });
});

describe('REFERs of the application', () => {
  /** A call with bob that stands. */
  function called() {
    const open = opened();
    const { world, bob, app } = open;
    world.appAsks(app, 'INVITE sip:bob@10.0.0.1', { headers });
    world.answers(bob, world.lastSent('INVITE'), '200 OK');
    world.appAsks(app, 'ACK sip:placeholder', { dialogId });
    let cseq = 0;
    const refers = (...given: string[]): string => {
      world.appAsks(app, 'REFER sip:placeholder', { dialogId, headers: ['Refer-To: <sip:ted@example.com>'] });
      world.answers(bob, world.lastSent('REFER'), { status: '202 Accepted', more: given });
      return headerOf(world.lastSent('REFER'), 'CSeq').split(' ')[0] ?? '';
    };
    const notified = (event: string): void => {
      cseq += 1;
      const more = [`Event: ${event}`, 'Subscription-State: terminated'];
      world.asks(bob, 'NOTIFY', { callId: 'chosen', toTag: 'ours', cseq, more });
      world.appAnswers(app, '200 OK');
    };
    const hangsUp = (): void => {
      world.appAsks(app, 'BYE sip:placeholder', { dialogId });
      world.answers(bob, world.lastSent('BYE'), '200 OK');
    };
    return { ...open, refers, notified, hangsUp, dialogs: () => world.stack.counts().dialogs };
  }

  test('each is a subscription of its own, which its last NOTIFY ends and no other', () => {
    const { refers, notified, hangsUp, dialogs } = called();
    const first = refers();
    const second = refers();
    hangsUp();
    notified(`refer;id=${second}`);
    notified(`refer;id=${second}`);
    expect(dialogs()).toBe(1);
    notified(`refer;id=${first}`);
    expect(dialogs()).toBe(0);
  });

  test('RFC 4488 4: one answered with Refer-Sub: false is none, in a call and outside', () => {
    const { refers, hangsUp, dialogs } = called();
    refers('Refer-Sub: false');
    hangsUp();
    expect(dialogs()).toBe(0);
    const { world, bob, app } = opened();
    world.appAsks(app, 'REFER sip:bob@10.0.0.1', { headers: [...headers, 'Refer-To: <sip:ted@example.com>'] });
    world.answers(bob, world.lastSent('REFER'), { status: '202 Accepted', more: ['Refer-Sub: false'] });
    expect(world.stack.counts().dialogs).toBe(0);
  });
});
