/** The servers that are measured, each a process of its own that says what it costs. */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';
import { waitFor, within } from '../support/wait.ts';

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
  const scenario = fileURLToPath(new URL('scenarios/callee.xml', import.meta.url));
  const child = spawn('sipp', ['-sf', scenario, '-i', '127.0.0.1', '-p', String(port), '-t', 'u1', '-nostdin'], {
    stdio: 'ignore',
    env: { ...process.env, TERM: 'dumb' },
  });
  endWithUs(child);
  await waitFor('SIPp to listen', () => udpPortTaken(port));
  return { port, usage: null, close: () => end(child) };
}

/** What the process says next; rejects when it ends instead. */
async function answer(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a measured server has ended')));
  const [message] = await within('a measured server to answer', Promise.race([once(child, 'message'), ended]), startMs);
  return message;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function udpPortTaken(port: number): Promise<boolean> {
  const table = await readFile('/proc/net/udp', 'utf8');
  return table.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`);
}
