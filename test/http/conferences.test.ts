import { beforeEach, expect, test } from 'vitest';
import { conferenceJson } from '../../src/http/conference-json.ts';
import { HttpWorld } from './http-world.ts';
import { conferenceRow, startOfTime } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow());
});

test('a conference is shown with every field the row has, times in ISO 8601', async () => {
  const response = await world.get('/v1/conferences/conf-1');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({
    id: 'conf-1',
    uri: 'sip:h7Kx2mQ9@127.0.0.1',
    factory_uri: 'sip:conf-fact@127.0.0.1',
    kind: 'ad_hoc',
    group_id: null,
    status: 'active',
    subject: null,
    locked: false,
    max_participants: null,
    policy: {
      end: 'creator-leaves',
      idle_seconds: 300,
      join: 'anyone',
      subscribe: 'participants',
      invite: 'participants',
      nicknames: true,
      private_messages: true,
      history: 'off',
      history_days: 30,
      greeting: false,
      announcements: false,
      transport: 'any',
    },
    created_by: 'sip:alice@example.com',
    created_at: '2026-03-01T09:30:00.000Z',
    activated_at: '2026-03-01T09:30:00.012Z',
    ended_at: null,
    end_reason: null,
    ended_by: null,
    participant_count: 2,
    peak_participants: 3,
    message_count: 4,
    version: 5,
    seq: 6,
    node: 'node-1',
    labels: { desk: 'north' },
  });
});

test('an ended conference is shown as it was', async () => {
  const ended = conferenceRow({
    id: 'conf-2',
    status: 'ended',
    subject: 'Größe 測試',
    maxParticipants: 10,
    endedAt: startOfTime + 60_000,
    endReason: 'operator',
    endedBy: 'key:k1',
  });
  world.reads.conferenceRows.push(ended);
  expect((await world.get('/v1/conferences/conf-2')).json()).toEqual(conferenceJson(ended));
});

test('an unknown conference is 404', async () => {
  const response = await world.get('/v1/conferences/conf-9');
  expect([response.statusCode, response.json().code]).toEqual([404, 'no-such-conference']);
});

test('the list comes in pages that lead from one to the next', async () => {
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-2' }), conferenceRow({ id: 'conf-3' }));
  const first = (await world.get('/v1/conferences?limit=2')).json();
  expect(first.data.map((row: { id: string }) => row.id)).toEqual(['conf-1', 'conf-2']);
  expect(first.page).toEqual({ next_cursor: 'after-2', limit: 2 });
  const second = (await world.get(`/v1/conferences?limit=2&cursor=${first.page.next_cursor}`)).json();
  expect(second.data.map((row: { id: string }) => row.id)).toEqual(['conf-3']);
  expect(second.page).toEqual({ next_cursor: null, limit: 2 });
});

test('50 rows come unless another limit is said, 200 at most', async () => {
  for (let n = 2; n <= 250; n += 1) world.reads.conferenceRows.push(conferenceRow({ id: `conf-${n}` }));
  expect((await world.get('/v1/conferences')).json().data).toHaveLength(50);
  expect((await world.get('/v1/conferences?limit=200')).json().data).toHaveLength(200);
  expect((await world.get('/v1/conferences?limit=201')).statusCode).toBe(400);
});

test('the total comes only when it is asked for', async () => {
  expect((await world.get('/v1/conferences?count=exact')).json().page.total).toBe(1);
  expect((await world.get('/v1/conferences')).json().page).not.toHaveProperty('total');
});

test('filters and order reach the store as they are meant', async () => {
  const query = new URLSearchParams({
    status: 'ended',
    kind: 'ad_hoc',
    created_by: 'sip:alice@EXAMPLE.com;transport=tcp',
    participant_uri: 'mailto:bob@example.com',
    created_after: '2026-03-01T10:30:00+01:00',
    created_before: '2026-03-02T00:00:00Z',
    sort: 'created_at',
  });
  expect((await world.get(`/v1/conferences?${query}`)).statusCode).toBe(200);
  expect(world.reads.lastFilter).toEqual({
    status: 'ended',
    kind: 'ad_hoc',
    createdBy: 'sip:alice@example.com',
    participantUri: 'mailto:bob@example.com',
    createdAfter: startOfTime,
    createdBefore: Date.parse('2026-03-02T00:00:00Z'),
    sort: 'created_at',
  });
});

test('without filters all come, newest first', async () => {
  await world.get('/v1/conferences');
  expect(world.reads.lastFilter).toEqual({
    status: null,
    kind: null,
    createdBy: null,
    participantUri: null,
    createdAfter: null,
    createdBefore: null,
    sort: '-created_at',
  });
});

test.each([
  ['limit=0', '#/limit'],
  ['limit=ten', '#/limit'],
  ['limit=1&limit=2', '#/limit'],
  ['limit=', '#/limit'],
  ['cursor=nonsense', '#/cursor'],
  ['cursor=a%20b', '#/cursor'],
  ['count=yes', '#/count'],
  ['status=running', '#/status'],
  ['kind=', '#/kind'],
  ['created_after=yesterday', '#/created_after'],
  ['created_after=0000-01-01T00:00:00Z', '#/created_after'],
  ['created_before=9999-12-31T23:59:59-14:00', '#/created_before'],
  ['created_before=2026-06-30T23:59:60Z', '#/created_before'],
  ['created_by=a%00b', '#/created_by'],
  ['sort=uri', '#/sort'],
  ['stauts=active', '#/stauts'],
])('a query that makes no sense is pointed at: %s', async (query, pointer) => {
  const response = await world.get(`/v1/conferences?${query}`);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'validation-failed', errors: [{ in: 'query', pointer }] });
});

test('the roster document is exactly what a watcher would get', async () => {
  world.conferenceInfo = '<?xml version="1.0"?>\n<conference-info entity="sip:ö@x"/>';
  const response = await world.get('/v1/conferences/conf-1/conference-info');
  expect(response.headers['content-type']).toBe('application/conference-info+xml');
  expect(response.body).toBe(world.conferenceInfo);
});

test.each([
  ['conf-9', 404, 'no-such-conference'],
  ['conf-2', 409, 'conference-ended'],
  ['conf-3', 409, 'other-node'],
])('there is no roster document of what is not live here: %s is %i, %s', async (id, status, code) => {
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-2', status: 'ended', node: 'node-2' }));
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-3', node: 'node-2' }));
  const response = await world.get(`/v1/conferences/${id}/conference-info`);
  expect([response.statusCode, response.json().code]).toEqual([status, code]);
});

test('ending a conference asks the core and shows the conference as it ended', async () => {
  const conference = conferenceRow({
    status: 'ended',
    endReason: 'operator',
    endedAt: startOfTime + 1,
    endedBy: 'key:k1',
  });
  world.core = () => ({ kind: 'conference-ended', conference });
  const response = await world.post('/v1/conferences/conf-1/end', { reason: 'maintenance' });
  expect([response.statusCode, response.json()]).toEqual([200, conferenceJson(conference)]);
  expect(world.submitted).toEqual([
    { type: 'end-requested', reply: 'reply-1', actor: 'key:k1', conferenceId: 'conf-1', reason: 'maintenance' },
  ]);
});

test.each([
  ['nothing at all', undefined, {}],
  ['an empty body that calls itself JSON', '', {}],
  ['an empty object', {}, {}],
])('a conference may be ended with %s', async (_what, body, headers) => {
  world.core = () => ({ kind: 'conference-ended', conference: conferenceRow({ status: 'ended' }) });
  expect((await world.post('/v1/conferences/conf-1/end', body, { headers })).statusCode).toBe(200);
  expect(world.submitted).toMatchObject([{ reason: null }]);
});

test.each([
  [{ reason: 7 }, '#/reason'],
  [{ reason: null }, '#/reason'],
  [{ reason: 'a\r\nVia: evil' }, '#/reason'],
  [{ reason: 'x'.repeat(201) }, '#/reason'],
  [{ raeson: 'x' }, '#/raeson'],
  [[], '#'],
  ['"text"', '#'],
])('a reason that cannot be one does not reach the core: %j', async (body, pointer) => {
  const response = await world.post('/v1/conferences/conf-1/end', body);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'validation-failed', errors: [{ in: 'body', pointer }] });
  expect(world.submitted).toEqual([]);
});

test('a conference the core does not know is explained from the store', async () => {
  world.core = ({ type }) => ({ kind: 'refused', code: 'no-such-conference', detail: type });
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-2', status: 'ended' }));
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-3', node: 'node-2' }));
  const codes = [];
  for (const id of ['conf-2', 'conf-3', 'conf-9'])
    codes.push((await world.post(`/v1/conferences/${id}/end`)).json().code);
  expect(codes).toEqual(['conference-ended', 'other-node', 'no-such-conference']);
});

test('no command is begun while the service stops, yet everything can still be read', async () => {
  world.stopping = true;
  const response = await world.post('/v1/conferences/conf-1/end');
  expect([response.statusCode, response.json().code, world.submitted]).toEqual([503, 'stopping', []]);
  expect((await world.get('/v1/conferences/conf-1')).statusCode).toBe(200);
});
