import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';
import type { StoreLog } from '../../src/store/store-log.ts';
import { ManualClock } from './manual-clock.ts';
import { noon } from './stored-rows.ts';

/** A folder for one test; `remove` deletes it with all that is in it. */
export async function testFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'isfocus-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export const silentLog: StoreLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A store in a folder of its own, with a clock that stands still; what is not given has a default. */
export async function openTestStore(
  options: Partial<StoreOptions>,
): Promise<{ readonly store: Store; readonly close: () => Promise<void> }> {
  const folder = await testFolder();
  const defaults = { databaseUrl: null, nodeId: 'node-1', log: silentLog, clock: new ManualClock(noon) };
  const store = await openStore({ ...defaults, dataDir: folder.path, ...options }).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  return {
    store,
    close: async () => {
      await store.close();
      await folder.remove();
    },
  };
}
