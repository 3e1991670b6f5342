import { expect, test } from 'vitest';
import { HttpWorld } from './http-world.ts';

test('port 0 listens on a free port and tells which', async () => {
  const world = new HttpWorld();
  const bound = await world.shell.listen('127.0.0.1', 0);
  expect(bound).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  const response = await fetch(`http://127.0.0.1:${bound.port}/health/live`);
  expect([response.status, await response.json()]).toEqual([200, { status: 'live' }]);
  await world.shell.close();
});

test('a taken port is an error of listen', async () => {
  const [first, second] = [new HttpWorld(), new HttpWorld()];
  const { port } = await first.shell.listen('127.0.0.1', 0);
  await expect(second.shell.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await first.shell.close();
  await second.shell.close();
});

test('closing answers a waiting command, then leaves nothing listening', async () => {
  const world = new HttpWorld();
  const { port } = await world.shell.listen('127.0.0.1', 0);
  const waiting = fetch(`http://127.0.0.1:${port}/v1/conferences/conf-1/end`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}` },
  });
  await expect.poll(() => world.submitted.length).toBe(1);
  await world.shell.close();
  const response = await waiting;
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([503, 'stopping']);
  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
});
