import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld } from '../stack-world.ts';
import { sockets } from './own.ts';

const dialogId = 'chosen;from-tag=ours';
const headers = ['From: <sip:conf@localhost>;tag=ours', 'Call-ID: chosen'];

/** A call to bob whose answer records these routes; then a BYE of the application. Gives the BYE and where it went. */
function byeThrough(recordRoutes: readonly string[], contact = 'sip:bob@10.0.0.77') {
  const world = new StackWorld('free');
  const bob = world.peer('bob');
  world.application(1);
  world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers });
  const more = recordRoutes.map((route) => `Record-Route: ${route}`);
  world.answers(bob, world.lastSent('INVITE'), { status: '200 OK', contact, more });
  world.appAsks(1, 'ACK sip:placeholder', { dialogId });
  world.appAsks(1, 'BYE sip:placeholder', { dialogId });
  const bye = world.sent.at(-1);
  const text = bye?.text ?? '';
  return { to: bye?.to, line: text.split('\r\n')[0], routes: headerLines(text, 'Route'), world };
}

describe('RFC 3261 12.2.1.1: Request-URI, Route and next hop', () => {
  test('without a route set: the target', () => {
    expect(byeThrough([])).toMatchObject({
      to: 'udp/10.0.0.77:5060',
      line: 'BYE sip:bob@10.0.0.77 SIP/2.0',
      routes: [],
    });
  });

  test('loose routers: the target in the Request-URI, the first of the reversed list is the next hop', () => {
    const { to, line, routes } = byeThrough(['<sip:p2.example.com;lr>', '<sip:10.0.0.50:5070;lr=on>;x=y']);
    expect({ to, line, routes }).toEqual({
      to: 'udp/10.0.0.50:5070',
      line: 'BYE sip:bob@10.0.0.77 SIP/2.0',
      routes: ['Route: <sip:10.0.0.50:5070;lr=on>;x=y', 'Route: <sip:p2.example.com;lr>'],
    });
  });

  test('a strict router first: it is the Request-URI, cleaned, and the target is last', () => {
    const { to, line, routes } = byeThrough(['<sip:p2.example.com;lr>', '<sip:10.0.0.50;method=INVITE?subject=x>']);
    expect({ to, line, routes }).toEqual({
      to: 'udp/10.0.0.50:5060',
      line: 'BYE sip:10.0.0.50 SIP/2.0',
      routes: ['Route: <sip:p2.example.com;lr>', 'Route: <sip:bob@10.0.0.77>'],
    });
  });

  test('a Contact that leads nowhere: the peer is where its packets come from', () => {
    expect(byeThrough([], 'sip:bob@0.0.0.0')).toMatchObject({ to: 'bob', line: 'BYE sip:bob@0.0.0.0 SIP/2.0' });
  });

  test('a user part or a header called lr makes no loose router', () => {
    expect(byeThrough(['<sip:u;lr@10.0.0.50>']).line).toBe('BYE sip:u;lr@10.0.0.50 SIP/2.0');
    expect(byeThrough(['<sip:10.0.0.50;x?lr=1>']).line).toBe('BYE sip:10.0.0.50;x SIP/2.0');
  });

  test('transport and maddr of the first route count', () => {
    expect(byeThrough(['<sip:p1.example.com;transport=tcp;maddr=10.0.0.51;lr>']).to).toBe('tcp/10.0.0.51:5060');
  });

  test('RFC 3261 19.1.1: headers and method of a Contact do not get into the Request-URI', () => {
    expect(byeThrough([], 'sip:bob@10.0.0.77;method=INVITE;ob?Replaces=x').line).toBe(
      'BYE sip:bob@10.0.0.77;ob SIP/2.0',
    );
  });
});

describe('names that shall lead to public addresses only', () => {
  function asked(addresses: readonly string[], how: { proxy?: string; publicNames?: boolean } = {}): StackWorld {
    const { publicNames = true, ...proxy } = how;
    const world = new StackWorld('free', sockets('udp'), { publicNames });
    world.application(1);
    world.appAsks(1, 'INVITE sip:bob@rebound.example:5060', { headers, ...proxy });
    world.finds({ kind: 'a', addresses });
    return world;
  }

  test('private ones are passed over; with none left nothing is sent', () => {
    expect(asked(['127.0.0.1', '192.168.1.7', '198.51.100.7']).ladder.at(-1)).toContain('udp/198.51.100.7:5060');
    const world = asked(['127.0.0.1', '192.168.1.7']);
    expect(world.sent).toEqual([]);
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 503 INVITE');
  });

  test('unless they need not, or a proxy is named', () => {
    expect(asked(['192.168.1.7'], { publicNames: false }).ladder.at(-1)).toContain('udp/192.168.1.7:5060');
    expect(asked(['192.168.1.7'], { proxy: 'sip:core.example:5060' }).ladder.at(-1)).toContain('udp/192.168.1.7:5060');
  });

  test('an address is as good as judged by whoever wrote it', () => {
    const world = new StackWorld('free', sockets('udp'), { publicNames: true });
    world.application(1);
    world.appAsks(1, 'INVITE sip:bob@10.0.0.77', { headers });
    expect(world.ladder.at(-1)).toContain('10.0.0.77');
  });
});

describe('the outbound proxy', () => {
  function open(outboundProxy: string): StackWorld {
    const world = new StackWorld('free', sockets('udp', 'tcp'), { outboundProxy });
    world.application(1);
    return world;
  }

  test('takes every request outside dialogs that names no other, and none within', () => {
    const world = open('sip:10.0.0.50:5070;transport=tcp');
    const bob = world.peer('bob');
    world.appAsks(1, 'INVITE sip:bob@example.com', { headers });
    expect(world.ladder.at(-1)).toBe('0 sipd -> tcp/10.0.0.50:5070 : INVITE');
    expect(world.lastSent('INVITE')).toMatch(/^INVITE sip:bob@example\.com SIP/);
    world.answers(bob, world.lastSent('INVITE'), { status: '200 OK', contact: 'sip:bob@10.0.0.77' });
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    expect(world.ladder.at(-2)).toBe('0 sipd -> udp/10.0.0.77:5060 : ACK');
    world.appAsks(1, 'OPTIONS sip:bob@example.com', { proxy: 'sip:10.0.0.51' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> udp/10.0.0.51:5060 : OPTIONS');
  });

  test('does not make a tel URI a target', () => {
    const world = open('sip:10.0.0.50');
    world.appAsks(1, 'INVITE tel:+1234');
    expect(world.lastReply(1).tokens).toEqual(['NOK', 'no route to tel uri: tel:+1234']);
  });

  test.each([
    ['10.0.0.50', 'The outbound proxy must be a SIP URI, not "10.0.0.50".'],
    ['tel:+1234', 'The outbound proxy must be a SIP URI, not "tel:+1234".'],
    ['sips:10.0.0.50', 'The outbound proxy sips:10.0.0.50 needs a transport that sipd does not listen on.'],
    ['sip:[2001:db8::1]', 'The outbound proxy sip:[2001:db8::1] needs a transport that sipd does not listen on.'],
  ])('%s is refused at the start', (uri, sentence) => {
    expect(() => open(uri)).toThrow(sentence);
  });
});

describe('sips', () => {
  test('RFC 3261 8.1.1.8, 12.1.2: goes over TLS, has a sips Contact, and the dialog stays secured', () => {
    const world = new StackWorld('free', sockets('udp', 'tcp', 'tls'));
    const bob = world.peer('bob', { protocol: 'tls', port: 5061, connection: 4 });
    world.application(1);
    world.appAsks(1, 'INVITE sips:bob@10.0.0.1', { headers });
    const invite = world.lastSent('INVITE');
    expect(headerOf(invite, 'Via')).toContain('SIP/2.0/TLS 10.0.0.9:5061');
    expect(headerOf(invite, 'Contact')).toBe('<sips:10.0.0.9:5061>');
    world.answers(bob, invite, { status: '200 OK', contact: 'sip:bob@10.0.0.77' });
    world.appAsks(1, 'ACK sip:placeholder', { dialogId });
    expect(world.ladder.at(-2)).toBe('0 sipd -> bob : ACK');
    world.input({ kind: 'connection-closed', peer: bob.at });
    world.appAsks(1, 'BYE sip:placeholder', { dialogId });
    expect(world.ladder.at(-1)).toBe('0 sipd -> tls/10.0.0.77:5061 : BYE');
  });

  test('RFC 3261 12.1.1: so does one that was called with sips', () => {
    const world = new StackWorld('free', sockets('udp', 'tls'));
    const alice = world.peer('alice', { protocol: 'tls', port: 40_000, connection: 4 });
    world.application(1, 'invite');
    world.asks(alice, 'INVITE', { uri: 'sips:focus@10.0.0.9', contact: 'sips:alice@10.0.0.77' });
    world.appAnswers(1, '200 OK');
    expect(headerOf(world.lastSent('SIP/2.0 200'), 'Contact')).toBe('<sips:10.0.0.9:5061>');
    world.input({ kind: 'connection-closed', peer: alice.at });
    world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> tls/10.0.0.77:5061 : INFO');
  });

  test('RFC 3261 8.1.2: a sips URI goes by nothing but TLS, whatever proxy is named', () => {
    const world = new StackWorld('free', sockets('udp', 'tcp', 'tls'), { outboundProxy: 'sip:10.0.0.50' });
    world.application(1);
    world.appAsks(1, 'OPTIONS sips:bob@example.com');
    expect(world.ladder.at(-1)).toBe('0 sipd -> tls/10.0.0.50:5061 : OPTIONS');
    world.appAsks(1, 'OPTIONS sips:bob@example.com', { proxy: 'sip:10.0.0.51;transport=tcp' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> tls/10.0.0.51:5061 : OPTIONS');
    const plain = new StackWorld('free', sockets('udp'), { outboundProxy: 'sip:10.0.0.50' });
    plain.application(1);
    plain.appAsks(1, 'OPTIONS sips:bob@example.com');
    expect(plain.ladder.at(-1)).toBe('0 sipd -> app1 : event 416 OPTIONS');
    expect(plain.sent).toEqual([]);
  });

  test('a secured dialog without a TLS socket has no way back when its connection has closed', () => {
    const world = new StackWorld('free', sockets('udp', 'wss'));
    const alice = world.peer('alice', { protocol: 'wss', port: 40_000, connection: 4 });
    world.application(1, 'invite');
    world.asks(alice, 'INVITE', { uri: 'sips:focus@10.0.0.9', contact: 'sip:alice@10.0.0.77;transport=udp' });
    world.appAnswers(1, '200 OK');
    expect(headerOf(world.lastSent('SIP/2.0 200'), 'Contact')).toBe('<sips:10.0.0.9:5060;transport=ws>');
    world.input({ kind: 'connection-closed', peer: alice.at });
    world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
    expect(world.ladder.at(-1)).toBe('0 sipd -> wss/10.0.0.77:443 : INFO');
  });
});

describe('RFC 3261 18.2.2, RFC 3581 4: the way of an answer over UDP', () => {
  test.each([
    ['10.0.0.1:5070', 'udp/10.0.0.1:5070'],
    ['10.0.0.1', 'alice'],
    ['10.0.0.1:5070;rport', 'udp/10.0.0.1:40000'],
    // To the source all the same: what comes from one address shall not make us send to another.
    ['pc.example.com:5070', 'udp/10.0.0.1:5070'],
    ['10.0.0.1:5070;maddr=10.0.0.66', 'udp/10.0.0.1:5070'],
    ['10.0.0.1:5070;maddr=224.0.1.75', 'udp/10.0.0.1:5070'],
  ])('Via %s: %s', (via, to) => {
    const world = new StackWorld('free');
    world.peer('alice');
    const source = {
      name: 'source',
      at: { protocol: 'udp', host: '10.0.0.1', port: 40_000, connection: null, listener: null } as const,
    };
    world.application(1, 'options');
    const text = world.request(source, 'OPTIONS').replace(/^Via: .*$/m, `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-1`);
    world.receive(source, text);
    world.appAnswers(1, '200 OK');
    expect(world.sent.map((sent) => sent.to)).toEqual([to]);
  });
});
