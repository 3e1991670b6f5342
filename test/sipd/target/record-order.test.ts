import { expect, test } from 'vitest';
import type { NaptrRecord, SrvRecord } from '../../../src/sipd/target/questions.ts';
import { orderByWeight, servicesOf } from '../../../src/sipd/target/record-order.ts';

type Naptr = readonly [order: number, preference: number, service: string];

function naptr([order, preference, service]: Naptr, more: Partial<NaptrRecord> = {}): NaptrRecord {
  return { order, preference, flags: 's', service, regexp: '', replacement: `${service}.example.com`, ...more };
}

function srv(target: string, priority: number, weight: number): SrvRecord {
  return { target, priority, weight, port: 5060 };
}

/** Every number of the list in turn. */
function chance(...numbers: readonly number[]): () => number {
  const left = [...numbers];
  return () => left.shift() ?? 0;
}

test('NAPTR: lowest order only, by preference, and of services that can be used', () => {
  const records = [
    naptr([100, 20, 'SIP+D2U']),
    naptr([100, 10, 'sips+d2t']),
    naptr([50, 10, 'SIP+D2S']),
    naptr([100, 5, 'SIP+D2W']),
    naptr([200, 1, 'SIP+D2T']),
    naptr([100, 1, 'E2U+sip']),
  ];
  expect(servicesOf(records, ['udp', 'tcp', 'tls'])).toEqual([
    { protocol: 'tls', name: 'sips+d2t.example.com' },
    { protocol: 'udp', name: 'SIP+D2U.example.com' },
  ]);
  expect(servicesOf(records, ['tcp'])).toEqual([{ protocol: 'tcp', name: 'SIP+D2T.example.com' }]);
  expect(servicesOf(records, [])).toEqual([]);
});

test('NAPTR: another flag than "s", a regular expression or no replacement is nothing for SIP', () => {
  const records = [
    naptr([1, 1, 'SIP+D2U'], { flags: 'u' }),
    naptr([1, 2, 'SIP+D2U'], { regexp: '!^.*$!sip:x@example.com!' }),
    naptr([1, 3, 'SIP+D2U'], { replacement: '' }),
    naptr([9, 1, 'SIP+D2U'], { flags: 'S' }),
  ];
  expect(servicesOf(records, ['udp'])).toEqual([{ protocol: 'udp', name: 'SIP+D2U.example.com' }]);
});

test('SRV: by priority, and within one by the running sum of the weights', () => {
  const records = [srv('backup', 20, 0), srv('big', 10, 60), srv('small', 10, 20), srv('none', 10, 0)];
  const order = (...numbers: readonly number[]): readonly string[] =>
    orderByWeight(records, chance(...numbers)).map(({ target }) => target);
  // RFC 2782: the sums run none 0, small 20, big 80; the number is from 0 to 80.
  expect(order(0, 0, 0)).toEqual(['none', 'small', 'big', 'backup']);
  expect(order(1, 0)).toEqual(['small', 'none', 'big', 'backup']);
  expect(order(20, 60)).toEqual(['small', 'big', 'none', 'backup']);
  expect(order(21, 20)).toEqual(['big', 'small', 'none', 'backup']);
  expect(order(80, 0)).toEqual(['big', 'none', 'small', 'backup']);
  expect(order(81, 0)).toEqual(['none', 'small', 'big', 'backup']);
});

test('SRV: the first one is drawn in proportion to the weights', () => {
  const records = [srv('three', 1, 3), srv('one', 1, 1), srv('six', 1, 6)];
  const first = { three: 0, one: 0, six: 0 };
  for (let number = 0; number < 11_000; number += 1) {
    const [drawn] = orderByWeight(records, chance(number));
    first[drawn?.target as keyof typeof first] += 1;
  }
  // RFC 2782: of the numbers from 0 to 10 the smallest weight has one more, its 0.
  expect(first).toEqual({ one: 2_000, three: 3_000, six: 6_000 });
});
