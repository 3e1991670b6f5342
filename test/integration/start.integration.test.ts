/** What a person meets who starts the service: the banner, a key, one sentence when it cannot start. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runToEnd, Service } from '../support/service.ts';

test('the first start makes a key and prints it; it opens the API, no other does, and the next start keeps it', async () => {
  await using service = await Service.start({ API_KEY: undefined });
  expect(service.banner.key).toMatch(/^\S{24,}$/);
  expect((await service.get('/conferences')).status).toBe(200);
  const stranger = await fetch(`${service.banner.rest}/conferences`, {
    headers: { authorization: 'Bearer nothing-we-know-of-0000' },
  });
  expect(stranger.status).toBe(401);
  expect(stranger.headers.get('content-type')).toContain('application/problem+json');

  const key = service.key;
  expect(await service.stop()).toBe(0);
  await service.restart();
  expect(service.banner.key).toBeNull();
  expect(service.key).toBe(key);
  expect((await service.get('/conferences')).status).toBe(200);
});

test('a first start that failed on a taken port takes no key with it: the next one makes and prints it', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-start-'));
  const { code, output } = await runToEnd({ API_KEY: undefined, DATA_DIR: folder, HTTP_PORT: String(port) });
  taken.close();
  expect([code, output.trim().split('\n').at(-1)]).toEqual([
    1,
    `HTTP cannot listen on 127.0.0.1 port ${port}: the port is already in use; see HTTP_PORT.`,
  ]);
  await using service = await Service.start({ API_KEY: undefined, DATA_DIR: folder });
  expect(service.banner.key).toMatch(/^\S{24,}$/);
  expect(await service.stop()).toBe(0);
});

test('health, metrics, the OpenAPI document and the docs page are there without a key', async () => {
  await using service = await Service.start();
  const base = service.banner.rest.replace(/\/v1$/, '');
  const answers = await Promise.all(
    ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs'].map(
      async (path) => (await fetch(`${base}${path}`)).status,
    ),
  );
  expect(answers).toEqual([200, 200, 200, 200, 200]);
});

test('a second process on the same data folder is refused in one sentence, and the first goes on', async () => {
  await using service = await Service.start();
  const { code, output } = await service.startBeside();
  expect(code).not.toBe(0);
  expect(output.trim().split('\n'), output).toHaveLength(1);
  expect(output).toContain(service.dataDir);
  expect((await service.get('/conferences')).status).toBe(200);
});

test.each([
  ['HTTP_PORT', 'eighty'],
  ['LENIENT', 'perhaps'],
  ['SIP_AUTH', 'none'],
  ['API_KEY', 'short'],
])('%s=%s stops the start with one sentence that names it', async (name, value) => {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-start-'));
  const { code, output } = await runToEnd({ DATA_DIR: folder, [name]: value });
  expect(code).toBe(1);
  expect(output.trim().split('\n'), output).toHaveLength(1);
  expect(output).toContain(name);
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
