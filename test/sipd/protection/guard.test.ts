/** What one source may do to the server, and what the server does under too much load, as ladders. */
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import type { ProtectionOptions } from '../../../src/sipd/protection/guard.ts';
import { headerOf, plainSockets, StackWorld, steps, toTagOf } from '../stack-world.ts';

const sources = {
  requests: { perSecond: 2, burst: 3 },
  refusals: { perSecond: 1, burst: 1 },
  openTransactions: 100,
  unacknowledgedFinals: 100,
};

function open(protection: ProtectionOptions = { sources }) {
  const world = new StackWorld('free', plainSockets, { protection });
  const mallory = world.peer('mallory');
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'options', 'message', 'subscribe', 'notify');
  return { world, mallory, alice, app };
}

describe('the rate of one source', () => {
  test('beyond it a request is refused with Retry-After, then dropped; others are not concerned; time heals', () => {
    const { world, mallory, alice } = open();
    for (const callId of ['a', 'b', 'c', 'd', 'e']) world.asks(mallory, 'OPTIONS', { callId: callId });
    world.asks(alice, 'OPTIONS', { callId: 'f' });
    world.pass(500);
    world.asks(mallory, 'OPTIONS', { callId: 'g' });
    world.asks(mallory, 'OPTIONS', { callId: 'h' });
    world.pass(500);
    world.asks(mallory, 'OPTIONS', { callId: 'i' });
    expect(world.ladder).toEqual(
      steps(`
        0 mallory -> sipd : OPTIONS
        0 sipd -> app1 : event OPTIONS
        0 mallory -> sipd : OPTIONS
        0 sipd -> app1 : event OPTIONS
        0 mallory -> sipd : OPTIONS
        0 sipd -> app1 : event OPTIONS
        0 mallory -> sipd : OPTIONS
        0 sipd -> mallory : 503 OPTIONS
        0 mallory -> sipd : OPTIONS
        0 alice -> sipd : OPTIONS
        0 sipd -> app1 : event OPTIONS
        500 mallory -> sipd : OPTIONS
        500 sipd -> app1 : event OPTIONS
        500 mallory -> sipd : OPTIONS
        1000 mallory -> sipd : OPTIONS
        1000 sipd -> app1 : event OPTIONS`),
    );
    const seconds = Number(headerOf(world.lastSent('SIP/2.0 503'), 'Retry-After'));
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeLessThanOrEqual(15);
    expect(world.stack.counters()).toMatchObject({ limitedRequests: 1, droppedMessages: 2 });
  });

  test('a trusted source has none', () => {
    const { world, mallory } = open({ sources, isTrusted: (address) => address === '10.0.0.1' });
    for (let count = 0; count < 20; count += 1) world.asks(mallory, 'OPTIONS', { callId: `c${count}` });
    expect(world.frames).toHaveLength(20);
  });

  test('all addresses of one IPv6 network are one source', () => {
    const { world, alice: neighbour } = open();
    for (const end of ['1', '2', '3', '4', '5']) {
      const from = world.peer(`m${end}`, { host: `2001:db8:0:1::${end}` });
      world.receive(from, world.request(neighbour, 'OPTIONS', { callId: end }));
    }
    expect(world.frames).toHaveLength(3);
    world.receive(world.peer('other', { host: '2001:db8:0:2::1' }), world.request(neighbour, 'OPTIONS'));
    expect(world.frames).toHaveLength(4);
  });

  test('a request that was let in before is still repeated, its ACK taken, and our own requests get their answers', () => {
    const { world, mallory, app } = open();
    const invite = world.asks(mallory, 'INVITE', { callId: 'a' });
    world.appAnswers(app, '486 Busy Here');
    const tag = toTagOf(world.lastSent('SIP/2.0 486'));
    const branch = /branch=([^;\r]+)/.exec(invite)?.[1] ?? '';
    world.appAsks(app, 'OPTIONS sip:mallory@10.0.0.1');
    const asked = world.lastSent('OPTIONS ');
    world.asks(mallory, 'OPTIONS', { callId: 'b' });
    world.asks(mallory, 'OPTIONS', { callId: 'c' });
    world.ladder.length = 0;
    world.receive(mallory, invite);
    world.asks(mallory, 'ACK', { callId: 'a', branch, toTag: tag });
    world.answers(mallory, asked, '200 OK');
    world.pass(3_000);
    expect(world.ladder).toEqual(
      steps(`
        0 mallory -> sipd : INVITE
        0 sipd -> mallory : 486 INVITE
        0 mallory -> sipd : ACK
        0 mallory -> sipd : 200 OPTIONS
        0 sipd -> app1 : event 200 OPTIONS`),
    );
  });

  test('BYE of a call and CANCEL of an INVITE are taken in place of their refusal, since nobody sends them again', () => {
    const { world, mallory, app } = open({ sources: { ...sources, refusals: { perSecond: 1, burst: 5 } } });
    world.asks(mallory, 'INVITE', { callId: 'a' });
    world.appAnswers(app, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(mallory, 'ACK', { callId: 'a', toTag });
    const ringing = world.asks(mallory, 'INVITE', { callId: 'b' });
    world.ladder.length = 0;
    world.asks(mallory, 'INFO', { callId: 'a', toTag, cseq: 2 });
    world.asks(mallory, 'BYE', { callId: 'a', toTag, cseq: 3 });
    world.receive(mallory, ringing.replace(/INVITE/g, 'CANCEL'));
    world.asks(mallory, 'BYE', { callId: 'x', toTag: 'x' });
    world.asks(mallory, 'CANCEL', { callId: 'y' });
    world.asks(mallory, 'BYE', { callId: 'a', toTag, cseq: 4 });
    expect(world.ladder).toEqual(
      steps(`
        0 mallory -> sipd : INFO
        0 sipd -> mallory : 503 INFO
        0 mallory -> sipd : BYE
        0 sipd -> app1 : event BYE in a;from-tag=mallory
        0 mallory -> sipd : CANCEL
        0 sipd -> mallory : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> mallory : 487 INVITE
        0 mallory -> sipd : BYE
        0 sipd -> mallory : 503 BYE
        0 mallory -> sipd : CANCEL
        0 sipd -> mallory : 503 CANCEL
        0 mallory -> sipd : BYE`),
    );
  });

  test('answers nobody waits for and ACKs of nothing are dropped unread once the rate is exceeded', () => {
    const { world, mallory } = open();
    for (let count = 0; count < 10; count += 1) world.receive(mallory, 'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\n\r\n');
    for (let count = 0; count < 10; count += 1) world.asks(mallory, 'ACK', { callId: `c${count}` });
    expect(world.sent).toEqual([]);
    expect(world.stack.counters()).toMatchObject({ ignoredMessages: 3, droppedMessages: 17 });
  });

  test('an answer left without its ACK lets in as many ACKs beyond the rate as the rate itself, not a flood', () => {
    const { world, mallory, app } = open();
    world.asks(mallory, 'INVITE', { callId: 'a' });
    world.appAnswers(app, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    for (let count = 0; count < 100; count += 1) {
      world.asks(mallory, 'INVITE', { callId: 'b' });
      world.asks(mallory, 'ACK', { callId: 'a', toTag, cseq: 7 });
    }
    expect(world.ladder.filter((line) => line.includes('event ACK'))).toHaveLength(1 + sources.requests.burst);
  });

  test('malformed requests count too, and their refusals are no more than the rate lets pass', () => {
    const { world, mallory } = open();
    const text = world.request(mallory, 'OPTIONS').replace('CSeq: 1', 'CSeq: x');
    for (let count = 0; count < 100; count += 1) world.receive(mallory, text);
    expect(world.sent.map((each) => each.text.slice(8, 11))).toEqual(['400', '400', '400', '400']);
    expect(world.outputs.filter(({ kind }) => kind === 'log')).toHaveLength(2);
  });
});

describe('what one source may keep open', () => {
  test('transactions: the next is refused without one; in-dialog requests and CANCEL are let in', () => {
    const { world, mallory, app } = open({ sources: { openTransactions: 2 } });
    const first = world.asks(mallory, 'INVITE', { callId: 'a' });
    world.appAnswers(app, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    const invite = world.asks(mallory, 'INVITE', { callId: 'b' });
    world.ladder.length = 0;
    world.asks(mallory, 'INVITE', { callId: 'c' });
    world.asks(mallory, 'MESSAGE', { callId: 'd' });
    world.asks(mallory, 'ACK', { callId: 'a', toTag });
    world.asks(mallory, 'BYE', { callId: 'a', toTag, cseq: 2 });
    world.receive(mallory, invite.replace(/INVITE/g, 'CANCEL'));
    expect(first).toContain('INVITE');
    expect(world.ladder.filter((line) => !line.includes('event'))).toEqual(
      steps(`
        0 mallory -> sipd : INVITE
        0 sipd -> mallory : 503 INVITE
        0 mallory -> sipd : MESSAGE
        0 sipd -> mallory : 503 MESSAGE
        0 mallory -> sipd : ACK
        0 mallory -> sipd : BYE
        0 mallory -> sipd : CANCEL
        0 sipd -> mallory : 200 CANCEL
        0 sipd -> mallory : 487 INVITE`),
    );
    world.pass(100_000);
    world.asks(mallory, 'MESSAGE', { callId: 'e' });
    expect(world.ladder.at(-1)).toBe('100000 sipd -> app1 : event MESSAGE');
    expect(world.stack.counters().crowdedRequests).toBe(2);
  });

  test('final answers that wait for an ACK: what pretends to call from a victim’s address makes it few packets', () => {
    const { world, mallory: victim, app } = open({ sources: { unacknowledgedFinals: 3 } });
    for (let count = 0; count < 50; count += 1) {
      const before = world.frames.length;
      world.asks(victim, 'INVITE', { callId: `c${count}` });
      if (world.frames.length > before) world.appAnswers(app, count % 2 === 0 ? '486 Busy Here' : '200 OK');
    }
    world.pass(40_000);
    const counts = (status: string): number =>
      world.sent.filter(({ text }) => text.startsWith(`SIP/2.0 ${status}`) && text.includes(' INVITE\r\n')).length;
    // RFC 3261 17.2.1, 13.3.1.4: eleven times each at most, and one 503 for each of the rest.
    expect(counts('486')).toBeLessThanOrEqual(22);
    expect(counts('200')).toBeLessThanOrEqual(11);
    expect(counts('503')).toBe(47);
    world.pass(100_000);
    world.asks(victim, 'INVITE', { callId: 'again' });
    expect(world.ladder.at(-1)).toMatch(/event INVITE$/);
  });
});

describe('packets go to their source only', () => {
  test('whatever Via says, the answer goes to the address it came from, and repeats its headers only', () => {
    const { world, mallory } = open({});
    for (const via of [
      '192.0.2.7:9',
      '192.0.2.7;maddr=192.0.2.8',
      '192.0.2.7;received=192.0.2.9;rport=7',
      '192.0.2.7',
    ]) {
      const text = world.request(mallory, 'BYE').replace(/10\.0\.0\.1:5060;/, `${via};`);
      world.receive(mallory, text);
      const sent = world.outputs.findLast((each) => each.kind === 'send');
      expect(sent?.kind === 'send' && sent.to.host).toBe('10.0.0.1');
      expect(sent?.kind === 'send' && sent.text.length <= text.length + 80).toBe(true);
    }
  });

  test('what names no SIP in its first line is not answered at all', () => {
    const { world, mallory } = open({});
    for (const text of ['GET / HTTP/1.1\r\nVia: SIP/2.0/UDP a\r\n\r\n', 'x\r\nVia: SIP/2.0/UDP a\r\n\r\n', '\0\0\0']) {
      world.receive(mallory, text);
    }
    expect(world.sent).toEqual([]);
  });
});

describe('overload', () => {
  const high = { kind: 'load-measured', delayMs: 1_001, queuedBytes: 0 } as const;
  const middle = { ...high, delayMs: 300 };
  const low = { ...high, delayMs: 0 };

  test('new requests are refused before the application hears of them; what has begun goes on', () => {
    const { world, alice, app } = open({});
    world.asks(alice, 'INVITE', { callId: 'call' });
    world.appAnswers(app, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    const ringing = world.asks(alice, 'INVITE', { callId: 'ringing' });
    world.input(high);
    world.input(high);
    world.ladder.length = 0;
    for (const method of ['INVITE', 'SUBSCRIBE', 'OPTIONS', 'MESSAGE', 'NOTIFY'])
      world.asks(alice, method, { callId: method });
    world.asks(alice, 'ACK', { callId: 'call', toTag });
    world.asks(alice, 'INVITE', { callId: 'call', toTag, cseq: 2 });
    world.asks(alice, 'BYE', { callId: 'call', toTag, cseq: 3 });
    world.receive(alice, ringing.replace(/INVITE/g, 'CANCEL'));
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> alice : 503 INVITE
        0 alice -> sipd : SUBSCRIBE
        0 sipd -> alice : 503 SUBSCRIBE
        0 alice -> sipd : OPTIONS
        0 sipd -> alice : 503 OPTIONS
        0 alice -> sipd : MESSAGE
        0 sipd -> alice : 503 MESSAGE
        0 alice -> sipd : NOTIFY
        0 sipd -> app1 : event NOTIFY
        0 alice -> sipd : ACK
        0 sipd -> app1 : event ACK in call;from-tag=alice
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE in call;from-tag=alice
        0 alice -> sipd : BYE
        0 sipd -> app1 : event BYE in call;from-tag=alice
        0 sipd -> alice : 487 INVITE
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> app1 : event CANCEL
        0 sipd -> alice : 487 INVITE`),
    );
    expect(world.lastSent('SIP/2.0 503')).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect([world.stack.counters().shedRequests, world.stack.load()]).toEqual([4, 'shedding']);
  });

  test('one long pause refuses nobody; it is over after two low measurements, and the log says when', () => {
    const { world } = open({});
    const states = [high, middle, high, high, middle, low, middle, low, low].map((input) => {
      world.input(input);
      return world.stack.load();
    });
    expect(states).toEqual([
      'strained',
      'calm',
      'strained',
      'shedding',
      'shedding',
      'easing',
      'shedding',
      'easing',
      'calm',
    ]);
    const logged = world.outputs.flatMap((each) => (each.kind === 'log' ? [each.text] : []));
    expect(logged).toEqual(['overload: new requests are refused', 'overload is over']);
  });

  test.each([
    ['an application that does not read', { queuedBytes: limits.load.queuedBytes.high + 1 }, 0],
    ['an application that does not answer', {}, 5],
  ])('%s is overload too', (_, fields, waiting) => {
    const { world, alice } = open({ load: { pendingRequests: { high: 4, low: 1 } } });
    for (let count = 0; count < waiting; count += 1) world.asks(alice, 'OPTIONS', { callId: `c${count}` });
    for (let count = 0; count < 2; count += 1) world.input({ ...low, ...fields });
    expect(world.stack.load()).toBe('shedding');
  });
});

describe('the log', () => {
  test('tells of the first of a kind at once, of the others by number, every ten seconds', () => {
    const { world, mallory } = open({ isTrusted: () => true });
    const text = world.request(mallory, 'OPTIONS').replace('CSeq: 1', 'CSeq: x');
    for (let second = 0; second < 25; second += 1) {
      for (let count = 0; count < 4; count += 1) world.receive(mallory, text);
      world.pass(1_000);
    }
    const counts = world.outputs.flatMap((each) => (each.kind === 'log' ? [each.fields['count']] : []));
    expect(counts).toEqual([1, 40, 40]);
    expect(world.stack.counters().malformedRequests).toBe(100);
  });
});
