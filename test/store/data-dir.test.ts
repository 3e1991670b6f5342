import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastInstance, nodeIdOf, noteInstance, prepareDataDir } from '../../src/store/data-dir.ts';
import { StartRefused } from '../../src/store/errors.ts';
import { testFolder } from '../support/test-store.ts';

let folder: Awaited<ReturnType<typeof testFolder>>;
beforeEach(async () => {
  folder = await testFolder();
});
afterEach(() => folder.remove());

test('a missing folder is made, for its owner only', async () => {
  const path = join(folder.path, 'a', 'b');
  await prepareDataDir(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test('a file in its place is refused in one sentence', async () => {
  const path = join(folder.path, 'file');
  await writeFile(path, '');
  await expect(prepareDataDir(join(path, 'data'))).rejects.toBeInstanceOf(StartRefused);
});

test('a node id is made once and kept; a given one is used and not kept', async () => {
  expect(await nodeIdOf(folder.path, 'given')).toBe('given');
  const made = await nodeIdOf(folder.path, null);
  expect(made).toMatch(/^node-[0-9a-f]{12}$/);
  expect(await nodeIdOf(folder.path, null)).toBe(made);
  expect(await nodeIdOf(folder.path, 'given')).toBe('given');
  expect(await readFile(join(folder.path, 'node-id'), 'utf8')).toBe(`${made}\n`);
});

test('the last instance is known again, but not from a copy of the folder', async () => {
  const data = join(folder.path, 'data');
  const copy = join(folder.path, 'copy');
  await mkdir(data);
  expect(await lastInstance(data)).toBeNull();
  await noteInstance(data, 'instance-1');
  await noteInstance(data, 'instance-2');
  expect(await lastInstance(data)).toBe('instance-2');
  await cp(data, copy, { recursive: true });
  expect(await lastInstance(copy)).toBeNull();
});
