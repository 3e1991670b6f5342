import { beforeEach, expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import { limits } from '../../src/core/limits.ts';
import type { GroupRow } from '../../src/core/rows.ts';
import { usualChatJson } from '../../src/http/policy-json.ts';
import { HttpWorld } from './http-world.ts';
import { startOfTime } from './rows.ts';

const world = new HttpWorld();
beforeEach(() => {
  world.reset();
});

const closed = {
  end: 'last-leaves',
  idleSeconds: 300,
  join: 'members',
  subscribe: 'members',
  invite: 'chairs',
  ...usualChat,
} as const;
const shownPolicy = {
  end: 'last-leaves',
  idle_seconds: 300,
  join: 'members',
  subscribe: 'members',
  invite: 'chairs',
  ...usualChatJson,
};

/** The group that most tests begin with. */
async function team(given: Partial<GroupRow> = {}): Promise<GroupRow> {
  const row: GroupRow = {
    id: 'team',
    uri: 'sip:team@conf.example.com',
    subject: 'The team',
    members: [
      { uri: 'sip:bob@example.com', displayName: 'Bob', role: 'chair' },
      { uri: 'tel:+4930123456', displayName: null, role: 'participant' },
    ],
    policy: closed,
    maxParticipants: 10,
    labels: { site: 'north' },
    createdAt: startOfTime,
    updatedAt: startOfTime,
    revision: 3,
    ...given,
  };
  await world.groups.store.insert(row);
  return row;
}

test('a group of which only the name is said is closed and empty', async () => {
  const response = await world.post('/v1/groups', { uri: 'night-shift' });
  expect(response.statusCode).toBe(201);
  expect(response.headers).toMatchObject({ location: '/v1/groups/row-1', etag: '"1"' });
  expect(response.json()).toEqual({
    id: 'row-1',
    uri: 'sip:night-shift@conf.example.com',
    subject: null,
    members: [],
    policy: shownPolicy,
    max_participants: null,
    labels: {},
    created_at: '2026-03-01T09:30:00.000Z',
    updated_at: '2026-03-01T09:30:00.000Z',
    revision: 1,
  });
  expect((await world.get('/v1/groups/row-1')).json()).toEqual(response.json());
});

test('all of a group can be said; members are known by their canonical addresses', async () => {
  const response = await world.post('/v1/groups', {
    uri: 'sip:team@OTHER.example.com',
    subject: 'The “team”',
    members: [
      { uri: 'sip:bob@Example.com;transport=tcp', display_name: 'Bob', role: 'chair' },
      { uri: 'tel:+49-30-123456' },
    ],
    policy: {
      end: 'idle',
      idle_seconds: 60,
      join: 'anyone',
      history: 'content',
      history_days: 7,
      private_messages: false,
    },
    max_participants: 10,
    labels: { site: 'north' },
  });
  expect(response.statusCode).toBe(201);
  expect(await world.groups.byId('row-1')).toEqual({
    id: 'row-1',
    uri: 'sip:team@other.example.com',
    subject: 'The “team”',
    members: [
      { uri: 'sip:bob@example.com', displayName: 'Bob', role: 'chair' },
      { uri: 'tel:+4930123456', displayName: null, role: 'participant' },
    ],
    policy: {
      ...closed,
      end: 'idle',
      idleSeconds: 60,
      join: 'anyone',
      history: 'content',
      historyDays: 7,
      privateMessages: false,
    },
    maxParticipants: 10,
    labels: { site: 'north' },
    createdAt: startOfTime,
    updatedAt: startOfTime,
    revision: 1,
  });
});

const bob = { uri: 'sip:bob@example.com' };
test.each([
  [undefined, '#'],
  [{}, '#/uri'],
  [{ uri: '' }, '#/uri'],
  [{ uri: 'conf-fact' }, '#/uri'],
  [{ uri: 'conf-7f3a' }, '#/uri'],
  [{ uri: 'sip:team@elsewhere.example.com' }, '#/uri'],
  [{ uri: 'sip:team@conf.example.com;transport=tcp' }, '#/uri'],
  [{ uri: 'team', subject: 'a\nb' }, '#/subject'],
  [{ uri: 'team', members: [{ uri: 'bob' }] }, '#/members/0/uri'],
  [{ uri: 'team', members: [bob, { uri: 'sip:bob@EXAMPLE.com;x=y' }] }, '#/members/1/uri'],
  [{ uri: 'team', members: [{ uri: 'sip:bob@example.com?Replaces=x' }] }, '#/members/0/uri'],
  [{ uri: 'team', members: [{ ...bob, role: 'king' }] }, '#/members/0/role'],
  [{ uri: 'team', members: Array(limits.groupMembersMax + 1).fill(bob) }, '#/members'],
  [{ uri: 'team', policy: { end: 'never' } }, '#/policy/end'],
  [{ uri: 'team', policy: { idle_seconds: 0 } }, '#/policy/idle_seconds'],
  [{ uri: 'team', policy: { history_days: 366 } }, '#/policy/history_days'],
  [{ uri: 'team', policy: { transport: 'tcp' } }, '#/policy/transport'],
  [{ uri: 'team', max_participants: 0 }, '#/max_participants'],
  [{ uri: 'team', labels: { site: 7 } }, '#/labels/site'],
  [{ uri: 'team', labels: { ['x'.repeat(65)]: 'y' } }, '#/labels'],
  [{ uri: 'team', members_only: true }, '#/members_only'],
])('a group that cannot be meant is not defined, and the fault is pointed at: %j', async (body, pointer) => {
  const response = await world.post('/v1/groups', body);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'validation-failed' });
  expect(response.json().errors).toContainEqual(expect.objectContaining({ in: 'body', pointer }));
  expect((await world.get('/v1/groups')).json().data).toEqual([]);
});

test('CC-173 a group may not want TLS where none is spoken; one that wants it already can be changed', async () => {
  const [tls, any] = [{ policy: { transport: 'tls' } }, { policy: { transport: 'any' } }];
  const made = await world.post('/v1/groups', { uri: 'team', ...tls });
  expect(made.statusCode).toBe(201);
  const path = `/v1/groups/${made.json().id}`;
  world.policyRefused = ({ transport }) => (transport === 'tls' ? 'No messages can come over TLS' : null);
  const refused = await world.post('/v1/groups', { uri: 'crew', ...tls });
  expect(refused.statusCode).toBe(400);
  const errors = [{ in: 'body', pointer: '#/policy/transport', detail: 'No messages can come over TLS' }];
  expect(refused.json()).toMatchObject({ code: 'validation-failed', errors });
  expect((await world.patch(path, { subject: 'Team' })).statusCode).toBe(200);
  expect((await world.patch(path, any)).statusCode).toBe(200);
  expect((await world.patch(path, tls)).json()).toMatchObject({ code: 'validation-failed', errors });
});

test('a member of another scheme is refused with the SIP status it would have met', async () => {
  const response = await world.post('/v1/groups', { uri: 'team', members: [{ uri: 'mailto:bob@example.com' }] });
  expect(response.json()).toMatchObject({
    code: 'unsupported-scheme',
    errors: [{ pointer: '#/members/0/uri' }],
    sip: { status: 416 },
  });
});

test('a group of the most members there may be, each told at full length, has room in a body', async () => {
  const name = 'ż'.repeat(200);
  const members = Array.from({ length: limits.groupMembersMax }, (_, index) => ({
    uri: `sip:${index}.${'x'.repeat(1000)}@example.com`,
    display_name: name,
    role: 'participant',
  }));
  const response = await world.post('/v1/groups', { uri: 'all-hands', members });
  expect(response.statusCode).toBe(201);
  expect(response.json().members).toHaveLength(limits.groupMembersMax);
});

test('a name is taken in every form of it', async () => {
  expect((await world.post('/v1/groups', { uri: 'a%2Fb' })).json()).toMatchObject({ uri: 'sip:a/b@conf.example.com' });
  expect((await world.post('/v1/groups', { uri: 'a/b' })).json()).toMatchObject({ code: 'already-defined' });
});

test('a name is taken at every domain of ours', async () => {
  await team();
  const response = await world.post('/v1/groups', { uri: 'sip:team@other.example.com' });
  expect(response.json()).toMatchObject({ status: 409, code: 'already-defined' });
});

test.each([
  ['too-many-definitions', 409],
  ['busy', 503],
] as const)('a group that cannot be kept is refused: %s', async (refusal, status) => {
  world.groups.refusal = refusal;
  const response = await world.post('/v1/groups', { uri: 'team' });
  expect(response.json()).toMatchObject({ status, code: refusal });
});

test('CC-038 no member is the factory, a conference or a group: calls to ourselves would only come back', async () => {
  await team();
  world.ours.add('sip:conf-fact@conf.example.com').add('sip:team@conf.example.com');
  const itself = { uri: 'night', members: [bob, { uri: 'sip:night@other.example.com' }] };
  const answers = [
    [world.post('/v1/groups', { uri: 'x', members: [{ uri: 'sip:conf-fact@conf.example.com' }] }), '#/members/0/uri'],
    [world.post('/v1/groups', itself), '#/members/1/uri'],
    [world.patch('/v1/groups/team', { members: [bob, { uri: 'sip:team@conf.example.com' }] }), '#/members/1/uri'],
    [world.put('/v1/groups/team/members/sip:team@conf.example.com', {}), '#/uri'],
  ] as const;
  for (const [answer, pointer] of answers) {
    const problem = { status: 400, code: 'loop', errors: [{ pointer }], sip: { status: 482, reason: 'Loop Detected' } };
    expect((await answer).json()).toMatchObject(problem);
  }
  expect((await world.groups.byId('team'))?.members).toHaveLength(2);
});

test('a store that is away is 503, whatever was to be written', async () => {
  await team();
  const away = async (): Promise<never> => {
    throw new Error('connect ECONNREFUSED');
  };
  world.groups.crossing = away;
  const changes = [
    world.patch('/v1/groups/team', { subject: 'x' }),
    world.put('/v1/groups/team/members/sip:carol@example.com', {}),
    world.delete('/v1/groups/team'),
    world.post('/v1/groups', { uri: 'other' }),
    world.post('/v1/users', { uri: 'sip:carol@example.com' }),
  ];
  world.users.crossing = away;
  for (const response of await Promise.all(changes))
    expect(response.json()).toMatchObject({
      status: 503,
      code: 'store-failed',
      detail: 'The state could not be saved',
    });
});

test('groups are listed newest first, in pages, by a text they hold', async () => {
  await team();
  await team({ id: 'night', uri: 'sip:night@conf.example.com', subject: null, createdAt: startOfTime + 1 });
  const ids = async (query: string) =>
    (await world.get(`/v1/groups${query}`)).json().data.map(({ id }: { id: string }) => id);
  expect(await ids('')).toEqual(['night', 'team']);
  expect(await ids('?q=THE')).toEqual(['team']);
  const first = (await world.get('/v1/groups?limit=1&count=exact')).json();
  expect(first.page).toMatchObject({ limit: 1, total: 2 });
  expect(await ids(`?limit=1&cursor=${first.page.next_cursor}`)).toEqual(['team']);
  expect((await world.get('/v1/groups?cursor=x')).json().errors).toMatchObject([{ pointer: '#/cursor' }]);
});

test('a change leaves what it does not name', async () => {
  const row = await team();
  world.clock.advance(5_000);
  const response = await world.patch('/v1/groups/team', { policy: { join: 'anyone' }, labels: {} });
  expect([response.statusCode, response.headers['etag']]).toEqual([200, '"4"']);
  expect(response.json()).toMatchObject({ subject: 'The team', revision: 4, updated_at: '2026-03-01T09:30:05.000Z' });
  expect(await world.groups.byId('team')).toEqual({
    ...row,
    policy: { ...closed, join: 'anyone' },
    labels: {},
    updatedAt: startOfTime + 5_000,
    revision: 4,
  });
});

test('what may be empty is emptied by null, members are replaced whole', async () => {
  const row = await team();
  await world.patch('/v1/groups/team', { subject: null, max_participants: null, members: [bob] });
  expect(await world.groups.byId('team')).toEqual({
    ...row,
    subject: null,
    maxParticipants: null,
    members: [{ ...bob, displayName: null, role: 'participant' }],
    revision: 4,
  });
});

test.each([
  [{}, '#'],
  [{ uri: 'other' }, '#/uri'],
  [{ members: [bob, bob] }, '#/members/1/uri'],
])('a change that cannot be meant changes nothing: %j', async (body, pointer) => {
  const row = await team();
  const response = await world.patch('/v1/groups/team', body);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'body', pointer }] });
  expect(await world.groups.byId('team')).toEqual(row);
});

test('a removed group is gone', async () => {
  await team();
  const response = await world.delete('/v1/groups/team');
  expect([response.statusCode, response.body]).toEqual([204, '']);
  expect((await world.get('/v1/groups/team')).json()).toMatchObject({ status: 404, code: 'no-such-group' });
});

test.each([
  ['GET', '/v1/groups/eve', undefined],
  ['PATCH', '/v1/groups/eve', { subject: 'x' }],
  ['DELETE', '/v1/groups/eve', undefined],
  ['GET', '/v1/groups/eve/members/sip%3Abob%40example.com', undefined],
  ['PUT', '/v1/groups/eve/members/sip%3Abob%40example.com', {}],
  ['DELETE', '/v1/groups/eve/members/sip%3Abob%40example.com', undefined],
])('%s %s: there is no such group', async (method, url, body) => {
  const response = await world.ask(method, url, { body });
  expect(response.json()).toMatchObject({ status: 404, code: 'no-such-group' });
});

test.each([
  ['"3"', 200],
  ['*', 200],
  ['"1", "3"', 200],
  ['"2"', 412],
  ['W/"3"', 412],
  ['3', 412],
])('If-Match %s of a group whose tag is "3": %i', async (tag, status) => {
  await team();
  const headers = { 'if-match': tag };
  const response = await world.patch('/v1/groups/team', { subject: 'x' }, { headers });
  expect(response.statusCode).toBe(status);
  if (status === 412) expect(response.json()).toMatchObject({ code: 'changed-meanwhile', detail: 'It is "3" now' });
  const removed = await world.delete('/v1/groups/team', { headers: { 'if-match': status === 200 ? '"4"' : tag } });
  expect(removed.statusCode).toBe(status === 200 ? 204 : 412);
});

/** Somebody else changes the subject, as often as said. */
function crossedBy(times: number): void {
  let left = times;
  world.groups.crossing = async () => {
    if (left === 0) return;
    left -= 1;
    const row = await world.groups.byId('team');
    if (row !== undefined) await world.groups.store.replace({ ...row, subject: 'theirs', revision: row.revision + 1 });
  };
}

test('a change that another one crosses holds for what that made of it', async () => {
  await team();
  crossedBy(2);
  const response = await world.patch('/v1/groups/team', { max_participants: 7 });
  expect(response.json()).toMatchObject({ subject: 'theirs', max_participants: 7, revision: 6 });
});

test('crossed by one it was not to know, or again and again, a change is refused', async () => {
  await team();
  crossedBy(1);
  const matched = await world.patch('/v1/groups/team', { subject: 'ours' }, { headers: { 'if-match': '"3"' } });
  expect(matched.json()).toMatchObject({ status: 412, code: 'changed-meanwhile' });
  crossedBy(100);
  expect((await world.patch('/v1/groups/team', { subject: 'ours' })).statusCode).toBe(412);
  expect((await world.delete('/v1/groups/team')).statusCode).toBe(412);
  expect((await world.get('/v1/groups/team')).json().subject).toBe('theirs');
});

const bobPath = '/v1/groups/team/members/sip%3Abob%40example.com';
const carolPath = '/v1/groups/team/members/sip%3Acarol%40example.com';

test('a member is read by its address, however that is written', async () => {
  await team();
  const shown = { uri: 'sip:bob@example.com', display_name: 'Bob', role: 'chair' };
  const response = await world.get(bobPath);
  expect([response.json(), response.headers['etag']]).toEqual([shown, '"3"']);
  expect((await world.get('/v1/groups/team/members/sip%3Abob%40EXAMPLE.com%3Btransport%3Dtcp')).json()).toEqual(shown);
  expect((await world.get('/v1/groups/team/members/tel:+49-30-123456')).json().uri).toBe('tel:+4930123456');
});

test('a member is added at the end, and again in its place', async () => {
  await team();
  const added = await world.put(carolPath);
  expect([added.statusCode, added.json()]).toEqual([
    201,
    { uri: 'sip:carol@example.com', display_name: null, role: 'participant' },
  ]);
  const changed = await world.put(bobPath, { role: 'observer' });
  expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"5"']);
  const { members } = (await world.get('/v1/groups/team')).json();
  expect(members.map(({ uri, role }: { uri: string; role: string }) => `${uri} ${role}`)).toEqual([
    'sip:bob@example.com observer',
    'tel:+4930123456 participant',
    'sip:carol@example.com participant',
  ]);
});

test('a member is taken out', async () => {
  await team();
  const response = await world.delete(bobPath);
  expect([response.statusCode, response.body]).toEqual([204, '']);
  expect((await world.get(bobPath)).json()).toMatchObject({ status: 404, code: 'no-such-member' });
  expect((await world.delete(bobPath)).json()).toMatchObject({ status: 404, code: 'no-such-member' });
  expect((await world.get('/v1/groups/team')).json()).toMatchObject({ revision: 4, members: [{}] });
});

test('a full group takes nobody more, yet what is said of a member can be changed', async () => {
  const members = Array.from({ length: limits.groupMembersMax }, (_, index) => ({
    uri: index === 0 ? 'sip:bob@example.com' : `sip:member-${index}@example.com`,
    displayName: null,
    role: 'participant' as const,
  }));
  await team({ members });
  expect((await world.put(carolPath)).json()).toMatchObject({
    status: 409,
    code: 'too-many-definitions',
    detail: 'A group has at most 500 members',
  });
  expect((await world.put(bobPath, { role: 'chair' })).statusCode).toBe(200);
});

test.each([['bob'], ['sip%3Abob%40example.com%3FReplaces%3Dx'], [`sip%3A${'x'.repeat(1_100)}%40example.com`]])(
  'a member called %.40s is pointed at',
  async (uri) => {
    await team();
    const response = await world.put(`/v1/groups/team/members/${uri}`);
    expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'path', pointer: '#/uri' }] });
  },
);

test.each([
  [{ role: 'king' }, '#/role'],
  [{ uri: 'sip:carol@example.com' }, '#/uri'],
])('what cannot be said of a member is pointed at: %j', async (body, pointer) => {
  await team();
  const response = await world.put(carolPath, body);
  expect(response.json()).toMatchObject({ status: 400, errors: [{ in: 'body', pointer }] });
});

test('a member is put and removed under the group’s tag', async () => {
  await team();
  const headers = { 'if-match': '"2"' };
  expect((await world.put(carolPath, {}, { headers })).statusCode).toBe(412);
  expect((await world.delete(bobPath, { headers })).statusCode).toBe(412);
});
