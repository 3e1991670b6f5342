import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';
import { startChild } from '../support/child.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { askPostgres, describePostgres, sessionOn, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { changeOf, conferenceRow, eventRow, noon } from '../support/stored-rows.ts';
import { silentLog, testFolder } from '../support/test-store.ts';
import { waitFor } from '../support/wait.ts';

describePostgres('several processes on one Postgres', () => {
  let postgres: TestPostgres;
  let databaseUrl: string;
  let clock: ManualClock;
  const cleanups: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    databaseUrl = await postgres.createDatabase();
    clock = new ManualClock(noon);
    return async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    };
  });

  /** A start in a folder of its own, unless one is given. */
  async function start(nodeId: string | null, options: Partial<StoreOptions> = {}): Promise<Store> {
    const folder = await testFolder();
    cleanups.push(folder.remove);
    const store = await openStore({ databaseUrl, dataDir: folder.path, nodeId, log: silentLog, clock, ...options });
    cleanups.push(store.close);
    return store;
  }

  /** As a process that died left it: its conference runs, its heartbeat stands. */
  async function deadNode(id: string, heartbeatAt: number): Promise<void> {
    const at = new Date(heartbeatAt);
    await askPostgres(databaseUrl, 'INSERT INTO nodes VALUES ($1, $2, $3, $3)', [id, `instance-of-${id}`, at]);
  }

  async function conferenceOf(store: Store, node: string): Promise<string> {
    const id = `conf-of-${node}`;
    await store.save(changeOf({ conferences: [conferenceRow({ id, node })], events: [] }));
    return id;
  }

  const statusOf = async (store: Store, id: string) => (await store.conference(id))?.status;
  /** Turns a starting process's clock as its timers come due, ten seconds at most, until `done` is settled. */
  async function turnUntil<T>(done: Promise<T>, own: ManualClock): Promise<T> {
    let settled = false;
    const noted = done.finally(() => {
      settled = true;
    });
    noted.catch(() => undefined);
    const end = own.now() + 10_000;
    await waitFor('the clock to be turned far enough', () => {
      if (!settled && own.nextDue !== undefined && own.nextDue <= end) own.turn(own.nextDue - own.now());
      return settled;
    });
    return noted;
  }

  test('each closes what its own node left running, and leaves the others’ alone', async () => {
    const first = await start('node-1');
    const second = await start('node-2');
    const ours = await conferenceOf(first, 'node-1');
    const theirs = await conferenceOf(second, 'node-2');
    expect((await second.closeInterrupted(noon)).map(({ conferenceId }) => conferenceId)).toEqual([theirs]);
    clock.turn(60_000);
    expect(await statusOf(first, ours)).toBe('active');
    expect(await statusOf(first, theirs)).toBe('ended');
  });

  test('two first starts at once on an empty database both come up', async () => {
    const stores = await Promise.all([start('node-1'), start('node-2')]);
    expect(stores.map(({ nodeId }) => nodeId)).toEqual(['node-1', 'node-2']);
  });

  test('a NODE_ID whose heartbeat moves is refused in one sentence', async () => {
    await start('node-1');
    const own = new ManualClock(noon);
    const second = start('node-1', { clock: own });
    second.catch(() => undefined);
    await waitFor('the second start to watch the first', () => own.nextDue !== undefined);
    clock.turn(5_000);
    await expect(turnUntil(second, own)).rejects.toThrow('NODE_ID node-1 is in use by another process.');
  });

  test('a NODE_ID whose heartbeat is recent but stands for ten seconds is taken over', async () => {
    const other = await start('node-2');
    await deadNode('node-1', noon - 1_000);
    const left = await conferenceOf(other, 'node-1');
    const own = new ManualClock(noon);
    const store = await turnUntil(start('node-1', { clock: own }), own);
    expect(own.now() - noon).toBe(10_000);
    await store.closeInterrupted(own.now());
    expect(await statusOf(store, left)).toBe('ended');
  });

  test('a NODE_ID whose heartbeat is older than 30 s, or that ended orderly, is taken without waiting', async () => {
    await start('node-2');
    await deadNode('node-1', noon - 30_001);
    const store = await start('node-1');
    await store.close();
    await start('node-1');
    expect(clock.now()).toBe(noon);
  });

  test('after kill -9 the same DATA_DIR starts without waiting, although the heartbeat is fresh', async () => {
    const folder = await testFolder();
    cleanups.push(folder.remove);
    const child = startChild('saving-process.ts', [folder.path, 'node-1', databaseUrl]);
    expect((await child.lines.next()).value).toMatch(/^node-1-conf-/);
    await child.kill();
    // The child lived by real time, this test's clock by its own: its heartbeat is fresh here too.
    await askPostgres(databaseUrl, 'UPDATE nodes SET heartbeat_at = $1', [new Date(noon)]);
    const store = await start('node-1', { dataDir: folder.path });
    expect(clock.now()).toBe(noon);
    expect(await store.closeInterrupted(noon)).not.toEqual([]);
    expect(await store.interrupted()).toEqual([]);
  });

  test('what a dead node left is closed ten seconds after another node starts, which does not wait for it', async () => {
    const former = await start('node-3');
    const left = await conferenceOf(former, 'node-1');
    await former.close();
    await deadNode('node-1', noon - 30_000);
    const closed: string[] = [];
    const store = await start('node-2', { onNodeClosed: (node) => closed.push(node) });
    expect(await statusOf(store, left)).toBe('active');
    clock.turn(10_000);
    await waitFor('the dead node to be closed', () => closed.length > 0);
    expect(closed).toEqual(['node-1']);
    expect(await store.conference(left)).toMatchObject({
      status: 'ended',
      endReason: 'restarted',
      endedAt: noon + 10_000,
    });
    expect(await askPostgres(databaseUrl, 'SELECT seq, type FROM events')).toEqual([
      { seq: 1, type: 'conference.ended' },
    ]);
    expect(await askPostgres(databaseUrl, 'SELECT id FROM nodes')).toEqual([{ id: 'node-2' }]);
  });

  test('an old heartbeat that moves within ten seconds is of a living node', async () => {
    const former = await start('node-3');
    const theirs = await conferenceOf(former, 'node-1');
    const left = await conferenceOf(former, 'node-4');
    await former.close();
    await deadNode('node-1', noon - 30_000);
    await deadNode('node-4', noon - 30_000);
    const closed: string[] = [];
    const store = await start('node-2', { onNodeClosed: (node) => closed.push(node) });
    await askPostgres(databaseUrl, "UPDATE nodes SET heartbeat_at = $1 WHERE id = 'node-1'", [new Date(noon)]);
    clock.turn(10_000);
    // Suspects are looked at in order of their names: when node-4 is closed, node-1 has been looked at.
    await waitFor('the dead node to be closed', () => closed.length > 0);
    expect(closed).toEqual(['node-4']);
    expect(await statusOf(store, left)).toBe('ended');
    expect(await statusOf(store, theirs)).toBe('active');
  });

  test('a process that was taken for dead saves nothing more and says that it is lost', async () => {
    const lost: string[] = [];
    const sleeper = await start('node-1', { onLost: (sentence) => lost.push(sentence) });
    const id = await conferenceOf(sleeper, 'node-1');
    await askPostgres(databaseUrl, "UPDATE nodes SET instance = 'another'");
    const change = changeOf({ conferences: [conferenceRow({ id, node: 'node-1', subject: 'from the dead' })] });
    await expect(sleeper.save(change)).rejects.toThrow('could not be saved');
    expect((await sleeper.conference(id))?.subject).toBeNull();
    expect(lost).toEqual(['Another process took node node-1 for dead and closed its conferences.']);
  });

  test('a node is not taken over in the midst of a batch, whose conferences would be left running', async () => {
    const store = await start('node-1');
    const id = await conferenceOf(store, 'node-1');
    const other = await sessionOn(databaseUrl);
    cleanups.push(() => other.end());
    await other.query('BEGIN');
    await other.query('SELECT 1 FROM conferences WHERE id = $1 FOR UPDATE', [id]);
    const saved = store.save(
      changeOf({ conferences: [conferenceRow({ id, node: 'node-1', version: 9 })], events: [] }),
    );
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor('the batch to wait for the row', async () => (await askPostgres(databaseUrl, waiting)).length === 1);
    await other.query(`SET lock_timeout = '100ms'`);
    await expect(other.query('DELETE FROM nodes')).rejects.toThrow('lock timeout');
    await other.query('ROLLBACK');
    await saved;
  });

  test('a process that was taken for dead notices at its next heartbeat', async () => {
    const lost: string[] = [];
    await start('node-1', { onLost: (sentence) => lost.push(sentence) });
    await askPostgres(databaseUrl, 'DELETE FROM nodes');
    clock.turn(5_000);
    await waitFor('the loss to be noticed', () => lost.length > 0);
    expect(lost).toHaveLength(1);
  });

  test('an interrupted conference that cannot be closed does not keep the others open', async () => {
    const store = await start('node-1');
    const odd = await conferenceOf(store, 'node-1');
    const fine = conferenceRow({ id: 'fine', node: 'node-1' });
    const ahead = eventRow({ conferenceId: odd, seq: 1 });
    await store.save(changeOf({ conferences: [fine] }));
    await store.save(changeOf({ events: [ahead] }));
    const closed = await store.closeInterrupted(noon);
    expect(closed.map(({ conferenceId }) => conferenceId)).toEqual(['fine']);
    expect(await statusOf(store, odd)).toBe('active');
  });
});
