import { expect, test } from 'vitest';
import type { OwnAddress } from '../../../src/sipd/own-addresses.ts';
import { headerOf, StackWorld } from '../stack-world.ts';

const sockets: readonly OwnAddress[] = [
  { listener: 0, protocol: 'udp', family: 4, host: '10.0.0.9', port: 5060, bound: '10.0.0.9' },
  { listener: 1, protocol: 'tls', family: 4, host: '10.0.0.9', port: 5061, bound: '10.0.0.9' },
];

test.each([
  ['udp', 0, null, '<sip:conf1@localhost>;isfocus', '<sip:conf1@10.0.0.9:5060>;isfocus'],
  ['tls', 1, 7, '<sip:conf1@localhost>;isfocus', '<sip:conf1@10.0.0.9:5061;transport=tls>;isfocus'],
  ['tls', 1, 7, 'sip:conf1@localhost', '<sip:conf1@10.0.0.9:5061;transport=tls>'],
  ['tls', 1, 7, '<sip:conf1@localhost;transport=tls>', '<sip:conf1@10.0.0.9:5061;transport=tls>'],
  ['tls', 1, 7, '<sip:conf1@focus.example.com>', '<sip:conf1@focus.example.com>'],
] as const)('over %s (socket %i, connection %s) an application’s Contact %s goes out as %s', (...story) => {
  const [protocol, listener, connection, given, sent] = story;
  const world = new StackWorld('free', sockets);
  const alice = world.peer('alice', { protocol, listener, connection });
  const app = world.application(1, 'invite');
  world.asks(alice, 'INVITE');
  world.appAnswers(app, '200 OK', [`Contact: ${given}`]);
  expect(headerOf(world.lastSent('SIP/2.0 200'), 'Contact')).toBe(sent);
});
