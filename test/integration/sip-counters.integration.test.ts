/** What the embedded SIP server has refused, passed over and absorbed, as an operator reads it in `/metrics`. */
import { describe, expect, test } from 'vitest';
import { startSipd } from '../../src/sipd/sipd.ts';
import { Peer } from '../sipd/peer.ts';
import { Service } from '../support/service.ts';

/** The values of every `isfocus_sipd_…` in what a scrape gives. */
async function scrape(service: Service): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(new URL('/metrics', service.banner.rest))).text();
  const lines = [...text.matchAll(/^isfocus_sipd_(\w+) (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, Number(value)]));
}

describe.each(['main', 'worker'])('with SIPD_THREAD=%s', (thread) => {
  test('each is counted under its own name, and what has never happened is 0', async () => {
    await using service = await Service.start({ SIPD_THREAD: thread });
    const names = Object.keys(await scrape(service));
    expect(names).toEqual(expect.arrayContaining(['dropped_messages_total', 'shed_requests_total']));
    const alice = await Peer.open('alice', 'udp', service.banner.sip.udp);
    const asks = async (text: string, answer: string): Promise<void> => {
      alice.send(text);
      await alice.next(answer);
    };
    const options = alice.request('OPTIONS');
    await asks(options, 'SIP/2.0 404');
    await asks(options, 'SIP/2.0 404');
    await asks(alice.request('OPTIONS').replace(/^From: .*\r\n/m, ''), 'SIP/2.0 400');
    await asks(alice.request('OPTIONS').replace(/^Content-Length: .*$/m, 'Content-Length: 9'), 'SIP/2.0 400');
    await asks(alice.request('INVITE', { toTag: '2837302775' }), 'SIP/2.0 481');
    await alice.close();
    const counts = await scrape(service);
    expect(Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))).toEqual({
      repeated_requests_total: 1,
      malformed_requests_total: 1,
      wrong_lengths_total: 1,
      unknown_dialogs_total: 1,
    });
    expect(Object.keys(counts)).toEqual(names);
  });
});

test('of a SIP server that is not ours there is nothing to be told', async () => {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const control = { host: '127.0.0.1', port: 0, secret: 'between us' };
  const sipd = await startSipd({ host: '127.0.0.1', port: 0, control, mode: 'free', log });
  const address = { host: '127.0.0.1', port: sipd.addresses[0]?.port ?? 0 };
  const environment = {
    DRACHTIO_HOST: '127.0.0.1',
    DRACHTIO_PORT: String(sipd.controlPort),
    DRACHTIO_SECRET: 'between us',
    SIP_DOMAINS: '127.0.0.1',
    SIP_PORT: String(address.port),
  };
  const service = await Service.start(environment, { udp: address, tcp: address });
  const counts = await scrape(service);
  await service.dispose();
  await sipd.close();
  expect(counts).toEqual({});
});
