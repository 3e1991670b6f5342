import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalIp, ipOctets, isPrivateHost } from '../../src/wire/ip-address.ts';

test.each([
  ['192.0.2.1', [192, 0, 2, 1]],
  ['255.255.255.255', [255, 255, 255, 255]],
  ['::', new Array(16).fill(0)],
  ['1::', [0, 1, ...new Array(14).fill(0)]],
  ['::FFFF:192.0.2.128', [...new Array(10).fill(0), 255, 255, 192, 0, 2, 128]],
  ['2001:db8:1:2:3:4:5:6', [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]],
])('%s is read octet by octet', (text, octets) => {
  expect(ipOctets(text)).toEqual(octets);
});

test.each([
  '256.0.0.1',
  '010.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  'example.com',
  '',
  ':',
  ':::',
  '1:2',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '::1:2:3:4:5:6:7:8',
  '12345::',
  '1.2.3.4::',
  '::1.2.3.4:5',
  '::g',
  '::256.0.0.1',
  '::1.2.3',
  `::${'0'.repeat(60)}`,
])('%s is no address', (text) => {
  expect(ipOctets(text)).toBeNull();
});

test.each([
  ['0:0:0:0:0:0:0:1', '::1'],
  ['2001:DB8::9:01', '2001:db8::9:1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['::ffff:c000:280', '::ffff:c000:280'],
  ['::ffff:192.0.2.128', '::ffff:c000:280'],
  ['192.0.2.1', '192.0.2.1'],
])('%s is written %s', (text, canonical) => {
  expect(canonicalIp(text)).toBe(canonical);
});

test('every spelling of an IPv6 address has one canonical text that means the same', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const canonical = canonicalIp(text) ?? '';
      expect(ipOctets(canonical)).toEqual(ipOctets(text));
      expect(canonicalIp(canonical)).toBe(canonical);
    }),
    { numRuns: 300 },
  );
});

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '0.0.0.0',
  '224.0.0.1',
  '239.255.255.255',
  '255.255.255.255',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  '::',
  '::1',
  '[::1]',
  'fe80::1',
  'fe80::1%eth0',
  '[fe80::1%25eth0]',
  'fec0::1',
  'fc00::1',
  'fdff::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:a00:1',
  '[::FFFF:192.168.1.1]',
  '::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1:808::1',
  '::ffff:0:127.0.0.1',
  '2002:7f00:1::',
  '127.1',
  '0x7f000001',
  '0x7f.0.0.1',
  '2130706433',
  '0177.0.0.1',
  '127.0.0.1.',
])('%s is private', (host) => {
  expect(isPrivateHost(host)).toBe(true);
});

test.each([
  '192.0.2.1',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '11.0.0.0',
  '223.255.255.255',
  '2001:db8::1',
  '[2001:db8::1]',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::',
  'example.com',
  'localhost.example.com',
  'notlocalhost',
  '10.0.0.1.example.com',
])('%s is not private', (host) => {
  expect(isPrivateHost(host)).toBe(false);
});
