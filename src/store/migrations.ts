import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFiles } from './package-files.ts';

/** The SQL migrations in Prisma's layout: a folder each, in the order of their names. */
export type Migrations = {
  readonly lock: string;
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
};

/** Reads the migrations in `folder`, the package’s own unless told otherwise. Rejects when a file is missing. */
export async function readMigrations(folder: string = packageFiles.migrations): Promise<Migrations> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  const steps = names.map(async (name) => ({ name, sql: await readFile(join(folder, name, 'migration.sql'), 'utf8') }));
  return { lock: await readFile(join(folder, 'migration_lock.toml'), 'utf8'), steps: await Promise.all(steps) };
}

/** SHA-256 over names and texts, lower-case hex: tells whether a prepared database has these very migrations. */
export function migrationsHash(migrations: Migrations): string {
  const text = JSON.stringify(migrations.steps.map(({ name, sql }) => [name, sql]));
  return createHash('sha256').update(text).digest('hex');
}
