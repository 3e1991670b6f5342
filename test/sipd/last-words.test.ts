/** Dialogs whose end somebody owes us, and does not give. */
import { describe, expect, test } from 'vitest';
import { StackWorld, steps, toTagOf } from './stack-world.ts';

const from = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen'];
const outgoing = 'chosen;from-tag=ours';
const incoming = 'call-alice;from-tag=alice';
const nothing = { dialogs: 0, calls: 0, pendingRequests: 0, timers: 0, clientTransactions: 0, serverTransactions: 0 };

function open(mode: 'free' | 'strict' = 'free') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'bye', 'subscribe', 'notify', 'refer');
  return { world, alice, app };
}

/** The application has called alice, who has accepted. */
function calling(mode: 'free' | 'strict' = 'free') {
  const opened = open(mode);
  const { world, alice, app } = opened;
  world.appAsks(app, 'INVITE sip:alice@10.0.0.1', { headers: from });
  world.answers(alice, world.lastSent('INVITE'), '200 OK');
  world.appAsks(app, 'ACK sip:placeholder', { dialogId: outgoing });
  return opened;
}

/** The application has subscribed at alice. */
function subscribing(mode: 'free' | 'strict' = 'free') {
  const opened = open(mode);
  const { world, alice, app } = opened;
  world.appAsks(app, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: presence'] });
  world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
  return opened;
}

describe('a challenge that nobody takes up', () => {
  test.each(['free', 'strict'] as const)('of a BYE: 64*T1 later the call is over (%s)', (mode) => {
    const { world, alice, app } = calling(mode);
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: outgoing });
    world.answers(alice, world.lastSent('BYE'), '401 Unauthorized');
    world.pass(31_999);
    expect(world.stack.counts().dialogs).toBe(1);
    world.pass(60_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('of the last NOTIFY: the subscription is over', () => {
    const { world, alice, app } = open();
    world.asks(alice, 'SUBSCRIBE', { more: ['Event: presence'] });
    world.appAnswers(app, '200 OK');
    const headers = ['Event: presence', 'Subscription-State: terminated'];
    world.appAsks(app, 'NOTIFY sip:placeholder', { dialogId: incoming, headers });
    world.answers(alice, world.lastSent('NOTIFY'), '407 Proxy Authentication Required');
    world.pass(90_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });
});

describe('RFC 6665 4.1.2.4: a subscription we have ended, whose last NOTIFY never comes', () => {
  test.each(['200 OK', '500 Server Internal Error'])('is over 64*T1 after the answer (%s)', (status) => {
    const { world, alice, app } = subscribing();
    const headers = ['Event: presence', 'Expires: 0'];
    world.appAsks(app, 'SUBSCRIBE sip:placeholder', { dialogId: outgoing, headers });
    world.answers(alice, world.lastSent('SUBSCRIBE'), status);
    world.pass(31_999);
    expect(world.stack.counts().dialogs).toBe(1);
    world.pass(60_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('one that asked for a single NOTIFY, too', () => {
    const { world, alice, app } = open();
    world.appAsks(app, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: presence', 'Expires: 0'] });
    world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
    world.pass(90_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('the daemon waits for ever', () => {
    const { world, alice, app } = subscribing('strict');
    const headers = ['Event: presence', 'Expires: 0'];
    world.appAsks(app, 'SUBSCRIBE sip:placeholder', { dialogId: outgoing, headers });
    world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
    world.pass(90_000);
    expect(world.stack.counts().dialogs).toBe(1);
  });
});

describe('the last NOTIFY of a subscription of ours', () => {
  const last = { toTag: 'ours', fromTag: 'alice', callId: 'chosen' };
  const more = ['Event: presence', 'Subscription-State: terminated'];

  test.each(['200 OK', '404 Not Found', '481 Subscription Does Not Exist'])('ends it, answered %s', (status) => {
    const { world, alice, app } = subscribing();
    world.asks(alice, 'NOTIFY', { ...last, more });
    world.appAnswers(app, status);
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('ends it, answered or not', () => {
    const { world, alice } = subscribing();
    world.asks(alice, 'NOTIFY', { ...last, more });
    world.pass(90_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('RFC 6665 4.1.3: so does any NOTIFY the application knows no subscription for', () => {
    const { world, alice, app } = subscribing();
    world.asks(alice, 'NOTIFY', { ...last, more: ['Event: presence', 'Subscription-State: active'] });
    world.appAnswers(app, '481 Subscription Does Not Exist');
    expect(world.stack.counts().dialogs).toBe(0);
  });
});

test('RFC 6665 4.1.2.3: a SUBSCRIBE that is refused leaves nothing, though a NOTIFY has come before', () => {
  const { world, alice, app } = open();
  world.appAsks(app, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: presence'] });
  const more = ['Event: presence', 'Subscription-State: active'];
  world.asks(alice, 'NOTIFY', { callId: 'chosen', fromTag: 'alice', toTag: 'ours', more });
  world.appAnswers(app, '200 OK');
  world.answers(alice, world.lastSent('SUBSCRIBE'), '404 Not Found');
  world.pass(90_000);
  expect(world.stack.counts()).toMatchObject(nothing);
});

test('RFC 6665 4.4.1: of a SUBSCRIBE that was forked one notifier is kept, whose 200 has come', () => {
  const { world, alice, app } = open();
  world.appAsks(app, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: presence'] });
  const more = ['Event: presence', 'Subscription-State: active'];
  world.asks(alice, 'NOTIFY', { callId: 'chosen', fromTag: 'other', toTag: 'ours', more });
  world.appAnswers(app, '200 OK');
  expect(world.stack.counts().dialogs).toBe(1);
  world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
  expect(world.stack.counts().dialogs).toBe(1);
  world.appAsks(app, 'SUBSCRIBE sip:placeholder', { dialogId: outgoing, headers: ['Event: presence', 'Expires: 0'] });
  expect(toTagOf(world.lastSent('SUBSCRIBE'))).toBe('alice');
});

test('a subscription that is accepted when its application has gone is dropped with the others', () => {
  const { world, alice, app } = open();
  world.appAsks(app, 'SUBSCRIBE sip:alice@10.0.0.1', { headers: [...from, 'Event: presence'] });
  world.input({ kind: 'session-closed', session: 1 });
  world.answers(alice, world.lastSent('SUBSCRIBE'), '200 OK');
  world.pass(400_000);
  expect(world.stack.counts()).toMatchObject(nothing);
});

describe('RFC 3261 15: a BYE of the application waits for the ACK of its 200', () => {
  function accepted() {
    const opened = open();
    const { world, alice, app } = opened;
    world.asks(alice, 'INVITE');
    world.appAnswers(app, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.ladder.length = 0;
    return { ...opened, toTag };
  }

  test('which may have been lost with the 200', () => {
    const { world, alice, app, toTag } = accepted();
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: incoming });
    world.pass(500);
    world.asks(alice, 'ACK', { toTag });
    world.answers(alice, world.lastSent('BYE'), '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 app1 -> sipd : BYE
        0 sipd -> app1 : OK
        500 sipd -> alice : 200 INVITE
        500 alice -> sipd : ACK
        500 sipd -> alice : BYE
        500 sipd -> app1 : event ACK in ${incoming}
        500 alice -> sipd : 200 BYE
        500 sipd -> app1 : event 200 BYE in ${incoming}`),
    );
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('or for 64*T1, when none comes', () => {
    const { world, alice, app } = accepted();
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: incoming });
    world.pass(32_000);
    expect(world.ladder.at(-1)).toBe('32000 sipd -> alice : BYE');
    expect(world.sent.filter(({ text }) => text.startsWith('BYE'))).toHaveLength(1);
    world.answers(alice, world.lastSent('BYE'), '200 OK');
    expect(world.lastEvent(app).text.startsWith('SIP/2.0 200')).toBe(true);
    world.pass(60_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });

  test('and goes out all the same when the peer hangs up first', () => {
    const { world, alice, app, toTag } = accepted();
    world.appAsks(app, 'BYE sip:placeholder', { dialogId: incoming });
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.answers(alice, world.lastSent('BYE'), '481 Gone');
    expect(world.lastEvent(app).text.startsWith('SIP/2.0 481')).toBe(true);
    world.pass(90_000);
    expect(world.stack.counts()).toMatchObject(nothing);
  });
});
