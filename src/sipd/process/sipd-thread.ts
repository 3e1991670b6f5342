import { Worker } from 'node:worker_threads';
import { Counters, type CounterValues } from '../counters.ts';
import type { LogLevel } from '../output.ts';
import type { SipdAddress, SipdLog, SipdOptions } from '../sipd.ts';
import type { StackCounts } from '../stack.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';

/** Options of sipd that can be cloned, and what its thread has to tell. */
export type SipdThreadOptions = Omit<SipdOptions, 'names' | 'counterMemory'> & {
  /** Log lines below it are not asked for. */
  readonly leastLevel: LogLevel;
  /** Called once, with the reason, when the thread ends though nobody has closed it. */
  readonly onLost: (reason: string) => void;
};

/** What is heard of the thread, and where it counts. */
type Ear = Pick<SipdThreadOptions, 'log' | 'onLost'> & { readonly counters: Counters };

type Pending = { readonly resolve: (counts: StackCounts) => void; readonly reject: (error: Error) => void };

/** How long an orderly close may take before the thread is ended from outside. */
const closeLimitMs = 3_000;

/**
 * The same server as `startSipd` gives, on a thread of its own: SIP work does not hold up the application, nor the
 * application SIP. Applications reach it by the control port, as always. Rejects as `startSipd` does.
 */
export async function startSipdThread({ log, leastLevel, onLost, ...options }: SipdThreadOptions): Promise<SipdThread> {
  const counters = new Counters();
  const worker = startWorker({ options: { ...options, counterMemory: counters.memory }, leastLevel });
  return await SipdThread.over(worker, { log, onLost, counters });
}

/** This side of a thread that runs sipd. */
export class SipdThread {
  readonly addresses: readonly SipdAddress[];
  readonly controlPort: number;
  /** Null: there is none. */
  readonly controlTlsPort: number | null;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onLost: (reason: string) => void;
  readonly #counters: Counters;
  readonly #gone: Promise<void>;
  #countCalls = 0;
  #ended: string | null = null;
  #closing: Promise<void> | null = null;

  private constructor(worker: Worker, started: Extract<FromThread, { type: 'started' }>, ear: Ear) {
    this.addresses = started.addresses;
    this.controlPort = started.controlPort;
    this.controlTlsPort = started.controlTlsPort;
    this.#worker = worker;
    this.#onLost = ear.onLost;
    this.#counters = ear.counters;
    worker.on('message', (message: FromThread) => this.#hear(message, ear.log));
    worker.on('error', (error) => this.#lose(error instanceof Error ? error.message : String(error)));
    this.#gone = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#lose(`its thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Takes a worker that has just been made; resolves when it says that it has started. */
  static over(worker: Worker, ear: Ear): Promise<SipdThread> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number): void => reject(new Error(`its thread ended with code ${code}`));
      const onMessage = (message: FromThread): void => {
        if (message.type === 'log') {
          ear.log[message.level](message.fields, message.text);
          return;
        }
        // The error stays listened to, since one that nobody hears would end us with it.
        worker.off('exit', onExit).off('message', onMessage);
        if (message.type === 'started') resolve(new SipdThread(worker, message, ear));
        else reject(refusal(message));
      };
      worker.on('error', reject).on('exit', onExit).on('message', onMessage);
    });
  }

  /** How much is going on; all zero when idle. Rejects when the thread has ended. */
  counts(): Promise<StackCounts> {
    if (this.#ended !== null) return Promise.reject(new Error(`sipd is closed: ${this.#ended}`));
    this.#countCalls += 1;
    const id = this.#countCalls;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#tell({ type: 'count', id });
    });
  }

  /** As `Sipd.counters`; the thread need not say anything. */
  counters(): CounterValues {
    return this.#counters.values();
  }

  /** Closes the server as `Sipd.close` does, and ends the thread. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended !== null) return;
    this.#end('it was closed');
    this.#tell({ type: 'close' });
    const limit = setTimeout(() => void this.#worker.terminate(), closeLimitMs);
    await this.#gone;
    clearTimeout(limit);
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromThread, log: SipdLog): void {
    if (message.type === 'log') log[message.level](message.fields, message.text);
    if (message.type !== 'counted') return;
    this.#pending.get(message.id)?.resolve(message.counts);
    this.#pending.delete(message.id);
  }

  #lose(reason: string): void {
    if (this.#ended !== null) return;
    this.#end(reason);
    this.#onLost(reason);
  }

  #end(reason: string): void {
    this.#ended = reason;
    for (const { reject } of this.#pending.values()) reject(new Error(`sipd is closed: ${reason}`));
    this.#pending.clear();
  }
}

/** The error that `startSipd` gave over there, with the system's code and address. */
function refusal(message: FromThread): Error {
  if (message.type !== 'not-started') return new Error(`its thread began with ${message.type}`);
  return Object.assign(new Error(message.message), message.details);
}

/** Compiled, the thread's file is JavaScript; from the sources it is TypeScript, which tsx must load there as well. */
function startWorker(data: ThreadData): Worker {
  const fromSources = import.meta.url.endsWith('.ts');
  const file = new URL(fromSources ? './sipd-worker.ts' : './sipd-worker.js', import.meta.url);
  return new Worker(fromSources ? throughTsx(file) : file, { workerData: data, execArgv: [] });
}

/** `--import tsx` does nothing in a worker thread: tsx must be registered by a first module there. */
function throughTsx(file: URL): URL {
  const tsx = import.meta.resolve('tsx/esm/api');
  const module = `import { register } from '${tsx}'; register(); await import('${file.href}');`;
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`);
}
