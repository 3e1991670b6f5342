import { expect, test } from 'vitest';
import type { UserRow } from '../src/core/rows.ts';
import { clockSkewMs, Definitions, lookMs, waitingWritesMax } from '../src/definitions.ts';
import { ManualClock } from './support/manual-clock.ts';
import { MemoryDefinitions } from './support/memory-definitions.ts';
import { noon, userRow } from './support/stored-rows.ts';

/** Several processes on one store, and what each told its core. */
class Processes {
  readonly store = new MemoryDefinitions<UserRow>('users', (row) => row.displayName);
  readonly clock = new ManualClock(noon);
  readonly errors: unknown[] = [];

  async start(rowsMax = 100): Promise<{ users: Definitions<UserRow>; told: string[] }> {
    const told: string[] = [];
    const users = new Definitions<UserRow>({
      store: this.store,
      defined: ({ id, revision }) => told.push(`${id} ${revision}`),
      removed: (id) => told.push(`no ${id}`),
      clock: this.clock,
      rowsMax,
      onError: (error) => this.errors.push(error),
    });
    await users.load();
    users.watch();
    return { users, told };
  }

  /** Lets every process look once. */
  async look(): Promise<void> {
    const due = this.clock.nextDue ?? 0;
    this.clock.turn(lookMs);
    await expect.poll(() => (this.clock.nextDue ?? 0) > due).toBe(true);
  }
}

const alice = userRow({ id: 'alice' });
const changed = (row: UserRow, updatedAt = noon): UserRow => ({ ...row, updatedAt, revision: row.revision + 1 });

test('the core is told of what is written, once it is saved', async () => {
  const processes = new Processes();
  const { users, told } = await processes.start();
  expect(await users.add(alice)).toBeNull();
  expect(await users.replace(changed(alice))).toBeNull();
  expect(await users.remove(changed(alice))).toBeNull();
  expect(told).toEqual(['alice 1', 'alice 2', 'no alice']);
  expect(await processes.store.byId('alice')).toBeUndefined();
});

test('the core is told of all that stands at the start', async () => {
  const processes = new Processes();
  await processes.store.insert(alice);
  await processes.store.insert(userRow({ id: 'bob', updatedAt: 0, revision: 7 }));
  expect((await processes.start()).told).toEqual(['alice 1', 'bob 7']);
});

test('what is refused is not told', async () => {
  const processes = new Processes();
  const { users, told } = await processes.start(2);
  await users.add(alice);
  expect(await users.add({ ...alice, id: 'other' })).toBe('already-defined');
  expect(await users.replace(alice)).toBe('changed-meanwhile');
  expect(await users.remove(changed(alice))).toBe('changed-meanwhile');
  await users.add(userRow({ id: 'bob' }));
  expect(await users.add(userRow({ id: 'carol' }))).toBe('too-many-definitions');
  expect(told).toEqual(['alice 1', 'bob 1']);
});

test('the core hears of writes in the order in which they were saved', async () => {
  const processes = new Processes();
  const { users, told } = await processes.start();
  await Promise.all([users.add(alice), users.replace(changed(alice)), users.remove(changed(alice))]);
  expect(told).toEqual(['alice 1', 'alice 2', 'no alice']);
});

test('more writes than may wait are refused, and the next one is taken', async () => {
  const processes = new Processes();
  const { users } = await processes.start(2 * waitingWritesMax);
  const rows = Array.from({ length: waitingWritesMax + 1 }, (_, index) => userRow({ id: `user-${index}` }));
  const answers = await Promise.all(rows.map(users.add));
  expect(answers.filter((answer) => answer !== null)).toEqual(['busy']);
  expect(await users.add(alice)).toBeNull();
});

test('a process learns what another one has added, changed and removed', async () => {
  const processes = new Processes();
  const one = await processes.start();
  const other = await processes.start();
  await one.users.add(alice);
  await one.users.add(userRow({ id: 'bob' }));
  await processes.look();
  expect(other.told).toEqual(['alice 1', 'bob 1']);
  await one.users.replace(changed(alice, processes.clock.now()));
  await one.users.remove(userRow({ id: 'bob' }));
  await processes.look();
  await processes.look();
  expect(other.told.slice(2)).toEqual(['alice 2', 'no bob']);
  expect(one.told).toEqual(['alice 1', 'bob 1', 'alice 2', 'no bob']);
});

test('one that was removed and made again under the same URI is another one', async () => {
  const processes = new Processes();
  const one = await processes.start();
  const other = await processes.start();
  await one.users.add(alice);
  await processes.look();
  await one.users.remove(alice);
  await one.users.add({ ...alice, id: 'alice-again', updatedAt: processes.clock.now() });
  await processes.look();
  expect(other.told).toEqual(['alice 1', 'alice-again 1', 'no alice']);
});

test('what a clock that is far behind wrote is found by its count, or by its revision', async () => {
  const processes = new Processes();
  const one = await processes.start();
  const other = await processes.start();
  const longAgo = noon - 2 * clockSkewMs;
  await one.users.add({ ...alice, updatedAt: longAgo });
  await processes.look();
  await one.users.replace(changed(alice, longAgo));
  await processes.look();
  expect(other.told).toEqual(['alice 1', 'alice 2']);
});

test('a look that fails is told, and the next one makes up for it', async () => {
  const processes = new Processes();
  const one = await processes.start();
  const totals = processes.store.totals;
  await processes.store.insert(alice);
  Object.assign(processes.store, { totals: () => Promise.reject(new Error('away')) });
  await processes.look();
  expect(processes.errors).toEqual([new Error('away')]);
  Object.assign(processes.store, { totals });
  await processes.store.remove('alice', 1);
  await processes.look();
  expect(one.told).toEqual(['alice 1', 'no alice']);
});

test('once closed, nothing is looked for any more', async () => {
  const processes = new Processes();
  const { users } = await processes.start();
  await users.close();
  expect(processes.clock.nextDue).toBeUndefined();
});
