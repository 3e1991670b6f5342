import { describe, expect, test } from 'vitest';
import { headerLines, headerOf, StackWorld, type WorldPeer } from './stack-world.ts';

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

describe('requests in dialogs', () => {
  test('RFC 3261 12.2.1.1: the route set, its order, loose and strict routers', () => {
    for (const [record, requestUri, routes, next] of [
      [
        '<sip:10.0.0.3;lr>',
        'sip:alice@10.0.0.2:5060',
        ['Route: <sip:10.0.0.3;lr>', 'Route: <sip:10.0.0.4;lr>'],
        '10.0.0.3',
      ],
      ['<sip:10.0.0.3>', 'sip:10.0.0.3', ['Route: <sip:10.0.0.4;lr>', 'Route: <sip:alice@10.0.0.2:5060>'], '10.0.0.3'],
    ] as const) {
      const world = new StackWorld('free');
      world.peer('edge');
      const alice = world.peer('alice');
      world.application(1, 'invite');
      world.asks(alice, 'INVITE', { first: [`Record-Route: ${record}, <sip:10.0.0.4;lr>`] });
      world.appAnswers(1, '200 OK');
      expect(headerLines(world.lastSent('SIP/2.0 200'), 'Record-Route')).toEqual([
        `Record-Route: ${record}, <sip:10.0.0.4;lr>`,
      ]);
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-alice;from-tag=alice' });
      const info = world.lastSent('INFO');
      expect(info.startsWith(`INFO ${requestUri} SIP/2.0`)).toBe(true);
      expect(headerLines(info, 'Route')).toEqual(routes);
      expect(world.sent.at(-1)?.to).toBe(`udp/${next}:5060`);
    }
  });

  test('a client reverses the Record-Route', () => {
    const { world, bob } = calling('free');
    const invite = world.lastSent('INVITE');
    const recorded = ['Record-Route: <sip:10.0.0.3;lr>', 'Record-Route: <sip:10.0.0.4;lr>'];
    world.answers(bob, invite, { status: '200 OK', more: recorded });
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    expect(headerLines(world.lastSent('ACK'), 'Route')).toEqual([
      'Route: <sip:10.0.0.4;lr>',
      'Route: <sip:10.0.0.3;lr>',
    ]);
    expect(world.sent.at(-1)?.to).toBe('udp/10.0.0.4:5060');
  });

  test('over TCP they use the connection of the dialog, and a new one to the Contact when it is closed', () => {
    const world = new StackWorld('free');
    const alice = world.peer('alice', { protocol: 'tcp', port: 40_000, connection: 3 });
    world.application(1, 'invite');
    world.asks(alice, 'INVITE', { contact: 'sip:alice@10.0.0.1:5070;transport=tcp' });
    world.appAnswers(1, '200 OK');
    const dialog = { dialogId: 'call-alice;from-tag=alice' };
    world.appAsks(1, 'INFO sip:placeholder', dialog);
    expect(world.sent.at(-1)?.to).toBe('alice');
    world.input({ kind: 'connection-closed', peer: alice.at });
    world.appAsks(1, 'INFO sip:placeholder', dialog);
    expect(world.sent.at(-1)?.to).toBe('tcp/10.0.0.1:5070');
  });

  test('NAT: the daemon follows the source of the packets, we the Contact unless it is private', () => {
    for (const [mode, contactHost, to] of [
      ['strict', '203.0.113.5', 'nat'],
      ['free', '203.0.113.5', 'udp/203.0.113.5:5060'],
      ['free', '192.168.1.5', 'nat'],
    ] as const) {
      const world = new StackWorld(mode);
      const nat = world.peer('nat', { host: '198.51.100.7', port: 30_000 });
      world.application(1, 'invite');
      world.asks(nat, 'INVITE', { contact: `sip:alice@${contactHost}` });
      world.appAnswers(1, '200 OK');
      world.appAsks(1, 'INFO sip:placeholder', { dialogId: 'call-nat;from-tag=nat' });
      expect(world.sent.at(-1)?.to).toBe(to);
      expect(world.lastSent('INFO').startsWith(`INFO sip:alice@${contactHost} SIP/2.0`)).toBe(true);
    }
  });

  test('a challenged BYE keeps the dialog; its second try may bring its own CSeq', () => {
    const { world, bob } = calling('free');
    world.answers(bob, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:bob@10.0.0.1', { dialogId });
    world.appAsks(1, 'BYE sip:placeholder', { dialogId });
    const bye = world.lastSent('BYE');
    world.answers(bob, bye, '401 Unauthorized');
    expect(world.stack.counts().dialogs).toBe(1);
    const cseq = Number(headerOf(bye, 'CSeq').split(' ')[0]) + 1;
    world.appAsks(1, 'BYE sip:placeholder', { dialogId, headers: [`CSeq: ${cseq} BYE`] });
    expect(headerOf(world.lastSent('BYE'), 'CSeq')).toBe(`${cseq} BYE`);
    world.answers(bob, world.lastSent('BYE'), '200 OK');
    expect(world.stack.counts().dialogs).toBe(0);
  });

  test('a subscription of ours: a NOTIFY before the 200 makes the dialog (the daemon refuses it with 500)', () => {
    for (const mode of ['free', 'strict'] as const) {
      const world = new StackWorld(mode);
      const bob = world.peer('bob');
      world.application(1, 'notify');
      world.appAsks(1, 'SUBSCRIBE sip:bob@10.0.0.1', { headers: [...from, 'Event: conference'] });
      world.asks(bob, 'NOTIFY', { callId: 'chosen', toTag: 'ours', more: ['Event: conference'] });
      if (mode === 'strict') expect(world.ladder.at(-1)).toBe('0 sipd -> bob : 500 NOTIFY');
      else expect(world.ladder.at(-1)).toBe(`0 sipd -> app1 : event NOTIFY in ${dialogId}`);
    }
  });

  test('481 to a NOTIFY ends the subscription (the daemon keeps it)', () => {
    for (const [mode, left] of [
      ['free', 0],
      ['strict', 1],
    ] as const) {
      const world = new StackWorld(mode);
      const alice = world.peer('alice');
      world.application(1, 'subscribe');
      world.asks(alice, 'SUBSCRIBE', { more: ['Event: conference'] });
      world.appAnswers(1, '200 OK');
      const headers = ['Event: conference', 'Subscription-State: active'];
      world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId: 'call-alice;from-tag=alice', headers });
      world.answers(alice, world.lastSent('NOTIFY'), '481 Gone');
      expect(world.stack.counts().dialogs).toBe(left);
    }
  });
});
