import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StartRefused } from '../../src/store/errors.ts';
import { readMigrations } from '../../src/store/migrations.ts';
import { packageFiles } from '../../src/store/package-files.ts';
import { templateFits, writeTemplate } from '../../src/store/pglite/template.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { startChild } from '../support/child.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { changeOf, conferenceRow, eventRow, noon, referralRow, subscriptionRow } from '../support/stored-rows.ts';
import { silentLog, testFolder } from '../support/test-store.ts';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

function open(nodeId: string | null = null): Promise<Store> {
  const clock = new ManualClock(noon);
  return openStore({ databaseUrl: null, dataDir: folder.path, nodeId, log: silentLog, clock });
}

test('after kill -9 in the midst of saving every acknowledged save is there, and what ran is ended as restarted', async () => {
  const child = startChild('saving-process.ts', [folder.path, '-', '-']);
  const acknowledged = new Map<string, number>();
  const note = (line: string) => {
    const [id = '', version] = line.split(' ');
    acknowledged.set(id, Number(version));
  };
  for (let count = 0; count < 200; count += 1) note((await child.lines.next()).value ?? '');
  await expect(open()).rejects.toThrow(`DATA_DIR ${folder.path} is in use by another process (${child.pid}).`);
  await child.kill();
  for await (const line of child.lines) note(line);

  const store = await open();
  expect(acknowledged.size).toBe(10);
  const running = await store.interrupted();
  for (const [id, version] of acknowledged) {
    const found = running.find(({ conference }) => conference.id === id);
    expect(found?.conference.version).toBeGreaterThanOrEqual(version);
    expect(found?.subscriptions[0]?.lastVersionSent).toBe(found?.conference.version);
  }

  const closed = await store.closeInterrupted(noon + 5);
  expect(closed.map(({ conferenceId }) => conferenceId).sort()).toEqual([...acknowledged.keys()].sort());
  expect(closed[0]?.endpointDialogIds).toHaveLength(1);
  expect(closed[0]?.subscriptionDialogIds).toHaveLength(1);
  for (const { conference: before } of running) {
    const after = await store.record(before.id);
    const ended = { ...before, status: 'ended', endReason: 'restarted', endedAt: noon + 5, participantCount: 0 };
    expect(after?.conference).toEqual({ ...ended, version: before.version + 1, seq: before.seq + 1 });
    expect(after?.participants.map(({ status }) => status)).toEqual(['disconnected']);
    expect(after?.subscriptions).toEqual([]);
    const numberOfTheEnd = eventRow({ id: `again-${before.id}`, conferenceId: before.id, seq: before.seq + 1 });
    await expect(store.save(changeOf({ events: [numberOfTheEnd] }))).rejects.toThrow('could not be saved');
  }
  expect(await store.interrupted()).toEqual([]);
  await store.close();
});

test('what is closed and opened again has the same node and the same rows, whatever node they are of, until they are ended', async () => {
  const before = await open();
  await before.save(
    changeOf({
      conferences: [conferenceRow({ id: 'conf-1', node: 'another' })],
      subscriptions: [subscriptionRow({ id: 'sub-1', conferenceId: 'conf-1' })],
      referrals: [
        referralRow({ id: 'ref-1', conferenceId: 'conf-1', state: 'ended', endedAt: noon }),
        referralRow({ id: 'ref-2', conferenceId: 'conf-1' }),
      ],
    }),
  );
  const record = await before.record('conf-1');
  await before.close();
  await expect(before.save(changeOf({}))).rejects.toThrow('The store is closed.');
  const after = await open();
  expect(after.nodeId).toBe(before.nodeId);
  expect(await after.interrupted()).toEqual([record]);
  await after.closeInterrupted(noon + 5);
  const referrals = await after.referrals('conf-1', { limit: 9, cursor: null, count: false });
  expect(referrals.rows.map(({ state, endedAt }) => [state, endedAt])).toEqual([
    ['ended', noon],
    ['ended', noon + 5],
  ]);
  await after.close();
  expect((await readdir(folder.path)).sort()).toEqual(['db', 'instance', 'node-id']);
});

test('a database whose making was interrupted is made anew', async () => {
  await mkdir(join(folder.path, 'db'));
  await writeFile(join(folder.path, 'db', 'PG_VERSION'), '18');
  await writeFile(join(folder.path, 'db.unfinished'), '');
  const store = await open();
  await store.ping();
  await store.close();
});

test('a database that cannot be opened is refused in one sentence, and the folder is free again', async () => {
  await writeFile(join(folder.path, 'db'), 'no folder');
  const refusal = await open().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StartRefused);
  expect(String(refusal)).toMatch(/^StartRefused: The embedded database \S+ cannot be opened: [^\n]+\.$/);
  expect((await readdir(folder.path)).sort()).toEqual(['db', 'node-id']);
});

test('the prepared dump of the package fits the package', async () => {
  expect(await templateFits(packageFiles.template, await readMigrations())).toBe(true);
});

test('a dump that is missing, cut, changed or of other migrations is not used', async () => {
  const migrations = await readMigrations();
  const path = join(folder.path, 'made', 'template.tar.gz');
  expect(await templateFits(path, migrations)).toBe(false);
  await writeTemplate(path, Buffer.from('a dump'), migrations);
  expect(await templateFits(path, migrations)).toBe(true);
  const more = { ...migrations, steps: [...migrations.steps, { name: '2', sql: 'SELECT 1' }] };
  expect(await templateFits(path, more)).toBe(false);
  await writeFile(path, 'a dum');
  expect(await templateFits(path, migrations)).toBe(false);
});
