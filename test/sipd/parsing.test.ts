/** What RFC 4475 leaves out of what a parser meets: each form, as the application gets it or as it is refused. */
import { describe, expect, test } from 'vitest';
import { StreamReader } from '../../src/sipd/transport/stream.ts';
import { sipHeaderLimits } from '../../src/wire/sip-message.ts';
import { headerLines, headerOf, StackWorld } from './stack-world.ts';

function open(mode: 'free' | 'strict' = 'free') {
  const world = new StackWorld(mode);
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'message', 'options');
  return { world, alice, app };
}

/** The text the application gets of a MESSAGE that was changed on its way. */
function handedOn(change: (text: string) => string): string {
  const { world, alice, app } = open();
  world.receive(alice, change(world.request(alice, 'MESSAGE', { body: 'hello' })));
  return world.lastEvent(app).text;
}

/** Status of the answer to a MESSAGE that was changed on its way. */
function refusedWith(change: (text: string) => string): string | undefined {
  const { world, alice } = open();
  world.receive(alice, change(world.request(alice, 'MESSAGE', { body: 'hello' })));
  expect(world.frames).toEqual([]);
  return world.sent[0]?.text.slice(8, 11);
}

describe('forms of header fields (RFC 3261 7.3.1)', () => {
  test('a folded header is one header: its value reaches the application, its tag the server', () => {
    const text = handedOn((each) => each.replace(/^From: (.*);tag=(.*)$/m, 'From: $1\r\n ;tag\r\n\t= $2'));
    expect(text).toContain('From: <sip:alice@example.com>\r\n ;tag\r\n\t= alice\r\n');
    const { world, alice } = open();
    world.receive(alice, world.request(alice, 'SUBSCRIBE').replace(/^(CSeq: 1) /m, '$1\r\n  '));
    expect(headerOf(world.lastSent('SIP/2.0 405'), 'CSeq')).toBe('1 SUBSCRIBE');
  });

  test('all 19 compact names are handed on as full ones (the real server leaves them)', () => {
    const compact = {
      a: 'Accept-Contact',
      b: 'Referred-By',
      c: 'Content-Type',
      d: 'Request-Disposition',
      e: 'Content-Encoding',
      f: 'From',
      i: 'Call-ID',
      j: 'Reject-Contact',
      k: 'Supported',
      l: 'Content-Length',
      m: 'Contact',
      o: 'Event',
      r: 'Refer-To',
      s: 'Subject',
      t: 'To',
      u: 'Allow-Events',
      v: 'Via',
      x: 'Session-Expires',
      y: 'Identity',
    };
    const shorten = (text: string): string => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const full = headerNames(head);
      const added = Object.keys(compact).filter((name) => !full.includes(compact[name as keyof typeof compact]));
      const short = Object.entries(compact).reduce(
        (all, [name, long]) => all.replace(`\r\n${long}:`, `\r\n${name}:`),
        head,
      );
      return `${short}\r\n${added.map((name) => `${name.toUpperCase()}: x`).join('\r\n')}\r\n\r\n${body}`;
    };
    const names = headerNames(handedOn(shorten).split('\r\n\r\n')[0] ?? '');
    expect(names).toEqual(expect.arrayContaining(Object.values(compact)));
    const strict = open('strict');
    strict.world.receive(strict.alice, shorten(strict.world.request(strict.alice, 'MESSAGE')));
    expect(strict.world.lastEvent(strict.app).text).toContain('\r\nf: ');
  });

  test('header names in lower case are the same headers', () => {
    const lower = (text: string): string => text.replace(/^([A-Z][A-Za-z-]*):/gm, (name) => name.toLowerCase());
    const { world, alice, app } = open();
    world.receive(alice, lower(world.request(alice, 'INVITE')));
    world.appAnswers(app, '200 OK');
    const answer = world.lastSent('SIP/2.0 200');
    expect(headerOf(answer, 'Call-ID')).toBe('call-alice');
    expect(headerOf(answer, 'From')).toBe('<sip:alice@example.com>;tag=alice');
  });

  test('a header may be empty', () => {
    const text = handedOn((each) =>
      each.replace('\r\nContent-Length', '\r\nSubject:\r\nSupported: \r\nContent-Length'),
    );
    expect(text).toContain('\r\nSubject:\r\nSupported: \r\n');
    expect(refusedWith((each) => each.replace(/^Call-ID: .*$/m, 'Call-ID: '))).toBe('400');
  });

  test('a list with commas is the same as headers of their own', () => {
    const { world, alice, app } = open();
    const first = ['Record-Route: <sip:10.0.0.33;lr>, <sip:10.0.0.32;lr>', 'Record-Route: "a, b" <sip:10.0.0.31;lr>'];
    world.asks(alice, 'INVITE', { first });
    world.appAnswers(app, '200 OK');
    world.appAsks(app, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
    expect(headerLines(world.lastSent('INFO '), 'Route')).toEqual([
      'Route: <sip:10.0.0.33;lr>',
      'Route: <sip:10.0.0.32;lr>',
      'Route: "a, b" <sip:10.0.0.31;lr>',
    ]);
  });

  test('a list of Via in one header is answered whole, the first marked', () => {
    const { world, alice } = open();
    const text = world.request(alice, 'SUBSCRIBE').replace(/^(Via: .*)$/m, '$1, SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKb');
    world.receive(alice, text.replace('\r,', ','));
    const via = headerLines(world.lastSent('SIP/2.0 405'), 'Via').join();
    expect(via).toMatch(/^Via: SIP\/2\.0\/UDP 10\.0\.0\.1:5060;branch=[^,]*;rport=5060, SIP\/2\.0\/UDP 192\.0\.2\.7;/);
  });

  test('a display name in UTF-8 is handed on octet for octet', () => {
    const name = Buffer.from('"Æneas – 阿"', 'utf8').toString('latin1');
    expect(handedOn((text) => text.replace('From: ', `From: ${name} `))).toContain(`\r\nFrom: ${name} <sip:alice@`);
  });

  test('a CSeq is a number, blanks and a token: what else looks like a blank is none', () => {
    expect(refusedWith((text) => text.replace('CSeq: 1 MESSAGE', 'CSeq: 1 MESSAGE\f'))).toBe('400');
    expect(refusedWith((text) => text.replace('CSeq: 1 MESSAGE', 'CSeq: 1\xa0MESSAGE'))).toBe('400');
    expect(handedOn((text) => text.replace('CSeq: 1 MESSAGE', 'CSeq: 1\t MESSAGE  '))).toMatch(/^MESSAGE /);
  });

  test('an octet at the end of a character is no blank, though it looks like one', () => {
    // The octets of à are C3 A0, and A0 alone is a no-break space.
    const subject = Buffer.from('voilà', 'utf8').toString('latin1');
    expect(handedOn((text) => text.replace('Content-Length', `s: ${subject}\r\nContent-Length`))).toContain(
      `\r\nSubject: ${subject}\r\n`,
    );
  });

  test('an IPv6 reference in Via, Contact and Request-URI', () => {
    const { world, app } = open();
    const bob = world.peer('bob', { host: '2001:db8::b' });
    const text = world
      .request(bob, 'INVITE', { uri: 'sip:focus@[2001:db8::9]:5060', contact: 'sip:bob@[2001:db8::b]:5060' })
      .replace('Via: SIP/2.0/UDP 2001:db8::b:5060', 'Via: SIP/2.0/UDP [2001:DB8::B]:5060');
    world.receive(bob, text);
    expect(world.lastEvent(app).text).toMatch(/^INVITE sip:focus@\[2001:db8::9\]:5060 SIP\/2\.0\r\n/);
    expect(headerOf(world.lastEvent(app).text, 'Via')).toMatch(
      /^SIP\/2\.0\/UDP \[2001:db8::b\]:5060;branch=[^;]+;rport=5060$/,
    );
  });
});

describe('line ends (RFC 3261 7)', () => {
  test('bare line feeds are taken, alone or mixed, and leave as CRLF', () => {
    for (const change of [
      (text: string) => text.replaceAll('\r\n', '\n'),
      (text: string) => text.replace('\r\nFrom', '\nFrom').replace('\r\nCSeq', '\nCSeq'),
    ]) {
      const text = handedOn(change);
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      expect(text.endsWith('\r\n\r\nhello')).toBe(true);
    }
  });

  test('a carriage return alone is no line end: the message is refused', () => {
    expect(refusedWith((text) => text.replace('\r\nCSeq', '\rCSeq'))).toBe('400');
    expect(refusedWith((text) => text.replace('Contact: ', 'Contact: a\rInjected: b'))).toBe('400');
    for (const spoilt of [
      'Subject: x\r',
      'Subject: \rx',
      'Subject: x\r\n y\r',
      'Subject: x\r\n \r y',
      'Subject: x\r\r\n y',
    ]) {
      expect(refusedWith((text) => text.replace('Content-Length', `${spoilt}\r\nContent-Length`))).toBe('400');
    }
  });

  test('line ends before the start line are no part of the message', () => {
    expect(handedOn((text) => `\r\n\r\n${text}`)).toMatch(/^MESSAGE /);
  });

  test('datagrams and stretches of a stream that are line ends only bring nothing about', () => {
    const { world, alice } = open();
    for (const text of ['\r\n\r\n', '\r\n', '\0', '']) world.receive(alice, text);
    expect([world.sent, world.frames]).toEqual([[], []]);
    expect(new StreamReader().push('\r\n\r\n\r\n\r\n')).toEqual([{ kind: 'ping' }, { kind: 'ping' }]);
  });
});

describe('lengths', () => {
  test('65,507 octets, the most a datagram holds, reach the application', () => {
    const { world, alice, app } = open();
    const { length } = world.request(alice, 'MESSAGE', { body: 'x'.repeat(60_000) });
    const body = 'x'.repeat(65_507 - (length - 60_000));
    world.asks(alice, 'MESSAGE', { body });
    expect(world.lastEvent(app).text.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(world.lastEvent(app).tokens[3]).toBe('65507');
  });

  test('too many headers or too long ones get 513', () => {
    const many = 'X: y\r\n'.repeat(sipHeaderLimits.fieldsMax);
    expect(refusedWith((text) => text.replace('\r\nContent-Length', `\r\n${many}Content-Length`))).toBe('513');
    const { world } = open();
    const bob = world.peer('bob', { protocol: 'tcp', connection: 3 });
    const long = `X: ${'y'.repeat(sipHeaderLimits.charactersMax)}\r\n`;
    const text = world.request(bob, 'MESSAGE').replace('Content-Length', `${long}Content-Length`);
    const [event] = new StreamReader().push(text);
    if (event?.kind !== 'broken') throw new Error('the stream is not broken');
    world.input({ ...event, kind: 'stream-broken', from: bob.at });
    expect(world.ladder).toEqual(['0 sipd -> bob : 513 MESSAGE', '0 sipd closes connection 3']);
  });

  test('a datagram needs no Content-Length; on a stream it gets 400 and the connection is closed', () => {
    const without = (text: string): string => text.replace(/^Content-Length: .*\r\n/m, '');
    expect(handedOn(without).endsWith('\r\n\r\nhello')).toBe(true);
    const { world } = open();
    const bob = world.peer('bob', { protocol: 'tcp', connection: 3 });
    const [event] = new StreamReader().push(without(world.request(bob, 'MESSAGE')));
    if (event?.kind !== 'broken') throw new Error('the stream is not broken');
    world.input({ ...event, kind: 'stream-broken', from: bob.at });
    expect(world.ladder).toEqual(['0 sipd -> bob : 400 MESSAGE', '0 sipd closes connection 3']);
  });
});

test('a method that nobody asked for is not allowed (405) where others are; the real server says 503', () => {
  const { world, alice } = open();
  world.asks(alice, 'REGISTER');
  expect(headerOf(world.lastSent('SIP/2.0 405 Method Not Allowed'), 'Allow')).toBe(
    'ACK, CANCEL, BYE, INVITE, MESSAGE, OPTIONS',
  );
  const strict = open('strict');
  strict.world.asks(strict.alice, 'REGISTER');
  expect(strict.world.ladder.at(-1)).toBe('0 sipd -> alice : 503 REGISTER');
});

test('a method nobody knows is handed to the application that asked for it by name', () => {
  const { world, alice } = open();
  world.application(1, 'frobnicate');
  world.asks(alice, 'FROBNICATE');
  expect(world.lastEvent(1).text).toMatch(/^FROBNICATE /);
  world.asks(alice, 'OTHER');
  expect(world.ladder.at(-1)).toBe('0 sipd -> alice : 501 OTHER');
});

function headerNames(head: string): string[] {
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')));
}
