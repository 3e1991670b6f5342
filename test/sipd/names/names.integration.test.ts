import { describe, expect, test } from 'vitest';
import { systemNames } from '../../../src/sipd/names/system-names.ts';
import type { SipdOptions } from '../../../src/sipd/sipd.ts';
import { within } from '../../support/wait.ts';
import { ask } from '../application.ts';
import type { Peer } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';
import { type DnsRecord, DnsServer } from './dns-server.ts';

type Zone = Record<string, readonly DnsRecord[]>;

const here: DnsRecord = { type: 'A', address: '127.0.0.1' };

function srv(target: string, port: number, priority = 1): DnsRecord {
  return { type: 'SRV', values: [priority, 1, port], target };
}

function naptr(order: number, service: string, replacement: string): DnsRecord {
  return { type: 'NAPTR', values: [order, 1], service, replacement };
}

/** sipd that asks a DNS server of ours; the zone may be filled in once the peers have their ports. */
async function withDns(play: (stage: Stage, dns: DnsServer, zone: Zone) => Promise<void>): Promise<void> {
  const zone: Zone = {};
  const dns = await DnsServer.open(zone);
  const options: Partial<SipdOptions> = {
    nameServers: [dns.address],
    timers: { t1: 50, t2: 200, t4: 250 },
  };
  try {
    await onStage('free', (stage) => play(stage, dns, zone), options);
  } finally {
    await dns.close();
  }
}

async function answered(peer: Peer, method: string, status = '200 OK'): Promise<string> {
  const request = await peer.next(`${method} `);
  peer.answer(request, status);
  return request.text;
}

describe('RFC 3263 by a DNS server', () => {
  test('NAPTR, SRV, A: over the transport and to the port that they name', () =>
    withDns(async (stage, dns, zone) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'tcp');
      zone['example.com'] = [
        naptr(20, 'SIP+D2U', '_sip._udp.example.com'),
        naptr(10, 'SIP+D2T', '_sip._tcp.example.com'),
      ];
      zone['_sip._tcp.example.com'] = [srv('bob.example.com', bob.port)];
      zone['bob.example.com'] = [here];
      const response = ask(application, 'sip:bob@example.com', { method: 'OPTIONS' });
      expect(await answered(bob, 'OPTIONS')).toContain('Via: SIP/2.0/TCP 127.0.0.1:');
      expect((await within('the answer', response)).status).toBe(200);
      expect(dns.asked).toEqual(['NAPTR example.com', 'SRV _sip._tcp.example.com', 'A bob.example.com']);
      // Asked again within the TTLs: nobody asks DNS.
      const again = ask(application, 'sip:bob@example.com', { method: 'OPTIONS' });
      await answered(bob, 'OPTIONS');
      await within('the second answer', again);
      expect(dns.asked).toHaveLength(3);
    }));

  test('without NAPTR; the server of the lower priority takes over when nobody is at the other', () =>
    withDns(async (stage, _dns, zone) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'udp');
      const gone = await stage.peer('gone', 'udp');
      const { port } = gone;
      await gone.close();
      zone['example.com'] = [here];
      zone['_sip._udp.example.com'] = [srv('backup.example.com', bob.port, 2), srv('main.example.com', port, 1)];
      zone['main.example.com'] = [here];
      zone['backup.example.com'] = [here];
      const response = ask(application, 'sip:bob@example.com', { method: 'OPTIONS' });
      await answered(bob, 'OPTIONS');
      expect((await within('the answer', response)).status).toBe(200);
    }));

  test('503 from one server, 200 from the next', () =>
    withDns(async (stage, _dns, zone) => {
      const application = await stage.application();
      const [busy, bob] = [await stage.peer('busy', 'udp'), await stage.peer('bob', 'tcp')];
      zone['example.com'] = [naptr(1, 'SIP+D2U', '_u.example.com'), naptr(1, 'SIP+D2T', '_t.example.com')];
      zone['_u.example.com'] = [srv('host.example.com', busy.port)];
      zone['_t.example.com'] = [srv('host.example.com', bob.port)];
      zone['host.example.com'] = [here];
      const response = ask(application, 'sip:bob@example.com', { method: 'OPTIONS' });
      const first = await answered(busy, 'OPTIONS', '503 Service Unavailable');
      const second = await answered(bob, 'OPTIONS');
      expect([first, second].map((text) => /^Via: (\S+)/m.exec(text)?.[1])).toEqual(['SIP/2.0/UDP', 'SIP/2.0/TCP']);
      expect((await within('the answer', response)).status).toBe(200);
    }));

  test('localhost, which DNS is not asked for', () =>
    withDns(async (stage, dns) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'udp');
      const response = ask(application, `sip:bob@localhost:${bob.port}`, { method: 'OPTIONS' });
      await answered(bob, 'OPTIONS');
      expect((await within('the answer', response)).status).toBe(200);
      expect(dns.asked).toEqual([]);
    }));

  test('a name that nobody has becomes 503 DNS Error', () =>
    withDns(async (stage, dns) => {
      const application = await stage.application();
      const response = ask(application, 'sip:bob@nowhere.invalid:5060', { method: 'OPTIONS' });
      expect(await within('the answer', response)).toMatchObject({ status: 503, reason: 'DNS Error' });
      expect(dns.asked).toEqual(['A nowhere.invalid']);
    }));

  test('a request too long for a datagram: over TCP; over UDP where TCP is refused, and soon', () =>
    withDns(async (stage) => {
      const application = await stage.application();
      const [tcp, udp] = [await stage.peer('tcp', 'tcp'), await stage.peer('udp', 'udp')];
      const long = { method: 'MESSAGE', body: 'x'.repeat(2_000), headers: { 'Content-Type': 'text/plain' } };
      const first = ask(application, `sip:bob@127.0.0.1:${tcp.port}`, long);
      expect(await answered(tcp, 'MESSAGE')).toContain('Via: SIP/2.0/TCP');
      expect((await within('the answer over TCP', first)).status).toBe(200);
      const second = ask(application, `sip:bob@127.0.0.1:${udp.port}`, long);
      expect(await answered(udp, 'MESSAGE')).toContain('Via: SIP/2.0/UDP');
      expect((await within('the answer over UDP', second)).status).toBe(200);
    }));
});

describe('systemNames', () => {
  test('gives records as they are, TTLs of addresses, and nothing for a name without this type', async () => {
    const dns = await DnsServer.open({
      'example.com': [
        { ...here, ttl: 30 },
        { type: 'A', address: '127.0.0.2', ttl: 20 },
        { type: 'AAAA', groups: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], ttl: 10 },
        naptr(7, 'SIP+D2U', '_sip._udp.Example.com'),
      ],
      '_sip._udp.example.com': [srv('Host.example.com', 5070), srv('', 0, 9)],
      'four.example.com': [here],
    });
    const names = systemNames([dns.address]);
    try {
      expect(await names.a('example.com')).toEqual({ records: ['127.0.0.1', '127.0.0.2'], ttlMs: 20_000 });
      expect(await names.aaaa('example.com')).toEqual({ records: ['2001:db8::1'], ttlMs: 10_000 });
      expect(await names.aaaa('four.example.com')).toEqual({ records: [], ttlMs: null });
      expect((await names.naptr('example.com')).records).toEqual([
        { order: 7, preference: 1, flags: 's', service: 'SIP+D2U', regexp: '', replacement: '_sip._udp.example.com' },
      ]);
      expect((await names.srv('_sip._udp.example.com')).records).toEqual([
        { priority: 1, weight: 1, port: 5070, target: 'host.example.com' },
        { priority: 9, weight: 1, port: 0, target: '' },
      ]);
      expect((await names.a('localhost')).records).toContain('127.0.0.1');
    } finally {
      names.close?.();
      await dns.close();
    }
  });

  test('a name server that is no address is refused', () => {
    expect(() => systemNames(['nowhere'])).toThrow('Invalid IP address: nowhere');
  });
});
