import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, steps, toTagOf } from './stack-world.ts';

const contact = ['Contact: <sip:conf1@localhost>;isfocus'];

describe('requests outside dialogs', () => {
  test('an INVITE accepted and ended, with 100 only when the application needs longer than 200 ms', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite', 'bye');
    world.asks(alice, 'INVITE');
    world.pass(250);
    world.appAnswers(app, '180 Ringing');
    world.appAnswers(app, '200 OK', contact);
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        200 sipd -> alice : 100 INVITE
        250 app1 -> sipd : 180
        250 sipd -> alice : 180 INVITE
        250 sipd -> app1 : OK
        250 app1 -> sipd : 200
        250 sipd -> alice : 200 INVITE
        250 sipd -> app1 : OK
        250 alice -> sipd : ACK
        250 sipd -> app1 : event ACK in call-alice;from-tag=alice
        250 alice -> sipd : BYE
        250 sipd -> app1 : event BYE in call-alice;from-tag=alice
        250 app1 -> sipd : 200
        250 sipd -> alice : 200 BYE
        250 sipd -> app1 : OK`),
    );
    world.pass(40_000);
    expect(world.stack.counts()).toEqual({
      clientTransactions: 0,
      serverTransactions: 0,
      dialogs: 0,
      pendingRequests: 0,
      calls: 0,
      unacknowledged: 0,
      lookups: 0,
      timers: 0,
    });
  });

  test('the confirmation of an answer has the tokens drachtio-srf reads', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    const event = world.lastEvent(app);
    expect(event.tokens.slice(1)).toEqual([
      'sip',
      'network',
      String(world.request(alice, 'INVITE', { branch: 'z9hG4bK-1' }).length),
      'udp',
      '10.0.0.1',
      '5060',
      '22:13:20.000000',
      event.transactionId,
      '',
      '10.0.0.9',
      '5060',
      '',
    ]);
    expect(event.transactionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(headerOf(event.text, 'Via')).toBe('SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1;rport=5060');
    world.appAnswers(app, '200 OK', contact);
    const reply = world.lastReply(app);
    expect(reply.tokens).toEqual([
      'OK',
      'application',
      String(reply.text.length),
      'udp',
      '10.0.0.1',
      '5060',
      '22:13:20.000000',
      event.transactionId,
      'call-alice;from-tag=alice',
      '',
      'Msg sent:',
      '',
    ]);
    expect(reply.text).toBe(world.lastSent('SIP/2.0 200'));
    expect(headerOf(reply.text, 'Contact')).toBe('<sip:conf1@10.0.0.9:5060>;isfocus');
  });

  test('CC-200 a retransmitted INVITE reaches the application once and gets the same answer', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    const invite = world.asks(alice, 'INVITE');
    world.receive(alice, invite);
    world.appAnswers(app, '486 Busy Here');
    const first = world.lastSent('SIP/2.0 486');
    world.receive(alice, invite);
    expect(world.frames.filter(({ payload }) => payload.includes('|sip|'))).toHaveLength(1);
    expect(world.sent.map(({ text }) => text)).toEqual([first, first]);
  });

  test('the stored answer of a non-INVITE is repeated for 32 s, then the request is new', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'options');
    const options = world.asks(alice, 'OPTIONS');
    world.appAnswers(app, '200 OK');
    world.pass(31_999);
    world.receive(alice, options);
    expect(world.sent).toHaveLength(2);
    world.pass(2);
    world.receive(alice, options);
    expect(world.frames.filter(({ payload }) => payload.includes('|sip|'))).toHaveLength(2);
  });

  test('a final refusal is repeated at 0.5, 1, 2 and then every 4 s until its ACK', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE', { branch: 'z9hG4bK-x' });
    world.appAnswers(app, '486 Busy Here');
    world.pass(8_000);
    world.asks(alice, 'ACK', { branch: 'z9hG4bK-x', toTag: toTagOf(world.lastSent('SIP/2.0 486')) });
    world.pass(60_000);
    const times = world.ladder.filter((line) => line.includes('486 INVITE')).map((line) => Number(line.split(' ')[0]));
    expect(times).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(world.ladder.some((line) => line.includes('event ACK'))).toBe(false);
    expect(world.stack.counts().serverTransactions).toBe(0);
  });

  test('CC-202 a BYE to no dialog gets 481, an unknown method 501', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite', 'bye', 'options');
    world.asks(alice, 'BYE', { toTag: 'nothing' });
    world.asks(alice, 'BYE');
    world.asks(alice, 'FOO');
    expect(world.ladder.filter((line) => line.includes('-> alice'))).toEqual([
      '0 sipd -> alice : 481 BYE',
      '0 sipd -> alice : 481 BYE',
      '0 sipd -> alice : 501 FOO',
    ]);
    expect(headerOf(world.lastSent('SIP/2.0 501'), 'Allow')).toBe('ACK, CANCEL, BYE, INVITE, OPTIONS');
    expect(world.frames).toEqual([]);
  });

  test('CC-195 an INVITE with an unknown To tag gets 481, unlike methods that may begin anew', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite', 'message');
    world.asks(alice, 'INVITE', { toTag: 'nothing' });
    world.asks(alice, 'MESSAGE', { toTag: 'nothing' });
    expect(world.ladder.slice(1)).toEqual(
      steps(`
        0 sipd -> alice : 481 INVITE
        0 alice -> sipd : MESSAGE
        0 sipd -> app1 : event MESSAGE`),
    );
  });

  test('what nobody asked for gets 503; requests go round the applications that asked', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.asks(alice, 'OPTIONS');
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 503 OPTIONS');
    for (const session of [1, 2, 3]) world.application(session, 'options', 'options');
    for (let count = 0; count < 9; count += 1) world.asks(alice, 'OPTIONS', { callId: `c${count}` });
    const sessions = world.frames.map(({ session }) => session);
    expect([1, 2, 3].map((session) => sessions.filter((each) => each === session).length)).toEqual([3, 3, 3]);
    world.input({ kind: 'session-closed', session: 2 });
    world.frames.length = 0;
    for (let count = 0; count < 4; count += 1) world.asks(alice, 'OPTIONS', { callId: `d${count}` });
    expect(new Set(world.frames.map(({ session }) => session))).toEqual(new Set([1, 3]));
  });

  test('CC-201 the same request over another path is refused with 482', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    world.asks(alice, 'INVITE');
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 482 INVITE');
    expect(world.stack.counters().mergedRequests).toBe(1);
  });

  test('QK-1 a Request-URI without scheme reaches the application unharmed, as do two Content-Types and blanks in brackets', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    const quirky = ['Content-Type: multipart/mixed', 'Content-Type: application/sdp', 'Referred-By: < sip:a@b >'];
    world.asks(alice, 'INVITE', { uri: 'conf-fact@example.com', more: quirky });
    const { text } = world.lastEvent(app);
    expect(text.startsWith('INVITE conf-fact@example.com SIP/2.0\r\n')).toBe(true);
    expect(headerLines(text, 'Content-Type')).toEqual(quirky.slice(0, 2));
    expect(headerOf(text, 'Referred-By')).toBe('< sip:a@b >');
  });

  test('compact names are handed on in full', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'subscribe');
    world.asks(alice, 'SUBSCRIBE', { more: ['o: conference', 'u: conference'] });
    expect(headerOf(world.lastEvent(app).text, 'Event')).toBe('conference');
  });

  test('an application that says nothing: the INVITE gets 500 after 64 s, other requests 100 and no more', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    world.application(1, 'invite', 'options');
    world.asks(alice, 'INVITE');
    world.asks(alice, 'OPTIONS');
    world.pass(64_000);
    expect(world.ladder.filter((line) => line.includes('-> alice'))).toEqual([
      '200 sipd -> alice : 100 INVITE',
      '3500 sipd -> alice : 100 OPTIONS',
      '64000 sipd -> alice : 500 INVITE',
    ]);
    world.pass(40_000);
    expect(world.stack.counts()).toMatchObject({ serverTransactions: 0, pendingRequests: 0, timers: 0 });
  });

  test('an answer is refused when there is nothing to answer, or no second one may come', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'options');
    world.asks(alice, 'OPTIONS');
    world.appAnswers(app, '200 OK');
    world.appAnswers(app, '200 OK');
    expect(world.lastReply(app).tokens).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  });
});

describe('CANCEL', () => {
  test('before an answer: 200 and 487 by the server, and the application hears of it once', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE', { branch: 'z9hG4bK-x' });
    const transaction = world.lastEvent(app).transactionId;
    const cancel = world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-x' });
    expect(world.lastEvent(app).transactionId).toBe(transaction);
    world.receive(alice, cancel);
    world.appAnswers(app, '200 OK', contact);
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> alice : 487 INVITE
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 app1 -> sipd : 200
        0 sipd -> app1 : NOK Response not sent due to unknown transaction`),
    );
    expect(toTagOf(world.lastSent('SIP/2.0 200'))).toBe(toTagOf(world.lastSent('SIP/2.0 487')));
  });

  test('of nothing gets 481; after the 200 it has no effect (the daemon says 481)', () => {
    for (const [mode, status] of [
      ['free', '200'],
      ['strict', '481'],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      const app = world.application(1, 'invite');
      world.asks(alice, 'CANCEL');
      expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 481 CANCEL');
      world.asks(alice, 'INVITE', { branch: 'z9hG4bK-x' });
      world.appAnswers(app, '200 OK', contact);
      world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-x' });
      expect(world.ladder.at(-1)).toBe(`0 sipd -> alice : ${status} CANCEL`);
      expect(world.stack.counts().dialogs).toBe(1);
    }
  });
});

describe('200 to INVITE', () => {
  test.each(['udp', 'tcp'] as const)(
    'over %s it is repeated until 32 s are over, then the server hangs up',
    (protocol) => {
      const world = new StackWorld('free');
      const alice = world.peer('alice', { protocol, connection: protocol === 'tcp' ? 7 : null });
      const app = world.application(1, 'invite');
      world.asks(alice, 'INVITE');
      world.appAnswers(app, '200 OK', contact);
      world.pass(33_000);
      const times = world.ladder
        .filter((line) => line.includes('200 INVITE'))
        .map((line) => Number(line.split(' ')[0]));
      expect(times).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
      expect(world.ladder.filter((line) => line.startsWith('32000')).slice(0, 2)).toEqual([
        '32000 sipd -> app1 : event BYE in call-alice;from-tag=alice unsolicited',
        '32000 sipd -> alice : BYE',
      ]);
      const bye = world.lastSent('BYE');
      expect(headerOf(bye, 'Reason')).toBe('SIP;cause=200;text="ACK timeout"');
      expect(headerOf(bye, 'CSeq')).toBe('2 BYE');
      world.answers(alice, bye, '200 OK');
      world.pass(40_000);
      expect(world.stack.counts()).toMatchObject({ dialogs: 0, clientTransactions: 0, unacknowledged: 0, timers: 0 });
    },
  );

  test('BYE of the peer stops it', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice');
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    world.appAnswers(app, '200 OK', contact);
    world.asks(alice, 'BYE', { toTag: toTagOf(world.lastSent('SIP/2.0 200')), cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.pass(60_000);
    expect(world.ladder.filter((line) => line.includes('200 INVITE'))).toHaveLength(1);
    expect(world.stack.counts().timers).toBe(0);
  });
});

test('RFC 3261 8.2.6.1: 100 repeats the Timestamp', () => {
  const world = new StackWorld('strict');
  const alice = world.peer('alice');
  world.application(1, 'invite');
  world.asks(alice, 'INVITE', { more: ['Timestamp: 54'] });
  expect(headerOf(world.lastSent('SIP/2.0 100'), 'Timestamp')).toBe('54');
});
