import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, steps, toTagOf } from './stack-world.ts';

const dialogId = 'call-alice;from-tag=alice';
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\n';

type Mode = 'free' | 'strict';

function opened(mode: Mode) {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'update');
  const answer = (transactionId: string, status: string, body = ''): string =>
    world.say(app, `sip|${transactionId}|`, `SIP/2.0 ${status}\r\n\r\n${body}`);
  return { world, alice, app, answer };
}

/** Alice's INVITE rings. */
function ringing(mode: Mode) {
  const open = opened(mode);
  const { world, alice, app } = open;
  world.asks(alice, 'INVITE', { branch: 'z9hG4bK-first' });
  const { transactionId } = world.lastEvent(app);
  world.appAnswers(app, '180 Ringing');
  const toTag = toTagOf(world.lastSent('SIP/2.0 180'));
  world.ladder.length = 0;
  return { ...open, transactionId, toTag };
}

/** Alice's call stands. */
function called(mode: Mode) {
  const open = opened(mode);
  const { world, alice, app } = open;
  world.asks(alice, 'INVITE', { branch: 'z9hG4bK-first' });
  world.appAnswers(app, '200 OK');
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  world.ladder.length = 0;
  return { ...open, toTag };
}

describe('UPDATE (RFC 3311)', () => {
  test('while it rings: an event in the dialog, answered apart from the INVITE, which goes on ringing', () => {
    const { world, alice, app, answer, transactionId, toTag } = ringing('free');
    world.asks(alice, 'UPDATE', { toTag, cseq: 2, body: sdp, more: ['Content-Type: application/sdp'] });
    expect(world.lastEvent(app).transactionId).not.toBe(transactionId);
    answer(world.lastEvent(app).transactionId, '200 OK', sdp);
    // Not a call yet: CANCEL still works, and BYE of a caller still ends the INVITE.
    world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-first' });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : UPDATE
        0 sipd -> app1 : event UPDATE in ${dialogId}
        0 app1 -> sipd : 200
        0 sipd -> alice : 200 UPDATE
        0 sipd -> app1 : OK
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> alice : 487 INVITE`),
    );
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test.each(['free', 'strict'] as const)(
    'a second before the answer to the first gets 500 and Retry-After (%s)',
    (mode) => {
      for (const make of [ringing, called]) {
        const { world, alice, answer, app, toTag } = make(mode);
        world.asks(alice, 'UPDATE', { toTag, cseq: 2 });
        const first = world.lastEvent(app).transactionId;
        world.asks(alice, 'UPDATE', { toTag, cseq: 3 });
        expect(world.ladder.slice(-2)).toEqual(['0 alice -> sipd : UPDATE', '0 sipd -> alice : 500 UPDATE']);
        const seconds = Number(headerOf(world.lastSent('SIP/2.0 500'), 'Retry-After'));
        expect(seconds).toBeGreaterThanOrEqual(0);
        expect(seconds).toBeLessThanOrEqual(10);
        answer(first, '200 OK');
        world.asks(alice, 'UPDATE', { toTag, cseq: 4 });
        expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event UPDATE in ${dialogId}`);
      }
    },
  );

  test('it is a target refresh', () => {
    const { world, alice, app, toTag } = called('free');
    world.asks(alice, 'UPDATE', { toTag, cseq: 2, contact: 'sip:alice@10.0.0.77' });
    world.appAnswers(app, '200 OK');
    world.appAsks(app, 'INFO sip:placeholder', { dialogId });
    expect(world.lastSent('INFO').startsWith('INFO sip:alice@10.0.0.77 SIP/2.0')).toBe(true);
  });

  test('outside a dialog gets 481', () => {
    const { world, alice } = opened('free');
    world.asks(alice, 'UPDATE');
    world.asks(alice, 'UPDATE', { toTag: 'nothing', cseq: 2 });
    expect(world.ladder.filter((line) => line.includes('-> alice'))).toEqual([
      '0 sipd -> alice : 481 UPDATE',
      '0 sipd -> alice : 481 UPDATE',
    ]);
  });
});

describe('re-INVITE', () => {
  test('RFC 3261 14.2: a second before the answer to the first gets 500 and Retry-After, and its ACK goes nowhere', () => {
    const { world, alice, app, answer, toTag } = called('free');
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    const first = world.lastEvent(app).transactionId;
    world.asks(alice, 'INVITE', { toTag, cseq: 3, branch: 'z9hG4bK-second' });
    world.asks(alice, 'ACK', { toTag, cseq: 3, branch: 'z9hG4bK-second' });
    answer(first, '200 OK');
    world.asks(alice, 'ACK', { toTag, cseq: 2 });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE in ${dialogId}
        0 alice -> sipd : INVITE
        0 sipd -> alice : 500 INVITE
        0 alice -> sipd : ACK
        0 app1 -> sipd : 200
        0 sipd -> alice : 200 INVITE
        0 sipd -> app1 : OK
        0 alice -> sipd : ACK
        0 sipd -> app1 : event ACK in ${dialogId}`),
    );
    expect(Number(headerOf(world.lastSent('SIP/2.0 500'), 'Retry-After'))).toBeLessThanOrEqual(10);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 1, serverTransactions: 0, timers: 0 });
  });

  test('the daemon hands up both', () => {
    const { world, alice, toTag } = called('strict');
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    world.asks(alice, 'INVITE', { toTag, cseq: 3 });
    expect(world.ladder.filter((line) => line.includes('event INVITE'))).toHaveLength(2);
  });

  test('before the first INVITE is answered it gets 500 too, and the call can still be taken', () => {
    const { world, alice, answer, transactionId, toTag } = ringing('free');
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 500 INVITE');
    answer(transactionId, '200 OK');
    world.asks(alice, 'ACK', { toTag });
    expect(world.lastEvent(1)).toMatchObject({ dialogId, transactionId });
  });

  test('glare is the application’s: the peer’s re-INVITE comes up while ours is pending, and both end as they are answered', () => {
    const { world, alice, app, toTag } = called('free');
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId, body: sdp });
    const invite = world.lastSent('INVITE');
    world.asks(alice, 'INVITE', { toTag, cseq: 2, branch: 'z9hG4bK-theirs' });
    world.appAnswers(app, '491 Request Pending');
    world.asks(alice, 'ACK', { toTag, cseq: 2, branch: 'z9hG4bK-theirs' });
    world.answers(alice, invite, '491 Request Pending');
    expect(world.ladder.filter((line) => !line.includes('OK'))).toEqual(
      steps(`
        0 app1 -> sipd : INVITE
        0 sipd -> alice : INVITE
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE in ${dialogId}
        0 app1 -> sipd : 491
        0 sipd -> alice : 491 INVITE
        0 alice -> sipd : ACK
        0 alice -> sipd : 491 INVITE
        0 sipd -> alice : ACK
        0 sipd -> app1 : event 491 INVITE in ${dialogId}`),
    );
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 1, calls: 0, timers: 0 });
  });

  test('a refused one changes nothing: the old Contact counts, and the call stands', () => {
    const { world, alice, app, toTag } = called('free');
    world.asks(alice, 'INVITE', { toTag, cseq: 2, contact: 'sip:alice@10.0.0.77' });
    world.appAnswers(app, '488 Not Acceptable Here');
    world.appAsks(app, 'INFO sip:placeholder', { dialogId });
    expect(world.lastSent('INFO').startsWith('INFO sip:alice@10.0.0.1:5060 SIP/2.0')).toBe(true);
  });

  test('its 200 is repeated until the ACK (the daemon sends it once); without one the call ends', () => {
    for (const [mode, times] of [
      ['free', [0, 500, 1_500, 3_500, 7_500]],
      ['strict', [0]],
    ] as const) {
      const { world, alice, app, toTag } = called(mode);
      world.asks(alice, 'INVITE', { toTag, cseq: 2 });
      world.appAnswers(app, '200 OK');
      world.pass(8_000);
      world.asks(alice, 'ACK', { toTag, cseq: 2 });
      world.pass(60_000);
      const sent = world.ladder.filter((line) => line.includes('-> alice : 200 INVITE'));
      expect(sent.map((line) => Number(line.split(' ')[0]))).toEqual(times);
      expect(world.stack.counts().dialogs).toBe(1);
    }
    const { world, alice, app, toTag } = called('free');
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.pass(32_000);
    expect(world.ladder).toContain(`32000 sipd -> app1 : event BYE in ${dialogId} unsolicited`);
  });

  test('a late offer: the answer in the ACK comes under the id of the first INVITE, of a re-INVITE under one of its own', () => {
    const { world, alice, app } = opened('free');
    world.asks(alice, 'INVITE');
    const { transactionId } = world.lastEvent(app);
    world.say(app, `sip|${transactionId}|`, `SIP/2.0 200 OK\r\n\r\n${sdp}`);
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    const described = { body: sdp, more: ['Content-Type: application/sdp'] };
    world.asks(alice, 'ACK', { toTag, ...described });
    expect(world.lastEvent(app)).toMatchObject({ dialogId, transactionId });
    expect(world.lastEvent(app).text.endsWith(sdp)).toBe(true);
    world.asks(alice, 'INVITE', { toTag, cseq: 2 });
    const second = world.lastEvent(app).transactionId;
    world.say(app, `sip|${second}|`, `SIP/2.0 200 OK\r\n\r\n${sdp}`);
    world.asks(alice, 'ACK', { toTag, cseq: 2, ...described });
    const ack = world.lastEvent(app);
    expect(ack.dialogId).toBe(dialogId);
    expect([transactionId, second]).not.toContain(ack.transactionId);
    expect(ack.text.endsWith(sdp)).toBe(true);
  });

  test('CANCEL of a re-INVITE ends the re-INVITE only', () => {
    const { world, alice, app, toTag } = called('free');
    world.asks(alice, 'INVITE', { toTag, cseq: 2, branch: 'z9hG4bK-second' });
    world.asks(alice, 'CANCEL', { toTag, cseq: 2, branch: 'z9hG4bK-second' });
    world.asks(alice, 'ACK', { toTag, cseq: 2, branch: 'z9hG4bK-second' });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE in ${dialogId}
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> alice : 487 INVITE
        0 alice -> sipd : ACK`),
    );
    world.appAnswers(app, '200 OK');
    world.asks(alice, 'INFO', { toTag, cseq: 3 });
    expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event INFO in ${dialogId}`);
  });
});
