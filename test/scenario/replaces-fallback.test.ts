import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

// The order of tags that the source document prints; a strict Bob calls it the wrong way round (QK-9).
const printed = 'a84b4c76e66710;to-tag=1928301774;from-tag=a6c85cf';

function conferenceWith(changes: { lenient?: boolean } = {}): World {
  const world = new World(changes);
  world.factoryInvite([{ uri: 'bob', replaces: printed }]);
  world.ladder.take();
  return world;
}

test('CC-060 420 with Unsupported: replaces: once more without Require and Replaces', () => {
  const world = conferenceWith();
  world.refuses('bob', 420, ['replaces']);
  world.answers('bob');
  world.ladder.matches(`
    bob   -> focus : 420 INVITE Unsupported: replaces
    focus -> store : save v2
    focus -> bob   : INVITE
    bob   -> focus : 200 INVITE
    focus -> store : save v3
  `);
  expect(world.participant('bob').attempts).toMatchObject([
    { replaces: { callId: 'a84b4c76e66710' }, outcome: { status: 420 } },
    { replaces: null, outcome: { status: 200 } },
  ]);
});

test('a 420 that names something else is final', () => {
  const world = conferenceWith();
  world.refuses('bob', 420, ['100rel']);
  world.ladder.matches(`
    bob   -> focus : 420 INVITE Unsupported: 100rel
    focus -> store : save v2
  `);
  expect(world.participant('bob')).toMatchObject({ status: 'disconnected', lastError: { status: 420 } });
});

test('CC-061 481, lenient: once with the tags exchanged, then once without Replaces (QK-9)', () => {
  const world = conferenceWith();
  world.refuses('bob', 481);
  world.refuses('bob', 481);
  world.refuses('bob', 481);
  world.ladder.matches(`
    bob   -> focus : 481 INVITE
    focus -> store : save v2
    focus -> bob   : INVITE Replaces: a84b4c76e66710;to-tag=a6c85cf;from-tag=1928301774
    bob   -> focus : 481 INVITE
    focus -> store : save v3
    focus -> bob   : INVITE
    bob   -> focus : 481 INVITE
    focus -> store : save v4
  `);
  expect(world.participant('bob')).toMatchObject({ disconnection: { method: 'failed', sipStatus: 481 } });
});

test('CC-061 481, strict: failed, the tags are never exchanged', () => {
  const world = conferenceWith({ lenient: false });
  world.refuses('bob', 481);
  world.ladder.matches(`
    bob   -> focus : 481 INVITE
    focus -> store : save v2
  `);
  expect(world.participant('bob')).toMatchObject({ disconnection: { method: 'failed', sipStatus: 481 } });
});

test('QK-9 the first INVITE carries the tags as printed, the second exchanged, and Bob joins', () => {
  const world = conferenceWith();
  expect(world.inviteTo('bob').replaces).toMatchObject({ toTag: '1928301774', fromTag: 'a6c85cf' });
  world.refuses('bob', 481);
  expect(world.inviteTo('bob').replaces).toMatchObject({ toTag: 'a6c85cf', fromTag: '1928301774' });
  world.answers('bob');
  expect(world.participant('bob')).toMatchObject({
    status: 'connected',
    lastError: null,
    attempts: [{ change: null }, { change: 'QK-9' }],
    endpoints: [{ origin: { quirks: ['QK-9'] } }],
  });
});

test.each([486, 600, 603, 403])('CC-062 %i to Replaces is final', (status) => {
  const world = conferenceWith();
  world.refuses('bob', status);
  expect(world.effects.filter((effect) => effect.type === 'sip.invite')).toHaveLength(1);
  const method = status === 486 || status === 600 ? 'busy' : 'failed';
  expect(world.participant('bob')).toMatchObject({
    status: 'disconnected',
    disconnection: { method, sipStatus: status },
  });
});

test('CC-044 every INVITE, a retry too, has its own Call-ID and From tag', () => {
  const world = new World();
  world.factoryInvite([{ uri: 'bob', replaces: printed }, 'ted']);
  world.refuses('bob', 420, ['replaces']);
  const invites = world.effects.filter((effect) => effect.type === 'sip.invite');
  expect(invites).toHaveLength(3);
  expect(new Set(invites.map((invite) => invite.callId)).size).toBe(3);
  expect(new Set(invites.map((invite) => invite.fromTag)).size).toBe(3);
  for (const invite of invites) expect(invite.dialogId).toBe(`${invite.callId};from-tag=${invite.fromTag}`);
});
