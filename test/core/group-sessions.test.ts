import { expect, test } from 'vitest';
import { Service } from '../../src/core/service.ts';
import { countingIds, inviteFrom, settings } from '../support/fixtures.ts';
import { team, teamUri } from '../support/teams.ts';

/** A group has one session at a time, also when the store fails at the end of one. */

test('an end that could not be saved takes nothing from the session that was started since', () => {
  const core = new Service({ settings: settings(), ids: countingIds() });
  core.handle({ type: 'group-defined', group: team() }, 0);
  let now = 0;
  const calls = (name: string) => {
    now += 1;
    const [turn] = core.handle(inviteFrom(name, teamUri), now);
    return { conferenceId: turn?.conferenceId, effects: turn?.effects ?? [] };
  };
  const before = calls('bob');
  const [ended] = core.handle(
    {
      type: 'end-requested',
      reply: 'http:1',
      actor: 'key:1',
      conferenceId: before.conferenceId ?? '',
      reason: null,
    },
    0,
  );
  const since = calls('ted');
  expect(since.conferenceId).not.toBe(before.conferenceId);
  ended?.undo();
  expect(calls('alice').conferenceId).toBe(since.conferenceId);
  core.handle(
    { type: 'end-requested', reply: 'http:2', actor: 'key:1', conferenceId: since.conferenceId ?? '', reason: null },
    0,
  );
  expect(calls('alice').conferenceId).toBe(before.conferenceId);
});
