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

/** Tells when the next sweep is due. What is over is not read, erased or not: to be seen, it is read as of an earlier time. */
class SweepClock implements Clock {
  readonly #clock: ManualClock;
  readonly #dues: number[] = [];
  #readAs: number | null = null;

  constructor(now: number) {
    this.#clock = new ManualClock(now);
  }

  readonly now = (): number => this.#readAs ?? this.#clock.now();

  readonly callAt: Clock['callAt'] = (at, callback) => {
    this.#dues.push(at);
    return this.#clock.callAt(at, callback);
  };

  turn(ms: number): void {
    this.#clock.turn(ms);
  }

  /** A sweep ends by saying when it comes again. */
  sweepEnded(at: number): Promise<unknown> {
    return waitFor('the end of a sweep', () => this.#dues.includes(at + hourMs));
  }

  async asOf<Value>(time: number, read: () => Promise<Value>): Promise<Value> {
    this.#readAs = time;
    try {
      return await read();
    } finally {
      this.#readAs = null;
    }
  }
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
  const clock = new SweepClock(noon - 1);
  const { store, close } = await openTestStore({ databaseUrl, clock });
  const kept = () => clock.asOf(noon - 1, () => total(store));
  try {
    // The first sweep, which finds nothing, is over; the next one comes an hour later and not before.
    await clock.sweepEnded(noon - 1);
    await fill(store);
    clock.turn(hourMs - 1);
    expect([await total(store), await kept()]).toEqual([2, 2_503]);
    clock.turn(1);
    await clock.sweepEnded(noon - 1 + hourMs);
    expect(await kept()).toBe(2);
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
      const clock = new SweepClock(noon + 5 * hourMs);
      const { store, close } = await openTestStore({ databaseUrl, clock });
      await clock.sweepEnded(noon + 5 * hourMs);
      expect(await clock.asOf(noon - 1, () => total(store))).toBe(0);
      await close();
    } finally {
      await postgres.stop();
    }
  });
});
