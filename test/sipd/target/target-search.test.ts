import { describe, expect, test } from 'vitest';
import type { OwnAddresses } from '../../../src/sipd/own-addresses.ts';
import { readHop } from '../../../src/sipd/target/next-hop.ts';
import type { Answer, NaptrRecord, SrvRecord } from '../../../src/sipd/target/questions.ts';
import { TargetSearch } from '../../../src/sipd/target/target-search.ts';
import { ownOf } from './own.ts';

type Zone = Readonly<Record<string, Answer>>;

/** Walks to the end of a search: each round of questions, and each target as `udp 192.0.2.1 5060`. */
function walk(uri: string, own: OwnAddresses, zone: Zone = {}): string[] {
  const reading = readHop(uri);
  if (reading.kind !== 'hop') throw new Error(reading.text);
  let numbers = 0;
  const search = new TargetSearch({ hop: reading.hop, own, random32: () => numbers++ });
  const steps: string[] = [];
  for (let step = search.next(); step.kind !== 'end'; step = search.next()) {
    if (step.kind === 'target') {
      const { protocol, host, port, name } = step.peer;
      steps.push(`${protocol} ${host} ${port}${name === undefined ? '' : ` as ${name}`}`);
      continue;
    }
    const asked = step.questions.map(({ kind, name }) => `${kind} ${name}`);
    steps.push(`? ${asked.join(', ')}`);
    search.answer(asked.map((question) => zone[question] ?? { kind: 'a', addresses: [] }));
  }
  return steps;
}

function a(...addresses: readonly string[]): Answer {
  return { kind: 'a', addresses };
}

function srv(...records: readonly (readonly [target: string, port: number, priority?: number])[]): Answer {
  const all: SrvRecord[] = records.map(([target, port, priority = 0]) => ({ target, port, priority, weight: 1 }));
  return { kind: 'srv', records: all };
}

function naptr(...records: readonly (readonly [order: number, service: string, replacement: string])[]): Answer {
  const all: NaptrRecord[] = records.map(([order, service, replacement]) => ({
    order,
    preference: 50,
    flags: 's',
    service,
    regexp: '',
    replacement,
  }));
  return { kind: 'naptr', records: all };
}

const everything = ownOf('udp', 'tcp', 'tls', 'ws', 'wss');

describe('RFC 3263 4.1: the transport', () => {
  test('one that the URI demands is taken; SRV is asked for it alone', () => {
    expect(
      walk('sip:example.com;transport=tcp', everything, {
        'srv _sip._tcp.example.com': srv(['s1.example.com', 5070]),
        'a s1.example.com': a('192.0.2.1'),
      }),
    ).toEqual(['? srv _sip._tcp.example.com', '? a s1.example.com', 'tcp 192.0.2.1 5070']);
  });

  test('an address has none to choose from: UDP for sip, TLS for sips', () => {
    expect(walk('sip:192.0.2.1', everything)).toEqual(['udp 192.0.2.1 5060']);
    expect(walk('sip:192.0.2.1:5071', everything)).toEqual(['udp 192.0.2.1 5071']);
    expect(walk('sips:192.0.2.1', everything)).toEqual(['tls 192.0.2.1 5061 as 192.0.2.1']);
  });

  test('nor has a name with a port: its addresses are asked for, and nothing else', () => {
    const zone = { 'a example.com': a('192.0.2.1', '192.0.2.2') };
    expect(walk('sip:example.com:5080', everything, zone)).toEqual([
      '? a example.com',
      'udp 192.0.2.1 5080',
      'udp 192.0.2.2 5080',
    ]);
    expect(walk('sips:example.com:5080', everything, zone)).toEqual([
      '? a example.com',
      'tls 192.0.2.1 5080 as example.com',
      'tls 192.0.2.2 5080 as example.com',
    ]);
  });

  // The worked example of RFC 3263 4.1 and 4.2: the domain prefers TLS, then TCP, then UDP.
  const example: Zone = {
    'naptr example.com': naptr(
      [50, 'SIPS+D2T', '_sips._tcp.example.com'],
      [90, 'SIP+D2T', '_sip._tcp.example.com'],
      [100, 'SIP+D2U', '_sip._udp.example.com'],
    ),
    'srv _sip._tcp.example.com': srv(['server1.example.com', 5060, 0], ['server2.example.com', 5060, 1]),
    'srv _sips._tcp.example.com': srv(['server1.example.com', 5061]),
    'a server1.example.com': a('192.0.2.1'),
    'a server2.example.com': a('192.0.2.2'),
  };

  test('NAPTR decides: a client of TCP and UDP takes TCP, whose order is lower', () => {
    expect(walk('sip:user@example.com', ownOf('udp', 'tcp'), example)).toEqual([
      '? naptr example.com',
      '? srv _sip._tcp.example.com',
      '? a server1.example.com',
      'tcp 192.0.2.1 5060',
      '? a server2.example.com',
      'tcp 192.0.2.2 5060',
    ]);
  });

  test('a client with TLS takes TLS for sip, too; the certificate is to be that of the domain', () => {
    const steps = [
      '? naptr example.com',
      '? srv _sips._tcp.example.com',
      '? a server1.example.com',
      'tls 192.0.2.1 5061 as example.com',
    ];
    expect(walk('sip:user@example.com', everything, example)).toEqual(steps);
    expect(walk('sips:user@example.com', everything, example)).toEqual(steps);
  });

  test('sips takes no service that is not secured, and SRV for TLS when NAPTR has none', () => {
    const zone = { ...example, 'naptr example.com': naptr([1, 'SIP+D2T', '_sip._tcp.example.com']) };
    expect(walk('sips:user@example.com', everything, zone)).toEqual([
      '? naptr example.com',
      '? srv _sips._tcp.example.com',
      '? a server1.example.com',
      'tls 192.0.2.1 5061 as example.com',
    ]);
  });

  test('RFC 7118 5.5: WebSocket is found by NAPTR, or demanded by the URI', () => {
    const zone = {
      'naptr example.com': naptr([1, 'SIPS+D2W', '_wss.example.com']),
      'srv _wss.example.com': srv(['w.example.com', 7443]),
      'a w.example.com': a('192.0.2.7'),
      'a example.com': a('192.0.2.8'),
    };
    expect(walk('sips:example.com', everything, zone).at(-1)).toBe('wss 192.0.2.7 7443 as example.com');
    expect(walk('sips:example.com;transport=ws', everything, zone)).toEqual([
      '? a example.com',
      'wss 192.0.2.8 443 as example.com',
    ]);
    expect(walk('sip:example.com;transport=ws', everything, zone)).toEqual([
      '? a example.com',
      'ws 192.0.2.8 80 as example.com',
    ]);
  });

  test('without NAPTR: SRV for each transport we have, in our order', () => {
    const zone = {
      'srv _sip._tcp.example.com': srv(['t.example.com', 5062]),
      'srv _sips._tcp.example.com': srv(['s.example.com', 5063]),
      'a t.example.com': a('192.0.2.1'),
      'a s.example.com': a('192.0.2.2'),
    };
    expect(walk('sip:example.com', everything, zone)).toEqual([
      '? naptr example.com',
      '? srv _sip._udp.example.com, srv _sip._tcp.example.com, srv _sips._tcp.example.com',
      '? a t.example.com',
      'tcp 192.0.2.1 5062',
      '? a s.example.com',
      'tls 192.0.2.2 5063 as example.com',
    ]);
  });

  test('without SRV: the addresses of the domain, by UDP for sip and TLS for sips', () => {
    const zone = { 'a example.com': a('192.0.2.1') };
    expect(walk('sip:example.com', everything, zone).slice(-2)).toEqual(['? a example.com', 'udp 192.0.2.1 5060']);
    expect(walk('sips:example.com', everything, zone).slice(-2)).toEqual([
      '? a example.com',
      'tls 192.0.2.1 5061 as example.com',
    ]);
    expect(walk('sip:example.com', ownOf('tcp'), zone).at(-1)).toBe('tcp 192.0.2.1 5060');
  });

  test('without SRV, yet with NAPTR: by the transport that NAPTR has chosen', () => {
    const zone = { 'naptr example.com': naptr([1, 'SIP+D2T', '_odd.example.net']), 'a example.com': a('192.0.2.1') };
    expect(walk('sip:example.com', everything, zone)).toEqual([
      '? naptr example.com',
      '? srv _odd.example.net',
      '? a example.com',
      'tcp 192.0.2.1 5060',
    ]);
  });
});

describe('RFC 3263 4.2: the addresses', () => {
  test('of every family we have a socket for, the one of the first socket first', () => {
    const zone: Zone = {
      'a example.com': a('192.0.2.1'),
      'aaaa example.com': { kind: 'aaaa', addresses: ['2001:db8::1'] },
    };
    expect(walk('sip:example.com:5060', ownOf('udp6', 'udp'), zone)).toEqual([
      '? aaaa example.com, a example.com',
      'udp 2001:db8::1 5060',
      'udp 192.0.2.1 5060',
    ]);
    expect(walk('sip:example.com:5060', ownOf('udp6', 'tcp'), zone)).toEqual([
      '? aaaa example.com',
      'udp 2001:db8::1 5060',
    ]);
  });

  test('an address of a family without a socket goes by the transport that has one, or nowhere', () => {
    expect(walk('sip:[2001:db8::1]', ownOf('udp', 'tcp6'))).toEqual(['tcp 2001:db8::1 5060']);
    expect(walk('sip:[2001:db8::1]', ownOf('udp', 'tcp'))).toEqual([]);
  });

  test('a name without dots belongs to no domain: only its addresses are asked for', () => {
    expect(walk('sip:proxy', everything, { 'a proxy': a('192.0.2.1') })).toEqual(['? a proxy', 'udp 192.0.2.1 5060']);
  });

  test('RFC 2782: a target of "." says that there is no service, and nothing else is tried', () => {
    const zone = { 'srv _sip._udp.example.com': srv(['', 0]), 'a example.com': a('192.0.2.1') };
    expect(walk('sip:example.com;transport=udp', everything, zone)).toEqual(['? srv _sip._udp.example.com']);
  });

  test('SRV that names an address, the same twice, or what is no address', () => {
    const zone = {
      'srv _sip._udp.example.com': srv(['192.0.2.1', 5060, 1], ['a.example.com', 5060, 2], ['b.example.com', 5060, 3]),
      'a a.example.com': a('192.0.2.1', 'fe80::1%eth0', 'none', '192.0.2.2'),
    };
    expect(walk('sip:example.com;transport=udp', everything, zone)).toEqual([
      '? srv _sip._udp.example.com',
      'udp 192.0.2.1 5060',
      '? a a.example.com',
      'udp 192.0.2.2 5060',
      '? a b.example.com',
    ]);
  });

  test('no more than 16 targets, however many there are', () => {
    const many = Array.from({ length: 40 }, (_, at) => [`s${at}.example.com`, 5060, at] as const);
    const zone: Record<string, Answer> = { 'srv _sip._udp.example.com': srv(...many) };
    for (const [at] of many.entries()) zone[`a s${at}.example.com`] = a(...many.map((_, host) => `10.1.${at}.${host}`));
    const steps = walk('sip:example.com;transport=udp', everything, zone);
    expect(steps.filter((step) => step.startsWith('udp'))).toHaveLength(16);
    expect(steps.filter((step) => step.startsWith('?'))).toHaveLength(2);
  });
});

describe('answers of DNS that are absurd', () => {
  test('addresses nothing is sent to, and our own, are left out; a mapped one is one of IPv4', () => {
    const addresses = ['0.0.0.0', '224.0.1.75', '255.255.255.255', '10.0.0.9', 'nonsense', '::ffff:192.0.2.1'];
    expect(walk('sip:example.com:5060', ownOf('udp'), { 'a example.com': a(...addresses) })).toEqual([
      '? a example.com',
      'udp 192.0.2.1 5060',
    ]);
    // Another port of our machine is another server.
    expect(walk('sip:example.com:5080', ownOf('udp'), { 'a example.com': a('10.0.0.9') })).toEqual([
      '? a example.com',
      'udp 10.0.0.9 5080',
    ]);
  });

  test('targets of SRV that are no names are not asked for', () => {
    const records = srv(
      ['bad name', 5060, 1],
      ['..', 5060, 2],
      ['0.0.0.0', 5060, 3],
      ['10.0.0.9', 5060, 4],
      ['s1.example.com', 5060, 5],
      [`${'x'.repeat(300)}.com`, 5060, 6],
    );
    expect(
      walk('sip:example.com;transport=udp', ownOf('udp'), {
        'srv _sip._udp.example.com': records,
        'a s1.example.com': a('192.0.2.1'),
      }),
    ).toEqual(['? srv _sip._udp.example.com', '? a s1.example.com', 'udp 192.0.2.1 5060']);
  });
});

test('a proxy may send to itself: another domain of ours, told from a loop by what RFC 3261 16.3 has for that', () => {
  const reading = readHop('sip:example.com:5060');
  if (reading.kind !== 'hop') throw new Error(reading.text);
  const search = new TargetSearch({ hop: reading.hop, own: ownOf('udp'), random32: () => 1, toOurselves: true });
  search.next();
  search.answer([a('10.0.0.9')]);
  expect(search.next()).toMatchObject({ kind: 'target', peer: { host: '10.0.0.9' } });
});
