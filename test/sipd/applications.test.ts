import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, steps, toTagOf } from './stack-world.ts';

const from = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen'];
const outgoing = 'chosen;from-tag=ours';
const incoming = 'call-alice;from-tag=alice';

function open(mode: 'free' | 'strict' = 'free') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  world.application(1, 'invite', 'bye', 'subscribe');
  return { world, alice };
}

/** A call of alice that application 1 has accepted, and lost. */
function orphaned(mode: 'free' | 'strict') {
  const { world, alice } = open(mode);
  world.asks(alice, 'INVITE');
  world.appAnswers(1, '200 OK');
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  world.input({ kind: 'session-closed', session: 1 });
  world.application(2, 'invite', 'bye');
  world.sent.length = 0;
  return { world, alice, toTag };
}

describe('several applications', () => {
  test('requests go round those that asked for the method, tags or not, and pass one that has gone', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    for (const session of [1, 2, 3]) {
      world.input({ kind: 'session-opened', session });
      world.say(session, `authenticate|cymru|${session === 1 ? '' : 'blue,green'}`);
      world.say(session, 'route|options');
    }
    world.frames.length = 0;
    for (let count = 0; count < 6; count += 1) world.asks(alice, 'OPTIONS', { callId: `c${count}` });
    expect(world.frames.map(({ session }) => session)).toEqual([1, 2, 3, 1, 2, 3]);
    world.input({ kind: 'session-closed', session: 2 });
    world.frames.length = 0;
    for (let count = 6; count < 10; count += 1) world.asks(alice, 'OPTIONS', { callId: `c${count}` });
    expect(world.frames.map(({ session }) => session)).toEqual([1, 3, 1, 3]);
  });

  test('each method has its own round; what one takes back the others keep', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'options', 'message');
    world.application(2, 'options');
    world.say(1, 'remove_route|options');
    world.frames.length = 0;
    world.asks(alice, 'OPTIONS', { callId: 'a' });
    world.asks(alice, 'OPTIONS', { callId: 'b' });
    world.asks(alice, 'MESSAGE', { callId: 'c' });
    expect(world.frames.map(({ session }) => session)).toEqual([2, 2, 1]);
  });

  test('requests of a dialog stay with the application that made it', () => {
    const { world, alice } = open();
    world.application(2, 'invite', 'bye', 'info');
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.frames.length = 0;
    for (const cseq of [2, 3, 4]) world.asks(alice, 'INFO', { toTag, cseq });
    expect(new Set(world.frames.map(({ session }) => session))).toEqual(new Set([1]));
  });
});

describe('an application that goes in the middle of something', () => {
  test('its call that rings is cancelled', () => {
    const { world, alice } = open();
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    world.answers(alice, world.lastSent('INVITE'), '180 Ringing');
    world.input({ kind: 'session-closed', session: 1 });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : CANCEL');
    world.answers(alice, world.lastSent('CANCEL'), '200 OK');
    world.answers(alice, world.lastSent('INVITE'), '487 Request Terminated');
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : ACK');
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, calls: 0, clientTransactions: 0 });
  });

  test('a call nobody has answered yet is cancelled as soon as it rings; one that is accepted all the same is hung up', () => {
    const { world, alice } = open();
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    const invite = world.lastSent('INVITE');
    world.input({ kind: 'session-closed', session: 1 });
    world.ladder.length = 0;
    world.answers(alice, invite, '180 Ringing');
    world.answers(alice, invite, '200 OK');
    world.answers(alice, invite, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : 180 INVITE
        0 sipd -> alice : CANCEL
        0 alice -> sipd : 200 INVITE
        0 sipd -> alice : ACK
        0 sipd -> alice : BYE
        0 alice -> sipd : 200 INVITE
        0 sipd -> alice : ACK`),
    );
  });

  test('a 200 it has heard of and not acknowledged gets its ACK, and a BYE', () => {
    const { world, alice } = open();
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    world.answers(alice, world.lastSent('INVITE'), '200 OK');
    world.input({ kind: 'session-closed', session: 1 });
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> alice : ACK', '0 sipd -> alice : BYE']);
    expect(headerOf(world.lastSent('BYE'), 'Reason')).toContain('application gone');
  });

  test('the 200 of a re-INVITE is acknowledged, and the call waits for another application', () => {
    const { world, alice } = open();
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    world.answers(alice, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId: outgoing });
    world.appAsks(1, 'INVITE sip:placeholder', { dialogId: outgoing });
    world.input({ kind: 'session-closed', session: 1 });
    world.answers(alice, world.lastSent('INVITE'), '200 OK');
    expect(headerOf(world.lastSent('ACK'), 'CSeq').split(' ')[0]).toBe(
      headerOf(world.lastSent('INVITE'), 'CSeq').split(' ')[0],
    );
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('the daemon leaves all of it alone', () => {
    const { world, alice } = open('strict');
    world.appAsks(1, 'INVITE sip:alice@10.0.0.1', { headers: from });
    const invite = world.lastSent('INVITE');
    world.answers(alice, invite, '180 Ringing');
    world.input({ kind: 'session-closed', session: 1 });
    world.answers(alice, invite, '200 OK');
    expect(world.sent).toHaveLength(1);
  });
});

describe('dialogs whose application has gone', () => {
  test('another application that knows the id takes the dialog over with its first request', () => {
    const { world, alice, toTag } = orphaned('free');
    world.appAsks(2, 'INFO sip:placeholder', { dialogId: incoming });
    world.answers(alice, world.lastSent('INFO'), '200 OK');
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    expect(world.ladder.at(-1)).toBe(`0 sipd -> app2 : event BYE in ${incoming}`);
    world.appAnswers(2, '200 OK');
    world.pass(400_000);
    expect(world.sent.some(({ text }) => text.startsWith('BYE'))).toBe(false);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, timers: 0 });
  });

  test('as long as its application is there, no other becomes the owner of a dialog by sending in it', () => {
    const { world, alice } = open();
    world.application(2, 'bye');
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.appAsks(2, 'INFO sip:placeholder', { dialogId: incoming });
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event BYE in ${incoming}`);
  });

  test('nobody takes it over: BYE after five minutes; a subscription is dropped', () => {
    const { world, alice } = open();
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    world.asks(alice, 'ACK', { toTag: toTagOf(world.lastSent('SIP/2.0 200')) });
    world.asks(alice, 'SUBSCRIBE', { callId: 'sub', more: ['Event: conference'] });
    world.appAnswers(1, '200 OK');
    world.input({ kind: 'session-closed', session: 1 });
    world.ladder.length = 0;
    world.pass(299_999);
    expect(world.ladder).toEqual([]);
    world.pass(1);
    expect(world.ladder).toEqual(['300000 sipd -> alice : BYE']);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, clientTransactions: 0, timers: 0 });
  });

  test('in the daemon they are nobody\u2019s for good', () => {
    const { world, alice, toTag } = orphaned('strict');
    world.appAsks(2, 'INFO sip:placeholder', { dialogId: incoming });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : INFO');
    world.asks(alice, 'INFO', { toTag, cseq: 2 });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 481 INFO');
    world.pass(3_600_000);
    expect(world.stack.counts().dialogs).toBe(1);
  });
});
