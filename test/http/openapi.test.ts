import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openApiText } from '../../src/http/openapi-document.ts';
import { at, DocumentCheck, operationsOf } from './document-check.ts';
import { HttpWorld } from './http-world.ts';

const world = new HttpWorld();
const document = await world.shell.document();
const operations = operationsOf(document);
const named = (operation: { method: string; path: string }) => `${operation.method} ${operation.path}`;

test('openapi/openapi.json is what the routes say; `npm run openapi` writes it anew', async () => {
  const written = await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');
  expect(await openApiText()).toBe(written);
});

test('/openapi.json serves the same document', async () => {
  const response = await world.get('/openapi.json', { key: null });
  expect(response.json()).toEqual(JSON.parse(await openApiText()));
  expect(response.json().openapi).toBe('3.1.0');
});

test('these are the operations', () => {
  expect(operations.map(named).sort()).toEqual([
    'DELETE /v1/conferences/{id}/participants/{pid}',
    'DELETE /v1/groups/{id}',
    'DELETE /v1/groups/{id}/members/{uri}',
    'DELETE /v1/users/{uri}',
    'GET /health/live',
    'GET /health/ready',
    'GET /metrics',
    'GET /openapi.json',
    'GET /v1/attempts',
    'GET /v1/conferences',
    'GET /v1/conferences/{id}',
    'GET /v1/conferences/{id}/conference-info',
    'GET /v1/conferences/{id}/messages',
    'GET /v1/conferences/{id}/messages/{mid}',
    'GET /v1/conferences/{id}/participants',
    'GET /v1/conferences/{id}/participants/{pid}',
    'GET /v1/conferences/{id}/referrals',
    'GET /v1/conferences/{id}/referrals/{rid}',
    'GET /v1/conferences/{id}/subscriptions',
    'GET /v1/groups',
    'GET /v1/groups/{id}',
    'GET /v1/groups/{id}/members/{uri}',
    'GET /v1/stats',
    'GET /v1/subscriptions',
    'GET /v1/users',
    'GET /v1/users/{uri}',
    'PATCH /v1/conferences/{id}',
    'PATCH /v1/groups/{id}',
    'PATCH /v1/users/{uri}',
    'POST /v1/conferences',
    'POST /v1/conferences/{id}/end',
    'POST /v1/conferences/{id}/messages',
    'POST /v1/conferences/{id}/participants',
    'POST /v1/groups',
    'POST /v1/users',
    'PUT /v1/groups/{id}/members/{uri}',
  ]);
});

test.each(operations.map((operation) => [named(operation), operation] as const))(
  '%s says what it is for',
  (_name, { operation }) => {
    for (const word of ['summary', 'description', 'operationId']) expect(operation[word]).toEqual(expect.any(String));
    expect(operation['tags']).toHaveLength(1);
  },
);

test('no two operations bear one name', () => {
  const names = operations.map(({ operation }) => operation['operationId']);
  expect(new Set(names).size).toBe(names.length);
});

test.each(operations.filter(({ path }) => path.startsWith('/v1/')).map((found) => [named(found), found] as const))(
  '%s is behind the key and tells which problems it may answer with',
  (_name, { operation, method, path }) => {
    // The document's own security holds unless an operation says otherwise.
    expect(operation).not.toHaveProperty('security');
    const statuses = Object.keys(at(operation, 'responses') ?? {});
    expect(statuses).toEqual(expect.arrayContaining(['401', '403', '500']));
    if (method !== 'GET') expect(statuses).toEqual(expect.arrayContaining(['409', '503']));
    if (path.includes('{')) expect(statuses).toContain('404');
    if (['PATCH', 'PUT'].includes(method)) expect(statuses).toContain('412');
  },
);

test('what is open says so', () => {
  const open = operations.filter(({ path }) => !path.startsWith('/v1/'));
  expect(open.map(({ operation }) => operation['security'])).toEqual(open.map(() => []));
});

test('problems are shared responses with an example each', () => {
  const responses = at({ ...document }, 'components', 'responses') ?? {};
  expect(Object.keys(responses)).toEqual(
    [400, 401, 403, 404, 409, 412, 413, 415, 429, 500, 503].map((status) => `Problem${status}`),
  );
  for (const [name, response] of Object.entries(responses)) {
    const example = at({ response }, 'response', 'content', 'application/problem+json', 'example');
    expect(`Problem${example?.['status']}`).toBe(name);
  }
});

test('every component has a description, and an example unless it is a part or a page of others', () => {
  const schemas = Object.entries(at({ ...document }, 'components', 'schemas') ?? {});
  expect(schemas.length).toBeGreaterThan(10);
  for (const [name, schema] of schemas) {
    const { description, examples } = schema as { description?: string; examples?: unknown[] };
    expect(description, name).toEqual(expect.any(String));
    if (!/Page|Endpoint/.test(name)) expect(examples, name).toHaveLength(1);
  }
});

test('every example has what its schema demands, and nothing else', () => {
  new DocumentCheck(document).examples();
});

test('what has a default may be left out, and so may a body that demands nothing', () => {
  const list = operations.find(({ operation }) => operation['operationId'] === 'listConferences')?.operation;
  const parameters = list?.['parameters'] as { name: string; required: boolean }[];
  expect(parameters.filter(({ required }) => required)).toEqual([]);
  const body = (id: string) =>
    at(operations.find(({ operation }) => operation['operationId'] === id)?.operation, 'requestBody')?.['required'];
  expect([body('endConference'), body('addParticipant')]).toEqual([false, true]);
});

test('the docs page and all it loads come from this process', async () => {
  const page = await world.get('/docs', { key: null });
  expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
  expect(loaded.length).toBeGreaterThan(4);
  for (const url of [...loaded, '/docs/json']) {
    expect((await world.shell.inject({ url })).statusCode, url).toBe(200);
  }
  expect(page.body).not.toMatch(/https?:\/\//);
  expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  const settings = await world.shell.inject({ url: '/docs/static/swagger-initializer.js' });
  expect(settings.body).toContain('validatorUrl: null');
});

test('the front door leads to the docs page', async () => {
  const response = await world.get('/', { key: null });
  expect([response.statusCode, response.headers['location']]).toEqual([302, '/docs']);
});
