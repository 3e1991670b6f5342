import { expect, test, vi } from 'vitest';
import { conferenceInfoParts, writeUser } from '../../src/wire/conference-info.ts';
import { World } from '../support/world.ts';

vi.mock('../../src/wire/conference-info.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/wire/conference-info.ts')>();
  const { conferenceInfoParts: parts, writeUser: user } = original;
  return { ...original, conferenceInfoParts: vi.fn(parts), writeUser: vi.fn(user) };
});

/** Devices of each who watches. */
const devices = 20;

/** Alice, its creator, and Bob are in, and watch with all their devices, each of which has answered its first NOTIFY. */
function watched(): World {
  const world = new World({ notifyMinIntervalMs: 0 });
  world.factoryInvite(['bob', 'ted']);
  world.answers('bob');
  for (let device = 0; device < devices; device += 1) {
    for (const name of ['alice', 'bob']) {
      world.subscribes(name, { dialogId: `${device};from-tag=${name}`, reply: `sip:${name}:watch-${device}` });
      world.answersNotify(name);
    }
  }
  return world;
}

test('a change is rendered once for each view in use, however many watch, and so is each user that it is of', () => {
  const world = watched();
  const before = world.ladder.whole.length;
  vi.mocked(conferenceInfoParts).mockClear();
  vi.mocked(writeUser).mockClear();
  world.answers('ted');
  const told = world.ladder.whole.slice(before).match(/NOTIFY/g) ?? [];
  expect(told).toHaveLength(2 * devices);
  // What the creator sees, and what a participant sees.
  expect(vi.mocked(conferenceInfoParts).mock.calls).toHaveLength(2);
  expect(vi.mocked(writeUser).mock.calls).toHaveLength(2);
});
