import { readFile } from 'node:fs/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import type { SqlDriverAdapter, SqlQueryable, Transaction } from '@prisma/driver-adapter-utils';
import { databaseSaid } from '../errors.ts';
import type { Failure, Opened, OpenOptions, Reply, Request, Task } from './messages.ts';

/**
 * The thread of the embedded database. A query of PGlite holds its thread for milliseconds, which here is not the one
 * that answers SIP. Requests are performed as they come; PGlite queues them, one session has all.
 */
class DatabaseThread {
  readonly #database: PGlite;
  readonly #adapter: SqlDriverAdapter;
  readonly #transactions = new Map<number, Transaction>();
  #transactionCount = 0;

  constructor(database: PGlite, adapter: SqlDriverAdapter) {
    this.#database = database;
    this.#adapter = adapter;
  }

  async perform(task: Task): Promise<unknown> {
    switch (task.type) {
      case 'query':
        return this.#queryable(task.transaction).queryRaw(task.query);
      case 'execute':
        return this.#queryable(task.transaction).executeRaw(task.query);
      case 'script':
        // Not the adapter's executeScript, which does not wait for the end.
        await this.#database.exec(task.script);
        return null;
      case 'begin':
        return this.#begin(task.isolationLevel);
      case 'commit':
        return this.#finish(task.transaction, (transaction) => transaction.commit());
      case 'rollback':
        return this.#finish(task.transaction, (transaction) => transaction.rollback());
      case 'dump':
        return new Uint8Array(await (await this.#database.dumpDataDir('gzip')).arrayBuffer());
      case 'close':
        await this.#database.close();
        return null;
    }
  }

  async #begin(isolationLevel: string | null): Promise<number> {
    const transaction = await this.#adapter.startTransaction();
    if (isolationLevel !== null) {
      const sql = `SET TRANSACTION ISOLATION LEVEL ${isolationLevel}`;
      await transaction.executeRaw({ sql, args: [], argTypes: [] });
    }
    this.#transactionCount += 1;
    this.#transactions.set(this.#transactionCount, transaction);
    return this.#transactionCount;
  }

  async #finish(id: number, finish: (transaction: Transaction) => Promise<void>): Promise<null> {
    const transaction = this.#open(id);
    this.#transactions.delete(id);
    await finish(transaction);
    return null;
  }

  #queryable(transaction: number | null): SqlQueryable {
    return transaction === null ? this.#adapter : this.#open(transaction);
  }

  #open(id: number): Transaction {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) throw new Error(`Transaction ${id} is not open.`);
    return transaction;
  }
}

async function openDatabase(options: OpenOptions): Promise<DatabaseThread> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { PrismaPGlite } = await import('pglite-prisma-adapter');
  const template = options.template === null ? undefined : await readFile(options.template);
  const database = await PGlite.create({
    dataDir: options.folder,
    ...(template && { loadDataDir: new File([template], 'template.tar.gz', { type: 'application/x-gzip' }) }),
  });
  // The adapter writes times without a zone, in UTC.
  await database.exec("SET timezone TO 'UTC'");
  return new DatabaseThread(database, await new PrismaPGlite(database).connect());
}

async function answer(thread: DatabaseThread, { id, task }: Request): Promise<Reply> {
  try {
    return { id, ok: true, value: await thread.perform(task) };
  } catch (error) {
    return { id, ok: false, failure: failureOf(error) };
  }
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { message, cause: databaseSaid(error) ?? null };
}

async function serve(port: MessagePort, options: OpenOptions): Promise<void> {
  let thread: DatabaseThread;
  try {
    thread = await openDatabase(options);
  } catch (error) {
    port.postMessage({ type: 'not-opened', reason: failureOf(error).message } satisfies Opened);
    port.close();
    return;
  }
  port.on('message', (request: Request) => {
    void answer(thread, request).then((reply) => {
      port.postMessage(reply);
      if (request.task.type === 'close') port.close();
    });
  });
  port.postMessage({ type: 'opened' } satisfies Opened);
}

if (parentPort !== null) await serve(parentPort, workerData as OpenOptions);
