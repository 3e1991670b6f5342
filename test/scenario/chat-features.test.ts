import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import type { ChatPolicy } from '../../src/core/rows.ts';
import { clientSdp } from '../support/fixtures.ts';
import { World } from '../support/world.ts';

/** Alice makes a conference of this policy and asks Bob in. */
function chat(policy: Partial<ChatPolicy> = {}): { world: World; answer: string } {
  const world = new World({ chat: { ...usualChat, ...policy } });
  const { reply } = world.factoryInvite(['bob'], { offer: clientSdp('alice', { chatroom: 'private-messages' }) });
  const outcome = world.outcome(reply);
  return { world, answer: (outcome.kind === 'session-accepted' ? outcome.sdp : null) ?? '' };
}

test.each([
  [{}, 'a=chatroom:nickname private-messages'],
  [{ nicknames: false }, 'a=chatroom:private-messages'],
  [{ privateMessages: false }, 'a=chatroom:nickname'],
  [{ nicknames: false, privateMessages: false }, 'a=chatroom'],
])('CC-188 where %j is said, answer and offer have %s once', (policy, line) => {
  const { world, answer } = chat(policy);
  for (const sdp of [answer, world.inviteTo('bob').sdp])
    expect(sdp.split('\r\n').filter((each) => each.startsWith('a=chatroom'))).toEqual([line]);
});

test('the switch learns who takes private messages, and no longer when the peer stops saying so', () => {
  const { world } = chat();
  world.answers('bob', clientSdp('bob', { setup: 'active', chatroom: null }));
  expect(world.route()).toMatchObject({
    privateMessages: true,
    keeps: 'nothing',
    members: [{ privateMessages: true }, { privateMessages: false }],
  });
  world.reinvites('alice', { reply: 'sip:alice:again', offer: clientSdp('alice') });
  expect(world.route().members).toMatchObject([{ privateMessages: false }, { privateMessages: false }]);
});

test.each([
  ['facts', 'facts'],
  ['content', 'content'],
  ['off', 'nothing'],
] as const)('a conference with the history %s has the switch keep %s', (history, keeps) => {
  const { world } = chat({ history, privateMessages: false });
  expect(world.route()).toMatchObject({ keeps, privateMessages: false });
});
