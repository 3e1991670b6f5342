import { describe, expect, test } from 'vitest';
import { headerOf, steps, toTagOf } from '../stack-world.ts';
import { answered, asked, forward, got, nothing, scene, statusOf, toBob, toCarol, values } from './proxying.ts';

describe('one target', () => {
  test('an INVITE, its ringing and its answer go through; 100 does not', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob]);
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '100 Trying');
    world.answers(bob, invite, '180 Ringing');
    world.answers(bob, invite, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 sipd -> bob : INVITE
        0 bob -> sipd : 100 INVITE
        0 bob -> sipd : 180 INVITE
        0 sipd -> alice : 180 INVITE
        0 bob -> sipd : 200 INVITE
        0 sipd -> app1 : OK
        0 sipd -> alice : 200 INVITE
        0 sipd -> app1 : OK`),
    );
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('the copy has our Via on top, one hop less, and all else as it came', () => {
    const stage = scene();
    const { world, bob } = stage;
    const more = ['Max-Forwards: 10', 'X-Any: kept', 'Supported: a', 'Supported: b', 'Content-Type: text/plain'];
    const text = asked(stage, [toBob], { request: { more, body: 'hello', first: ['Record-Route: <sip:p1;lr>'] } });
    const copy = got(world, bob, 'INVITE');
    expect(copy.split('\r\n')[0]).toBe('INVITE sip:10.0.0.2 SIP/2.0');
    const [ours = '', theirs = ''] = values(copy, 'Via');
    expect(ours).toMatch(/^SIP\/2\.0\/UDP 10\.0\.0\.9:5060;branch=z9hG4bK[0-9a-z]+-s[0-9a-z]+;rport$/);
    expect(theirs).toBe(`${values(text, 'Via')[0]};rport=5060`);
    expect(values(copy, 'Record-Route')).toEqual(['<sip:p1;lr>']);
    expect(values(copy, 'Max-Forwards')).toEqual(['9']);
    expect(values(copy, 'Max-Breadth')).toEqual(['60']);
    expect(values(copy, 'Supported')).toEqual(['a', 'b']);
    for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact', 'X-Any', 'Content-Type', 'Content-Length']) {
      expect(values(copy, name)).toEqual(values(text, name));
    }
    expect(copy.endsWith('\r\n\r\nhello')).toBe(true);
  });

  test('RFC 3261 16.6 step 3: without Max-Forwards the copy has 70', () => {
    const stage = scene();
    asked(stage, [toBob]);
    expect(headerOf(got(stage.world, stage.bob, 'INVITE'), 'Max-Forwards')).toBe('70');
  });

  test('a Request-URI that does not name this server stays; the destination is only the next hop', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { request: { uri: 'sip:bob@example.com' } });
    expect(got(world, bob, 'INVITE').split('\r\n')[0]).toBe('INVITE sip:bob@example.com SIP/2.0');
  });

  test('headers of the application take the place of those that came, but for the proxy’s own', () => {
    const stage = scene();
    const { world, bob } = stage;
    const headers = ['X-New: 1', 'subject: theirs', 'Via: SIP/2.0/UDP evil', 'From: <sip:x@y>;tag=z', 'Route: <sip:r>'];
    asked(stage, [toBob], { headers, request: { more: ['Subject: came'] } });
    const copy = got(world, bob, 'INVITE');
    expect(values(copy, 'Subject')).toEqual(['theirs']);
    expect(values(copy, 'X-New')).toEqual(['1']);
    expect(values(copy, 'Route')).toEqual([]);
    expect(values(copy, 'From')).toEqual(['<sip:alice@example.com>;tag=alice']);
    expect(copy).not.toContain('evil');
  });

  test('the answer goes back with the Vias of the request and the body it came with', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob], { request: { first: ['Via: SIP/2.0/UDP further;branch=z9hG4bKf'] } });
    world.answers(bob, got(world, bob, 'INVITE'), { status: '486 Nobody Home', more: ['X-Bob: yes'] });
    const answer = answered(world, alice);
    expect(answer.split('\r\n')[0]).toBe('SIP/2.0 486 Nobody Home');
    expect(values(answer, 'Via')).toEqual([
      'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK-1;rport=5060',
      'SIP/2.0/UDP further;branch=z9hG4bKf',
    ]);
    expect(values(answer, 'X-Bob')).toEqual(['yes']);
    expect(headerOf(answer, 'To')).toBe('<sip:focus@example.com>;tag=bob');
  });

  test('the ACK of a refusal is ours, and hers is not passed on', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '486 Busy Here');
    const ack = got(world, bob, 'ACK');
    expect(values(ack, 'Via')).toEqual([values(invite, 'Via')[0]]);
    expect(headerOf(ack, 'To')).toBe('<sip:focus@example.com>;tag=bob');
    const before = world.ladder.length;
    world.asks(alice, 'ACK', { branch: 'z9hG4bK-1', toTag: 'bob' });
    expect(world.ladder.slice(before)).toEqual(['0 alice -> sipd : ACK']);
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('100 goes to the caller after 200 ms, unless something else has gone', () => {
    const silent = scene();
    asked(silent, [toBob]);
    silent.world.pass(200);
    expect(statusOf(answered(silent.world, silent.alice))).toBe(100);
    const ringing = scene();
    asked(ringing, [toBob]);
    ringing.world.answers(ringing.bob, got(ringing.world, ringing.bob, 'INVITE'), '180 Ringing');
    ringing.world.pass(300);
    expect(statusOf(answered(ringing.world, ringing.alice))).toBe(180);
  });

  test('a MESSAGE and its answer go through, a provisional answer other than 100 does not (RFC 4320 4.1)', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { method: 'MESSAGE', request: { body: 'hi', more: ['Content-Type: text/plain'] } });
    const message = got(world, bob, 'MESSAGE');
    world.answers(bob, message, '183 Progress');
    world.answers(bob, message, '202 Accepted');
    world.answers(bob, message, '202 Accepted');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : MESSAGE
        0 sipd -> app1 : event MESSAGE
        0 sipd -> bob : MESSAGE
        0 bob -> sipd : 183 MESSAGE
        0 bob -> sipd : 202 MESSAGE
        0 sipd -> app1 : OK
        0 sipd -> alice : 202 MESSAGE
        0 sipd -> app1 : OK
        0 bob -> sipd : 202 MESSAGE`),
    );
    world.pass(64_000);
    expect(world.stack.counts()).toEqual(nothing);
  });

  test('an INVITE that is lost is sent again, and one that comes again is not forwarded again', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    const text = asked(stage, [toBob]);
    world.receive(alice, text);
    world.pass(500);
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '486 Busy Here');
    world.receive(alice, text);
    world.answers(bob, invite, '486 Busy Here');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 sipd -> bob : INVITE
        0 alice -> sipd : INVITE
        200 sipd -> alice : 100 INVITE
        500 sipd -> bob : INVITE
        500 bob -> sipd : 486 INVITE
        500 sipd -> bob : ACK
        500 sipd -> app1 : OK
        500 sipd -> alice : 486 INVITE
        500 sipd -> app1 : OK
        500 alice -> sipd : INVITE
        500 sipd -> alice : 486 INVITE
        500 bob -> sipd : 486 INVITE
        500 sipd -> bob : ACK`),
    );
  });

  test('RFC 3261 16.7 step 5: a 2xx that is repeated goes back each time, also when it is late', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    const invite = got(world, bob, 'INVITE');
    world.answers(bob, invite, '200 OK');
    world.pass(31_900);
    world.answers(bob, invite, '200 OK');
    expect(world.sent.filter(({ to, text }) => to === alice.name && text.startsWith('SIP/2.0 200'))).toHaveLength(2);
    world.pass(64_000);
    const before = world.ladder.length;
    // RFC 6026: what belongs to no transaction any more is not passed on.
    world.answers(bob, invite, '200 OK');
    expect(world.ladder.slice(before)).toEqual(['95900 bob -> sipd : 200 INVITE']);
  });

  test('an answer with one Via only, and an answer to a request of ours with two, are those of no one', () => {
    const { world, bob } = scene();
    world.appAsks(1, 'OPTIONS sip:10.0.0.2');
    const options = got(world, bob, 'OPTIONS').replace(
      '\r\nMax-',
      '\r\nVia: SIP/2.0/UDP other;branch=z9hG4bKo\r\nMax-',
    );
    const before = world.frames.length;
    world.answers(bob, options, '200 OK');
    expect(world.frames.length).toBe(before);
  });
});

describe('what the application hears', () => {
  test('each final answer as it came, then done', () => {
    const stage = scene();
    const { world, bob, carol } = stage;
    asked(stage, [toBob, toCarol]);
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    const first = world.lastReply(1);
    expect(first.tokens).toEqual([
      'OK',
      'network',
      String(first.text.length),
      'udp',
      '10.0.0.2',
      '5060',
      '22:13:20.000000',
      '',
      '',
      'continue',
    ]);
    expect(first.text.startsWith('SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;')).toBe(true);
    world.answers(carol, got(world, carol, 'INVITE'), '200 OK');
    const replies = world.frames.map(({ payload }) => payload).filter((payload) => payload.includes('|response|'));
    expect(replies.map((payload) => payload.split('\r\n')[0]?.split('|').slice(3).join('|'))).toEqual([
      expect.stringContaining('|10.0.0.2|5060|'),
      expect.stringContaining('|10.0.0.3|5060|'),
      'OK|done',
    ]);
    expect(replies.map((payload) => payload.split('|')[2])).toEqual(Array(3).fill(replies[0]?.split('|')[2]));
  });

  test('without fullResponse only done', () => {
    const stage = scene();
    const { world, bob } = stage;
    asked(stage, [toBob], { fullResponse: false });
    world.answers(bob, got(world, bob, 'INVITE'), '486 Busy Here');
    expect(world.frames.filter(({ payload }) => payload.includes('|response|'))).toHaveLength(1);
    expect(world.lastReply(1).tokens).toEqual(['OK', 'done']);
  });

  test('the answer the server makes up, which came from nowhere', () => {
    const stage = scene();
    const { world } = stage;
    asked(stage, [toBob]);
    world.pass(32_000);
    const continued = world.frames.findLast(({ payload }) => payload.includes('|continue'))?.payload ?? '';
    expect(continued.split('|').slice(3, 9)).toEqual(['OK', 'network', '0', '', '', '0']);
    expect(continued).toContain('\r\nSIP/2.0 408 Request Timeout\r\n');
    expect(world.lastReply(1).tokens).toEqual(['OK', 'done']);
  });

  test.each([
    { what: 'a transaction nobody knows', wish: { transactionId: 'x' }, to: [toBob], text: 'unknown transaction' },
    { what: 'a destination that is no URI', wish: {}, to: ['nonsense'], text: 'invalid request-uri: nonsense' },
    { what: 'a telephone number', wish: {}, to: ['tel:+1'], text: 'no route to tel uri: tel:+1' },
    { what: 'no destination at all', wish: {}, to: [], text: 'no destination' },
  ])('$what is refused, and the request is still the application’s', ({ wish, to, text }) => {
    const stage = scene();
    const { world, alice } = stage;
    asked(stage, to, wish);
    expect(world.lastReply(1).tokens).toEqual(['NOK', text]);
    world.appAnswers(1, '404 Not Found');
    expect(statusOf(answered(world, alice))).toBe(404);
  });

  test('a request that has been answered provisionally is a call of the server, and not forwarded', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '180 Ringing');
    forward(world, [toBob]);
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'request belongs to a dialog of this server']);
  });

  test.each(['INFO', 'BYE'])('%s in a call of the server is not forwarded', (method) => {
    const { world, alice, bob } = scene();
    world.asks(alice, 'INVITE');
    world.appAnswers(1, '200 OK');
    const toTag = toTagOf(answered(world, alice));
    world.asks(alice, 'ACK', { toTag });
    world.asks(alice, method, { toTag, cseq: 2 });
    forward(world, [toBob]);
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'request belongs to a dialog of this server']);
    expect(world.sent.some(({ to }) => to === bob.name)).toBe(false);
  });

  test('a request is forwarded once', () => {
    const stage = scene();
    const { world } = stage;
    asked(stage, [toBob]);
    forward(world, [toCarol]);
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'unknown transaction']);
    world.appAnswers(1, '200 OK');
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  });

  test('an application that goes does not disturb what it has had forwarded', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    world.input({ kind: 'session-closed', session: 1 });
    const frames = world.frames.length;
    world.pass(1_000);
    world.answers(bob, got(world, bob, 'INVITE'), '200 OK');
    expect(statusOf(answered(world, alice))).toBe(200);
    expect(world.frames).toHaveLength(frames);
  });

  test('nobody waits for the application any more: what rings is left alone for three minutes', () => {
    const stage = scene();
    const { world, alice, bob } = stage;
    asked(stage, [toBob]);
    world.answers(bob, got(world, bob, 'INVITE'), '180 Ringing');
    world.pass(180_000);
    expect(statusOf(answered(world, alice))).toBe(180);
  });
});
