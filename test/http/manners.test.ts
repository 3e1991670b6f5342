import { Writable } from 'node:stream';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { httpLimits } from '../../src/http/http-limits.ts';
import { HttpWorld } from './http-world.ts';
import { conferenceRow } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow());
});

const end = '/v1/conferences/conf-1/end';

test('a problem says what it is, where, and by which request (RFC 9457)', async () => {
  const response = await world.get('/v1/conferences/conf-1?x=1');
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.json()).toEqual({
    type: 'urn:isfocus:problem:validation-failed',
    title: 'The request does not fit its schema',
    status: 400,
    detail: 'query #/x: is not known here',
    instance: '/v1/conferences/conf-1',
    code: 'validation-failed',
    errors: [{ in: 'query', pointer: '#/x', detail: 'is not known here' }],
    request_id: 'req-1',
  });
});

test.each(['/v1/stats', '/v1/conferences/conf-1', '/v1/conferences/conf-1/participants/bob'])(
  '%s takes no query, and says so',
  async (url) => {
    expect((await world.get(`${url}?dry_run=true`)).json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/dry_run' }],
    });
  },
);

test.each(['/nowhere', '/v1/nowhere', '/v1/conferences/conf-1/nothing', '/v1/conferences/'])(
  'there is nothing at %s, and that is a problem too',
  async (url) => {
    const response = await world.get(url);
    expect(response.statusCode).toBe(url.endsWith('/') ? 400 : 404);
    expect(response.headers['content-type']).toContain('application/problem+json');
  },
);

test.each([
  ['PUT', '/v1/conferences', 'GET, HEAD, POST'],
  ['DELETE', '/v1/conferences/conf-1', 'GET, HEAD, PATCH'],
  ['PATCH', '/v1/conferences/conf-1/participants', 'GET, HEAD, POST'],
  ['GET', end, 'POST'],
  ['POST', '/v1/conferences/conf-1/participants/bob', 'DELETE, GET, HEAD'],
  ['POST', '/health/live', 'GET, HEAD'],
])('%s %s is refused, and Allow says what is not (RFC 9110 15.5.6)', async (method, url, allow) => {
  const response = await world.ask(method, url, { body: '{' });
  expect([response.statusCode, response.headers['allow']]).toEqual([405, allow]);
  expect(response.json().code).toBe('method-not-allowed');
});

test('a body at the bound is read; one octet more is refused', async () => {
  world.core = () => ({ kind: 'conference-ended', conference: conferenceRow({ status: 'ended' }) });
  const body = (bytes: number) => `{}${' '.repeat(bytes - 2)}`;
  expect((await world.post(end, body(httpLimits.bodyBytesMax))).statusCode).toBe(200);
  const over = await world.post(end, body(httpLimits.bodyBytesMax + 1));
  expect([over.statusCode, over.json().code]).toEqual([413, 'body-too-large']);
});

test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense'])(
  'a body of type %s is refused',
  async (type) => {
    const response = await world.post(end, '{}', { headers: { 'content-type': type } });
    expect([response.statusCode, response.json().code]).toEqual([415, 'unsupported-body']);
  },
);

test('JSON with a charset is JSON', async () => {
  world.core = () => ({ kind: 'conference-ended', conference: conferenceRow({ status: 'ended' }) });
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  expect((await world.post(end, '{}', { headers })).statusCode).toBe(200);
});

test.each(['{', '{"reason":}', 'not json', '{"reason":"a"', '{"__proto__":{"reason":"x"}}'])(
  'a body that is no JSON of ours is refused: %s',
  async (body) => {
    const response = await world.post(end, body);
    expect([response.statusCode, response.json().code]).toEqual([400, 'bad-body']);
  },
);

test('a path that cannot be decoded is a problem whose instance is still a URI reference', async () => {
  const response = await world.get('/v1/%zz');
  expect([response.statusCode, response.json().instance]).toEqual([400, '/v1/%25zz']);
  expect(response.headers['x-request-id']).toBe('req-1');
});

test.each(['a%00b', 'a%2Fb', 'ü', 'x'.repeat(65)])('an id that can be none is not looked up: %s', async (id) => {
  const response = await world.get(`/v1/conferences/${encodeURI(decodeURI(id))}`);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'path', pointer: '#/id' }] });
});

test('every answer bears its request’s id; a harmless one of the caller’s own is kept', async () => {
  expect((await world.get('/v1/stats')).headers['x-request-id']).toBe('req-1');
  expect((await world.get('/docs')).headers['x-request-id']).toBe('req-2');
  const own = await world.get('/v1/conferences/conf-9', { headers: { 'x-request-id': 'desk-7.a' } });
  expect([own.headers['x-request-id'], own.json().request_id]).toEqual(['desk-7.a', 'desk-7.a']);
});

test.each(['', 'a b', 'a"b', 'x'.repeat(httpLimits.requestIdCharsMax + 1)])(
  'a request id that could do harm in a log is replaced: %s',
  async (id) => {
    expect((await world.get('/v1/stats', { headers: { 'x-request-id': id } })).headers['x-request-id']).toBe('req-1');
  },
);

test('what is behind the key is never stored on the way, refusals included', async () => {
  expect((await world.get('/v1/conferences')).headers['cache-control']).toBe('no-store');
  expect((await world.get('/v1/conferences', { key: null })).headers['cache-control']).toBe('no-store');
  expect((await world.get('/v1/nowhere')).headers['cache-control']).toBe('no-store');
});

test('HEAD is GET without the body', async () => {
  const response = await world.shell.inject({
    method: 'HEAD',
    url: '/v1/conferences',
    headers: { authorization: `Bearer ${world.key}` },
  });
  expect([response.statusCode, response.body]).toEqual([200, '']);
});

type Line = { level: number; msg: string; [fact: string]: unknown };

function loggedWorld(): { logged: HttpWorld; lines: Line[] } {
  const lines: Line[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { logged: new HttpWorld(pino({ level: 'info' }, sink)), lines };
}

test('our own failures are 500, say nothing of their cause, and are logged with it', async () => {
  const { logged, lines } = loggedWorld();
  logged.reads.failure = new Error('relation "secret" does not exist');
  const response = await logged.get('/v1/conferences');
  expect(response.json()).toMatchObject({ status: 500, code: 'internal-error', detail: 'Internal error' });
  const line = lines.find(({ msg }) => msg === 'request failed');
  expect(line).toMatchObject({ level: 50, requestId: 'req-1', err: { message: 'relation "secret" does not exist' } });
});

test('each answer below /v1 is one line of the log, without the query and without the key', async () => {
  const { logged, lines } = loggedWorld();
  await logged.get('/v1/conferences?created_by=sip:alice@example.com');
  await logged.get('/health/live');
  await expect.poll(() => lines.length).toBe(1);
  expect(lines[0]).toMatchObject({
    msg: 'request answered',
    requestId: 'req-1',
    actor: 'key:k1',
    method: 'GET',
    path: '/v1/conferences',
    status: 200,
  });
  expect(JSON.stringify(lines)).not.toMatch(/alice|isf_/);
});
