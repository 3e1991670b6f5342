import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld } from './stack-world.ts';

function replies(world: StackWorld): string[] {
  return world.frames.map(({ payload }) => payload.split('|').slice(1).join('|'));
}

describe('the control protocol', () => {
  test('authenticate, ping, route, remove_route', () => {
    const world = new StackWorld('free');
    world.input({ kind: 'session-opened', session: 1 });
    world.say(1, 'authenticate|cymru|tag1,tag2');
    world.say(1, 'ping');
    world.say(1, 'route|invite');
    world.say(1, 'route|invite');
    world.say(1, 'remove_route|invite');
    const ports = 'udp/10.0.0.9:5060,tcp/10.0.0.9:5060';
    expect(replies(world)).toEqual([
      `response|m1|OK|${ports}|v0.9.10|${ports}`,
      'response|m2|OK|pong',
      'response|m3|OK',
      'response|m4|OK',
      'response|m5|OK',
    ]);
    const ids = new Set(world.frames.map(({ payload }) => payload.split('|')[0]));
    expect(ids.size).toBe(5);
  });

  test.each(['invita\nbe', '', 'in vite', 'a,b'])(
    'route|%j names no method: nobody gets it, and no Allow tells of it',
    (verb) => {
      const world = new StackWorld('free');
      const alice = world.peer('alice');
      world.application(1, 'invite');
      world.say(1, `route|${verb}`);
      expect(replies(world)).toEqual(['response|m3|NOK|invalid verb']);
      world.asks(alice, 'FROBNICATE');
      expect(headerOf(world.lastSent('SIP/2.0 501'), 'Allow')).toBe('ACK, CANCEL, BYE, INVITE');
    },
  );

  test.each([
    ['authenticate|wrong|', 'NO|incorrect secret'],
    ['authenticate||', 'NO|incorrect secret'],
    ['authenticate|cymru2|', 'NO|incorrect secret'],
    ['ping', 'NO|not authenticated'],
    ['route|invite', 'NO|not authenticated'],
    ['sip||', 'NO|not authenticated'],
  ])('%s on a fresh connection is refused and the connection closed', (meta, rest) => {
    const world = new StackWorld('free');
    world.input({ kind: 'session-opened', session: 1 });
    world.say(1, meta);
    expect(replies(world)).toEqual([`response|m1|${rest}`]);
    expect(world.ladder.at(-1)).toBe('0 sipd closes app1');
  });

  test.each([
    ['nonsense', 'NO|Unknown message type'],
    ['sip||\r\nSIP/2.0 200 OK\r\n\r\n', 'NO|transaction id missing'],
  ])('%j after it closes too', (meta, rest) => {
    const world = new StackWorld('free');
    world.application(1);
    world.say(1, meta);
    expect(replies(world).at(-1)?.endsWith(rest)).toBe(true);
    expect(world.ladder.at(-1)).toBe('0 sipd closes app1');
  });

  test('a payload of one token is an invalid message', () => {
    const world = new StackWorld('free');
    world.application(1);
    world.input({ kind: 'frame-received', session: 1, payload: 'lonely' });
    expect(replies(world)).toEqual(['response|lonely|NO|Invalid message format']);
  });

  test('remove_route drops one verb; the daemon drops all of the connection', () => {
    for (const [mode, status] of [
      ['free', 'event OPTIONS'],
      ['strict', '503 OPTIONS'],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'invite', 'options');
      world.say(1, 'remove_route|invite');
      world.asks(alice, 'OPTIONS');
      expect(world.ladder.at(-1)).toContain(status);
    }
  });

  test('in strict mode a connection that registered a verb twice counts twice', () => {
    const world = new StackWorld('strict');
    const alice = world.peer('alice');
    world.application(1, 'options', 'options');
    world.application(2, 'options');
    for (let count = 0; count < 6; count += 1) world.asks(alice, 'OPTIONS', { callId: `c${count}` });
    expect(world.frames.filter(({ session }) => session === 1)).toHaveLength(4);
  });

  test('a transaction nobody knows cannot be forwarded', () => {
    const world = new StackWorld('free');
    world.application(1);
    world.say(1, 'proxy|x|||||||sip:a@b\r\nINVITE sip:a@b SIP/2.0\r\n\r\n');
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'unknown transaction']);
  });
});

describe('the daemon, copied by strict mode', () => {
  test('drops REFER and unknown methods outside dialogs, even when an application asked for them', () => {
    for (const [mode, count] of [
      ['strict', 0],
      ['free', 2],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'refer', 'foo');
      world.asks(alice, 'REFER');
      world.asks(alice, 'FOO');
      expect(world.frames).toHaveLength(count);
      expect(world.sent).toEqual([]);
    }
  });

  test('answers an INVITE 100 at once, also before 481 and 503', () => {
    const world = new StackWorld('strict');
    const alice = world.peer('alice');
    world.asks(alice, 'INVITE');
    world.asks(alice, 'INVITE', { toTag: 'unknown' });
    world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    expect(world.sent.map(({ text }) => text.slice(8, 11))).toEqual(['100', '503', '100', '481', '100']);
  });

  test('does not repeat the 200 to a re-INVITE, nor miss its ACK', () => {
    for (const [mode, count] of [
      ['strict', 1],
      ['free', 11],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'invite');
      world.asks(alice, 'INVITE');
      world.appAnswers(1, '200 OK');
      const toTag = world.lastSent('SIP/2.0 200').split('focus@example.com>;tag=')[1]?.split('\r\n')[0] ?? '';
      world.asks(alice, 'ACK', { toTag });
      world.asks(alice, 'INVITE', { toTag, cseq: 2 });
      world.appAnswers(1, '200 OK');
      world.sent.length = 0;
      world.ladder.length = 0;
      world.pass(32_001);
      expect(world.ladder.filter((line) => line.includes('200 INVITE'))).toHaveLength(count - 1);
      expect(world.stack.counts().dialogs).toBe(mode === 'strict' ? 1 : 0);
    }
  });

  test('refuses a line of more than 8 kB, in a body too', () => {
    for (const [octets, status] of [
      [8_192, 'event'],
      [8_193, '400'],
    ] as const) {
      const world = new StackWorld('strict');
      const alice = world.peer('alice');
      world.application(1, 'message');
      world.asks(alice, 'MESSAGE', { body: `a\r\n${'x'.repeat(octets)}\n` });
      expect(world.ladder.at(-1)).toContain(status);
    }
  });

  test('hands compact names on as they came, and takes a lone terminated NOTIFY for the end of its interest', () => {
    const world = new StackWorld('strict');
    const alice = world.peer('alice');
    world.application(1, 'invite');
    world.asks(alice, 'INVITE', { more: ['o: conference'] });
    expect(world.lastEvent(1).text).toContain('\r\no: conference\r\n');
    world.appAnswers(1, '200 OK');
    const toTag = world.lastSent('SIP/2.0 200').split('focus@example.com>;tag=')[1]?.split('\r\n')[0] ?? '';
    const more = ['Event: conference', 'Subscription-State: terminated'];
    world.asks(alice, 'NOTIFY', { toTag, cseq: 2, more });
    world.asks(alice, 'BYE', { toTag, cseq: 3 });
    expect(world.ladder).toContain('0 sipd -> alice : 481 BYE');
  });

  test('takes identity of an answer from the application, even when it is foreign; free keeps the request\u2019s', () => {
    for (const [mode, callId] of [
      ['strict', 'foreign'],
      ['free', 'call-alice'],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'options');
      world.asks(alice, 'OPTIONS');
      world.appAnswers(1, '200 OK', ['Call-ID: foreign']);
      expect(world.lastSent('SIP/2.0 200')).toContain(`Call-ID: ${callId}\r\n`);
    }
  });
});
