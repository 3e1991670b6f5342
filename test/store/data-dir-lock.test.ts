import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDir } from '../../src/store/data-dir-lock.ts';
import { startChild } from '../support/child.ts';
import { testFolder } from '../support/test-store.ts';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

test('a locked folder is refused in one sentence that names its process; a released one is free', async () => {
  const lock = await lockDataDir(folder.path);
  const sentence = `DATA_DIR ${folder.path} is in use by another process (${process.pid}).`;
  await expect(lockDataDir(folder.path)).rejects.toThrow(sentence);
  await lock.release();
  expect(await readdir(folder.path)).toEqual([]);
  await (await lockDataDir(folder.path)).release();
});

test('the lock of a process killed with kill -9 is taken over at once', async () => {
  const child = startChild('locking-process.ts', [folder.path]);
  try {
    expect((await child.lines.next()).value).toBe('locked');
    await expect(lockDataDir(folder.path)).rejects.toThrow(`in use by another process (${child.pid})`);
  } finally {
    await child.kill();
  }
  expect(await readdir(folder.path)).toEqual(['lock']);
  const lock = await lockDataDir(folder.path);
  expect(await readdir(folder.path)).toEqual(['lock']);
  await lock.release();
});

test('of many starts at once on a dead lock one wins', async () => {
  const child = startChild('locking-process.ts', [folder.path]);
  await child.lines.next();
  await child.kill();
  const starts = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(folder.path)));
  const won = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  expect(won).toHaveLength(1);
  expect(await readdir(folder.path)).toEqual(['lock']);
  for (const lock of won) await lock.release();
});

test('a plain file in the lock’s place does not keep the folder locked', async () => {
  await writeFile(join(folder.path, 'lock'), '4711\n');
  await (await lockDataDir(folder.path)).release();
});

test('a folder with a path too long for a socket is locked all the same', async () => {
  const deep = join(folder.path, 'd'.repeat(120));
  await mkdir(deep);
  const lock = await lockDataDir(deep);
  await expect(lockDataDir(deep)).rejects.toThrow('is in use by another process');
  await lock.release();
  await (await lockDataDir(deep)).release();
});
