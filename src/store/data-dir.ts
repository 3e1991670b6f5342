import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, reasonOf, StartRefused } from './errors.ts';

/** What lies in DATA_DIR. */
export const dataFiles = {
  lock: 'lock',
  nodeId: 'node-id',
  instance: 'instance',
  database: 'db',
  /** Stands there while the database is being made; a database beside it was never finished. */
  databaseUnfinished: 'db.unfinished',
} as const;

/** Makes the folder when it is missing, for its owner only. Throws StartRefused when it cannot be made or written. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartRefused(`DATA_DIR ${dataDir} cannot be used: ${reasonOf(error)}.`);
  }
}

/** The node's id: the given one, else the one kept in the folder, made at the first start. */
export async function nodeIdOf(dataDir: string, given: string | null): Promise<string> {
  if (given !== null) return given;
  const path = join(dataDir, dataFiles.nodeId);
  const kept = (await readIfThere(path))?.trim();
  if (kept) return kept;
  const made = `node-${randomBytes(6).toString('hex')}`;
  await writeWhole(path, `${made}\n`);
  return made;
}

/**
 * The instance that last ran with this folder. Whoever holds the folder's lock knows it dead. Null when none ran, and in
 * a copy of a folder, whose original may be alive: the file names its own inode.
 */
export async function lastInstance(dataDir: string): Promise<string | null> {
  const path = join(dataDir, dataFiles.instance);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { ino } = await file.stat();
    const [instance, inode] = (await file.readFile('utf8')).trim().split(' ');
    return instance && inode === String(ino) ? instance : null;
  } finally {
    await file.close();
  }
}

/** Notes that `instance` runs with this folder. */
export async function noteInstance(dataDir: string, instance: string): Promise<void> {
  const file = await open(join(dataDir, dataFiles.instance), 'w', 0o600);
  try {
    const { ino } = await file.stat();
    await file.writeFile(`${instance} ${ino}\n`);
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Either the old text or the new one is in the file, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
