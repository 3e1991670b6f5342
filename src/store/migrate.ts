import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { databaseSaid, reasonOf } from './errors.ts';
import type { Migrations } from './migrations.ts';

/**
 * Applies what is missing of `migrations`, as `prisma migrate deploy` would: it is the very engine behind that command,
 * compiled to WebAssembly, with the same table and the same advisory lock against other starts. Answers with the names
 * of those applied. Rejects with the engine's reason, or the database's.
 */
export async function migrate(
  adapter: SqlMigrationAwareDriverAdapterFactory,
  migrations: Migrations,
): Promise<readonly string[]> {
  await loadEngine();
  const notes: Notes = { connections: [], failure: undefined };
  const factory = bindMigrationAwareSqlAdapterFactory(noting(notes, adapter));
  const engine = await bindings.SchemaEngine.new({ datamodels: undefined }, () => undefined, factory);
  try {
    const { appliedMigrationNames } = await engine.applyMigrations(applyInput(migrations));
    return appliedMigrationNames;
  } catch (error) {
    // The engine knows no more of the database's refusal than that there was one.
    const isForeign = error instanceof Error && error.message.includes('external connector error');
    throw isForeign && notes.failure !== undefined ? notes.failure : error;
  } finally {
    engine.free();
    // The engine leaves its connections open.
    for (const connection of notes.connections) await connection.dispose();
  }
}

function applyInput(migrations: Migrations): bindings.ApplyMigrationsInput {
  return {
    migrationsList: {
      baseDir: 'prisma/migrations',
      lockfile: { path: 'migration_lock.toml', content: migrations.lock },
      migrationDirectories: migrations.steps.map(({ name, sql }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
      })),
      shadowDbInitScript: '',
    },
    filters: { externalTables: [], externalEnums: [] },
  };
}

/** What the engine did with its adapter: the connections it opened, and the last script that the database refused. */
type Notes = { readonly connections: SqlDriverAdapter[]; failure: Error | undefined };

function noting(notes: Notes, adapter: SqlMigrationAwareDriverAdapterFactory): SqlMigrationAwareDriverAdapterFactory {
  const { provider, adapterName } = adapter;
  const connect = async () => {
    const connection = await adapter.connect();
    notes.connections.push(connection);
    const executeScript = async (script: string) => {
      try {
        await connection.executeScript(script);
      } catch (error) {
        notes.failure = refusalOf(error);
        throw error;
      }
    };
    // The adapter's own methods, by way of its prototype, with one of them replaced.
    return Object.assign(Object.create(connection) as SqlDriverAdapter, { executeScript });
  };
  return { provider, adapterName, connect, connectToShadowDb: () => adapter.connectToShadowDb() };
}

function refusalOf(error: unknown): Error {
  return new Error(databaseSaid(error)?.originalMessage ?? reasonOf(error), { cause: error });
}

/** WebAssembly as far as it is used here; Node has it, its type package does not. */
type WebAssemblyGlobal = {
  readonly instantiate: (
    bytes: Uint8Array,
    imports: Readonly<Record<string, unknown>>,
  ) => Promise<{ readonly instance: { readonly exports: { readonly __wbindgen_start: () => void } } }>;
};
declare const WebAssembly: WebAssemblyGlobal;

let loading: Promise<void> | undefined;

/** The package's own loader imports `.wasm` as a module, which Node does not do unasked. */
function loadEngine(): Promise<void> {
  loading ??= (async () => {
    const file = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
    const bytes = await readFile(file.replace(/\.js$/, '.wasm'));
    const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings });
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
  })();
  return loading;
}
