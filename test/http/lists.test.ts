import { beforeEach, expect, test } from 'vitest';
import { HttpWorld } from './http-world.ts';
import { attemptRow, conferenceRow, referralRow, subscriptionRow } from './rows.ts';

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

test('of a subscription that runs the version is the one it was sent last, saved or not', async () => {
  world.reads.subscriptionRows.push(subscriptionRow(), subscriptionRow({ id: 's-2' }));
  world.versionsSent.set('s-2', 9);
  const versions = async (url: string) =>
    (await world.get(url)).json().data.map((row: { last_version_sent: number }) => row.last_version_sent);
  expect(await versions('/v1/subscriptions')).toEqual([5, 9]);
  expect(await versions('/v1/conferences/conf-1/subscriptions')).toEqual([5, 9]);
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

test('attempts are sought by their code and by who asked, whose address is read first', async () => {
  await world.get('/v1/attempts?code=bad-list&caller=sip:alice@EXAMPLE.com;transport=tcp');
  expect(world.reads.lastAttemptFilter).toEqual({ code: 'bad-list', caller: 'sip:alice@example.com' });
  await world.get('/v1/attempts');
  expect(world.reads.lastAttemptFilter).toEqual({ code: null, caller: null });
  expect((await world.get('/v1/attempts?code=bad-luck')).json().errors).toMatchObject([{ pointer: '#/code' }]);
});

test('a referral is shown with who asked, for what, and what came of it, without the secrets of its dialog', async () => {
  world.reads.referralRows.push(referralRow());
  const shown = {
    id: 'referral-1',
    conference_id: 'conf-1',
    by: 'sip:alice@example.com',
    at: '2026-03-01T09:30:00.000Z',
    ended_at: '2026-03-01T09:30:02.000Z',
    state: 'ended',
    targets: [
      {
        raw: 'sip:carol@example.com?Replaces=call%3Bto-tag%3D1%3Bfrom-tag%3D2',
        uri: 'sip:carol@example.com',
        method: 'INVITE',
        replaces: { call_id: 'call', to_tag: '1', from_tag: '2', early_only: false },
        quirks: ['QK-8'],
        participant_id: 'carol',
        outcome: { status: 200, reason: 'OK' },
      },
    ],
    subscription: { event_id: 7 },
    quirks: ['QK-34'],
    received: 'REFER sip:h7Kx2mQ9@127.0.0.1 SIP/2.0',
  };
  expect((await world.get('/v1/conferences/conf-1/referrals')).json().data).toEqual([shown]);
  expect((await world.get('/v1/conferences/conf-1/referrals/referral-1')).json()).toEqual(shown);
});

test('a referral under way has no end, and one that wants no NOTIFYs no subscription', async () => {
  world.reads.referralRows.push(referralRow({ state: 'trying', endedAt: null, subscription: null }));
  const { body } = await world.get('/v1/conferences/conf-1/referrals/referral-1');
  expect(JSON.parse(body)).toMatchObject({ state: 'trying', ended_at: null, subscription: null });
  expect(body).not.toContain('local-1');
});

test('referrals are those of their conference; what is missing is named', async () => {
  world.reads.referralRows.push(referralRow());
  expect((await world.get('/v1/conferences/conf-2/referrals')).json().data).toEqual([]);
  const codeOf = async (url: string) => (await world.get(url)).json().code;
  expect(await codeOf('/v1/conferences/conf-9/referrals')).toBe('no-such-conference');
  expect(await codeOf('/v1/conferences/conf-9/referrals/referral-1')).toBe('no-such-conference');
  expect(await codeOf('/v1/conferences/conf-2/referrals/referral-1')).toBe('no-such-referral');
});

test.each([
  '/v1/subscriptions',
  '/v1/conferences/conf-1/subscriptions',
  '/v1/conferences/conf-1/referrals',
  '/v1/attempts',
])('%s comes in pages and knows no word but theirs', async (url) => {
  world.reads.subscriptionRows.push(subscriptionRow(), subscriptionRow({ id: 's-2' }));
  world.reads.referralRows.push(referralRow(), referralRow({ id: 'r-2' }));
  world.reads.attemptRows.push(attemptRow(), attemptRow({ id: 'a-2' }));
  const first = (await world.get(`${url}?limit=1&count=exact`)).json();
  expect(first.page).toEqual({ next_cursor: 'after-1', limit: 1, total: 2 });
  expect((await world.get(`${url}?cursor=after-1`)).json().page.next_cursor).toBeNull();
  expect((await world.get(`${url}?cursor=other`)).json().errors).toMatchObject([{ pointer: '#/cursor' }]);
  expect((await world.get(`${url}?status=active`)).json().errors).toMatchObject([{ pointer: '#/status' }]);
});

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
