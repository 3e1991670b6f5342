import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlQueryable,
  SqlResultSet,
  Transaction,
} from '@prisma/driver-adapter-utils';
import type { DatabaseThread } from './database-thread.ts';

const about = { provider: 'postgres', adapterName: 'isfocus-pglite-thread' } as const;

/** Prisma's door to the embedded database: every call is a task for its thread. Disposing leaves the thread running. */
export function pgliteAdapter(thread: DatabaseThread): SqlMigrationAwareDriverAdapterFactory {
  return {
    ...about,
    connect: async () => connection(thread),
    connectToShadowDb: () => Promise.reject(new Error('The embedded database has no shadow database.')),
  };
}

function connection(thread: DatabaseThread): SqlDriverAdapter {
  return {
    ...queryable(thread, null),
    executeScript: async (script) => {
      await thread.perform({ type: 'script', script });
    },
    startTransaction: (isolationLevel) => startTransaction(thread, isolationLevel),
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: async () => undefined,
  };
}

function queryable(thread: DatabaseThread, transaction: number | null): SqlQueryable {
  const run = (type: 'query' | 'execute', query: SqlQuery) => thread.perform({ type, transaction, query });
  return {
    ...about,
    queryRaw: async (query) => (await run('query', query)) as SqlResultSet,
    executeRaw: async (query) => (await run('execute', query)) as number,
  };
}

async function startTransaction(
  thread: DatabaseThread,
  isolationLevel: IsolationLevel | undefined,
): Promise<Transaction> {
  const begun = await thread.perform({ type: 'begin', isolationLevel: isolationLevel ?? null });
  const transaction = begun as number;
  return {
    ...queryable(thread, transaction),
    // The thread sends COMMIT and ROLLBACK itself.
    options: { usePhantomQuery: true },
    commit: async () => {
      await thread.perform({ type: 'commit', transaction });
    },
    rollback: async () => {
      await thread.perform({ type: 'rollback', transaction });
    },
  };
}
