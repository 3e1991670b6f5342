/** SIPD_THREAD=worker: the embedded SIP server on a thread of its own, and nothing else is different. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { participants, whenConference } from '../support/rest-view.ts';
import { runToEnd, Service } from '../support/service.ts';

test('the main job with the SIP server on its own thread, and an orderly end', async () => {
  await using service = await Service.start({ SIPD_THREAD: 'worker', LOG_LEVEL: 'debug' });
  const stats = await service.get<{ addresses: { part: string; transport: string; port: number }[] }>('/stats');
  const sip = stats.body.addresses.filter(({ part }) => part === 'sip');
  expect(sip.map(({ transport, port }) => [transport, port])).toEqual([
    ['udp', service.banner.sip.udp.port],
    ['tcp', service.banner.sip.tcp.port],
  ]);
  await using cast = await openCast({ transport: 'udp' });
  const call = await makeConference(cast, service);
  const { id } = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'active');
  const people = await participants(service, id);
  expect(people.map(({ status }) => status)).toEqual(['connected', 'connected', 'connected']);
  expect(await service.stop()).toBe(0);
});

test('a taken port stops the start in one sentence, as on the main thread', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-thread-'));
  const { code, output } = await runToEnd({ SIPD_THREAD: 'worker', SIP_PORT: String(port), DATA_DIR: folder });
  taken.close();
  await rm(folder, { recursive: true });
  expect([code, output.trim().split('\n').at(-1)]).toEqual([
    1,
    `SIP cannot listen on 127.0.0.1 port ${port}: the port is already in use.`,
  ]);
});

test('a switch there is none of stops the start in one sentence', async () => {
  const { code, output } = await runToEnd({ SIPD_SWITCHES: 'drop-refer' });
  expect(code).toBe(1);
  expect(output).toMatch(/^SIPD_SWITCHES must be names, .*; "drop-refer" is none\.\n$/);
});
