import { beforeEach, expect, test } from 'vitest';
import { httpLimits } from '../../src/http/http-limits.ts';
import { operationsOf } from './document-check.ts';
import { HttpWorld } from './http-world.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
});

test('every operation below /v1 wants a key, and says so before anything else', async () => {
  const operations = operationsOf(await world.shell.document()).filter(({ path }) => path.startsWith('/v1/'));
  expect(operations.length).toBeGreaterThan(10);
  for (const { method, path } of operations) {
    const url = path.replaceAll(/\{\w+\}/g, 'unknown');
    const without = await world.ask(method, url, { key: null });
    expect([without.statusCode, without.json().code], `${method} ${path}`).toEqual([401, 'unauthenticated']);
    const bad = await world.ask(method, url, { key: 'isf_not-a-key' });
    expect([bad.statusCode, bad.json().code], `${method} ${path}`).toEqual([401, 'unauthenticated']);
  }
  expect(world.submitted).toEqual([]);
});

test('a request without a key is challenged; a wrong key is called invalid (RFC 6750 3)', async () => {
  const without = await world.get('/v1/conferences', { key: null });
  expect(without.headers['www-authenticate']).toBe('Bearer realm="isfocus"');
  const wrong = await world.get('/v1/conferences', { key: 'isf_not-a-key' });
  expect(wrong.headers['www-authenticate']).toBe('Bearer realm="isfocus", error="invalid_token"');
});

test.each(['Basic aXNm', 'Bearer', 'Bearer a b', 'isf_the-key-of-this-world', ''])(
  'credentials of another form are none: %s',
  async (authorization) => {
    const response = await world.get('/v1/conferences', { key: null, headers: { authorization } });
    expect(response.statusCode).toBe(401);
  },
);

test('the scheme is read without regard to case (RFC 9110 11.1)', async () => {
  const headers = { authorization: `bEARER ${world.key}` };
  expect((await world.get('/v1/conferences', { key: null, headers })).statusCode).toBe(200);
});

test('an overlong token is refused without a look into the store', async () => {
  const before = world.keys.lookups;
  const response = await world.get('/v1/conferences', { key: 'x'.repeat(httpLimits.keyCharsMax + 1) });
  expect([response.statusCode, world.keys.lookups]).toEqual([401, before]);
});

test('a key without the admin scope is known, yet may do nothing', async () => {
  const key = world.keys.with('isf_reader', ['conferences:read']);
  const response = await world.get('/v1/conferences', { key });
  expect([response.statusCode, response.json().code]).toEqual([403, 'not-allowed']);
});

test('without a key one does not learn which paths exist', async () => {
  expect((await world.get('/v1/no-such-thing', { key: null })).statusCode).toBe(401);
  expect((await world.ask('PUT', '/v1/conferences', { key: null })).statusCode).toBe(401);
});

test('a good key is remembered for a while, then looked up again', async () => {
  const own = new HttpWorld();
  await own.get('/v1/conferences');
  await own.get('/v1/conferences');
  expect(own.keys.lookups).toBe(1);
  own.keys.rows.length = 0;
  own.clock.advance(httpLimits.keyMemoryMs);
  expect((await own.get('/v1/conferences')).statusCode).toBe(401);
  expect(own.keys.lookups).toBe(2);
});

test('more keys than are remembered all stay good', async () => {
  const keys = Array.from({ length: httpLimits.keysRememberedMax + 1 }, (_, n) =>
    world.keys.with(`isf_key-${n}`, ['*']),
  );
  for (const key of keys) expect((await world.get('/v1/stats', { key })).statusCode).toBe(200);
});

test.each(['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs'])('%s is open to all', async (url) => {
  expect((await world.get(url, { key: null })).statusCode).toBe(200);
});

test('who did it goes to the core with the command', async () => {
  world.core = () => ({ kind: 'participant-removed' });
  await world.delete('/v1/conferences/conf-1/participants/bob');
  expect(world.submitted).toMatchObject([{ type: 'removal-requested', actor: 'key:k1' }]);
});
