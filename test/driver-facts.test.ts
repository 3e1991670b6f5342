import { setImmediate as settled } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../src/core/effect.ts';
import type { Input } from '../src/core/input.ts';
import type { ParticipantRow } from '../src/core/rows.ts';
import { Service } from '../src/core/service.ts';
import { Tally } from '../src/core/tally.ts';
import { Driver } from '../src/driver.ts';
import { ShakyStore } from './scenario/random/shaky-store.ts';
import { answerFrom, countingIds, factoryUri, inviteFrom, recipients, settings } from './support/fixtures.ts';
import { ManualClock } from './support/manual-clock.ts';

/** What has happened has happened, in its order, whatever the store does. */

async function conference() {
  const faults: string[] = [];
  const store = new ShakyStore((text) => faults.push(text));
  const clock = new ManualClock(1_000_000);
  const effects: Effect[] = [];
  const outcomes: Outcome[] = [];
  const perform = (effect: Effect): void => void effects.push(effect);
  const reply = (_to: string, outcome: Outcome): void => void outcomes.push(outcome);
  const nothing = (): undefined => undefined;
  const driver = new Driver({
    service: new Service({ settings: settings(), ids: countingIds() }),
    clock,
    store,
    sip: { perform, reply },
    msrp: { perform, reply },
    http: { reply },
    observer: new Tally(),
    log: { isLevelEnabled: () => true, debug: nothing, info: nothing, error: nothing },
  });
  const list = recipients(['bob']);
  driver.submit(inviteFrom('alice', factoryUri, { requires: ['recipient-list-invite'], list }));
  await settled();
  const [row] = store.running;
  const invite = effects.find((effect) => effect.type === 'sip.invite');
  const [accepted] = outcomes;
  if (row === undefined || invite === undefined || accepted?.kind !== 'session-accepted')
    throw new Error('no conference');
  const status = (endpointId: string) => store.endpoints.get(endpointId)?.status;
  return { driver, store, clock, effects, faults, row, alice: accepted.endpointId, bob: invite.endpointId, status };
}

const answered = (endpointId: string): Input => answerFrom('bob', { endpointId });

const busy = {
  cause: { status: 486, reason: 'Busy Here' },
  unsupported: [],
  reasonHeader: null,
  minSe: null,
  members: null,
};

const hungUp = (endpointId: string): Input => ({ type: 'dialog-ended', endpointId, by: 'peer', reason: null });

test('who answers while nothing can be saved, and then hangs up, is gone in the end', async () => {
  const { driver, store, clock, bob, status } = await conference();
  store.failNext('before', 0);
  driver.submit(answered(bob));
  await settled();
  expect(status(bob)).toBe('dialing-out');
  driver.submit(hungUp(bob));
  await settled();
  clock.turn(1_000);
  await settled();
  expect(status(bob)).toBe('disconnected');
});

test('who hangs up in a conference whose end is not saved after all is gone from it', async () => {
  const { driver, store, clock, row, alice, bob, status, faults } = await conference();
  driver.submit(answered(bob));
  await settled();
  store.hold();
  store.failNext('before', 0);
  driver.submit({ type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId: row.id, reason: null });
  driver.submit(hungUp(bob));
  store.release();
  await settled();
  expect([status(alice), status(bob)]).toEqual(['connected', 'connected']);
  clock.turn(1_000);
  await settled();
  expect([status(alice), status(bob)]).toEqual(['connected', 'disconnected']);
  expect(store.conferences.get(row.id)).toMatchObject({ status: 'active', participantCount: 1 });
  expect(faults).toEqual([]);
});

test('an INVITE that was not sent, for a conference whose end is not saved after all, goes out', async () => {
  const { driver, store, clock, row, bob, effects } = await conference();
  store.hold();
  store.failNext('before', 0);
  // Another INVITE to Bob is under way to the store when the conference ends.
  const refused = { cause: { status: 422, reason: 'Session Interval Too Small' }, unsupported: [], reasonHeader: null };
  driver.submit({ type: 'endpoint-failed', endpointId: bob, ...refused, minSe: 3_600, members: null });
  driver.submit({ type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId: row.id, reason: null });
  store.release();
  await settled();
  clock.turn(1_000);
  await settled();
  expect(effects.filter(({ type }) => type === 'sip.invite')).toHaveLength(2);
  expect(store.endpoints.get(bob)?.status).toBe('dialing-out');
});

test('a timer that fires in a conference whose end is not saved after all is heeded', async () => {
  const { driver, store, clock, row, bob } = await conference();
  driver.submit({ type: 'endpoint-failed', endpointId: bob, ...busy });
  await settled();
  store.hold();
  store.failNext('before', 0);
  driver.submit({ type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId: row.id, reason: null });
  clock.turn(30_000);
  store.release();
  await settled();
  const isBob = ({ endpoints }: ParticipantRow) => endpoints.some(({ id }) => id === bob);
  expect(store.participantsOf(row.id).find(isBob)).toMatchObject({ status: 'disconnected', inRoster: true });
  clock.turn(1_000);
  await settled();
  expect(store.conferences.get(row.id)?.status).toBe('active');
  expect(store.participantsOf(row.id).find(isBob)).toMatchObject({ status: 'disconnected', inRoster: false });
});
