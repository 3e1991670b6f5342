import { createHash } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import type { UserRow } from '../../src/core/rows.ts';
import { HttpWorld } from './http-world.ts';
import { startOfTime } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
});

const alicePath = '/v1/users/sip%3Aalice%40example.com';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The user that most tests begin with. */
async function alice(given: Partial<UserRow> = {}): Promise<UserRow> {
  const row: UserRow = {
    id: 'user-1',
    uri: 'sip:alice@example.com',
    displayName: 'Alice',
    secrets: { realm: 'conf.example.com', md5: 'a', sha256: 'b' },
    barred: false,
    mayCreate: true,
    consents: true,
    createdAt: startOfTime,
    updatedAt: startOfTime,
    revision: 3,
    ...given,
  };
  await world.users.store.insert(row);
  return row;
}

test('a user of whom nothing else is said may do what all may', async () => {
  const response = await world.post('/v1/users', { uri: 'sip:Alice@EXAMPLE.com;transport=tcp' });
  expect(response.statusCode).toBe(201);
  expect(response.headers).toMatchObject({ location: '/v1/users/sip%3AAlice%40example.com', etag: '"1"' });
  expect(response.json()).toEqual({
    uri: 'sip:Alice@example.com',
    display_name: null,
    has_password: false,
    barred: false,
    may_create: true,
    consents: false,
    created_at: '2026-03-01T09:30:00.000Z',
    updated_at: '2026-03-01T09:30:00.000Z',
    revision: 1,
  });
  expect((await world.get(response.headers['location'] ?? '')).json()).toEqual(response.json());
});

test('of a password only hashes are kept, per algorithm, and nothing is shown', async () => {
  const password = 'correct “horse”: battery';
  const response = await world.post('/v1/users', {
    uri: 'sip:alice@example.com',
    display_name: 'Alice',
    password,
    barred: true,
    may_create: false,
    consents: true,
  });
  expect(response.json()).toMatchObject({ has_password: true, barred: true, may_create: false, consents: true });
  const row = await world.users.byUri('sip:alice@example.com');
  expect(row?.secrets).toMatchObject({
    realm: 'conf.example.com',
    md5: md5(`alice:conf.example.com:${password}`),
    sha256: sha256(`alice:conf.example.com:${password}`),
  });
  expect(JSON.stringify(row)).not.toContain('horse');
  const { body } = await world.get(alicePath);
  expect(body).not.toMatch(/horse|secret|[0-9a-f]{32}/);
});

test('a password set for another realm is none', async () => {
  await alice({ secrets: { realm: 'old.example.com', md5: 'a', sha256: 'b' } });
  expect((await world.get(alicePath)).json().has_password).toBe(false);
});

test.each([
  [undefined, '#'],
  [{}, '#/uri'],
  [{ uri: 'alice' }, '#/uri'],
  [{ uri: 'sip:alice@example.com?Subject=x' }, '#/uri'],
  [{ uri: 'sip:alice@example.com', password: '' }, '#/password'],
  [{ uri: 'sip:alice@example.com', password: null }, '#/password'],
  [{ uri: 'sip:alice@example.com', password: 'x'.repeat(129) }, '#/password'],
  [{ uri: 'sip:alice@example.com', password: 'a\u0000b' }, '#/password'],
  [{ uri: 'sip:alice@example.com', display_name: 'a\nb' }, '#/display_name'],
  [{ uri: 'sip:alice@example.com', barred: 'yes' }, '#/barred'],
  [{ uri: 'sip:alice@example.com', has_password: true }, '#/has_password'],
])('a user that cannot be meant is not added, and the fault is pointed at: %j', async (body, pointer) => {
  const response = await world.post('/v1/users', body);
  expect(response.json()).toMatchObject({ status: 400, code: 'validation-failed', errors: [{ in: 'body', pointer }] });
  expect((await world.get('/v1/users')).json().data).toEqual([]);
});

test('a fault in a password does not repeat it', async () => {
  const response = await world.post('/v1/users', { uri: 'sip:alice@example.com', password: ['hunter2'] });
  expect([response.statusCode, response.body.includes('hunter2')]).toEqual([400, false]);
});

test('a user is added once; more than may be are refused', async () => {
  await alice();
  const again = await world.post('/v1/users', { uri: 'sip:alice@EXAMPLE.com' });
  expect(again.json()).toMatchObject({ status: 409, code: 'already-defined' });
  world.users.refusal = 'too-many-definitions';
  const more = await world.post('/v1/users', { uri: 'sip:bob@example.com' });
  expect(more.json()).toMatchObject({ status: 409, code: 'too-many-definitions' });
});

test('users are listed newest first, in pages, by a text they hold', async () => {
  await alice();
  await alice({ id: 'user-2', uri: 'tel:+4930123456', displayName: 'Front desk', createdAt: startOfTime + 1 });
  const uris = async (query: string) =>
    (await world.get(`/v1/users${query}`)).json().data.map(({ uri }: { uri: string }) => uri);
  expect(await uris('')).toEqual(['tel:+4930123456', 'sip:alice@example.com']);
  expect(await uris('?q=desk')).toEqual(['tel:+4930123456']);
  const first = (await world.get('/v1/users?limit=1&count=exact')).json();
  expect(first.page).toMatchObject({ limit: 1, total: 2 });
  expect(await uris(`?limit=1&cursor=${first.page.next_cursor}`)).toEqual(['sip:alice@example.com']);
  expect((await world.get('/v1/users?q=')).json().errors).toMatchObject([{ in: 'query', pointer: '#/q' }]);
});

test('a change leaves what it does not name, the password too', async () => {
  const row = await alice();
  world.clock.advance(5_000);
  const response = await world.patch(alicePath, { barred: true });
  expect([response.statusCode, response.headers['etag']]).toEqual([200, '"4"']);
  expect(response.json()).toMatchObject({ barred: true, has_password: true, display_name: 'Alice', revision: 4 });
  expect(await world.users.byUri(row.uri)).toEqual({
    ...row,
    barred: true,
    updatedAt: startOfTime + 5_000,
    revision: 4,
  });
});

test('a password is replaced, and taken away by null', async () => {
  await alice();
  await world.patch(alicePath, { password: 'another' });
  const secrets = (await world.users.byUri('sip:alice@example.com'))?.secrets;
  expect(secrets?.md5).toBe(md5('alice:conf.example.com:another'));
  const response = await world.patch(alicePath, { password: null, display_name: null });
  expect(response.json()).toMatchObject({ has_password: false, display_name: null });
  expect((await world.users.byUri('sip:alice@example.com'))?.secrets).toBeNull();
});

test.each([
  [{}, '#'],
  [{ uri: 'sip:bob@example.com' }, '#/uri'],
  [{ barred: null }, '#/barred'],
])('a change that cannot be meant changes nothing: %j', async (body, pointer) => {
  const row = await alice();
  const response = await world.patch(alicePath, body);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'body', pointer }] });
  expect(await world.users.byUri(row.uri)).toEqual(row);
});

test('a user is read and removed by its address, however that is written', async () => {
  await alice();
  expect((await world.get('/v1/users/sip:alice@EXAMPLE.com;transport=tcp')).json().uri).toBe('sip:alice@example.com');
  const response = await world.delete('/v1/users/sip:%61lice@example.com');
  expect([response.statusCode, response.body]).toEqual([204, '']);
  expect((await world.get(alicePath)).json()).toMatchObject({ status: 404, code: 'no-such-user' });
});

test.each([
  ['GET', undefined],
  ['PATCH', { barred: true }],
  ['DELETE', undefined],
])('%s of a user of whom nothing is said, or of what is no address', async (method, body) => {
  const unknown = await world.ask(method, '/v1/users/sip:eve@example.com', { body });
  expect(unknown.json()).toMatchObject({ status: 404, code: 'no-such-user' });
  const bad = await world.ask(method, '/v1/users/eve', { body });
  expect(bad.json()).toMatchObject({ status: 400, errors: [{ in: 'path', pointer: '#/uri' }] });
});

test('only the state that was read is changed or removed, when that is wished', async () => {
  await alice();
  const old = { headers: { 'if-match': '"2"' } };
  expect((await world.patch(alicePath, { barred: true }, old)).json()).toMatchObject({
    status: 412,
    code: 'changed-meanwhile',
  });
  expect((await world.delete(alicePath, old)).statusCode).toBe(412);
  const read = { headers: { 'if-match': String((await world.get(alicePath)).headers['etag']) } };
  expect((await world.patch(alicePath, { barred: true }, read)).statusCode).toBe(200);
  expect((await world.delete(alicePath, read)).statusCode).toBe(412);
});
