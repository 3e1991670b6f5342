import { beforeEach, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { HttpWorld } from './http-world.ts';
import { conferenceRow, messageRow } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow());
});

const shown = {
  id: 'message-1',
  conference_id: 'conf-1',
  message_id: '87652491',
  from: 'sip:alice@example.com',
  to: ['sip:bob@example.com'],
  content_type: 'text/plain',
  size: 324,
  sent_at: '2026-03-01T09:30:02.000Z',
  expires_at: '2026-03-02T09:30:02.000Z',
  delivered: 1,
  failed: 1,
  skipped: 0,
  pending: 0,
};

const deliveries = [
  {
    participant_id: 'bob',
    uri: 'sip:bob@example.com',
    endpoint_id: 'endpoint-1',
    outcome: 'delivered',
    status: 200,
    reason: null,
  },
  {
    participant_id: null,
    uri: null,
    endpoint_id: 'endpoint-2',
    outcome: 'failed',
    status: 408,
    reason: 'no answer',
  },
];

test('messages are listed page by page, each read with its deliveries', async () => {
  world.reads.messageRows.push(messageRow(), messageRow({ id: 'message-2', to: null, content: null }));
  const first = await world.get('/v1/conferences/conf-1/messages?limit=1&count=exact');
  expect(first.json()).toEqual({
    data: [{ ...shown, content: 'Hello' }],
    page: { next_cursor: 'after-1', limit: 1, total: 2 },
  });
  const next = await world.get('/v1/conferences/conf-1/messages?cursor=after-1');
  expect(next.json()).toMatchObject({ data: [{ id: 'message-2', to: null, content: null }] });
  const one = await world.get('/v1/conferences/conf-1/messages/message-1');
  expect(one.json()).toEqual({ ...shown, content: 'Hello', deliveries });
});

test('a key for messages sees what became of them, and what they say only with the scope for that', async () => {
  world.reads.messageRows.push(messageRow());
  const facts = world.keys.with('isf_facts', ['messages:read']);
  const reader = world.keys.with('isf_reader', ['messages:read', 'messages:read_content']);
  const path = '/v1/conferences/conf-1/messages';
  expect((await world.get(path, { key: facts })).json().data).toEqual([shown]);
  expect((await world.get(`${path}/message-1`, { key: facts })).json()).toEqual({ ...shown, deliveries });
  expect((await world.get(`${path}/message-1`, { key: reader })).json()).toMatchObject({ content: 'Hello' });
});

test.each([
  ['GET', '/v1/conferences/conf-1/messages', ['conferences:write', 'messages:read_content']],
  ['GET', '/v1/conferences/conf-1/messages/message-1', []],
  ['POST', '/v1/conferences/conf-1/messages', ['messages:read']],
  ['GET', '/v1/conferences/conf-1', ['messages:read', 'conferences:write']],
])('%s %s is not for a key with %j', async (method, url, scopes) => {
  world.reads.messageRows.push(messageRow());
  const key = world.keys.with(`isf_${scopes.join('+')}-${method}`, scopes);
  const response = await world.ask(method, url, { key, ...(method === 'POST' ? { body: { text: 'x' } } : {}) });
  expect([response.statusCode, response.json().code]).toEqual([403, 'not-allowed']);
  expect(world.submitted).toEqual([]);
});

test('messages of what is not there', async () => {
  expect((await world.get('/v1/conferences/conf-1/messages')).json().data).toEqual([]);
  expect((await world.get('/v1/conferences/conf-9/messages')).json()).toMatchObject({ code: 'no-such-conference' });
  const message = await world.get('/v1/conferences/conf-1/messages/message-1');
  expect([message.statusCode, message.json().code]).toEqual([404, 'no-such-message']);
  const other = await world.get('/v1/conferences/conf-9/messages/message-1');
  expect(other.json().code).toBe('no-such-conference');
});

test('an operator has the focus say something: 202 with the message, and where it is read later', async () => {
  const unknown = { status: null, reason: null };
  const pending = {
    participant_id: 'bob',
    uri: 'sip:bob@example.com',
    endpoint_id: 'endpoint-1',
    outcome: 'pending',
    ...unknown,
  };
  const underWay = {
    participantId: 'bob',
    uri: pending.uri,
    endpointId: 'endpoint-1',
    outcome: 'pending',
    ...unknown,
  } as const;
  const said = messageRow({ from: 'sip:h7Kx2mQ9@127.0.0.1', to: null, deliveries: [underWay], content: null });
  world.core = () => ({ kind: 'notice-sent', message: said, isKept: true });
  const text = 'The line will be down\r\n\tat noon. ☎';
  const response = await world.post('/v1/conferences/conf-1/messages', { text });
  expect([response.statusCode, response.headers['location']]).toEqual([
    202,
    '/v1/conferences/conf-1/messages/message-1',
  ]);
  expect(response.json()).toEqual({
    ...shown,
    from: 'sip:h7Kx2mQ9@127.0.0.1',
    to: null,
    delivered: 0,
    failed: 0,
    pending: 1,
    content: null,
    deliveries: [pending],
  });
  const key = world.keys.with('isf_writer', ['conferences:write']);
  const body = { text: '<b>x</b>', content_type: 'text/html', participants: ['bob', 'ted'] };
  const some = await world.ask('POST', '/v1/conferences/conf-1/messages', { key, body });
  // Who is in the conference is for those who may read.
  expect(Object.keys(some.json())).toEqual(Object.keys(shown));
  const asked = { type: 'notice-requested', conferenceId: 'conf-1' };
  expect(world.submitted).toMatchObject([
    { ...asked, actor: 'key:k1', contentType: 'text/plain', text, participantIds: null },
    { ...asked, contentType: 'text/html', text: '<b>x</b>', participantIds: ['bob', 'ted'] },
  ]);
});

test('what is said where no history is kept is read nowhere later', async () => {
  world.core = () => ({ kind: 'notice-sent', message: messageRow(), isKept: false });
  const response = await world.post('/v1/conferences/conf-1/messages', { text: 'x' });
  expect([response.statusCode, response.headers['location']]).toEqual([202, undefined]);
});

test.each([
  [{}, '#/text'],
  [{ text: '' }, '#/text'],
  [{ text: 'x'.repeat(limits.noticeCharactersMax + 1) }, '#/text'],
  [{ text: 'bell \u0007' }, '#/text'],
  [{ text: 'half a pair \ud83c' }, '#/text'],
  [{ text: 'x', content_type: 'message/cpim' }, '#/content_type'],
  [{ text: 'x', content_type: 'text/plain\r\nTo: <sip:eve@example.com>' }, '#/content_type'],
  [{ text: 'x', participants: [] }, '#/participants'],
  [{ text: 'x', participants: ['a b'] }, '#/participants/0'],
  [{ text: 'x', to: 'bob' }, '#/to'],
])('what cannot be said is refused: %j', async (body, pointer) => {
  const response = await world.post('/v1/conferences/conf-1/messages', body);
  expect(response.json()).toMatchObject({ status: 400, code: 'validation-failed', errors: [{ pointer }] });
});

test.each([
  ['not-in-conference', 409],
  ['no-such-participant', 404],
  ['conference-ended', 409],
  ['stopping', 503],
] as const)('%s is answered %i', async (code, status) => {
  world.core = () => ({ kind: 'refused', code, detail: 'because of that' });
  const response = await world.post('/v1/conferences/conf-1/messages', { text: 'x' });
  expect(response.json()).toMatchObject({ status, code, detail: 'because of that' });
});
