import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { type Migrations, migrationsHash } from '../migrations.ts';

/** What a prepared dump was made of; it lies beside the dump. */
type Stamp = {
  /** Version of PGlite: a folder of one is not opened by another. */
  readonly pglite: string;
  readonly migrations: string;
  /** SHA-256 of the dump, lower-case hex. */
  readonly dump: string;
};

/** Whether the dump at `path` is whole, of the installed PGlite and of these migrations. Never throws. */
export async function templateFits(path: string, migrations: Migrations): Promise<boolean> {
  try {
    const stamp: unknown = JSON.parse(await readFile(stampPath(path), 'utf8'));
    return JSON.stringify(stamp) === JSON.stringify(await stampOf(await readFile(path), migrations));
  } catch {
    return false;
  }
}

/** Keeps `dump` at `path`. The stamp comes last: without it, or with another one, the dump is not used. */
export async function writeTemplate(path: string, dump: Uint8Array, migrations: Migrations): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(stampPath(path), { force: true });
  await writeFile(`${path}.new`, dump);
  await rename(`${path}.new`, path);
  await writeFile(stampPath(path), JSON.stringify(await stampOf(dump, migrations)));
}

async function stampOf(dump: Uint8Array, migrations: Migrations): Promise<Stamp> {
  return {
    pglite: await pgliteVersion(),
    migrations: migrationsHash(migrations),
    dump: createHash('sha256').update(dump).digest('hex'),
  };
}

/** The package does not export its package.json: it is found from what it does export. */
async function pgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const text = await readFile(new URL('../package.json', `file://${entry}`), 'utf8');
  const about: unknown = JSON.parse(text);
  if (typeof about === 'object' && about !== null && 'version' in about) return String(about.version);
  throw new Error('PGlite has no version.');
}

function stampPath(path: string): string {
  return `${path}.json`;
}
