import { setImmediate as settled } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { usualChat } from '../src/core/chat-policy.ts';
import type { Effect, Outcome } from '../src/core/effect.ts';
import type { Input } from '../src/core/input.ts';
import type { ParticipantRow } from '../src/core/rows.ts';
import { Service } from '../src/core/service.ts';
import type { Settings } from '../src/core/settings.ts';
import { Tally } from '../src/core/tally.ts';
import { Driver } from '../src/driver.ts';
import { ShakyStore } from './scenario/random/shaky-store.ts';
import { answerFrom, countingIds, factoryUri, inviteFrom, recipients, settings } from './support/fixtures.ts';
import { ManualClock } from './support/manual-clock.ts';

/** What has happened has happened, in its order, whatever the store does. */

async function conference(changes: Partial<Settings> = {}) {
  const faults: string[] = [];
  const store = new ShakyStore((text) => faults.push(text));
  const clock = new ManualClock(1_000_000);
  const effects: Effect[] = [];
  const outcomes: Outcome[] = [];
  const perform = (effect: Effect): void => void effects.push(effect);
  const reply = (_to: string, outcome: Outcome): void => void outcomes.push(outcome);
  const nothing = (): undefined => undefined;
  const driver = new Driver({
    service: new Service({ settings: settings(changes), ids: countingIds() }),
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
  return {
    driver,
    store,
    clock,
    effects,
    outcomes,
    faults,
    row,
    alice: accepted.endpointId,
    bob: invite.endpointId,
    status,
  };
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

/** An operator says something to all. */
function notice(conferenceId: string, text: string): Input {
  const said = { conferenceId, contentType: 'text/plain', text, participantIds: null };
  return { type: 'notice-requested', reply: `http:${text}`, actor: 'key:1', ...said };
}

test('a notice that was committed but reported failed is refused, not sent, and not in the history', async () => {
  const kept = await conference({ chat: { ...usualChat, history: 'content' } });
  const { driver, store, effects, outcomes, row, faults } = kept;
  driver.submit(notice(row.id, 'First'));
  await settled();
  store.failNext('after', 1);
  for (const text of ['Second', 'Third']) driver.submit(notice(row.id, text));
  await settled();
  // The store does not answer at first, and is asked again.
  expect(outcomes.slice(1)).toMatchObject([{ kind: 'notice-sent' }]);
  kept.clock.turn(1_000);
  await settled();
  const refused = { kind: 'refused', code: 'store-failed' };
  expect(outcomes.slice(2)).toMatchObject([refused, refused]);
  const texts = effects.flatMap((effect) => (effect.type === 'msrp.notice' ? [effect.text] : []));
  expect(texts).toEqual(['First']);
  expect([...store.messages.values()].map(({ content }) => content)).toEqual(['First']);
  expect(store.conferences.get(row.id)?.status).toBe('active');
  expect(faults).toEqual([]);
});

test('what was told of a message and committed but reported failed is told again, and in the history once', async () => {
  const kept = await conference({ chat: { ...usualChat, history: 'facts' } });
  const { driver, store, clock, row } = kept;
  const facts = { from: 'sip:alice@atlanta.example.com', to: null, contentType: 'text/plain', content: null };
  const message = { messageId: '87652491', ...facts, size: 200, sentAt: clock.now(), deliveries: [] };
  store.failNext('after', 0);
  driver.submit({ type: 'messages-switched', conferenceId: row.id, count: 1, messages: [message], losses: [] });
  await settled();
  const told = [...store.messages.keys()];
  clock.turn(1_000);
  await settled();
  expect(told).toHaveLength(1);
  expect([...store.messages.keys()]).toEqual(told);
});
