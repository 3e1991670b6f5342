/** The servers that are measured, each a process of its own that says what it costs. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';
import { isListening } from '../support/ports.ts';
import { waitFor, within } from '../support/wait.ts';
import type { Contestant } from './in-turns.ts';
import { callAll, type Load } from './load.ts';
import { spawnSipp } from './sipp.ts';

export type Usage = {
  /** CPU time of the process so far, in microseconds. */
  readonly cpuMicros: number;
  /** Memory in use, in octets; after a garbage collection where `memory` was asked for. */
  readonly heap: number;
  /** What the server says it holds; empty when it cannot tell. */
  readonly counts: Readonly<Record<string, number>>;
};

/** A server of ours or of others that answers calls on `port`. */
export type Server = {
  readonly port: number;
  /** Null where the program is not ours to ask. */
  readonly usage: ((question: 'cpu' | 'memory') => Promise<Usage>) | null;
  readonly close: () => Promise<void>;
};

const startMs = 20_000;

/** Starts `test/bench/<file>`, which answers with `{ port }` once it listens and with its usage whenever it is asked. */
export async function startProcess(file: string, args: readonly string[] = []): Promise<Server> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, args, { execArgv: ['--import', 'tsx', '--expose-gc'] });
  endWithUs(child);
  const { port } = (await answer(child)) as { port: number };
  return {
    port,
    usage: async (question) => {
      child.send(question);
      return (await answer(child)) as Usage;
    },
    close: () => end(child),
  };
}

/** SIPp as the server: `callee.xml` on a free port. */
export async function startSippServer(port: number): Promise<Server> {
  const child = spawnSipp('callee', { args: ['-p', String(port)] });
  await waitFor('SIPp to listen', () => isListening('udp', { host: '127.0.0.1', port }));
  return { port, usage: null, close: () => end(child) };
}

/** The server as one that is called by `callAll`. */
export function contestantOf(name: string, server: Server, load: Pick<Load, 'calls' | 'open'>): Contestant {
  const { port, usage } = server;
  return {
    name,
    measure: () => callAll({ port, ...load }),
    cpuMicros: usage === null ? null : async () => (await usage('cpu')).cpuMicros,
  };
}

/** What the process says next; rejects when it ends instead. */
export async function answer(child: ChildProcess, patienceMs: number = startMs): Promise<unknown> {
  const asking = new AbortController();
  const { signal } = asking;
  const ended = once(child, 'exit', { signal }).then(() =>
    Promise.reject(new Error('a measured server, or its watchers, ended')),
  );
  try {
    const said = Promise.race([once(child, 'message', { signal }), ended]);
    const [message] = await within('a measured server, or its watchers, to answer', said, patienceMs);
    return message;
  } finally {
    asking.abort();
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
