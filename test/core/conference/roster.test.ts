import { expect, test } from 'vitest';
import { fullRoster, RosterTexts, rosterDocument } from '../../../src/core/conference/roster.ts';
import { limits } from '../../../src/core/limits.ts';
import type { ConferenceRecord } from '../../../src/core/rows.ts';
import { parseConferenceInfo } from '../../../src/wire/conference-info.ts';
import { World } from '../../support/world.ts';

/** A world with a running conference of the creator and `count` guests who have answered. */
function worldOf(count: number): World {
  const world = new World();
  const guests = Array.from({ length: count }, (_, index) => `sip:guest${index}@host${index}.example.org`);
  world.factoryInvite(guests);
  for (const guest of guests) world.answers(guest);
  return world;
}

function runningIn({ record }: World): ConferenceRecord {
  if (record === undefined) throw new Error('the conference does not run');
  return record;
}

test('a roster that fits is sent whole', () => {
  const document = parseConferenceInfo(fullRoster(runningIn(worldOf(5)), 3));
  expect(document).toMatchObject({ version: 3, state: 'full', conferenceState: { userCount: 6 } });
  expect(document.users?.every((user) => user.endpoints.length === 1)).toBe(true);
});

test('one that does not fit lists all its users, and what became of those who changed last', () => {
  const world = worldOf(50);
  const texts = new RosterTexts();
  /** Who is listed with an endpoint, by place. */
  const shown = (version: number): readonly number[] => {
    const text = texts.at(runningIn(world), version);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.conferenceInfoBytesMax);
    const { users = null, conferenceState } = parseConferenceInfo(text);
    expect([users?.length, conferenceState?.userCount]).toEqual([51, 51 - version]);
    return [...(users ?? []).entries()].flatMap(([place, { endpoints }]) => (endpoints.length > 0 ? [place] : []));
  };
  const first = shown(0);
  expect(first.length).toBeGreaterThan(20);
  expect(first).toEqual(first.map((_, index) => index));
  world.hangsUp('sip:guest45@host45.example.org');
  const second = shown(1);
  expect(second).toEqual([...second.slice(0, -1).map((_, index) => index), 46]);
  world.hangsUp('sip:guest40@host40.example.org');
  expect(shown(2).slice(-2)).toEqual([41, 46]);
  const left = parseConferenceInfo(texts.at(runningIn(world), 3)).users?.[41]?.endpoints[0];
  expect(left).toMatchObject({ status: 'disconnected', disconnectionMethod: 'departed', disconnectionInfo: null });
});

test('of those it has no news of, it tells first who does not just wait for a place', () => {
  const world = new World();
  const guests = Array.from({ length: 49 }, (_, index) => `sip:guest${index}@host${index}.example.org`);
  world.factoryInvite([...guests, 'mailto:nina@example.org']);
  const users = parseConferenceInfo(fullRoster(runningIn(world), 0)).users ?? [];
  expect(users.at(-1)).toMatchObject({ entity: 'mailto:nina@example.org', endpoints: [{ status: 'disconnected' }] });
  expect(users.at(-2)?.endpoints).toEqual([]);
});

test('one that does not even fit so lists as many users as fit', () => {
  const record = runningIn(worldOf(50));
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
  const record = runningIn(world);
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
  const record = runningIn(world);
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
