import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ADMIN_SCOPE, firstKey, GIVEN_KEY_ID, hashApiKey, makeApiKey } from '../../src/http/api-key.ts';
import { httpLimits } from '../../src/http/http-limits.ts';
import { FakeKeys } from './fake-ports.ts';
import { startOfTime } from './rows.ts';

const given = 'g'.repeat(httpLimits.givenKeyCharsMin);
const start = (keys: FakeKeys, apiKey: string | null) =>
  firstKey({ keys, given: apiKey, now: startOfTime, newId: () => 'row-1' });

test('a made key says whose it is, carries 256 random bits and never comes twice', () => {
  const made = makeApiKey();
  expect(made).toMatch(/^isf_[A-Za-z0-9_-]{43}$/);
  expect(makeApiKey()).not.toBe(made);
});

test('what is kept of a key is the SHA-256 of the whole of it, in hex', () => {
  expect(hashApiKey('isf_abc')).toBe(createHash('sha256').update('isf_abc').digest('hex'));
});

test('a start that fails before it could tell its key leaves none behind', async () => {
  const keys = new FakeKeys();
  expect((await start(keys, null)).made).not.toBeNull();
  expect(keys.rows).toEqual([]);
  expect((await start(keys, null)).made).not.toBeNull();
});

test('the first start makes a key, tells it once and keeps its hash only', async () => {
  const keys = new FakeKeys();
  const { made, keep } = await start(keys, null);
  await keep();
  expect(keys.rows).toEqual([
    {
      id: 'row-1',
      name: 'first start',
      hash: hashApiKey(made ?? ''),
      scopes: [ADMIN_SCOPE],
      createdAt: startOfTime,
    },
  ]);
  expect(JSON.stringify(keys.rows)).not.toContain(made);
});

test('a later start makes none', async () => {
  const keys = new FakeKeys();
  await (await start(keys, null)).keep();
  expect((await start(keys, null)).made).toBeNull();
  expect(keys.rows).toHaveLength(1);
});

test('a given key is honoured without being stored, beside those that are', async () => {
  const keys = new FakeKeys();
  keys.with('isf_stored', ['*']);
  const first = await start(keys, given);
  expect(first.made).toBeNull();
  expect(await first.keys.keyByHash(hashApiKey(given))).toMatchObject({ id: GIVEN_KEY_ID, scopes: [ADMIN_SCOPE] });
  expect(await first.keys.keyByHash(hashApiKey('isf_stored'))).toMatchObject({ id: 'k1' });
  expect(await first.keys.keyByHash(hashApiKey('isf_other'))).toBeUndefined();
  expect(await first.keys.countKeys()).toBe(1);
});

test('a given key one character too short is refused, by the name of its variable', async () => {
  await expect(start(new FakeKeys(), given.slice(1))).rejects.toThrow(/^API_KEY must have at least 24 characters$/);
});
