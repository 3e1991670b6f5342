import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, steps, toTagOf, type WorldPeer } from './stack-world.ts';

const reliable = ['Require: 100rel'];
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\n';

/** Alice's INVITE has come; `answer` answers it, whatever has come since. */
function invited(mode: 'free' | 'strict' = 'free', more = ['Supported: 100rel']) {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite');
  world.asks(alice, 'INVITE', { branch: 'z9hG4bK-invite', more });
  const { transactionId } = world.lastEvent(app);
  const answer = (status: string, headers: readonly string[] = [], body = ''): string =>
    world.say(app, `sip|${transactionId}|`, [`SIP/2.0 ${status}`, ...headers, '', body].join('\r\n'));
  return { world, alice, app, answer };
}

/** Alice acknowledges the latest reliable answer, or says another RAck. */
function prack({ world, alice }: { world: StackWorld; alice: WorldPeer }, cseq: number, rack?: string): void {
  const answer = world.lastSent('SIP/2.0 18');
  const more = [`RAck: ${rack ?? `${headerOf(answer, 'RSeq')} 1 INVITE`}`];
  world.asks(alice, 'PRACK', { toTag: toTagOf(answer), cseq, more });
}

describe('RFC 3262: provisional answers that need a PRACK', () => {
  test('one is repeated at T1, doubling, until its PRACK, which the application gets and answers', () => {
    const { world, alice, app, answer } = invited();
    answer('183 Session Progress', reliable, sdp);
    const sent = world.lastSent('SIP/2.0 183');
    expect(Number(headerOf(sent, 'RSeq'))).toBeGreaterThan(0);
    expect(Number(headerOf(sent, 'RSeq'))).toBeLessThan(2 ** 31);
    expect(headerOf(sent, 'Contact')).toBe('<sip:10.0.0.9:5060>');
    expect(headerOf(sent, 'Require')).toBe('100rel');
    world.pass(4_000);
    prack({ world, alice }, 2);
    world.appAnswers(app, '200 OK');
    world.pass(60_000);
    answer('200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd -> app1 : event INVITE
        0 app1 -> sipd : 183
        0 sipd -> alice : 183 INVITE
        0 sipd -> app1 : OK
        500 sipd -> alice : 183 INVITE
        1500 sipd -> alice : 183 INVITE
        3500 sipd -> alice : 183 INVITE
        4000 alice -> sipd : PRACK
        4000 sipd -> app1 : event PRACK in call-alice;from-tag=alice
        4000 app1 -> sipd : 200
        4000 sipd -> alice : 200 PRACK
        4000 sipd -> app1 : OK
        64000 app1 -> sipd : 200
        64000 sipd -> alice : 200 INVITE
        64000 sipd -> app1 : OK`),
    );
    expect(world.sent.filter(({ text }) => text.startsWith('SIP/2.0 183')).every(({ text }) => text === sent)).toBe(
      true,
    );
  });

  test('it is repeated over TCP too', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice', { protocol: 'tcp', connection: 7 });
    const app = world.application(1, 'invite');
    world.asks(alice, 'INVITE', { more: ['Require: 100rel'] });
    world.appAnswers(app, '180 Ringing', reliable);
    world.pass(600);
    expect(world.ladder.at(-1)).toBe('500 sipd -> alice : 180 INVITE');
  });

  test('the next waits for the PRACK of the last, is confirmed when it goes, and counts up', () => {
    const { world, alice, answer } = invited();
    answer('180 Ringing', reliable);
    const first = Number(headerOf(world.lastSent('SIP/2.0 180'), 'RSeq'));
    answer('183 Session Progress', reliable);
    answer('181 Call Is Being Forwarded');
    expect(world.ladder.slice(-2)).toEqual(['0 sipd -> alice : 181 INVITE', '0 sipd -> app1 : OK']);
    world.ladder.length = 0;
    world.asks(alice, 'PRACK', {
      toTag: toTagOf(world.lastSent('SIP/2.0 180')),
      cseq: 2,
      more: [`RAck: ${first} 1 INVITE`],
    });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : PRACK
        0 sipd -> app1 : event PRACK in call-alice;from-tag=alice
        0 sipd -> alice : 183 INVITE
        0 sipd -> app1 : OK`),
    );
    expect(Number(headerOf(world.lastSent('SIP/2.0 183'), 'RSeq'))).toBe(first + 1);
  });

  test('a 200 waits for the PRACK of an answer with a description, and goes at once after one without', () => {
    for (const [body, before] of [
      [sdp, '0 app1 -> sipd : 200'],
      ['', '0 sipd -> app1 : OK'],
    ] as const) {
      const { world, alice, answer } = invited();
      answer('183 Session Progress', reliable, body);
      answer('200 OK');
      expect(world.ladder.at(-1)).toBe(before);
      prack({ world, alice }, 2);
      expect(world.ladder.filter((line) => line.includes('200 INVITE'))).toEqual(['0 sipd -> alice : 200 INVITE']);
      expect(world.ladder).toContain('0 sipd -> app1 : event PRACK in call-alice;from-tag=alice');
      world.pass(450);
      expect(world.ladder.some((line) => line.startsWith('450 sipd -> alice : 183'))).toBe(false);
    }
  });

  test('only one final answer is taken, though it waits', () => {
    const { world, app, answer } = invited();
    answer('183 Session Progress', reliable, sdp);
    answer('200 OK');
    answer('486 Busy Here');
    expect(world.lastReply(app).tokens).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  });

  test('a refusal goes at once, ends the repetition, and what waited is not sent', () => {
    const { world, answer } = invited();
    answer('183 Session Progress', reliable);
    const waiting = answer('180 Ringing', reliable);
    answer('486 Busy Here');
    const refused = world.frames.find(({ payload }) => payload.includes(`|response|${waiting}|NOK|`));
    expect(refused).toBeDefined();
    expect(world.ladder).toContain('0 sipd -> alice : 486 INVITE');
    world.pass(2_000);
    expect(world.ladder.filter((line) => line.includes('183 INVITE'))).toHaveLength(1);
  });

  test('CANCEL and BYE end the repetition', () => {
    for (const method of ['CANCEL', 'BYE'] as const) {
      const { world, alice, answer } = invited();
      answer('183 Session Progress', reliable, sdp);
      answer('200 OK');
      const toTag = toTagOf(world.lastSent('SIP/2.0 183'));
      if (method === 'CANCEL') world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-invite' });
      else world.asks(alice, 'BYE', { toTag, cseq: 2 });
      expect(world.ladder.filter((line) => line.includes('487 INVITE'))).toHaveLength(1);
      world.asks(alice, 'ACK', { branch: 'z9hG4bK-invite', toTag });
      world.pass(100_000);
      expect(world.ladder.filter((line) => line.includes('183 INVITE'))).toHaveLength(1);
      expect(world.stack.counts()).toMatchObject({ dialogs: 0, pendingRequests: 0, timers: 0 });
    }
  });

  test('a PRACK that fits nothing gets 481, one without RAck 400; a repeated one its answer again', () => {
    const { world, alice, app, answer } = invited();
    answer('183 Session Progress', reliable);
    const rseq = Number(headerOf(world.lastSent('SIP/2.0 183'), 'RSeq'));
    const toTag = toTagOf(world.lastSent('SIP/2.0 183'));
    for (const rack of [`${rseq + 1} 1 INVITE`, `${rseq} 2 INVITE`, `${rseq} 1 UPDATE`]) {
      prack({ world, alice }, 2, rack);
      expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 481 PRACK');
    }
    world.asks(alice, 'PRACK', { toTag, cseq: 2 });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 400 PRACK');
    const fitting = world.asks(alice, 'PRACK', { toTag, cseq: 2, more: [`RAck: ${rseq} 1 INVITE`] });
    world.appAnswers(app, '200 OK');
    world.receive(alice, fitting);
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 200 PRACK');
    world.asks(alice, 'PRACK', { toTag, cseq: 3, more: [`RAck: ${rseq} 1 INVITE`] });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 481 PRACK');
  });

  test('a PRACK that comes only after the 200 still fits', () => {
    const { world, alice, answer } = invited();
    answer('180 Ringing', reliable);
    answer('200 OK');
    prack({ world, alice }, 2);
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event PRACK in call-alice;from-tag=alice');
  });

  test('no PRACK in 32 s: the INVITE gets 504, and its application hears of a CANCEL', () => {
    const { world, alice, app, answer } = invited();
    answer('183 Session Progress', reliable, sdp);
    answer('200 OK');
    world.pass(32_000);
    expect(world.ladder.slice(-4)).toEqual([
      '31500 sipd -> alice : 183 INVITE',
      '32000 sipd -> app1 : NOK Response not sent due to unknown transaction',
      '32000 sipd -> alice : 504 INVITE',
      '32000 sipd -> app1 : event CANCEL',
    ]);
    expect(headerOf(world.lastEvent(app).text, 'Reason')).toBe('SIP;cause=504;text="PRACK timeout"');
    world.asks(alice, 'ACK', { branch: 'z9hG4bK-invite', toTag: toTagOf(world.lastSent('SIP/2.0 504')) });
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, pendingRequests: 0, serverTransactions: 0, timers: 0 });
  });

  test.each(['free', 'strict'] as const)('a caller who does not know them gets none, in %s mode', (mode) => {
    const { world, app, answer } = invited(mode, []);
    answer('183 Session Progress', reliable);
    expect(world.lastReply(app).tokens).toEqual(['NOK', 'Remote endpoint does not support 100rel']);
    expect(world.sent.some(({ text }) => text.startsWith('SIP/2.0 183'))).toBe(false);
    answer('180 Ringing');
    expect(headerLines(world.lastSent('SIP/2.0 180'), 'RSeq')).toEqual([]);
  });

  test('whether a caller who requires them gets them is for the application to say', () => {
    const { world, answer } = invited('free', ['Require: 100rel']);
    answer('180 Ringing');
    expect(headerLines(world.lastSent('SIP/2.0 180'), 'RSeq')).toEqual([]);
    answer('183 Session Progress', reliable);
    expect(headerLines(world.lastSent('SIP/2.0 183'), 'RSeq')).toHaveLength(1);
  });

  test('100 is never reliable, nor is an RSeq taken from the application', () => {
    const { world, app, answer } = invited();
    answer('100 Trying', reliable);
    expect(world.lastReply(app).tokens[0]).toBe('NOK');
    answer('180 Ringing', ['RSeq: 5']);
    expect(headerLines(world.lastSent('SIP/2.0 180'), 'RSeq')).toEqual([]);
  });

  test('a re-INVITE can have them too', () => {
    const { world, alice, app, answer } = invited();
    answer('200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    world.asks(alice, 'INVITE', { toTag, cseq: 2, more: ['Supported: 100rel'] });
    world.appAnswers(app, '183 Session Progress', reliable);
    prack({ world, alice }, 3, `${headerOf(world.lastSent('SIP/2.0 183'), 'RSeq')} 2 INVITE`);
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event PRACK in call-alice;from-tag=alice');
  });

  test('descriptions in the PRACK and in its answer pass as they are', () => {
    const { world, alice, app, answer } = invited();
    answer('183 Session Progress', reliable, sdp);
    const sent = world.lastSent('SIP/2.0 183');
    const more = [`RAck: ${headerOf(sent, 'RSeq')} 1 INVITE`, 'Content-Type: application/sdp'];
    world.asks(alice, 'PRACK', { toTag: toTagOf(sent), cseq: 2, more, body: sdp });
    expect(world.lastEvent(app).text.endsWith(`\r\n\r\n${sdp}`)).toBe(true);
    world.say(app, `sip|${world.lastEvent(app).transactionId}|`, `SIP/2.0 200 OK\r\n\r\n${sdp}`);
    expect(world.lastSent('SIP/2.0 200').endsWith(`\r\n\r\n${sdp}`)).toBe(true);
    expect(headerOf(world.lastSent('SIP/2.0 200'), 'Content-Type')).toBe('application/sdp');
  });
});
