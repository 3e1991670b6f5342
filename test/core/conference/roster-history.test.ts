import { expect, test } from 'vitest';
import { RosterHistory } from '../../../src/core/conference/roster-history.ts';
import { limits } from '../../../src/core/limits.ts';
import type { ParticipantRow } from '../../../src/core/rows.ts';
import { conferenceRow, participantRow } from '../../support/stored-rows.ts';

/** What a view remembers of the roster's past, for whoever knows it as it was. */

const conferenceId = 'c';

const bob = participantRow({ id: 'bob', conferenceId, uri: 'sip:bob@example.com' });

function look(history: RosterHistory, version: number, participants: readonly ParticipantRow[]): void {
  history.look({ conference: conferenceRow({ id: conferenceId, version }), participants, subscriptions: [] });
}

/** Bob goes by another name from each version to the next. */
function renamed(history: RosterHistory, versions: number): void {
  for (let version = 1; version <= versions; version += 1)
    look(history, version, [{ ...bob, displayName: `Bob ${version}` }]);
}

const nameSince = (history: RosterHistory, version: number): string | null | undefined =>
  history.since(version)?.users.get('bob')?.displayText;

test('a user is told of as it was at the version that is known, however often it has changed since', () => {
  const history = new RosterHistory('chair');
  renamed(history, 5);
  expect([2, 4].map((version) => nameSince(history, version))).toEqual(['Bob 2', 'Bob 4']);
  expect(history.since(5)?.users.size).toBe(0);
});

test('who knows a version before the first that was looked at, or one that is still to come, is told all', () => {
  const history = new RosterHistory('chair');
  look(history, 7, [bob]);
  look(history, 8, []);
  expect([6, 7, 8, 9].map((version) => history.since(version) === null)).toEqual([true, false, false, true]);
});

test('so many changes of users are remembered; who knows the roster before those is told all', () => {
  const history = new RosterHistory('chair');
  // The first look finds Bob new, which is a change like any other.
  renamed(history, limits.rosterStepsMax + 2);
  expect(history.since(1)).toBeNull();
  expect(nameSince(history, 2)).toBe('Bob 2');
});
