import { describe, expect, test } from 'vitest';
import type { OwnAddress } from '../../../src/sipd/own-addresses.ts';
import { answered, forward, got, inCall, scene, statusOf, toBob, toBobPhone, values } from './proxying.ts';

describe('browsers, which only their own connection leads to (RFC 7118)', () => {
  const sockets: OwnAddress[] = (['udp', 'ws'] as const).map((protocol, listener) => {
    return { listener, protocol, family: 4, host: '10.0.0.9', port: 5060 + listener, bound: '10.0.0.9' };
  });
  const contact = 'sip:x@abc.invalid;transport=ws';

  function browsers() {
    const stage = scene('free', sockets);
    const { world } = stage;
    const anna = world.peer('anna', { protocol: 'ws', port: 4001, connection: 11, listener: 1 });
    const bert = world.peer('bert', { protocol: 'ws', port: 4002, connection: 12, listener: 1 });
    return { ...stage, anna, bert };
  }

  test('a browser calls a telephone: the BYE of the telephone goes over the browser’s connection', () => {
    const { world, anna, bob } = browsers();
    world.asks(anna, 'INVITE', { contact, callId: 'call-alice' });
    forward(world, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    const routes = values(invite, 'Record-Route');
    expect(routes.map((route) => route.replace(/;mark=[\w.]+/, ''))).toEqual([
      '<sip:10.0.0.9:5060;lr>',
      '<sip:10.0.0.9:5061;transport=ws;lr;flow=11>',
    ]);
    world.answers(bob, invite, '200 OK');
    const ofAnna = values(answered(world, anna), 'Record-Route').toReversed();
    world.receive(bob, inCall(bob, 'BYE', { uri: contact, routes, toTag: 'anna', cseq: 1 }));
    world.answers(anna, got(world, anna, 'BYE'), '200 OK');
    expect(statusOf(answered(world, bob))).toBe(200);
    // Her own requests go the other way.
    world.receive(anna, inCall(anna, 'INFO', { uri: toBobPhone, routes: ofAnna }));
    expect(got(world, bob, 'INFO').split(' ')[1]).toBe(toBobPhone);
  });

  test('a browser calls a browser: each learns of the connection of the other', () => {
    const { world, anna, bert } = browsers();
    world.asks(anna, 'INVITE', { contact, callId: 'call-alice' });
    forward(world, [`sip:${bert.at.host}:4002;transport=ws`], { remainInDialog: true });
    const invite = got(world, bert, 'INVITE');
    const toAnna = values(invite, 'Record-Route');
    world.answers(bert, invite, { status: '180 Ringing', contact });
    world.answers(bert, invite, { status: '200 OK', contact });
    const toBert = values(answered(world, anna), 'Record-Route');
    expect([toAnna, toBert].map(([route]) => /flow=\d+/.exec(route ?? '')?.[0])).toEqual(['flow=11', 'flow=12']);
    world.receive(anna, inCall(anna, 'ACK', { uri: contact, routes: toBert, toTag: 'bert', cseq: 1 }));
    expect(got(world, bert, 'ACK').split(' ')[1]).toBe(contact);
    world.receive(bert, inCall(bert, 'BYE', { uri: contact, routes: toAnna, toTag: 'anna', cseq: 1 }));
    expect(got(world, anna, 'BYE').split(' ')[1]).toBe(contact);
  });

  test('RFC 5626 5.3.1: the connection has closed: 430, and nothing is looked up', () => {
    const { world, anna, bob } = browsers();
    world.asks(anna, 'INVITE', { contact, callId: 'call-alice' });
    forward(world, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    const routes = values(invite, 'Record-Route');
    world.answers(bob, invite, '200 OK');
    world.input({ kind: 'connection-closed', peer: anna.at });
    world.receive(bob, inCall(bob, 'BYE', { uri: contact, routes, toTag: 'anna', cseq: 1 }));
    expect(statusOf(answered(world, bob))).toBe(430);
    world.receive(bob, inCall(bob, 'ACK', { uri: contact, routes, toTag: 'anna', cseq: 1 }));
    expect(world.ladder.some((line) => line.includes('looks up'))).toBe(false);
  });

  test('another connection than the one we named is not to be had', () => {
    const { world, anna, bert, bob } = browsers();
    world.asks(bert, 'OPTIONS');
    world.asks(anna, 'INVITE', { contact, callId: 'call-alice' });
    forward(world, [toBob], { remainInDialog: true });
    const invite = got(world, bob, 'INVITE');
    const routes = values(invite, 'Record-Route').map((route) => route.replace('flow=11', 'flow=12'));
    world.receive(bob, inCall(bob, 'BYE', { uri: contact, routes, toTag: 'anna', cseq: 1 }));
    expect(statusOf(answered(world, bob))).toBe(481);
    expect(world.sent.some(({ to, text }) => to === 'bert' && text.startsWith('BYE'))).toBe(false);
  });
});
