import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, steps, toTagOf, type WorldPeer } from './stack-world.ts';

const from = ['From: <sip:conf1@localhost>;tag=ours', 'Call-ID: chosen', 'Contact: <sip:conf1@localhost>;isfocus'];

/** An INVITE of the application to bob, on its way. */
function calling(mode: 'free' | 'strict', protocol: 'udp' | 'tcp' = 'udp'): { world: StackWorld; bob: WorldPeer } {
  const world = new StackWorld(mode);
  const bob = world.peer('bob', { protocol });
  world.application(1);
  const uri = `sip:bob@10.0.0.1${protocol === 'tcp' ? ';transport=tcp' : ''}`;
  world.appAsks(1, `INVITE ${uri}`, { headers: from });
  return { world, bob };
}

const dialogId = 'chosen;from-tag=ours';

describe('requests outside dialogs', () => {
  test('a call: confirmed, rung, answered, acknowledged, ended by the peer', () => {
    const { world, bob } = calling('free');
    const invite = world.lastSent('INVITE');
    world.answers(bob, invite, '100 Trying');
    world.answers(bob, invite, '180 Ringing');
    world.answers(bob, invite, '200 OK');
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    world.asks(bob, 'BYE', { callId: 'chosen', toTag: 'ours' });
    world.appAnswers(1, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 app1 -> sipd : INVITE
        0 sipd -> app1 : OK
        0 sipd -> bob : INVITE
        0 bob -> sipd : 100 INVITE
        0 sipd -> app1 : event 100 INVITE
        0 bob -> sipd : 180 INVITE
        0 sipd -> app1 : event 180 INVITE in chosen;from-tag=ours
        0 bob -> sipd : 200 INVITE
        0 sipd -> app1 : event 200 INVITE in chosen;from-tag=ours
        0 app1 -> sipd : ACK
        0 sipd -> bob : ACK
        0 sipd -> app1 : OK
        0 bob -> sipd : BYE
        0 sipd -> app1 : event BYE in chosen;from-tag=ours
        0 app1 -> sipd : 200
        0 sipd -> bob : 200 BYE
        0 sipd -> app1 : OK`),
    );
    world.pass(40_000);
    expect(world.stack.counts()).toMatchObject({
      clientTransactions: 0,
      serverTransactions: 0,
      dialogs: 0,
      calls: 0,
      timers: 0,
    });
  });

  test('what the application leaves out is filled in, what it gives is taken', () => {
    const world = new StackWorld('free');
    world.peer('bob');
    world.application(1);
    world.appAsks(1, 'INVITE sip:bob@10.0.0.1', {
      headers: ['join: x', 'X-a-B: c', 'Route: <sip:evil>', 'Via: mine', 'bad line'],
    });
    const text = world.lastSent('INVITE');
    expect(headerOf(text, 'Via')).toMatch(/^SIP\/2\.0\/UDP 10\.0\.0\.9:5060;branch=z9hG4bK\w+;rport$/);
    expect(headerLines(text, 'Via')).toHaveLength(1);
    expect(headerLines(text, 'Route')).toEqual([]);
    expect(headerOf(text, 'Max-Forwards')).toBe('70');
    expect(headerOf(text, 'From')).toMatch(/^<sip:10\.0\.0\.9:5060>;tag=\w+$/);
    expect(headerOf(text, 'To')).toBe('<sip:bob@10.0.0.1>');
    expect(headerOf(text, 'Contact')).toBe('<sip:10.0.0.9:5060>');
    expect(headerLines(text, 'Join')).toEqual(['Join: x']);
    expect(headerLines(text, 'X-a-B')).toEqual(['X-a-B: c']);
    expect(text).not.toMatch(/User-Agent|Server|Allow|Supported|Date/);
    const reply = world.lastReply(1);
    expect(reply.tokens.slice(0, 6)).toEqual(['OK', 'application', String(text.length), 'udp', '10.0.0.9', '5060']);
    expect(reply.tokens.slice(8)).toEqual(['Msg sent:', '']);
    expect(reply.text).toBe(text);
  });

  test('a display name, a bare URI and a port are kept or replaced where localhost is written', () => {
    const world = new StackWorld('free');
    world.peer('bob');
    world.application(1);
    const headers = [
      'From: sip:conf1@localhost:9;tag=t',
      'Contact: "C" <sip:c@localhost;x=y>;isfocus',
      'P-Asserted-Identity: <sip:c@localhost>',
    ];
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1', { headers: [...headers, 'Referred-By: <sip:c@localhost>'] });
    const text = world.lastSent('MESSAGE');
    expect(headerOf(text, 'From')).toBe('<sip:conf1@10.0.0.9:5060>;tag=t');
    expect(headerOf(text, 'Contact')).toBe('"C" <sip:c@10.0.0.9:5060;x=y>;isfocus');
    expect(headerOf(text, 'P-Asserted-Identity')).toBe('<sip:c@10.0.0.9:5060>');
    expect(headerOf(text, 'Referred-By')).toBe('<sip:c@localhost>');
  });

  test.each([
    ['free', [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]],
    ['strict', [0, 1_000, 3_000, 7_000, 15_000, 31_000]],
  ] as const)('%s: an INVITE nobody answers is repeated, and given up with 408 after 32 s', (mode, expected) => {
    const { world } = calling(mode);
    world.pass(32_000);
    const times = world.ladder.filter((line) => line.includes('-> bob')).map((line) => Number(line.split(' ')[0]));
    expect(times).toEqual(expected);
    expect(world.ladder.at(-1)).toBe('32000 sipd -> app1 : event 408 INVITE');
    const event = world.lastEvent(1);
    expect(event.tokens.slice(2, 7)).toEqual(['network', '0', 'udp', '', '0']);
    expect(event.text).toMatch(/^SIP\/2\.0 408 Request Timeout\r\nVia: SIP\/2\.0\/UDP 10\.0\.0\.9:5060/);
    expect(toTagOf(event.text)).not.toBe('');
    expect(world.stack.counts()).toMatchObject({ clientTransactions: 0, calls: 0, timers: 0 });
  });

  test('over TCP nothing is repeated', () => {
    const { world } = calling('free', 'tcp');
    world.pass(32_000);
    expect(world.ladder.filter((line) => line.includes('-> bob'))).toHaveLength(1);
    expect(world.ladder.at(-1)).toBe('32000 sipd -> app1 : event 408 INVITE');
  });

  test('a final refusal is acknowledged by the server, every time it comes', () => {
    const { world, bob } = calling('free');
    const invite = world.lastSent('INVITE');
    for (let count = 0; count < 2; count += 1) world.answers(bob, invite, '486 Busy Here');
    const acks = world.sent.filter(({ text }) => text.startsWith('ACK'));
    expect(acks).toHaveLength(2);
    const ack = acks[0]?.text ?? '';
    expect(headerOf(ack, 'Via')).toBe(headerOf(invite, 'Via'));
    expect(toTagOf(ack)).toBe('bob');
    expect(world.frames.filter(({ payload }) => payload.includes('SIP/2.0 486'))).toHaveLength(1);
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    expect(world.lastReply(1).tokens[0]).toBe('NOK');
  });

  test('503 at once when nobody is there or the connection breaks (the daemon: 410 for that)', () => {
    const udp = calling('free');
    udp.world.input({ kind: 'peer-unreachable', peer: udp.bob.at, reason: 'ECONNREFUSED' });
    expect(udp.world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 INVITE');
    for (const [mode, status] of [
      ['free', 503],
      ['strict', 410],
    ] as const) {
      const { world, bob } = calling(mode, 'tcp');
      world.input({ kind: 'connection-closed', peer: { ...bob.at, connection: 5 } });
      expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event ${status} INVITE`);
    }
  });

  test('the proxy token says where the request goes', () => {
    const world = new StackWorld('free');
    world.peer('edge', { protocol: 'tcp', port: 5070 });
    world.application(1);
    world.appAsks(1, 'OPTIONS sip:bob@example.com', { proxy: 'sip:10.0.0.1:5070;transport=tcp' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> edge : OPTIONS');
    expect(world.lastReply(1).tokens.slice(3, 6)).toEqual(['tcp', '10.0.0.1', '5070']);
  });

  test('a host name is looked up first; one that leads nowhere becomes 503 DNS Error', () => {
    const world = new StackWorld('free');
    world.peer('bob');
    world.application(1);
    world.appAsks(1, 'OPTIONS sip:bob@example.com:5060');
    world.finds({ kind: 'a', addresses: ['10.0.0.1'] });
    world.appAsks(1, 'OPTIONS sip:bob@nowhere.invalid:5060');
    world.finds({ kind: 'a', addresses: [] });
    world.appAsks(1, 'OPTIONS sip:bob@slow.example.com:5060');
    world.pass(32_000);
    expect(world.ladder.filter((line) => !line.includes('app1 ->') && !line.includes('-> bob'))).toEqual([
      '0 sipd -> app1 : OK',
      '0 sipd looks up a example.com',
      '0 sipd -> app1 : OK',
      '0 sipd looks up a nowhere.invalid',
      '0 sipd -> app1 : event 503 OPTIONS',
      '0 sipd -> app1 : OK',
      '0 sipd looks up a slow.example.com',
      '32000 sipd -> app1 : event 408 OPTIONS',
      '32000 sipd -> app1 : event 503 OPTIONS',
    ]);
    expect(world.lastEvent(1).text).toContain('503 DNS Error');
    expect(world.stack.counts()).toMatchObject({ lookups: 0, calls: 0 });
  });

  test.each([
    ['INVITE sip:x@10.0.0.9', {}, 'can not send request to myself'],
    ['INVITE sip:x@127.0.0.1', {}, 'can not send request to myself'],
    ['INVITE tel:+1234', {}, 'no route to tel uri: tel:+1234'],
    ['INVITE tel:+1234', { proxy: 'sip:10.0.0.1' }, 'no route to tel uri: tel:+1234'],
    ['INVITE sip:x@10.0.0.1;transport=sctp', {}, 'requested protocol/transport not available'],
    ['INVITE conf', {}, 'invalid request-uri: conf'],
    ['BYE sip:x@10.0.0.1', {}, 'invalid request-uri: BYE sip:x@10.0.0.1 SIP/2.0'],
    ['FOO sip:x@10.0.0.1', {}, 'invalid request-uri: FOO sip:x@10.0.0.1 SIP/2.0'],
    ['MESSAGE sip:x@10.0.0.1', { body: 'hi' }, 'missing content-type'],
    ['CANCEL sip:x@10.0.0.1', { transactionId: 'none' }, 'unable to cancel unknown transaction id: none'],
    ['INFO sip:placeholder', { dialogId: 'none' }, 'Server error: unable to find dialog for dialog id provided'],
  ])('%s %o is refused', (line, fields, text) => {
    const world = new StackWorld('strict');
    world.application(1);
    world.appAsks(1, line, fields);
    expect(world.lastReply(1).tokens).toEqual(['NOK', text]);
    expect(world.sent).toEqual([]);
  });

  test('sips: without a secure listener is taken and then answered 416', () => {
    const world = new StackWorld('free');
    world.application(1);
    world.appAsks(1, 'OPTIONS sips:bob@10.0.0.1');
    expect(world.ladder.slice(1)).toEqual(['0 sipd -> app1 : OK', '0 sipd -> app1 : event 416 OPTIONS']);
  });
});

describe('CANCEL of the application', () => {
  test('waits for a provisional answer; a call that never ends is given up after 32 s (the daemon just forgets it)', () => {
    for (const mode of ['free', 'strict'] as const) {
      const { world, bob } = calling(mode);
      const { transactionId } = { transactionId: world.lastReply(1).tokens[7] ?? '' };
      world.appAsks(1, 'CANCEL sip:bob@10.0.0.1', { transactionId, headers: ['Reason: SIP;cause=200'] });
      expect(world.lastReply(1).tokens.slice(0, 3)).toEqual(['OK', 'application', '0']);
      expect(world.sent.some(({ text }) => text.startsWith('CANCEL'))).toBe(false);
      const invite = world.lastSent('INVITE');
      world.answers(bob, invite, '180 Ringing');
      const cancel = world.lastSent('CANCEL');
      expect(headerOf(cancel, 'Via')).toBe(headerOf(invite, 'Via'));
      expect(headerOf(cancel, 'Reason')).toBe('SIP;cause=200');
      world.answers(bob, cancel, '200 OK');
      world.pass(64_000);
      const ends = world.ladder.filter((line) => line.includes('event 408'));
      expect(ends).toEqual(mode === 'free' ? ['32000 sipd -> app1 : event 408 INVITE in chosen;from-tag=ours'] : []);
      expect(world.stack.counts()).toMatchObject({ calls: 0, dialogs: 0, clientTransactions: 0, timers: 0 });
    }
  });

  test('a 200 that crosses it: the application acknowledges, the server hangs up and says so', () => {
    const { world, bob } = calling('free');
    const transactionId = world.lastReply(1).tokens[7] ?? '';
    const invite = world.lastSent('INVITE');
    world.answers(bob, invite, '180 Ringing');
    world.appAsks(1, 'CANCEL sip:bob@10.0.0.1', { transactionId });
    world.answers(bob, invite, '200 OK');
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    expect(world.ladder.slice(-5)).toEqual(
      steps(`
        0 app1 -> sipd : ACK
        0 sipd -> bob : ACK
        0 sipd -> app1 : OK
        0 sipd -> app1 : event BYE in chosen;from-tag=ours unsolicited
        0 sipd -> bob : BYE`),
    );
    expect(headerOf(world.lastSent('BYE'), 'Reason')).toBe('SIP;cause=200;text="ACK-BYE due to cancel race condition"');
  });
});

describe('200 to our INVITE', () => {
  test('repeated, it gets the same ACK again; from another branch of a fork, an ACK and a BYE of its own', () => {
    const { world, bob } = calling('free');
    const invite = world.lastSent('INVITE');
    world.answers(bob, invite, '200 OK');
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    const ack = world.lastSent('ACK');
    world.answers(bob, invite, '200 OK');
    expect(world.sent.at(-1)?.text).toBe(ack);
    world.answers(bob, invite, { status: '200 OK', toTag: 'other' });
    expect(toTagOf(world.lastSent('ACK'))).toBe('other');
    expect(toTagOf(world.lastSent('BYE'))).toBe('other');
    expect(world.frames.filter(({ payload }) => payload.includes('SIP/2.0 200'))).toHaveLength(1);
    expect(world.stack.counts().dialogs).toBe(1);
  });

  test('after the application has gone it is acknowledged and hung up', () => {
    const { world, bob } = calling('free');
    world.input({ kind: 'session-closed', session: 1 });
    world.answers(bob, world.lastSent('INVITE'), '200 OK');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> bob : ACK', '0 sipd -> bob : BYE']);
  });

  test('without Contact there is no way back: the ACK is refused, and nothing of the call stays', () => {
    for (const mode of ['free', 'strict'] as const) {
      const { world, bob } = calling(mode);
      const invite = world.lastSent('INVITE');
      world.answers(bob, invite, { status: '200 OK', contact: '' });
      world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
      expect(world.lastReply(1).tokens[1]).toContain('unable to find route when sending request inside dialog');
      expect(world.stack.counts().dialogs).toBe(0);
      world.answers(bob, invite, { status: '200 OK', contact: '' });
      world.pass(64_000);
      expect(world.ladder.filter((line) => line.includes('-> bob'))).toEqual(['0 sipd -> bob : INVITE']);
      expect(world.stack.counts()).toMatchObject({ calls: 0, dialogs: 0, clientTransactions: 0, timers: 0 });
    }
  });

  test('18x to a re-INVITE makes the daemon lose the answer; we do not', () => {
    for (const [mode, count] of [
      ['free', 2],
      ['strict', 1],
    ] as const) {
      const { world, bob } = calling(mode);
      world.answers(bob, world.lastSent('INVITE'), '200 OK');
      world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
      world.appAsks(1, 'INVITE sip:placeholder', { dialogId });
      const again = world.lastSent('INVITE');
      world.answers(bob, again, '180 Ringing');
      world.answers(bob, again, '200 OK');
      expect(world.frames.filter(({ payload }) => payload.includes('SIP/2.0 200'))).toHaveLength(count);
    }
  });
});
