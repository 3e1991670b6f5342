import { describe, expect, test } from 'vitest';
import type { DaemonWay, SipdMode } from '../../../src/sipd/daemon-ways.ts';
import { type AdviserOption, readHandlers } from '../../../src/sipd/handlers/request-handlers.ts';
import { limits } from '../../../src/sipd/limits.ts';
import { headerLines, headerOf, plainSockets, StackWorld, steps, toTagOf } from '../stack-world.ts';

const url = 'http://router.example.com/';
const none = { pendingRequests: 0, lookups: 0, timers: 0, serverTransactions: 0 };

function scene(mode: SipdMode | readonly DaemonWay[] = 'free', options: readonly AdviserOption[] = []) {
  const handlers = readHandlers(options.length === 0 ? [{ method: 'invite', url }] : options);
  const world = new StackWorld(mode, plainSockets, { handlers });
  return { world, alice: world.peer('alice'), bob: world.peer('bob') };
}

/** The request handler wants this done. */
function wants(world: StackWorld, action: string, data: unknown): void {
  world.errandDone({ kind: 'replied', body: JSON.stringify({ action, data }) });
}

describe('what a request handler may want', () => {
  test('reject: the caller is refused with status and reason', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    wants(world, 'reject', { status: 503, reason: 'Max Calls Exceeded – später' });
    world.asks(alice, 'ACK', { branch: 'z9hG4bK-1', toTag: toTagOf(world.lastSent('SIP/2.0')) });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd asks http://router.example.com/
        0 sipd -> alice : 503 INVITE
        0 alice -> sipd : ACK`),
    );
    // Text is octets.
    expect(world.lastSent('SIP/2.0')).toMatch(/^SIP\/2\.0 503 Max Calls Exceeded \xe2\x80\x93 sp\xc3\xa4ter\r\n/);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject(none);
  });

  test('reject without a reason, or with one that would break the line: the usual one', () => {
    const { world, alice } = scene();
    for (const [callId, reason] of [
      ['a', undefined],
      ['b', 'x\r\nEvil: header'],
      ['c', 'x'.repeat(limits.handlerReasonMax + 1)],
    ] as const) {
      world.asks(alice, 'INVITE', { callId });
      wants(world, 'reject', { status: 486, reason });
      expect(world.lastSent('SIP/2.0').split('\r\n')[0]).toBe('SIP/2.0 486 Busy Here');
      expect(headerLines(world.lastSent('SIP/2.0'), 'Evil')).toEqual([]);
    }
  });

  test('redirect: 302 with the Contacts, a bare URI in brackets', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    wants(world, 'redirect', { contact: ['sip:a@b.example;transport=tcp', '"B, the second" <sip:b@b.example>;q=0.5'] });
    const answer = world.lastSent('SIP/2.0');
    expect(answer.split('\r\n')[0]).toBe('SIP/2.0 302 Moved Temporarily');
    expect(headerLines(answer, 'Contact')).toEqual([
      'Contact: <sip:a@b.example;transport=tcp>',
      'Contact: "B, the second" <sip:b@b.example>;q=0.5',
    ]);
  });

  test('proxy: the request is forwarded, and followed when it is redirected', () => {
    const { world, alice, bob } = scene();
    world.peer('carol');
    world.asks(alice, 'INVITE');
    wants(world, 'proxy', { destination: 'sip:10.0.0.2', recordRoute: true });
    expect(headerOf(world.lastSent('INVITE'), 'Record-Route')).toContain('10.0.0.9');
    world.answers(bob, world.lastSent('INVITE'), { status: '302 Moved', contact: 'sip:10.0.0.3' });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd asks http://router.example.com/
        0 sipd -> bob : INVITE
        0 bob -> sipd : 302 INVITE
        0 sipd -> bob : ACK
        0 sipd -> carol : INVITE`),
    );
  });

  test('proxy: several at once, unless they do not ring in time; a CANCEL reaches them all', () => {
    const { world, alice, bob } = scene();
    const carol = world.peer('carol');
    world.asks(alice, 'INVITE');
    const destination = ['sip:10.0.0.2', 'sip:10.0.0.3'];
    wants(world, 'proxy', { destination, simultaneous: true, provisionalTimeout: '1500ms' });
    const [toBob = '', toCarol = ''] = world.sent
      .filter(({ text }) => text.startsWith('INVITE'))
      .map(({ text }) => text);
    world.answers(bob, toBob, '180 Ringing');
    world.answers(carol, toCarol, '180 Ringing');
    world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-1' });
    expect(world.ladder.slice(2)).toEqual(
      steps(`
        0 sipd -> bob : INVITE
        0 sipd -> carol : INVITE
        0 bob -> sipd : 180 INVITE
        0 sipd -> alice : 180 INVITE
        0 carol -> sipd : 180 INVITE
        0 sipd -> alice : 180 INVITE
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> bob : CANCEL
        0 sipd -> carol : CANCEL`),
    );
  });

  test('proxy to what cannot be a next hop: 500', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    wants(world, 'proxy', { destination: 'http://10.0.0.2' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 500 INVITE');
    expect(world.sent.filter(({ text }) => text.startsWith('SIP/2.0'))).toHaveLength(1);
  });

  test('route by uri: the request follows the login on a connection that is made; the call is that application’s', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    wants(world, 'route', { uri: 'app.example.com:3000' });
    world.errandDone(7);
    world.say(7, 'authenticate|cymru|');
    world.appAnswers(7, '200 OK');
    const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
    world.asks(alice, 'ACK', { toTag });
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(7, '200 OK');
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd asks http://router.example.com/
        0 sipd connects to app.example.com:3000
        0 sipd -> app7 : OK
        0 sipd -> app7 : event INVITE
        0 app7 -> sipd : 200
        0 sipd -> alice : 200 INVITE
        0 sipd -> app7 : OK
        0 alice -> sipd : ACK
        0 sipd -> app7 : event ACK in call-alice;from-tag=alice
        0 alice -> sipd : BYE
        0 sipd -> app7 : event BYE in call-alice;from-tag=alice
        0 app7 -> sipd : 200
        0 sipd -> alice : 200 BYE
        0 sipd -> app7 : OK`),
    );
    world.input({ kind: 'session-closed', session: 7 });
    world.pass(limits.orphanMs);
    expect(world.stack.counts()).toMatchObject({ ...none, dialogs: 0 });
  });

  test('route by tag: those that asked for the method and have the tag get it in turn, 480 without one', () => {
    const { world, alice } = scene();
    for (const [session, tags, verb] of [
      [1, 'blue', 'invite'],
      [2, 'blue,green', 'invite'],
      [3, 'green', 'invite'],
      [4, 'green', 'options'],
      [5, '', 'invite'],
    ] as const) {
      world.input({ kind: 'session-opened', session });
      world.say(session, `authenticate|cymru|${tags}`);
      world.say(session, `route|${verb}`);
    }
    world.frames.length = 0;
    const chosen = ['blue', 'green', 'blue', 'green', 'blue', 'green'].map((tag, count) => {
      world.asks(alice, 'INVITE', { callId: `c${count}` });
      wants(world, 'route', { tag });
      return world.frames.at(-1)?.session;
    });
    expect(chosen).toEqual([1, 2, 1, 3, 2, 3]);
    world.asks(alice, 'INVITE', { callId: 'red' });
    wants(world, 'route', { tag: 'red' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 480 INVITE');
  });
});

describe('whom a request goes to', () => {
  test('a handler of the method before the one for all; tcp and tls lead to an application unasked', () => {
    const { world, alice } = scene('free', [
      { method: '*', url: 'https://any.example.com/x' },
      { method: 'invite', url: 'tcp://10.1.1.1:3000' },
      { method: 'Subscribe', url: 'tls://[2001:db8::1]:3000/' },
      { method: 'OPTIONS', url: 'tcp://apps:3000;transport=tls' },
    ]);
    for (const method of ['INVITE', 'MESSAGE', 'SUBSCRIBE', 'OPTIONS', 'FANCY'])
      world.asks(alice, method, { callId: method });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd connects to 10.1.1.1:3000
        0 alice -> sipd : MESSAGE
        0 sipd asks https://any.example.com/x
        0 alice -> sipd : SUBSCRIBE
        0 sipd connects to 2001:db8::1:3000 by TLS
        0 alice -> sipd : OPTIONS
        0 sipd connects to apps:3000 by TLS
        0 alice -> sipd : FANCY
        0 sipd asks https://any.example.com/x`),
    );
  });

  test('other methods go to the applications that are connected; what nobody wants is refused with what is wanted', () => {
    const { world, alice } = scene();
    world.application(1, 'options');
    world.asks(alice, 'OPTIONS', { callId: 'a' });
    world.asks(alice, 'MESSAGE', { callId: 'b' });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : OPTIONS
        0 sipd -> app1 : event OPTIONS
        0 alice -> sipd : MESSAGE
        0 sipd -> alice : 405 MESSAGE`),
    );
    expect(headerOf(world.lastSent('SIP/2.0'), 'Allow')).toBe('ACK, CANCEL, BYE, OPTIONS, INVITE');
  });

  test('requests of a dialog are nobody’s question', () => {
    const { world, alice } = scene('free', [{ method: '*', url }]);
    world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    wants(world, 'route', { tag: 'none' });
    world.asks(alice, 'BYE', { callId: 'b', toTag: 'x' });
    expect(world.ladder.slice(-2)).toEqual(['0 alice -> sipd : BYE', '0 sipd -> alice : 481 BYE']);
  });
});

describe('while a handler is asked', () => {
  test('100 Trying comes as usual, a repeated INVITE asks nobody again', () => {
    const { world, alice } = scene();
    const invite = world.asks(alice, 'INVITE');
    world.pass(300);
    world.receive(alice, invite);
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd asks http://router.example.com/
        200 sipd -> alice : 100 INVITE
        300 alice -> sipd : INVITE
        300 sipd -> alice : 100 INVITE`),
    );
  });

  test.each([
    ['the answer', (world: StackWorld) => wants(world, 'reject', { status: 486 })],
    ['a tag', (world: StackWorld) => wants(world, 'route', { tag: 'blue' })],
    ['an address', (world: StackWorld) => wants(world, 'route', { uri: '10.1.1.1:3000' })],
    ['a failure', (world: StackWorld) => world.errandDone({ kind: 'failed', reason: 'no answer' })],
  ])('a CANCEL ends the INVITE with 487; %s that comes then is ignored', (_, answer) => {
    const { world, alice } = scene();
    world.application(1, 'invite');
    world.asks(alice, 'INVITE');
    world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-1' });
    answer(world);
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd asks http://router.example.com/
        0 alice -> sipd : CANCEL
        0 sipd -> alice : 200 CANCEL
        0 sipd -> alice : 487 INVITE`),
    );
    expect(world.stack.counts()).toMatchObject({ pendingRequests: 0, lookups: 0 });
  });

  test.each(['before it is made', 'before the login'])(
    'a connection for an INVITE that is cancelled %s is closed',
    (when) => {
      const { world, alice } = scene('free', [{ method: 'invite', url: 'tcp://10.1.1.1:3000' }]);
      world.asks(alice, 'INVITE');
      if (when === 'before the login') world.errandDone(7);
      world.asks(alice, 'CANCEL', { branch: 'z9hG4bK-1' });
      if (when === 'before the login') world.say(7, 'authenticate|cymru|');
      else world.errandDone(7);
      expect(world.ladder.filter((line) => line.includes('app7')).at(-1)).toBe('0 sipd closes app7');
      expect(world.ladder.some((line) => line.includes('event'))).toBe(false);
      world.input({ kind: 'session-closed', session: 7 });
      expect(world.stack.counts()).toMatchObject({ pendingRequests: 0, lookups: 0 });
    },
  );

  test('a shell that never comes back: an INVITE gets 500 after 64 s', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    world.pass(limits.silentApplicationMs);
    expect(world.ladder.at(-1)).toBe('64000 sipd -> alice : 500 INVITE');
  });

  test('the same request by another path is refused as ever', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    world.asks(alice, 'INVITE');
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 482 INVITE');
  });

  test('so many may be held and no more: 503, and come back later', () => {
    const { world, alice } = scene();
    for (let count = 0; count < limits.heldRequestsMax; count += 1)
      world.asks(alice, 'INVITE', { callId: `c${count}` });
    expect(world.stack.counts()).toMatchObject({ lookups: limits.heldRequestsMax });
    world.asks(alice, 'INVITE', { callId: 'more' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 503 INVITE');
    expect(headerLines(world.lastSent('SIP/2.0 503'), 'Retry-After')).toHaveLength(1);
    wants(world, 'reject', { status: 486 });
    world.asks(alice, 'INVITE', { callId: 'again' });
    expect(world.ladder.at(-1)).toBe('0 sipd asks http://router.example.com/');
  });
});

describe('what goes wrong', () => {
  test('the handler cannot be asked: 500', () => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    world.errandDone({ kind: 'failed', reason: 'connect ECONNREFUSED' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 500 INVITE');
  });

  test.each([
    'not found',
    '',
    'null',
    '[]',
    '{}',
    '{"action":"reject"}',
    '{"action":"reject","data":{}}',
    '{"action":"reject","data":{"status":"486"}}',
    '{"action":"reject","data":{"status":200}}',
    '{"action":"reject","data":{"status":700}}',
    '{"action":"reject","data":{"status":486.5}}',
    '{"action":"redirect","data":{}}',
    '{"action":"redirect","data":{"contact":[]}}',
    '{"action":"redirect","data":{"contact":["sip:a@b",1]}}',
    '{"action":"redirect","data":{"contact":"sip:a@b\\r\\nEvil: x"}}',
    '{"action":"redirect","data":{"contact":"\\"a <sip:a@b>"}}',
    '{"action":"redirect","data":{"contact":"nobody"}}',
    '{"action":"proxy","data":{}}',
    '{"action":"proxy","data":{"destination":[]}}',
    '{"action":"proxy","data":{"destination":["sip:a@b c"]}}',
    '{"action":"route","data":{}}',
    '{"action":"route","data":{"uri":3000}}',
    '{"action":"dance","data":{}}',
    '{"action":"__proto__","data":{}}',
  ])('what is no instruction gets 500: %s', (body) => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    world.errandDone({ kind: 'replied', body });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 500 INVITE');
    expect(world.stack.counts()).toMatchObject({ pendingRequests: 0, lookups: 0 });
  });

  test.each([
    'app.example.com',
    '10.1.1.1:0',
    '10.1.1.1:65536',
    'http://10.1.1.1:3000',
    '10.1.1.1:3000;transport=udp',
    '',
  ])('an address that is none: 480: %s', (uri) => {
    const { world, alice } = scene();
    world.asks(alice, 'INVITE');
    wants(world, 'route', { uri });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 480 INVITE');
  });

  test('an application that cannot be reached, and one that goes without a login: 480', () => {
    const { world, alice } = scene('free', [{ method: 'invite', url: 'tcp://10.1.1.1:3000' }]);
    world.asks(alice, 'INVITE', { callId: 'a' });
    world.errandDone({ refused: 'connect ECONNREFUSED' });
    world.asks(alice, 'INVITE', { callId: 'b' });
    world.errandDone(7);
    world.input({ kind: 'session-closed', session: 7 });
    expect(world.ladder).toEqual(
      steps(`
        0 alice -> sipd : INVITE
        0 sipd connects to 10.1.1.1:3000
        0 sipd -> alice : 480 INVITE
        0 alice -> sipd : INVITE
        0 sipd connects to 10.1.1.1:3000
        0 sipd -> alice : 480 INVITE`),
    );
  });

  test('an application with a wrong secret, or a command before it, gets nothing: 480', () => {
    const { world, alice } = scene('free', [{ method: 'invite', url: 'tcp://10.1.1.1:3000' }]);
    for (const [session, said] of [
      [7, 'authenticate|undefined|'],
      [8, 'route|invite'],
    ] as const) {
      world.asks(alice, 'INVITE', { callId: `c${session}` });
      world.errandDone(session);
      world.say(session, said);
      expect(world.ladder.at(-1)).toBe(`0 sipd closes app${session}`);
      world.input({ kind: 'session-closed', session });
      expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 480 INVITE');
    }
  });

  test('an application that goes with its request unanswered: 503, as always', () => {
    const { world, alice } = scene('free', [{ method: 'invite', url: 'tcp://10.1.1.1:3000' }]);
    world.asks(alice, 'INVITE');
    world.errandDone(7);
    world.say(7, 'authenticate|cymru|');
    world.say(7, 'authenticate|cymru|');
    world.input({ kind: 'session-closed', session: 7 });
    expect(world.ladder.filter((line) => line.includes('event'))).toHaveLength(1);
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 503 INVITE');
  });
});

test('an attempt that a handler refuses is in the call records', () => {
  const { world, alice } = scene();
  world.application(1, 'cdr:attempt', 'cdr:stop');
  world.asks(alice, 'INVITE');
  wants(world, 'reject', { status: 486 });
  expect(world.frames.map(({ payload }) => payload.split('\r\n')[0]?.split('|').toSpliced(3, 1).slice(1))).toEqual([
    ['cdr:attempt', 'network'],
    ['cdr:stop', 'application', 'call-rejected'],
  ]);
});

test('the real server’s ways: 100 at once, 480 and 500 as here', () => {
  const { world, alice } = scene('strict');
  world.asks(alice, 'INVITE');
  wants(world, 'route', { tag: 'blue' });
  expect(world.ladder).toEqual(
    steps(`
      0 alice -> sipd : INVITE
      0 sipd -> alice : 100 INVITE
      0 sipd asks http://router.example.com/
      0 sipd -> alice : 480 INVITE`),
  );
});
