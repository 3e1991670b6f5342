import { expect, test } from 'vitest';
import { readHop, secured, usableAddress } from '../../../src/sipd/target/next-hop.ts';

const plain = { scheme: 'sip', numeric: false, port: null, transport: null, usual: null };

test.each([
  ['sip:bob@Example.COM', { ...plain, host: 'example.com', name: 'example.com' }],
  ['sip:example.com.', { ...plain, host: 'example.com', name: 'example.com' }],
  ['sip:bob@example.com:5070', { ...plain, host: 'example.com', name: 'example.com', port: 5070 }],
  ['sip:192.0.2.4;transport=TCP', { ...plain, host: '192.0.2.4', name: '192.0.2.4', numeric: true, transport: 'tcp' }],
  ['sip:[2001:db8::1]', { ...plain, host: '2001:db8::1', name: '2001:db8::1', numeric: true }],
  // Equal addresses are equal texts, whoever spelt them; a mapped one is reached by IPv4.
  ['sip:[2001:DB8:0::0:1]', { ...plain, host: '2001:db8::1', name: '2001:db8:0::0:1', numeric: true }],
  ['sip:[::ffff:192.0.2.4]', { ...plain, host: '192.0.2.4', name: '::ffff:192.0.2.4', numeric: true }],
  ['sip:example.com;transport=wss', { ...plain, host: 'example.com', name: 'example.com', transport: 'wss' }],
  // RFC 3261 26.2.2: with sips, tcp means TLS over it; RFC 7118 5.5: ws means secure WebSocket.
  [
    'sips:example.com;transport=tcp',
    { ...plain, scheme: 'sips', host: 'example.com', name: 'example.com', transport: 'tls' },
  ],
  [
    'sips:example.com;transport=ws',
    { ...plain, scheme: 'sips', host: 'example.com', name: 'example.com', transport: 'wss' },
  ],
  // RFC 3263 4: maddr is where it goes; the certificate is still that of the domain.
  ['sip:example.com;maddr=192.0.2.9', { ...plain, host: '192.0.2.9', name: 'example.com', numeric: true }],
  ['sip:example.com;maddr=[2001:db8::9]', { ...plain, host: '2001:db8::9', name: 'example.com', numeric: true }],
  ['sip:example.com;maddr=edge.example.net', { ...plain, host: 'edge.example.net', name: 'example.com' }],
])('%s leads to its hop', (uri, hop) => {
  expect(readHop(uri)).toEqual({ kind: 'hop', hop });
});

test.each([
  ['tel:+1234', 'no route to tel uri: tel:+1234'],
  ['mailto:bob@example.com', 'invalid request-uri: mailto:bob@example.com'],
  ['sip:[fe80::1%25eth0]', 'invalid request-uri: sip:[fe80::1%25eth0]'],
  ['sip:bob@example.com;maddr', 'invalid request-uri: sip:bob@example.com;maddr'],
  ['sip:bob@example.com;maddr=1.2.3.400', 'invalid request-uri: sip:bob@example.com;maddr=1.2.3.400'],
  ['sip:bob@example.com;maddr=224.0.1.75', 'no route to multicast address: sip:bob@example.com;maddr=224.0.1.75'],
  ['sip:[ff02::1]', 'no route to multicast address: sip:[ff02::1]'],
  ['sip:[::ffff:224.0.1.75]', 'no route to multicast address: sip:[::ffff:224.0.1.75]'],
  ['sip:bob@0.0.0.0', 'no route to unspecified address: sip:bob@0.0.0.0'],
  ['sip:bob@[::]:5060', 'no route to unspecified address: sip:bob@[::]:5060'],
  ['sip:bob@255.255.255.255', 'no route to reserved address: sip:bob@255.255.255.255'],
  ['sip:bob@example.com;transport=sctp', 'requested protocol/transport not available'],
  ['sip:bob@example.com;transport', 'requested protocol/transport not available'],
  ['sips:bob@example.com;transport=udp', 'requested protocol/transport not available'],
])('%s leads nowhere', (uri, text) => {
  expect(readHop(uri)).toEqual({ kind: 'refused', text });
});

test('a hop is secured by its scheme, and by the secured kind of its transport', () => {
  const over = (transport: string): unknown => {
    const reading = readHop(`sip:example.com${transport}`);
    return reading.kind === 'hop' ? secured(reading.hop) : null;
  };
  expect(over('')).toMatchObject({ scheme: 'sips', transport: null });
  expect(over(';transport=udp')).toMatchObject({ scheme: 'sips', transport: null });
  expect(over(';transport=tcp')).toMatchObject({ scheme: 'sips', transport: 'tls' });
  expect(over(';transport=ws')).toMatchObject({ scheme: 'sips', transport: 'wss' });
});

test('addresses are told from names, and from what nothing is sent to', () => {
  expect(['192.0.2.1', '::1', '2001:DB8::0:1', '::ffff:192.0.2.1'].map(usableAddress)).toEqual([
    '192.0.2.1',
    '::1',
    '2001:db8::1',
    '192.0.2.1',
  ]);
  const names = ['example.com', 'host1', '1.2.3', '256.1.1.1', 'fe80::1%eth0', ''];
  expect(
    [...names, '224.0.1.75', '0.0.0.0', '::', 'ff02::1', '240.0.0.1'].filter((each) => usableAddress(each)),
  ).toEqual([]);
});
