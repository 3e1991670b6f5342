import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import { limits } from '../../src/core/limits.ts';
import { callerNamed, clientSdp } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** Alice and Bob talk, and Alice watches. */
function conference(world = new World()): World {
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.subscribes('alice');
  world.answersNotify('alice');
  world.ladder.take();
  world.events.length = 0;
  return world;
}

let asked = 0;

/** Somebody sends NICKNAME on the session of its latest endpoint; null: the name is given up. */
function takes(world: World, name: string, nickname: string | null): number {
  return takesOn(world, { name, endpointId: world.endpointOf(name) }, nickname);
}

function takesOn(world: World, { name, endpointId }: Record<'name' | 'endpointId', string>, nickname: string | null) {
  asked += 1;
  const reply = `msrp:${name}:${asked}`;
  world.ladder.add(name, 'focus', `NICKNAME "${nickname ?? ''}"`);
  world.happens({ type: 'nickname-asked', reply, conferenceId: world.conference.id, endpointId, nickname });
  const outcome = world.outcome(reply);
  return outcome.kind === 'nickname-answered' ? outcome.status : 0;
}

/** What Alice sees them go by. */
const seen = (world: World): (string | null | undefined)[] =>
  (world.documents('alice').at(-1)?.users ?? []).map((user) => user.nickname);

test('CC-189, CC-191 a nickname is in the roster as soon as it is taken, and gone once it is given up', () => {
  const world = conference();
  takes(world, 'bob', '  Bobby ');
  expect(seen(world)).toEqual(['Bobby']);
  world.answersNotify('alice');
  takes(world, 'bob', 'Bobby');
  takes(world, 'bob', null);
  world.ladder.matches(`
    bob   -> focus : NICKNAME "  Bobby "
    focus -> store : save v3
    focus -> bob   : 200 NICKNAME
    focus -> alice : NOTIFY active v1 partial [bob:-]
    alice -> focus : 200 NOTIFY
    bob   -> focus : NICKNAME "Bobby"
    focus -> bob   : 200 NICKNAME
    bob   -> focus : NICKNAME ""
    focus -> store : save v4
    focus -> bob   : 200 NICKNAME
    focus -> alice : NOTIFY active v2 partial [bob:connected]
  `);
  expect(seen(world)).toEqual([null]);
  expect(world.events).toEqual(['participant.updated', 'participant.updated']);
  expect(takes(world, 'bob', null)).toBe(200);
});

test('CC-192, CC-193 a name that is somebody else’s, in whatever form, is refused, and the old one stays', () => {
  const world = conference();
  expect(takes(world, 'alice', 'Alice')).toBe(200);
  expect(takes(world, 'bob', 'Bobby')).toBe(200);
  expect(takes(world, 'bob', 'ALICE')).toBe(425);
  expect(takes(world, 'bob', ' \uff21lice\u3000')).toBe(425);
  expect(takes(world, 'bob', '\u200b')).toBe(424);
  expect(world.participant('bob').nickname).toBe('Bobby');
  // It is still his alone.
  expect(takes(world, 'alice', 'bobby')).toBe(425);
  expect(takes(world, 'alice', 'ALICE')).toBe(200);
  expect(world.participant('alice').nickname).toBe('ALICE');
});

test('CC-190 403 where the policy allows no nicknames, and for those who are not in the conference', () => {
  const world = conference(new World({ chat: { ...usualChat, nicknames: false } }));
  expect(takes(world, 'bob', 'Bobby')).toBe(403);
  expect(takes(world, 'bob', null)).toBe(403);
  const open = conference();
  const endpointId = open.endpointOf('bob');
  open.hangsUp('bob');
  expect(takesOn(open, { name: 'bob', endpointId }, 'Bobby')).toBe(403);
  const { id: conferenceId } = open.conference;
  open.happens({ type: 'nickname-asked', reply: 'msrp:eve:1', conferenceId, endpointId: 'nobody', nickname: 'Eve' });
  open.happens({ type: 'nickname-asked', reply: 'msrp:eve:2', conferenceId: 'none', endpointId, nickname: 'Eve' });
  for (const reply of ['msrp:eve:1', 'msrp:eve:2'])
    expect(open.outcome(reply)).toMatchObject({ kind: 'nickname-answered', status: 403 });
});

test('a nickname is its user’s on every device, and stays as long as one of them is there', () => {
  const world = conference();
  const first = world.endpointOf('bob');
  world.dialsIn('bob');
  expect(takesOn(world, { name: 'bob', endpointId: first }, 'Bobby')).toBe(200);
  expect(takes(world, 'bob', 'Bobby')).toBe(200);
  world.happens({ type: 'dialog-ended', endpointId: first, by: 'peer', reason: null });
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
  expect(world.participant('bob').nickname).toBe('Bobby');
});

test('who has left finds the name kept for a minute, and must ask for it; then anybody may have it', () => {
  const world = conference();
  takes(world, 'bob', 'Bobby');
  world.hangsUp('bob');
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
  world.dialsIn('bob');
  expect(world.participant('bob').nickname).toBeNull();
  expect(takes(world, 'bob', 'BOBBY')).toBe(200);
  world.hangsUp('bob');
  world.passes(limits.nicknameKeptMs - 1);
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
  world.passes(1);
  expect(takes(world, 'alice', 'Bobby')).toBe(200);
});

test('a name that was changed or given up is kept for a minute, too', () => {
  const world = conference();
  takes(world, 'bob', 'Bobby');
  takes(world, 'bob', 'Rob');
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
  expect(takes(world, 'bob', 'Bobby')).toBe(200);
  takes(world, 'bob', null);
  expect([takes(world, 'alice', 'Rob'), takes(world, 'alice', 'Bobby')]).toEqual([425, 425]);
  world.passes(limits.nicknameKeptMs);
  expect([takes(world, 'alice', 'Rob'), takes(world, 'alice', 'Bobby')]).toEqual([200, 200]);
});

test('a nickname stays its user’s while another device is still being called', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  const called = world.endpointOf('bob');
  world.rings('bob');
  world.dialsIn('bob');
  const first = world.endpointOf('bob');
  expect(takesOn(world, { name: 'bob', endpointId: first }, 'Bobby')).toBe(200);
  world.happens({ type: 'dialog-ended', endpointId: first, by: 'peer', reason: null });
  world.answers('bob', clientSdp('bob', { setup: 'active' }), { endpointId: called });
  expect(world.participant('bob')).toMatchObject({ status: 'connected', nickname: 'Bobby' });
  world.passes(limits.nicknameKeptMs);
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
});

test('who asks for privacy later goes no longer by the nickname that all know, and has it kept', () => {
  const world = conference();
  takes(world, 'bob', 'Bobby');
  world.answersNotify('alice');
  world.dialsIn('bob', { caller: callerNamed('bob', { private: true }) });
  expect(world.participant('bob')).toMatchObject({ private: true, nickname: null });
  expect(takes(world, 'alice', 'Bobby')).toBe(425);
  // What it takes as who it is now is its own.
  expect(takes(world, 'bob', 'The Masked')).toBe(200);
  world.dialsIn('bob', { caller: callerNamed('bob', { private: true }) });
  expect(world.participant('bob').nickname).toBe('The Masked');
  world.passes(limits.nicknameKeptMs);
  expect(takes(world, 'alice', 'Bobby')).toBe(200);
});

test('nobody takes all names away by changing often', () => {
  const world = conference();
  const names = Array.from({ length: limits.nicknamesKeptMax + 2 }, (_, index) => `name ${index}`);
  for (const name of names) takes(world, 'bob', name);
  expect(names.map((name) => takes(world, 'alice', name)).map((status) => status === 200)).toEqual([
    true,
    ...names.slice(1).map(() => false),
  ]);
});

test('who asked for privacy may have a nickname, and is hidden by it', () => {
  const world = new World();
  world.factoryInvite(['bob']);
  world.answers('bob', clientSdp('bob', { setup: 'active' }), { private: true });
  world.subscribes('alice');
  takes(world, 'bob', 'The Masked');
  world.answersNotify('alice');
  const told = world.documents('alice').flatMap(({ users }) => users ?? []);
  expect(told.at(-1)).toMatchObject({ entity: 'sip:anonymous2@anonymous.invalid', nickname: 'The Masked' });
});

test('another’s display name is nobody’s nickname: RFC 7701 7 keeps the two apart', () => {
  const world = conference();
  world.dialsIn('carol', { caller: callerNamed('carol', { displayName: 'Caroline' }) });
  expect(takes(world, 'bob', 'Caroline')).toBe(200);
});
