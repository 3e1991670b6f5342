import { expect, test } from 'vitest';
import type { Clock } from '../../src/core/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describePostgres, startPostgres } from '../support/postgres.ts';
import { changeOf, conferenceRow, messageRow, noon } from '../support/stored-rows.ts';
import { openTestStore } from '../support/test-store.ts';
import { waitFor } from '../support/wait.ts';

const hourMs = 3_600_000;
const inTheConference = { conferenceId: 'conf-1' };
const counted = { limit: 1, cursor: null, count: true };

async function total(store: Store): Promise<number | null> {
  return (await store.messages('conf-1', counted)).total;
}

/** More than one statement's worth is over at noon, and one in each half hour after it. */
async function fill(store: Store): Promise<void> {
  const row = (id: string, expiresAt: number) => messageRow({ id, ...inTheConference, expiresAt });
  const many = Array.from({ length: 2_500 }, (_, index) => row(`many-${index}`, noon));
  const hourly = [1, 2, 3].map((hours) => row(`hour-${hours}`, noon + (hours - 0.5) * hourMs));
  await store.save(changeOf({ conferences: [conferenceRow({ id: 'conf-1' })], messages: [...many, ...hourly] }));
}

/** What was to be erased while nothing ran goes at the start, the rest hour by hour, and nothing else with it. */
async function erasesInTime(databaseUrl: string | null): Promise<void> {
  const clock = new ManualClock(noon - 1);
  const dues: number[] = [];
  const callAt: Clock['callAt'] = (at, callback) => {
    dues.push(at);
    return clock.callAt(at, callback);
  };
  const { store, close } = await openTestStore({ databaseUrl, clock: { now: clock.now, callAt } });
  try {
    // The first sweep, which finds nothing, is over; the next one comes an hour later and not before.
    await waitFor('the first sweep', () => dues.includes(noon - 1 + hourMs));
    await fill(store);
    clock.turn(hourMs - 1);
    expect(await total(store)).toBe(2_503);
    clock.turn(1);
    await waitFor('the first hour', async () => (await total(store)) === 2);
    expect(await store.message('conf-1', 'hour-1')).toBeUndefined();
    expect(await store.message('conf-1', 'hour-2')).toMatchObject({ id: 'hour-2' });
    expect((await store.conference('conf-1'))?.id).toBe('conf-1');
  } finally {
    await close();
  }
}

test('an embedded database erases messages in their time', async () => {
  await erasesInTime(null);
});

describePostgres('Postgres', () => {
  test('erases messages in their time, at the start, too', async () => {
    const postgres = await startPostgres();
    try {
      const databaseUrl = await postgres.createDatabase();
      await erasesInTime(databaseUrl);
      const { store, close } = await openTestStore({ databaseUrl, clock: new ManualClock(noon + 5 * hourMs) });
      await waitFor('the sweep of the start', async () => (await total(store)) === 0);
      await close();
    } finally {
      await postgres.stop();
    }
  });
});
