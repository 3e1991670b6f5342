/** SIPD_THREAD=worker: the embedded SIP server on a thread of its own, and nothing else is different. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeConference } from '../support/appendix-m.ts';
import { openCast } from '../support/cast.ts';
import { participants, whenConference } from '../support/rest-view.ts';
import { runToEnd, Service } from '../support/service.ts';

type Listening = { readonly part: string; readonly transport: string; readonly host: string; readonly port: number };

const certificate = (file: string): string =>
  fileURLToPath(new URL(`../support/certificates/${file}`, import.meta.url));

test('the main job with the SIP server on its own thread, on all it can listen on, and an orderly end', async () => {
  await using service = await Service.start({
    SIPD_THREAD: 'worker',
    SIP_HOST: '127.0.0.1,::1',
    SIP_WS_PORT: '0',
    SIP_TLS_PORT: '0',
    TLS_CERT: certificate('server.pem'),
    TLS_KEY: certificate('server-key.pem'),
  });
  const stats = await service.get<{ addresses: Listening[] }>('/stats');
  const sip = stats.body.addresses.filter(({ part }) => part === 'sip');
  expect(sip.map(({ transport, host }) => `${transport} ${host}`).sort()).toEqual([
    'tcp 127.0.0.1',
    'tcp ::1',
    'tls 127.0.0.1',
    'tls ::1',
    'udp 127.0.0.1',
    'udp ::1',
    'ws 127.0.0.1',
    'ws ::1',
  ]);
  const written = sip.map(({ transport, host, port }) => `${transport} ${host === '::1' ? '[::1]' : host}:${port}`);
  expect(service.output).toContain(`SIP      ${written.join(', ')}\n`);
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
    `SIP cannot listen on 127.0.0.1 port ${port}: the port is already in use; see SIP_PORT.`,
  ]);
});

test('a switch there is none of stops the start in one sentence', async () => {
  const { code, output } = await runToEnd({ SIPD_SWITCHES: 'drop-refer' });
  expect(code).toBe(1);
  expect(output).toMatch(/^SIPD_SWITCHES must be names, .*; "drop-refer" is none\.\n$/);
});
