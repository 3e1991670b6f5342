import { beforeEach, expect, test } from 'vitest';
import type { ParticipantRow } from '../../src/core/rows.ts';
import { httpLimits } from '../../src/http/http-limits.ts';
import { HttpWorld } from './http-world.ts';
import { conferenceRow, endpointRow, participantRow, startOfTime } from './rows.ts';

const list = '/v1/conferences/conf-1/participants';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow(), conferenceRow({ id: 'conf-2' }));
  world.reads.participantRows.push(participantRow(), participantRow({ id: 'ted', uri: 'sip:ted@example.com' }));
});

const replaces = { callId: 'a84b4c76e66710', toTag: '314159', fromTag: '1928301774', earlyOnly: false };

/** Bob, whose invitation with Replaces was refused, and the one without it too. */
const failedBob: ParticipantRow = participantRow({
  id: 'bob-2',
  status: 'disconnected',
  joinedAt: null,
  leftAt: startOfTime + 2_000,
  replaces,
  disconnection: { method: 'busy', sipStatus: 486, reason: 'Busy Here' },
  endpoints: [
    endpointRow({
      contact: null,
      status: 'disconnected',
      remoteTag: null,
      joinedAt: null,
      leftAt: startOfTime + 2_000,
      disconnection: { method: 'busy', sipStatus: 486, reason: 'Busy Here' },
      media: [],
    }),
  ],
  listEntry: {
    raw: 'bob@example.com?Replaces:a84b4c76e66710',
    uri: 'sip:bob@example.com',
    quirks: ['QK-6', 'QK-7'],
    position: 1,
    copyControl: 'cc',
    anonymize: true,
    ignoredHeaders: ['Route'],
  },
  attempts: [
    {
      endpointId: 'endpoint-1',
      at: startOfTime,
      replaces,
      change: null,
      endedAt: startOfTime + 900,
      reasonHeader: null,
      outcome: { status: 481, reason: 'Call/Transaction Does Not Exist' },
    },
    {
      endpointId: 'endpoint-1',
      at: startOfTime + 1_000,
      replaces: null,
      change: 'without Replaces',
      endedAt: startOfTime + 1_400,
      reasonHeader: 'Q.850;cause=17',
      outcome: { status: 486, reason: 'Busy Here' },
    },
    {
      endpointId: 'endpoint-1',
      at: startOfTime + 1_500,
      replaces: null,
      change: null,
      outcome: null,
      endedAt: null,
      reasonHeader: null,
    },
  ],
  lastError: { status: 486, reason: 'Busy Here' },
});

test('who could not be reached is shown with the entry, every attempt and the cause', async () => {
  world.reads.participantRows.push(failedBob);
  const response = await world.get(`${list}/bob-2`);
  expect(response.statusCode).toBe(200);
  const shown = { call_id: 'a84b4c76e66710', to_tag: '314159', from_tag: '1928301774', early_only: false };
  expect(response.json()).toMatchObject({
    id: 'bob-2',
    conference_id: 'conf-1',
    status: 'disconnected',
    joined_at: null,
    left_at: '2026-03-01T09:30:02.000Z',
    replaces: shown,
    disconnection: { method: 'busy', sip_status: 486, reason: 'Busy Here' },
    list_entry: {
      raw: 'bob@example.com?Replaces:a84b4c76e66710',
      uri: 'sip:bob@example.com',
      quirks: ['QK-6', 'QK-7'],
      position: 1,
      copy_control: 'cc',
      anonymize: true,
      ignored_headers: ['Route'],
    },
    attempts: [
      {
        endpoint_id: 'endpoint-1',
        at: '2026-03-01T09:30:00.000Z',
        replaces: shown,
        change: null,
        outcome: { status: 481, reason: 'Call/Transaction Does Not Exist' },
        ended_at: '2026-03-01T09:30:00.900Z',
        duration_ms: 900,
        reason_header: null,
      },
      {
        endpoint_id: 'endpoint-1',
        at: '2026-03-01T09:30:01.000Z',
        replaces: null,
        change: 'without Replaces',
        outcome: { status: 486, reason: 'Busy Here' },
        ended_at: '2026-03-01T09:30:01.400Z',
        duration_ms: 400,
        reason_header: 'Q.850;cause=17',
      },
      {
        endpoint_id: 'endpoint-1',
        at: '2026-03-01T09:30:01.500Z',
        replaces: null,
        change: null,
        outcome: null,
        ended_at: null,
        duration_ms: null,
        reason_header: null,
      },
    ],
    last_error: { status: 486, reason: 'Busy Here' },
  });
});

test('a participant is shown with its endpoints and their media, without the secrets of its dialogs', async () => {
  const endpoint = endpointRow({
    sessionTimer: { expires: 1_800, refresher: 'peer' },
    languages: ['de-AT', 'en'],
    associatedAors: ['tel:+14085264000'],
    origin: { by: 'list', received: 'sip:bob@example.com', quirks: ['QK-34'] },
  });
  world.reads.participantRows.push(participantRow({ id: 'bob-3', endpoints: [endpoint] }));
  const response = await world.get(`${list}/bob-3`);
  expect(response.json().endpoints).toEqual([
    {
      id: 'endpoint-1',
      entity: 'sip:bob@192.0.2.17:5060',
      contact: 'sip:bob@192.0.2.17:5060',
      call_id: 'call-1',
      status: 'connected',
      joining_method: 'dialed-out',
      referred_by: 'sip:alice@example.com',
      joined_at: '2026-03-01T09:30:01.000Z',
      left_at: null,
      disconnection: null,
      media: [{ id: '1', type: 'message', status: 'sendrecv' }],
      session_timer: { expires: 1_800, refresher: 'peer' },
      languages: ['de-AT', 'en'],
      associated_aors: ['tel:+14085264000'],
      origin: { by: 'list', received: 'sip:bob@example.com', quirks: ['QK-34'] },
    },
  ]);
  expect(response.body).not.toContain('local-1');
});

test('a session that does not expire, and an endpoint that says nothing of its user and that an operator asked for, are told as such', async () => {
  const endpoint = endpointRow({ origin: { by: 'rest', received: null, quirks: [] } });
  world.reads.participantRows.push(participantRow({ id: 'bob-3', endpoints: [endpoint] }));
  expect((await world.get(`${list}/bob-3`)).json().endpoints).toMatchObject([
    { session_timer: null, languages: [], associated_aors: [], origin: { by: 'rest', received: null, quirks: [] } },
  ]);
});

test('the list comes in pages', async () => {
  const first = (await world.get(`${list}?limit=1&count=exact`)).json();
  expect(first.data.map((row: { id: string }) => row.id)).toEqual(['bob']);
  expect(first.page).toEqual({ next_cursor: 'after-1', limit: 1, total: 2 });
  const second = (await world.get(`${list}?limit=1&cursor=after-1`)).json();
  expect([second.data[0].id, second.page.next_cursor]).toEqual(['ted', null]);
});

test('a conference without participants has an empty list; an unknown one has none', async () => {
  expect((await world.get('/v1/conferences/conf-2/participants')).json().data).toEqual([]);
  const unknown = await world.get('/v1/conferences/conf-9/participants');
  expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'no-such-conference']);
});

test('what is missing is named: the participant, or the conference', async () => {
  expect((await world.get(`${list}/eve`)).json()).toMatchObject({ status: 404, code: 'no-such-participant' });
  const unknown = await world.get('/v1/conferences/conf-9/participants/bob');
  expect(unknown.json()).toMatchObject({ status: 404, code: 'no-such-conference' });
});

test('dialling out asks the core and answers 202 with the participant and where to find it', async () => {
  const dialled = participantRow({ id: 'ted-2', status: 'dialing-out', joinedAt: null, endpoints: [] });
  world.core = () => ({ kind: 'participant-dialled', participant: dialled });
  const response = await world.post(list, {
    uri: 'sip:ted@example.com;transport=tcp',
    display_name: 'Ted “T”',
    role: 'observer',
    replaces: { call_id: 'a84b@pc33.example.com', to_tag: '1-2~3', from_tag: '4', early_only: true },
  });
  expect(response.statusCode).toBe(202);
  expect(response.headers['location']).toBe('/v1/conferences/conf-1/participants/ted-2');
  expect(response.json()).toMatchObject({ id: 'ted-2', status: 'dialing-out' });
  expect(world.submitted).toMatchObject([
    {
      type: 'participant-requested',
      reply: 'reply-1',
      actor: 'key:k1',
      conferenceId: 'conf-1',
      raw: 'sip:ted@example.com;transport=tcp',
      uri: { scheme: 'sip', user: 'ted', host: 'example.com' },
      displayName: 'Ted “T”',
      role: 'observer',
      replaces: { callId: 'a84b@pc33.example.com', toTag: '1-2~3', fromTag: '4', earlyOnly: true },
    },
  ]);
});

test('only the URI need be said', async () => {
  world.core = () => ({ kind: 'participant-dialled', participant: participantRow() });
  const body = { uri: 'sip:bob@example.com', replaces: { call_id: 'c', to_tag: 't', from_tag: 'f' } };
  await world.post(list, { uri: body.uri });
  await world.post(list, body);
  expect(world.submitted).toMatchObject([
    { displayName: null, role: null, replaces: null },
    { replaces: { earlyOnly: false } },
  ]);
});

const tags = { to_tag: 't', from_tag: 'f' };
test.each([
  [undefined, '#'],
  [{}, '#/uri'],
  [{ uri: '' }, '#/uri'],
  [{ uri: 5 }, '#/uri'],
  [{ uri: 'sip:' }, '#/uri'],
  [{ uri: 'ted' }, '#/uri'],
  [{ uri: 'sip:ted@example.com\r\nVia: evil' }, '#/uri'],
  [{ uri: 'sip:ted@example.com?Replaces=call' }, '#/uri'],
  [{ uri: 'sip:ted@example.com', display_name: 'a\nb' }, '#/display_name'],
  [{ uri: 'sip:ted@example.com', display_name: 'a\ud800b' }, '#/display_name'],
  [{ uri: 'sip:ted@example.com', display_name: null }, '#/display_name'],
  [{ uri: 'sip:ted@example.com', display_name: 'x'.repeat(201) }, '#/display_name'],
  [{ uri: 'sip:ted@example.com', role: 'king' }, '#/role'],
  [{ uri: 'sip:ted@example.com', 'di/s~play': 'x' }, '#/di~1s~0play'],
  [{ uri: 'sip:ted@example.com', replaces: { call_id: 'c', to_tag: 't' } }, '#/replaces/from_tag'],
  [{ uri: 'sip:ted@example.com', replaces: { call_id: 'c;x', ...tags } }, '#/replaces/call_id'],
  [{ uri: 'sip:ted@example.com', replaces: { call_id: 'c@d@e', ...tags } }, '#/replaces/call_id'],
  [{ uri: 'sip:ted@example.com', replaces: { call_id: 'c', ...tags, to_tag: 'a;b' } }, '#/replaces/to_tag'],
  [{ uri: 'sip:ted@example.com', replaces: { call_id: 'c', ...tags, early_only: 'true' } }, '#/replaces/early_only'],
])('a body that cannot be meant does not reach the core, and the fault is pointed at: %j', async (body, pointer) => {
  const response = await world.post(list, body);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'validation-failed', errors: [{ in: 'body', pointer }] });
  expect(world.submitted).toEqual([]);
});

test('each fault of a body is named, up to a bound', async () => {
  const two = await world.post(list, { uri: 5, role: 'king' });
  expect(two.json().errors.map((fault: { pointer: string }) => fault.pointer)).toEqual(['#/uri', '#/role']);
  const many = Object.fromEntries(Array.from({ length: httpLimits.faultsMax + 5 }, (_, n) => [`x${n}`, n]));
  expect((await world.post(list, { uri: 'sip:bob@example.com', ...many })).json().errors).toHaveLength(20);
});

test('a URI of another scheme is refused with the SIP status it would have met', async () => {
  const response = await world.post(list, { uri: 'mailto:ted@example.com' });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({
    code: 'unsupported-scheme',
    errors: [{ in: 'body', pointer: '#/uri' }],
    sip: { status: 416, reason: 'Unsupported URI Scheme' },
  });
});

test.each([
  ['already-joined', 409],
  ['conference-locked', 409],
  ['conference-full', 409],
  ['conference-ended', 409],
  ['private-target', 403],
  ['store-failed', 503],
  ['busy', 503],
  ['internal-error', 500],
] as const)('the core’s refusal %s is told with its own words', async (code, status) => {
  world.core = () => ({ kind: 'refused', code, detail: 'because of that' });
  const response = await world.post(list, { uri: 'sip:ted@example.com' });
  expect(response.statusCode).toBe(status);
  expect(response.json()).toMatchObject({ code, status, detail: 'because of that', errors: [] });
});

test('a command that is never answered ends in 503, not in silence', async () => {
  const asked = world.post(list, { uri: 'sip:ted@example.com' });
  await expect.poll(() => world.submitted.length).toBe(1);
  world.clock.advance(httpLimits.replyTimeoutMs);
  const response = await asked;
  expect([response.statusCode, response.json().code]).toEqual([503, 'busy']);
});

test('removing a participant asks the core and answers 204 without a body', async () => {
  world.core = () => ({ kind: 'participant-removed' });
  const response = await world.delete(`${list}/bob?reason=too%20loud`);
  expect([response.statusCode, response.body]).toEqual([204, '']);
  expect(world.submitted).toEqual([
    {
      type: 'removal-requested',
      reply: 'reply-1',
      actor: 'key:k1',
      conferenceId: 'conf-1',
      participantId: 'bob',
      reason: 'too loud',
    },
  ]);
});

test('a participant is removed by clients that name a content type without sending any', async () => {
  world.core = () => ({ kind: 'participant-removed' });
  const headers = { 'content-type': 'application/json' };
  expect((await world.delete(`${list}/bob`, { headers })).statusCode).toBe(204);
  expect(world.submitted).toMatchObject([{ reason: null }]);
});

test.each([
  ['no-such-participant', 404],
  ['participant-gone', 409],
] as const)('a removal that the core refuses %s changes nothing', async (code, status) => {
  world.core = () => ({ kind: 'refused', code, detail: '' });
  const response = await world.delete(`${list}/eve`);
  expect([response.statusCode, response.json().code]).toEqual([status, code]);
});

test('a removal with a reason no header can bear is refused', async () => {
  const response = await world.delete(`${list}/bob?reason=a%0d%0aVia:%20evil`);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'query', pointer: '#/reason' }] });
  expect(world.submitted).toEqual([]);
});

test('an answer to another question is our own fault, and says nothing else', async () => {
  world.core = () => ({ kind: 'shut-down' });
  const response = await world.delete(`${list}/bob`);
  expect(response.json()).toMatchObject({ status: 500, code: 'internal-error', detail: 'Internal error' });
});
