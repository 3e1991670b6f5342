import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { Migrations } from './migrations.ts';

/**
 * Applies what is missing of `migrations`, as `prisma migrate deploy` would: it is the very engine behind that command,
 * compiled to WebAssembly, with the same table and the same advisory lock against other starts. Answers with the names
 * of those applied. Rejects with the engine's reason.
 */
export async function migrate(
  adapter: SqlMigrationAwareDriverAdapterFactory,
  migrations: Migrations,
): Promise<readonly string[]> {
  await loadEngine();
  const connections: SqlDriverAdapter[] = [];
  const engine = await bindings.SchemaEngine.new(
    { datamodels: undefined },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(noting(connections, adapter)),
  );
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
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
    });
    return appliedMigrationNames;
  } finally {
    engine.free();
    // The engine leaves its connections open.
    for (const connection of connections) await connection.dispose();
  }
}

/** The same adapter, whose connections are noted in `connections`. */
function noting(
  connections: SqlDriverAdapter[],
  adapter: SqlMigrationAwareDriverAdapterFactory,
): SqlMigrationAwareDriverAdapterFactory {
  const { provider, adapterName } = adapter;
  const connect = async () => {
    const connection = await adapter.connect();
    connections.push(connection);
    return connection;
  };
  return { provider, adapterName, connect, connectToShadowDb: () => adapter.connectToShadowDb() };
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
