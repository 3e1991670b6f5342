import { describe, expect, test } from 'vitest';
import { sourceOf } from '../../../src/sipd/source-address.ts';
import { Admission } from '../../../src/sipd/transport/admission.ts';
import { trustedSources } from '../../../src/sipd/transport/trusted.ts';

describe('trusted peers', () => {
  const isTrusted = trustedSources(['10.1.2.3', '192.168.0.0/16', '2001:db8::/32', 'fe80::1']);

  test.each(['10.1.2.3', '192.168.255.1', '2001:db8:1::9', 'fe80::1%eth0'])('%s is one', (address) => {
    expect(isTrusted(address)).toBe(true);
  });

  test.each(['10.1.2.4', '192.169.0.1', '2001:db9::1', 'fe80::2', 'example.com', ''])('"%s" is none', (address) => {
    expect(isTrusted(address)).toBe(false);
    expect(trustedSources([])(address)).toBe(false);
  });

  test.each([
    'example.com',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '::/129',
    '10.0.0.0/8.5',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '',
  ])('"%s" is refused in one sentence', (peer) => {
    expect(() => trustedSources([peer])).toThrow(`A trusted peer is an IP address or a CIDR block, not "${peer}".`);
  });
});

describe('sources', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001::4:5:6:7:8', '2001:0:0:4::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});

describe('admission', () => {
  test('so many in all, so many per source; what leaves makes room', () => {
    const admission = new Admission({ connectionsMax: 4, perSourceMax: 2, isTrusted: (each) => each === '10.0.0.9' });
    const enter = (address: string | null): (() => void) | null => admission.enter(address);
    const first = enter('10.0.0.1');
    expect([first, enter('10.0.0.1'), enter('10.0.0.1')]).toEqual([expect.any(Function), expect.any(Function), null]);
    first?.();
    expect(enter('10.0.0.1')).not.toBeNull();
    expect([enter('10.0.0.9'), enter(null)]).toEqual([expect.any(Function), expect.any(Function)]);
    // Four are in: nobody gets a place, trusted or not.
    expect([enter('10.0.0.9'), enter(null), enter('10.0.0.2')]).toEqual([null, null, null]);
  });

  test('an IPv6 network is one source', () => {
    const admission = new Admission({ connectionsMax: 9, perSourceMax: 1, isTrusted: () => false });
    expect(admission.enter('2001:db8::1')).not.toBeNull();
    expect(admission.enter('2001:db8::2')).toBeNull();
    expect(admission.enter('2001:db8:0:1::2')).not.toBeNull();
  });
});
