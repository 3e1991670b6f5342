import { Worker } from 'node:worker_threads';
import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import { reasonOf } from '../errors.ts';
import type { Opened, OpenOptions, Reply, Request, Task } from './messages.ts';

type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** The main thread's end of the embedded database: tasks go over, their results come back. */
export class DatabaseThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onDeath: (reason: string) => void;
  #requestCount = 0;
  #ended: string | undefined;

  private constructor(worker: Worker, onDeath: (reason: string) => void) {
    this.#worker = worker;
    this.#onDeath = onDeath;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) => this.#die(reasonOf(error)));
    worker.on('exit', (code) => this.#die(`its thread ended with code ${code}`));
  }

  /** Opens the database. Rejects with the reason; `onDeath` is called when the thread ends unasked, later. */
  static async start(options: OpenOptions, onDeath: (reason: string) => void): Promise<DatabaseThread> {
    const worker = startWorker(options);
    await opened(worker);
    return new DatabaseThread(worker, onDeath);
  }

  /** The task's result, whose type the caller knows. Rejects with DriverAdapterError when the database refused. */
  perform(task: Task): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(new Error(`The embedded database is closed: ${this.#ended}`));
    this.#requestCount += 1;
    const id = this.#requestCount;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task } satisfies Request);
    });
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const done = this.perform({ type: 'close' });
    this.#ended = 'it was closed';
    try {
      await done;
    } finally {
      await this.#worker.terminate();
    }
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.ok) pending?.resolve(reply.value);
    else if (reply.failure.cause !== null) pending?.reject(new DriverAdapterError(reply.failure.cause));
    else pending?.reject(new Error(reply.failure.message));
  }

  #die(reason: string): void {
    const asked = this.#ended !== undefined;
    this.#ended ??= reason;
    for (const { reject } of this.#pending.values()) reject(new Error(`The embedded database ended: ${reason}`));
    this.#pending.clear();
    if (!asked) this.#onDeath(reason);
  }
}

/** Compiled, the thread's file is JavaScript; from the sources it is TypeScript, which tsx must load there as well. */
function startWorker(options: OpenOptions): Worker {
  const fromSources = import.meta.url.endsWith('.ts');
  const file = new URL(fromSources ? './pglite-worker.ts' : './pglite-worker.js', import.meta.url);
  return new Worker(fromSources ? throughTsx(file) : file, { workerData: options, execArgv: [] });
}

/** `--import tsx` does nothing in a worker thread: tsx must be registered by a first module there. */
function throughTsx(file: URL): URL {
  const tsx = import.meta.resolve('tsx/esm/api');
  const module = `import { register } from '${tsx}'; register(); await import('${file.href}');`;
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`);
}

function opened(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number) => reject(new Error(`its thread ended with code ${code}`));
    worker.once('error', reject);
    worker.once('exit', onExit);
    worker.once('message', (message: Opened) => {
      worker.off('error', reject);
      worker.off('exit', onExit);
      if (message.type === 'opened') resolve();
      else reject(new Error(message.reason));
    });
  });
}
