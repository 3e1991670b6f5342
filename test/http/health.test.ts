import { beforeEach, expect, test } from 'vitest';
import { HttpWorld } from './http-world.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
});

test('the process is alive whatever its dependencies do', async () => {
  world.stopping = true;
  world.health = () => Promise.reject(new Error('down'));
  const response = await world.get('/health/live', { key: null });
  expect([response.statusCode, response.json()]).toEqual([200, { status: 'live' }]);
});

test('it is ready when every dependency is, and names each', async () => {
  const response = await world.get('/health/ready', { key: null });
  expect([response.statusCode, response.json()]).toEqual([
    200,
    {
      status: 'ready',
      dependencies: [
        { name: 'service', ok: true, detail: 'running' },
        { name: 'database', ok: true, detail: 'embedded' },
      ],
    },
  ]);
});

test('one dependency down, and it is not ready', async () => {
  world.health = async () => [
    { name: 'database', ok: true, detail: 'embedded' },
    { name: 'sip server', ok: false, detail: 'connection lost' },
  ];
  const response = await world.get('/health/ready');
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ status: 'not-ready', dependencies: [{}, { ok: true }, { ok: false }] });
});

test('no new work is wanted while the service stops', async () => {
  world.stopping = true;
  expect((await world.get('/health/ready')).statusCode).toBe(503);
});

test('a check that cannot be made counts as down, and its error is nobody’s business', async () => {
  world.health = () => Promise.reject(new Error('postgres://user:secret@host'));
  const response = await world.get('/health/ready', { key: null });
  expect(response.statusCode).toBe(503);
  expect(response.body).not.toContain('secret');
});

test('metrics tell of the process, the counts and other parts’ numbers', async () => {
  const response = await world.get('/metrics', { key: null });
  expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(response.body).toContain('\nprocess_cpu_user_seconds_total ');
  expect(response.body).toContain('\n# TYPE isfocus_participants gauge\nisfocus_participants 3\n');
  expect(response.body).toContain('\n# TYPE isfocus_messages_total counter\nisfocus_messages_total 12\n');
  expect(response.body).toContain('\ntest_depth 7\n');
});

test('a counter shows the present total at each scrape, and not the sum of scrapes', async () => {
  await world.get('/metrics');
  world.stats = { ...world.stats, counts: { ...world.stats.counts, messages: 13 } };
  expect((await world.get('/metrics')).body).toContain('\nisfocus_messages_total 13\n');
});

test('numbers of one name are told apart by their labels, and each shows its present total', async () => {
  world.met = [{ labels: { by: 'one' }, value: 2 }];
  await world.get('/metrics');
  world.met = [
    { labels: { by: 'one' }, value: 3 },
    { labels: { by: 'two' }, value: 1 },
  ];
  const { body } = await world.get('/metrics');
  const lines = ['# TYPE test_met_total counter', 'test_met_total{by="one"} 3', 'test_met_total{by="two"} 1'];
  expect(body).toContain(`\n${lines.join('\n')}\n`);
});

test('requests are measured by route and not by path, so that the number of series stays bounded', async () => {
  await world.get('/v1/conferences/conf-7');
  await world.get('/v1/nowhere/at/all');
  const { body } = await world.get('/metrics');
  const count = 'isfocus_http_request_duration_seconds_count';
  expect(body).toContain(`${count}{method="GET",route="/v1/conferences/:id",status="404"} 1`);
  expect(body).toContain(`${count}{method="GET",route="none",status="404"} 1`);
  expect(body).not.toContain('conf-7');
});
