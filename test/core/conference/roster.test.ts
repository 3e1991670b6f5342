import { expect, test } from 'vitest';
import { fullRoster, rosterDocument } from '../../../src/core/conference/roster.ts';
import { limits } from '../../../src/core/limits.ts';
import type { ConferenceRecord } from '../../../src/core/rows.ts';
import { parseConferenceInfo } from '../../../src/wire/conference-info.ts';
import { World } from '../../support/world.ts';

/** A running conference of the creator and `count` guests who have answered. */
function recordOf(count: number): ConferenceRecord {
  const world = new World();
  world.factoryInvite(
    Array.from({ length: Math.min(count, 50) }, (_, index) => `sip:guest${index}@host${index}.example.org`),
  );
  for (let index = 0; index < count; index += 1) world.answers(`sip:guest${index}@host${index}.example.org`);
  const { record } = world;
  if (record === undefined) throw new Error('the conference does not run');
  return record;
}

test('a roster that fits is sent whole', () => {
  const document = parseConferenceInfo(fullRoster(recordOf(5), 3));
  expect(document).toMatchObject({ version: 3, state: 'full', conferenceState: { userCount: 6 } });
  expect(document.users?.every((user) => user.endpoints.length === 1)).toBe(true);
});

test('one that does not fit lists all its users, and what became of those who changed last', () => {
  const record = recordOf(50);
  const last = record.participants[7];
  if (last?.joinedAt == null) throw new Error('guest 6 has not answered');
  const participants = record.participants.map((one) =>
    one === last ? { ...one, leftAt: (last.joinedAt ?? 0) + 1 } : { ...one, joinedAt: one.position },
  );
  const text = fullRoster({ ...record, participants }, 0);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.conferenceInfoBytesMax);
  const document = parseConferenceInfo(text);
  expect(document.conferenceState?.userCount).toBe(51);
  expect(document.users).toHaveLength(51);
  const told = [...(document.users ?? []).entries()].filter(([, { endpoints }]) => endpoints.length > 0);
  expect(told.length).toBeGreaterThan(20);
  expect(told.map(([index]) => index)).toEqual([
    7,
    ...Array.from({ length: told.length - 1 }, (_, i) => 52 - told.length + i),
  ]);
  expect(told[0]?.[1].endpoints[0]).toMatchObject({ status: 'connected', joiningInfo: null, media: [] });
});

test('one that does not even fit so lists as many users as fit', () => {
  const record = recordOf(50);
  const many = Array.from({ length: 400 }, (_, index) => ({
    ...record.participants[1],
    uri: `sip:p${index}@example.org`,
    position: index,
  }));
  const text = fullRoster({ ...record, participants: many as ConferenceRecord['participants'] }, 0);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.conferenceInfoBytesMax);
  const listed = parseConferenceInfo(text).users?.length ?? 0;
  expect(listed).toBeGreaterThan(50);
  expect(listed).toBeLessThan(400);
});

test('CC-122 user-count counts who is connected', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted', 'carol']);
  world.answers('bob');
  world.refuses('ted', 486);
  const { record } = world;
  if (record === undefined) throw new Error('the conference does not run');
  expect(rosterDocument(record, 0).conferenceState?.userCount).toBe(2);
});

test('CC-051, CC-119 what became of each invitee stands in the roster', () => {
  const world = new World();
  world.factoryInvite(['bob', 'ted', 'carol', 'eve']);
  world.rings('bob');
  world.refuses('ted', 486);
  world.refuses('carol', 603);
  world.answers('eve');
  world.hangsUp('eve');
  const { record } = world;
  if (record === undefined) throw new Error('the conference does not run');
  const shown = rosterDocument(record, 0).users?.map(({ endpoints: [endpoint] }) => [
    endpoint?.status,
    endpoint?.disconnectionMethod,
  ]);
  expect(shown).toEqual([
    ['connected', null],
    ['alerting', null],
    ['disconnected', 'busy'],
    ['disconnected', 'failed'],
    ['disconnected', 'departed'],
  ]);
  expect(rosterDocument(record, 0).users?.[2]?.endpoints[0]?.disconnectionInfo?.reason).toBe(
    'Reason: SIP;cause=486;text="Reason 486"',
  );
});
