import { describe, expect, test } from 'vitest';
import type { DaemonWay, SipdMode } from '../../../src/sipd/daemon-ways.ts';
import { limits } from '../../../src/sipd/limits.ts';
import { headerOf, plainSockets, StackWorld, steps } from '../stack-world.ts';
import { sockets } from './own.ts';

const dialogId = 'chosen;from-tag=ours';
const headers = ['From: <sip:conf@localhost>;tag=ours', 'Call-ID: chosen', 'Content-Type: text/plain'];
const long = 'x'.repeat(1_300);

function open(mode: SipdMode | readonly DaemonWay[] = 'free', own = plainSockets) {
  const world = new StackWorld(mode, own);
  const bob = world.peer('bob');
  world.application(1);
  return { world, bob, overTcp: { ...bob.at, protocol: 'tcp' } as const };
}

/** Transport of each message of that method in Via, with the number of different branches. */
function transports(world: StackWorld, method: string): { over: string[]; branches: number } {
  const vias = world.sent.filter(({ text }) => text.startsWith(method)).map(({ text }) => headerOf(text, 'Via'));
  const branches = new Set(vias.map((via) => /branch=([^;]*)/.exec(via)?.[1]));
  return { over: vias.map((via) => via.slice(8, 11)), branches: branches.size };
}

describe('RFC 3261 18.1.1: a request over 1300 octets', () => {
  test('goes over TCP to the same address, whatever transport its URI names; one of 1300 stays on UDP', () => {
    const { world, bob } = open();
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1;transport=udp', { headers, body: long });
    const text = world.lastSent('MESSAGE');
    expect(world.outputs.findLast((output) => output.kind === 'send')).toMatchObject({
      to: { protocol: 'tcp', host: '10.0.0.1', port: 5060 },
    });
    world.answers(bob, text, '200 OK');
    expect(world.ladder.at(-1)).toBe('0 sipd -> app1 : event 200 MESSAGE');
    const near = long.slice(0, 1_000);
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1;transport=udp', { headers, body: near });
    const missing = limits.udpRequestBytesMax - world.lastSent('MESSAGE').length;
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1;transport=udp', { headers, body: near + 'x'.repeat(missing) });
    expect(world.lastSent('MESSAGE')).toHaveLength(limits.udpRequestBytesMax);
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1;transport=udp', { headers, body: near + 'x'.repeat(missing + 1) });
    expect(world.lastSent('MESSAGE')).toHaveLength(limits.udpRequestBytesMax + 1);
    expect(transports(world, 'MESSAGE').over).toEqual(['TCP', 'UDP', 'UDP', 'TCP']);
  });

  test('goes over UDP when TCP is refused, as a transaction of its own, and the next one at once', () => {
    const { world, bob, overTcp } = open();
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1', { headers, body: long });
    world.input({ kind: 'peer-unreachable', peer: overTcp, reason: 'ECONNREFUSED' });
    world.answers(bob, world.lastSent('MESSAGE'), '200 OK');
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1', { headers, body: long });
    expect(transports(world, 'MESSAGE')).toEqual({ over: ['TCP', 'UDP', 'UDP'], branches: 3 });
    expect(world.ladder.slice(2, 6)).toEqual(
      steps(`
        0 sipd -> bob : MESSAGE
        0 sipd -> bob : MESSAGE
        0 bob -> sipd : 200 MESSAGE
        0 sipd -> app1 : event 200 MESSAGE`),
    );
    world.answers(bob, world.lastSent('MESSAGE'), '200 OK');
    world.pass(limits.tcpRefusalMs);
    world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1', { headers, body: long });
    expect(transports(world, 'MESSAGE').over.at(-1)).toBe('TCP');
  });

  test('goes over UDP when the connection closes before any answer; after one it has failed', () => {
    const { world, bob, overTcp } = open();
    world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers, body: long });
    world.input({ kind: 'connection-closed', peer: { ...overTcp, connection: 7 } });
    expect(transports(world, 'INVITE').over).toEqual(['TCP', 'UDP']);
    world.answers(bob, world.lastSent('INVITE'), '486 Busy Here');

    const late = open();
    late.world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers, body: long });
    late.world.answers(late.bob, late.world.lastSent('INVITE'), '180 Ringing');
    late.world.input({ kind: 'connection-closed', peer: { ...late.overTcp, connection: 7 } });
    expect(late.world.ladder.at(-1)).toBe(`0 sipd -> app1 : event 503 INVITE in ${dialogId}`);
  });

  test('of two addresses: each is tried over TCP, then over UDP', () => {
    const { world, bob, overTcp } = open();
    world.appAsks(1, 'MESSAGE sip:bob@example.com:5060', { headers, body: long });
    world.finds({ kind: 'a', addresses: ['10.0.0.1', '10.0.0.2'] });
    world.input({ kind: 'peer-unreachable', peer: overTcp, reason: 'ECONNREFUSED' });
    world.input({ kind: 'peer-unreachable', peer: bob.at, reason: 'ECONNREFUSED' });
    world.input({ kind: 'peer-unreachable', peer: { ...overTcp, host: '10.0.0.2' }, reason: 'ECONNREFUSED' });
    expect(world.ladder.slice(3)).toEqual(
      steps(`
        0 sipd -> bob : MESSAGE
        0 sipd -> bob : MESSAGE
        0 sipd -> tcp/10.0.0.2:5060 : MESSAGE
        0 sipd -> udp/10.0.0.2:5060 : MESSAGE`),
    );
  });

  test('stays on UDP without a TCP socket, and as the real server does it', () => {
    for (const { world } of [open('free', sockets('udp')), open('strict'), open(['stays-on-udp'])]) {
      world.appAsks(1, 'MESSAGE sip:bob@10.0.0.1', { headers, body: long });
      expect(transports(world, 'MESSAGE').over).toEqual(['UDP']);
    }
  });

  test('within a dialog: NOTIFY and ACK as well, the ACK over UDP when nobody takes TCP', () => {
    const { world, bob, overTcp } = open();
    world.appAsks(1, 'INVITE sip:bob@10.0.0.1', { headers });
    world.answers(bob, world.lastSent('INVITE'), '200 OK');
    world.appAsks(1, 'ACK sip:placeholder', { dialogId, headers: ['Content-Type: text/plain'], body: long });
    world.input({ kind: 'peer-unreachable', peer: overTcp, reason: 'ECONNREFUSED' });
    expect(transports(world, 'ACK')).toEqual({ over: ['TCP', 'UDP'], branches: 1 });
    world.answers(bob, world.lastSent('INVITE'), '200 OK');
    expect(transports(world, 'ACK').over).toEqual(['TCP', 'UDP', 'UDP']);
    world.appAsks(1, 'NOTIFY sip:placeholder', { dialogId, headers: ['Content-Type: text/plain'], body: long });
    expect(transports(world, 'NOTIFY').over).toEqual(['UDP']);
    world.pass(64_000);
    expect(world.stack.counts()).toMatchObject({ clientTransactions: 0, timers: 0 });
  });

  test('does not leave a way back through a NAT, nor the connection of its dialog', () => {
    const { world } = open();
    const alice = world.peer('alice', { host: '192.0.2.7', port: 40_000 });
    world.application(2, 'subscribe');
    world.asks(alice, 'SUBSCRIBE', { contact: 'sip:alice@192.168.1.2', more: ['Event: conference'] });
    world.appAnswers(2, '200 OK');
    const { dialogId: subscription } = world.lastEvent(2);
    const id = subscription === '' ? 'call-alice;from-tag=alice' : subscription;
    world.appAsks(2, 'NOTIFY sip:placeholder', { dialogId: id, headers: ['Content-Type: text/plain'], body: long });
    expect(world.ladder.at(-1)).toBe('0 sipd -> alice : NOTIFY');
    expect(transports(world, 'NOTIFY').over).toEqual(['UDP']);
  });
});
