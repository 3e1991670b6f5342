import { beforeEach, expect, test } from 'vitest';
import { HttpWorld } from './http-world.ts';
import { attemptRow, conferenceRow, subscriptionRow } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow(), conferenceRow({ id: 'conf-2' }));
});

test('a subscription is shown with its state and what it was last sent', async () => {
  world.reads.subscriptionRows.push(subscriptionRow());
  expect((await world.get('/v1/subscriptions')).json().data).toEqual([
    {
      id: 'subscription-1',
      conference_id: 'conf-1',
      target: 'sip:h7Kx2mQ9@127.0.0.1',
      subscriber: 'sip:alice@example.com',
      event: 'conference',
      state: 'active',
      expires_at: '2026-03-01T10:30:00.000Z',
      last_version_sent: 5,
      role: 'notifier',
      terminated_reason: null,
    },
  ]);
});

test('subscriptions are listed for one conference or for all', async () => {
  world.reads.subscriptionRows.push(subscriptionRow(), subscriptionRow({ id: 's-2', conferenceId: 'conf-2' }));
  const ids = async (url: string) => (await world.get(url)).json().data.map((row: { id: string }) => row.id);
  expect(await ids('/v1/subscriptions')).toEqual(['subscription-1', 's-2']);
  expect(await ids('/v1/conferences/conf-2/subscriptions')).toEqual(['s-2']);
});

test('a conference nobody watches has an empty list; an unknown one has none', async () => {
  expect((await world.get('/v1/conferences/conf-2/subscriptions')).json().data).toEqual([]);
  const unknown = await world.get('/v1/conferences/conf-9/subscriptions');
  expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'no-such-conference']);
});

test('a refused attempt is shown with who came, how it was read and why the answer was no', async () => {
  world.reads.attemptRows.push(attemptRow());
  expect((await world.get('/v1/attempts')).json().data).toEqual([
    {
      id: 'attempt-1',
      node: 'node-1',
      at: '2026-03-01T09:30:00.000Z',
      method: 'INVITE',
      target: 'sip:conf-fact@127.0.0.1',
      caller: null,
      call_id: 'call-7',
      code: 'bad-list',
      status: 400,
      reason: 'The resource list is not well-formed XML',
      quirks: ['QK-4'],
      received: 'INVITE sip:conf-fact@127.0.0.1 SIP/2.0',
    },
  ]);
});

test.each(['/v1/subscriptions', '/v1/conferences/conf-1/subscriptions', '/v1/attempts'])(
  '%s comes in pages and knows no word but theirs',
  async (url) => {
    world.reads.subscriptionRows.push(subscriptionRow(), subscriptionRow({ id: 's-2' }));
    world.reads.attemptRows.push(attemptRow(), attemptRow({ id: 'a-2' }));
    const first = (await world.get(`${url}?limit=1&count=exact`)).json();
    expect(first.page).toEqual({ next_cursor: 'after-1', limit: 1, total: 2 });
    expect((await world.get(`${url}?cursor=after-1`)).json().page.next_cursor).toBeNull();
    expect((await world.get(`${url}?cursor=other`)).json().errors).toMatchObject([{ pointer: '#/cursor' }]);
    expect((await world.get(`${url}?status=active`)).json().errors).toMatchObject([{ pointer: '#/status' }]);
  },
);

test('the stats tell addresses, counts, version, node and time up', async () => {
  expect((await world.get('/v1/stats')).json()).toEqual({
    version: '1.2.3',
    node: 'node-1',
    started_at: '2026-03-01T09:28:29.500Z',
    uptime_seconds: 90,
    factory_uri: 'sip:conf-fact@127.0.0.1',
    addresses: [{ part: 'sip', transport: 'udp', host: '127.0.0.1', port: 5060 }],
    counts: { conferences: 1, participants: 3, subscriptions: 2, msrp_sessions: 3, messages: 12 },
  });
});
