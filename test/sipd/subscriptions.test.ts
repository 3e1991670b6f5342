import { describe, expect, test } from 'vitest';
import { StackWorld, steps, toTagOf, type WorldPeer } from './stack-world.ts';

const incoming = 'call-alice;from-tag=alice';
const outgoing = 'chosen;from-tag=ours';
const from = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen'];
const active = (event: string): string[] => [`Event: ${event}`, 'Subscription-State: active;expires=60'];

type Mode = 'free' | 'strict';

/** Alice has subscribed to a package. */
function subscribed(mode: Mode = 'free'): { world: StackWorld; alice: WorldPeer; toTag: string } {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  world.application(1, 'invite', 'subscribe', 'notify', 'refer', 'bye');
  world.asks(alice, 'SUBSCRIBE', { more: ['Event: conference'] });
  world.appAnswers(1, '200 OK', ['Expires: 60']);
  world.ladder.length = 0;
  return { world, alice, toTag: toTagOf(world.lastSent('SIP/2.0 200')) };
}

/** The application has subscribed at alice. */
function subscribing(): { world: StackWorld; alice: WorldPeer } {
  const world = new StackWorld('free');
  const alice = world.peer('alice');
  world.application(1, 'notify');
  world.appAsks(1, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: conference'] });
  world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
  return { world, alice };
}

describe('RFC 6665 4.2.2: answers to a NOTIFY', () => {
  test.each([404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])(
    '%d ends the subscription',
    (status) => {
      for (const [mode, left] of [
        ['free', 0],
        ['strict', 1],
      ] as const) {
        const { world, alice } = subscribed(mode);
        world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: active('conference') });
        world.answers(alice, world.lastSent('NOTIFY'), `${status} No`);
        expect(world.lastEvent(1).text.startsWith(`SIP/2.0 ${status}`)).toBe(true);
        expect(world.stack.counts().dialogs).toBe(left);
      }
    },
  );

  test.each([200, 400, 401, 403, 407, 500, 503, 603])('%d does not', (status) => {
    const { world, alice } = subscribed();
    world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: active('conference') });
    world.answers(alice, world.lastSent('NOTIFY'), `${status} Whatever`);
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('none at all ends it, too (the daemon keeps it)', () => {
    for (const [mode, left] of [
      ['free', 0],
      ['strict', 1],
    ] as const) {
      const { world } = subscribed(mode);
      world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: active('conference') });
      world.pass(32_000);
      expect(world.ladder.at(-1)).toBe(`32000 sipd -> app1 : event 408 NOTIFY in ${incoming}`);
      expect(world.stack.counts().dialogs).toBe(left);
      world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: active('conference') });
      expect(world.lastReply(1).tokens[0]).toBe(mode === 'free' ? 'NOK' : 'OK');
    }
  });
});

describe('several usages of one dialog (RFC 5057)', () => {
  test('a refused NOTIFY ends its own subscription; the other, and the call, go on', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite', 'subscribe', 'bye');
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    for (const [at, event] of ['conference', 'dialog'].entries()) {
      world.asks(alice, 'SUBSCRIBE', { toTag, cseq: 2 + at, more: [`Event: ${event}`] });
      world.appAnswers(1, '200 OK', ['Expires: 60']);
      world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: active(event) });
      world.answers(alice, world.lastSent('NOTIFY'), event === 'dialog' ? '481 Gone' : '200 OK');
    }
    world.asks(alice, 'BYE', { toTag, cseq: 4 });
    world.appAnswers(1, '200 OK');
    expect(world.stack.counts().dialogs).toBe(1);
    const last = ['Event: conference', 'Subscription-State: terminated;reason=noresource'];
    world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: incoming, headers: last });
    world.answers(alice, world.lastSent('NOTIFY'), '200 OK');
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('REFER in a call: the NOTIFYs come in the dialog, the last one ends their usage and not the call', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'notify', 'bye');
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    world.answers(alice, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId: outgoing });
    world.appAsks(1, 'REFER sip:placeholder', { dialogId: outgoing, headers: ['Refer-To: <sip:carol@10.0.0.5>'] });
    world.answers(alice, world.lastSent('REFER'), '202 Accepted');
    world.ladder.length = 0;
    for (const [at, state] of ['active;expires=60', 'terminated;reason=noresource'].entries()) {
      const more = ['Event: refer', `Subscription-State: ${state}`];
      world.asks(alice, 'NOTIFY', { callId: 'chosen', toTag: 'ours', cseq: 1 + at, more });
      world.appAnswers(1, '200 OK');
    }
    world.asks(alice, 'BYE', { callId: 'chosen', toTag: 'ours', cseq: 3 });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : NOTIFY
        0 sipd -> app1 : event NOTIFY in ${outgoing}
        0 app1 -> sipd : 200
        0 sipd -> alice : 200 NOTIFY
        0 sipd -> app1 : OK
        0 alice -> sipd : NOTIFY
        0 sipd -> app1 : event NOTIFY in ${outgoing}
        0 app1 -> sipd : 200
        0 sipd -> alice : 200 NOTIFY
        0 sipd -> app1 : OK
        0 alice -> sipd : BYE
        0 sipd -> app1 : event BYE in ${outgoing}`),
    );
    expect(world.stack.counts().dialogs).toBe(0);
  });
});

describe('subscriptions of ours', () => {
  test('RFC 6665 4.1.2.2: a refresh that is refused for good ends one, a time-out does not', () => {
    for (const [status, left] of [
      ['481 Gone', 0],
      ['489 Bad Event', 0],
      ['500 Server Error', 1],
      [null, 1],
    ] as const) {
      const { world, alice } = subscribing();
      world.appAsks(1, 'SUBSCRIBE sip:placeholder', { dialogId: outgoing, headers: ['Event: conference'] });
      if (status === null) world.pass(32_000);
      else world.answers(alice, world.lastSent('SUBSCRIBE'), status);
      expect(world.stack.counts().dialogs).toBe(left);
    }
  });

  test('a further one that is refused in the dialog leaves the first', () => {
    const { world, alice } = subscribing();
    world.appAsks(1, 'SUBSCRIBE sip:placeholder', { dialogId: outgoing, headers: ['Event: conference;id=2'] });
    world.answers(alice, world.lastSent('SUBSCRIBE'), '489 Bad Event');
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('time alone ends none, on either side: applications know what was agreed', () => {
    const ours = subscribing().world;
    const theirs = subscribed().world;
    for (const world of [ours, theirs]) {
      world.pass(86_400_000);
      expect(world.stack.counts()).toMatchObject({ dialogs: 1, timers: 0 });
    }
  });
});
