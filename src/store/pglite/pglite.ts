import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFiles } from '../data-dir.ts';
import type { Database } from '../database.ts';
import { reasonOf, StartRefused } from '../errors.ts';
import type { Migrations } from '../migrations.ts';
import { DatabaseThread } from './database-thread.ts';
import { pgliteAdapter } from './pglite-adapter.ts';
import { templateFits } from './template.ts';

export type EmbeddedOptions = {
  readonly dataDir: string;
  /** Path of the prepared dump; one that is missing or does not fit is not used. */
  readonly template: string;
  readonly migrations: Migrations;
  /** Called when the database ends unasked. */
  readonly onDeath: (reason: string) => void;
};

/**
 * Opens the embedded database in DATA_DIR, which must be locked: PGlite itself would let a second process in. Throws
 * StartRefused when it cannot be opened.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Database> {
  const folder = join(options.dataDir, dataFiles.database);
  const unfinished = join(options.dataDir, dataFiles.databaseUnfinished);
  try {
    // A process that died while it made the database had saved nothing in it.
    if (existsSync(unfinished)) await rm(folder, { recursive: true, force: true });
    const isNew = !existsSync(folder);
    const template = isNew && (await templateFits(options.template, options.migrations)) ? options.template : null;
    if (isNew) await writeFile(unfinished, '');
    const thread = await DatabaseThread.start({ folder, template }, options.onDeath);
    if (isNew) await rm(unfinished, { force: true });
    const adapter = pgliteAdapter(thread);
    return { adapter, writing: adapter, migrating: adapter, exclusive: true, close: () => thread.close() };
  } catch (error) {
    throw new StartRefused(`The embedded database ${folder} cannot be opened: ${reasonOf(error)}.`);
  }
}
