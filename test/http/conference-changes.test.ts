import { beforeEach, expect, test } from 'vitest';
import type { ConferencePlan } from '../../src/core/effect.ts';
import { limits } from '../../src/core/limits.ts';
import { conferenceJson, conferenceTag } from '../../src/http/conference-json.ts';
import { HttpWorld } from './http-world.ts';
import { conferenceRow } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
  world.reads.conferenceRows.push(conferenceRow());
});

const made = conferenceRow({ id: 'conf-7', createdBy: 'key:k1', factoryUri: null, version: 1, seq: 2 });
const bob = { uri: 'sip:bob@example.com' };

test('a conference is asked of the core with all that was said', async () => {
  world.core = () => ({ kind: 'conference-created', conference: made });
  const response = await world.post('/v1/conferences', {
    subject: 'Incident 4711',
    participants: [
      {
        uri: 'bob@example.com?Replaces: call;to-tag=1',
        display_name: 'Bob',
        role: 'chair',
        replaces: { call_id: 'call', to_tag: '1', from_tag: '2' },
      },
      { uri: 'mailto:ted@example.com' },
    ],
    policy: {
      end: 'idle',
      idle_seconds: 60,
      join: 'members',
      subscribe: 'anyone',
      invite: 'chairs',
      nicknames: false,
      private_messages: false,
      history: 'facts',
      history_days: 1,
      greeting: true,
      announcements: true,
      transport: 'tls',
    },
    max_participants: 7,
    locked: true,
    labels: { case: '4711' },
  });
  expect(response.statusCode).toBe(201);
  expect(response.headers).toMatchObject({ location: '/v1/conferences/conf-7', etag: conferenceTag(made) });
  expect(response.json()).toEqual(conferenceJson(made));
  expect(world.submitted).toEqual([
    {
      type: 'conference-requested',
      reply: 'reply-1',
      actor: 'key:k1',
      subject: 'Incident 4711',
      participants: [
        {
          raw: 'bob@example.com?Replaces: call;to-tag=1',
          displayName: 'Bob',
          role: 'chair',
          replaces: { callId: 'call', toTag: '1', fromTag: '2', earlyOnly: false },
        },
        { raw: 'mailto:ted@example.com', displayName: null, role: 'participant', replaces: null },
      ],
      policy: {
        end: 'idle',
        idleSeconds: 60,
        join: 'members',
        subscribe: 'anyone',
        invite: 'chairs',
        nicknames: false,
        privateMessages: false,
        history: 'facts',
        historyDays: 1,
        greeting: true,
        announcements: true,
        transport: 'tls',
      },
      maxParticipants: 7,
      locked: true,
      labels: { case: '4711' },
      dryRun: false,
    },
  ]);
});

test('nothing need be said of a conference', async () => {
  world.core = () => ({ kind: 'conference-created', conference: made });
  expect((await world.post('/v1/conferences', {})).statusCode).toBe(201);
  await world.post('/v1/conferences?dry_run=false', { participants: [bob] });
  const nothing = { subject: null, policy: {}, maxParticipants: null, locked: false, labels: {}, dryRun: false };
  expect(world.submitted).toMatchObject([
    { ...nothing, participants: [] },
    { ...nothing, participants: [{ raw: bob.uri, displayName: null, role: 'participant', replaces: null }] },
  ]);
});

const plan: ConferencePlan = {
  entries: [
    {
      entry: {
        raw: 'bob@example.com',
        uri: 'sip:bob@example.com',
        quirks: ['QK-6'],
        position: 0,
        copyControl: 'bcc',
        anonymize: false,
        ignoredHeaders: ['Route'],
      },
      displayName: 'Bob',
      replaces: { callId: 'call', toTag: '1', fromTag: '2', earlyOnly: true },
      verdict: 'dial',
      cause: null,
    },
    {
      entry: {
        raw: 'mailto:ted@example.com',
        uri: null,
        quirks: [],
        position: 1,
        copyControl: 'bcc',
        anonymize: false,
        ignoredHeaders: [],
      },
      displayName: null,
      replaces: null,
      verdict: 'refused',
      cause: { status: 416, reason: 'Unsupported URI Scheme' },
    },
  ],
  refused: { code: 'consent-missing', detail: 'Nobody knows whether ted agrees' },
};

test('a dry run tells how each entry would be read, and why nothing would come of it', async () => {
  world.core = () => ({ kind: 'conference-planned', plan });
  const response = await world.post('/v1/conferences?dry_run=true', { participants: [{ uri: 'bob@example.com' }] });
  expect(response.statusCode).toBe(200);
  expect(response.headers).not.toHaveProperty('location');
  expect(response.json()).toEqual({
    entries: [
      {
        raw: 'bob@example.com',
        uri: 'sip:bob@example.com',
        quirks: ['QK-6'],
        position: 0,
        copy_control: 'bcc',
        anonymize: false,
        ignored_headers: ['Route'],
        display_name: 'Bob',
        replaces: { call_id: 'call', to_tag: '1', from_tag: '2', early_only: true },
        verdict: 'dial',
        cause: null,
      },
      {
        raw: 'mailto:ted@example.com',
        uri: null,
        quirks: [],
        position: 1,
        copy_control: 'bcc',
        anonymize: false,
        ignored_headers: [],
        display_name: null,
        replaces: null,
        verdict: 'refused',
        cause: { status: 416, reason: 'Unsupported URI Scheme' },
      },
    ],
    refused: { code: 'consent-missing', detail: 'Nobody knows whether ted agrees' },
  });
  expect(world.submitted).toMatchObject([{ type: 'conference-requested', dryRun: true }]);
});

test('a plan that would be carried out says so', async () => {
  world.core = () => ({ kind: 'conference-planned', plan: { entries: [], refused: null } });
  expect((await world.post('/v1/conferences?dry_run=true', {})).json()).toEqual({ entries: [], refused: null });
});

test.each([
  [undefined, '#'],
  [{ subject: 'a\nb' }, '#/subject'],
  [{ participants: [{}] }, '#/participants/0/uri'],
  [{ participants: [bob, { uri: 'sip:ted@example.com\r\nVia: evil' }] }, '#/participants/1/uri'],
  [{ participants: [{ ...bob, role: 'king' }] }, '#/participants/0/role'],
  [{ participants: Array(limits.listEntriesMax + 1).fill(bob) }, '#/participants'],
  [{ policy: { end: 'never' } }, '#/policy/end'],
  [{ max_participants: limits.participantsPerConferenceMax + 1 }, '#/max_participants'],
  [{ locked: 'yes' }, '#/locked'],
  [{ labels: { a: 'x'.repeat(201) } }, '#/labels/a'],
  [{ labels: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`label-${n}`, 'x'])) }, '#/labels'],
  [{ uri: 'sip:conf-1@conf.example.com' }, '#/uri'],
])(
  'a conference that cannot be meant does not reach the core, and the fault is pointed at: %j',
  async (body, pointer) => {
    const response = await world.post('/v1/conferences', body);
    expect(response.json()).toMatchObject({
      status: 400,
      code: 'validation-failed',
      errors: [{ in: 'body', pointer }],
    });
    expect(world.submitted).toEqual([]);
  },
);

test('a dry run is asked for with a word', async () => {
  const response = await world.post('/v1/conferences?dry_run=1', {});
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'query', pointer: '#/dry_run' }] });
  expect(world.submitted).toEqual([]);
});

test.each([
  ['validation-failed', 400],
  ['list-too-long', 403],
  ['consent-missing', 409],
  ['too-many-creations', 429],
  ['stopping', 503],
  ['busy', 503],
] as const)('the core’s refusal %s to make a conference is told with its own words', async (code, status) => {
  world.core = () => ({ kind: 'refused', code, detail: 'because of that' });
  const response = await world.post('/v1/conferences', { participants: [bob] });
  expect(response.json()).toMatchObject({ status, code, detail: 'because of that' });
  expect(response.headers['retry-after']).toBe(status === 429 ? '60' : undefined);
});

test('a change names only what it changes', async () => {
  const conference = conferenceRow({ locked: true, version: 6, seq: 7 });
  world.core = () => ({ kind: 'conference-changed', conference });
  const response = await world.patch('/v1/conferences/conf-1', { locked: true });
  expect([response.statusCode, response.headers['etag'], response.json()]).toEqual([
    200,
    conferenceTag(conference),
    conferenceJson(conference),
  ]);
  await world.patch('/v1/conferences/conf-1', { subject: null, max_participants: null, labels: { a: 'b' } });
  const asked = { type: 'change-requested', actor: 'key:k1', conferenceId: 'conf-1' };
  expect(world.submitted).toEqual([
    { ...asked, reply: 'reply-1', locked: true },
    { ...asked, reply: 'reply-2', subject: null, maxParticipants: null, labels: { a: 'b' } },
  ]);
});

test.each([
  [undefined, '#'],
  [{}, '#'],
  [{ locked: null }, '#/locked'],
  [{ max_participants: 0 }, '#/max_participants'],
  [{ policy: { join: 'members' } }, '#/policy'],
])('a change that cannot be meant does not reach the core: %j', async (body, pointer) => {
  const response = await world.patch('/v1/conferences/conf-1', body);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'body', pointer }] });
  expect(world.submitted).toEqual([]);
});

test('a change of what is not live is explained from the store', async () => {
  world.core = ({ type }) => ({ kind: 'refused', code: 'no-such-conference', detail: type });
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-2', status: 'ended' }));
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-3', node: 'node-2' }));
  const codes = [];
  for (const id of ['conf-2', 'conf-3', 'conf-9'])
    codes.push((await world.patch(`/v1/conferences/${id}`, { locked: true })).json().code);
  expect(codes).toEqual(['conference-ended', 'other-node', 'no-such-conference']);
});

test('only the state that was read is changed, when that is wished', async () => {
  world.core = () => ({ kind: 'conference-changed', conference: conferenceRow() });
  const read = String((await world.get('/v1/conferences/conf-1')).headers['etag']);
  const change = (tag: string) =>
    world.patch('/v1/conferences/conf-1', { locked: true }, { headers: { 'if-match': tag } });
  expect((await change(read)).statusCode).toBe(200);
  expect((await change('*')).statusCode).toBe(200);
  expect((await change(read.replace('5.', '4.'))).json()).toMatchObject({ status: 412, code: 'changed-meanwhile' });
  expect(world.submitted).toMatchObject([{ asKnown: { version: 5, labels: { desk: 'north' } } }, {}]);
  expect(world.submitted[1]).not.toHaveProperty('asKnown');
});

test('messages are no change of a conference, labels in another order neither; other labels are', () => {
  const row = conferenceRow({ labels: { a: '1', b: '2' } });
  const tag = conferenceTag(row);
  expect(tag).toMatch(/^"5\.[0-9a-f]{8}"$/);
  expect(conferenceTag(conferenceRow({ messageCount: 9, seq: 99, labels: { b: '2', a: '1' } }))).toBe(tag);
  const others = [{ version: 6 }, { labels: { a: '2', b: '2' } }, { labels: {} }, { status: 'ended' }] as const;
  for (const other of others) expect(conferenceTag({ ...row, ...other })).not.toBe(tag);
});

test('what changed between the reading and the change is the core’s to notice', async () => {
  world.core = () => ({ kind: 'refused', code: 'changed-meanwhile', detail: 'It is at 6.7 now' });
  const headers = { 'if-match': conferenceTag(conferenceRow()) };
  const response = await world.patch('/v1/conferences/conf-1', { locked: true }, { headers });
  expect(response.json()).toMatchObject({ status: 412, code: 'changed-meanwhile' });
});

test('a state of what is not there, or is over, is wished in vain', async () => {
  world.reads.conferenceRows.push(conferenceRow({ id: 'conf-2', status: 'ended' }));
  const headers = { 'if-match': '"5.6"' };
  const codeOf = async (id: string) =>
    (await world.patch(`/v1/conferences/${id}`, { locked: true }, { headers })).json().code;
  expect(await codeOf('conf-9')).toBe('no-such-conference');
  expect(await codeOf('conf-2')).toBe('conference-ended');
});
