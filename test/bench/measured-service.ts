/** The whole service as it is measured: `src/main.ts` as a process of its own, its log in a file as an operator has it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';
import { apiKey, type Environment, faultsIn, inherited, readBanner } from '../support/service.ts';
import { waitFor, within } from '../support/wait.ts';

/** What the service says it holds, as `GET /v1/stats` has it. */
export type LiveCounts = {
  readonly conferences: number;
  readonly participants: number;
  readonly msrp_sessions: number;
};

export type MeasuredService = {
  readonly name: string;
  /** Of SIP over UDP. */
  readonly port: number;
  readonly factory: string;
  /** A POST to the REST API; gives what it answers. Rejects when that is no success. */
  readonly post: <T>(path: string, body: unknown) => Promise<T>;
  readonly cpuMicros: () => Promise<number>;
  /** Resolves once that is what it holds; rejects when it is not in time. */
  readonly holds: (counts: Partial<LiveCounts>) => Promise<void>;
  /** Ends it orderly. Rejects when it logged a fault of its own. */
  readonly close: () => Promise<void>;
};

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The embedded database starts in seconds, on a busy machine in more. */
const startMs = 60_000;
const stopMs = 15_000;
/** How long the last BYEs may take. */
const settleMs = 30_000;

/** Starts the service with its defaults but for `settings`, free ports, and nobody kept from making conferences. */
export async function startService(
  name: string,
  databaseUrl: string | null,
  settings: Environment = {},
): Promise<MeasuredService> {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-bench-'));
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'w');
  const child = endWithUs(
    spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      cwd: root,
      env: {
        ...inherited(),
        ...{ HTTP_PORT: '0', SIP_PORT: '0', MSRP_PORT: '0', API_KEY: apiKey, CREATIONS_PER_MINUTE: '0' },
        ...{ DATA_DIR: join(folder, 'data'), DATABASE_URL: databaseUrl ?? undefined },
        ...settings,
      },
      stdio: ['ignore', log.fd, log.fd],
    }),
  );
  const written = async (): Promise<string> => await readFile(logFile, 'utf8');
  const banner = await waitFor(
    'the service to be ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`the service ended:\n${await written()}`);
      return readBanner(await written());
    },
    startMs,
  );
  return {
    name,
    port: banner.sip.udp.port,
    factory: banner.factory,
    post: async (path, body) => await posted(`${banner.rest}${path}`, body),
    cpuMicros: async () => cpuMicrosIn(await readFile(`/proc/${child.pid}/stat`, 'utf8')),
    holds: async (counts) => {
      const wanted = Object.entries(counts);
      const held = async (): Promise<boolean> => {
        const now = await countsOf(banner.rest);
        return wanted.every(([what, count]) => now[what] === count);
      };
      await waitFor(`${name} to hold ${JSON.stringify(counts)}`, held, settleMs);
    },
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await within(`${name} to end`, gone, stopMs);
      const faults = faultsIn(await written());
      await log.close();
      await rm(folder, { recursive: true, force: true });
      if (faults.length > 0) throw new Error(`${name} logged faults of its own:\n${faults.slice(0, 20).join('\n')}`);
    },
  };
}

async function posted<T>(url: string, body: unknown): Promise<T> {
  const headers = { 'authorization': `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${url} was answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function countsOf(rest: string): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${rest}/stats`, { headers: { authorization: `Bearer ${apiKey}` } });
  return ((await answer.json()) as { counts: Readonly<Record<string, number>> }).counts;
}

/** CPU time of a process and its threads from `/proc/<pid>/stat` (proc(5)), which counts hundredths of a second. */
export function cpuMicrosIn(stat: string): number {
  // The program's name stands in parentheses and may hold blanks; what follows it is the third field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * 10_000;
}
