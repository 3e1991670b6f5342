/** SIPp makes the load: a scenario run to its end, and what it counted. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';

/** What one run counted; times in seconds since 1970. */
export type SippFigures = {
  readonly successful: number;
  readonly retransmissions: number;
  readonly startedAt: number;
  readonly endedAt: number;
};

/** Runs `scenarios/<scenario>.xml` over UDP on 127.0.0.1 until `calls` calls have ended, well or not; who waits for a minute has failed. */
export async function runSipp(scenario: string, calls: number, args: readonly string[]): Promise<SippFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-bench-'));
  try {
    const figures = join(folder, 'figures');
    const child = spawnSipp(scenario, {
      cwd: folder,
      args: [
        ...args,
        ...['-m', String(calls), '-buff_size', '4194304', '-deadcall_wait', '0'],
        ...['-trace_stat', '-stf', figures, '-fd', '1000', '-recv_timeout', '60000', '-timeout', '300s'],
      ],
    });
    await once(child, 'exit');
    return figuresIn(await readFile(figures, 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts SIPp with `scenarios/<scenario>.xml`; it ends with us at the latest. */
export function spawnSipp(
  scenario: string,
  how: { readonly args: readonly string[]; readonly cwd?: string },
): ChildProcess {
  const file = fileURLToPath(new URL(`scenarios/${scenario}.xml`, import.meta.url));
  return endWithUs(
    spawn('sipp', ['-sf', file, '-i', '127.0.0.1', '-t', 'u1', '-nostdin', ...how.args], {
      cwd: how.cwd,
      stdio: 'ignore',
      env: { ...process.env, TERM: 'dumb' },
    }),
  );
}

/** The last line of SIPp's statistics: `;`-separated values under the names of the first line. */
export function figuresIn(text: string): SippFigures {
  const lines = text.trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const values = lines.at(-1)?.split(';') ?? [];
  const figure = (name: string): string => values[names.indexOf(name)] ?? 'none';
  return {
    successful: Number(figure('SuccessfulCall(C)')),
    retransmissions: Number(figure('Retransmissions(C)')),
    startedAt: seconds(figure('StartTime')),
    endedAt: seconds(figure('CurrentTime')),
  };
}

/** `date <tab> time <tab> seconds since 1970`: SIPp's elapsed time itself has no fraction. */
function seconds(text: string): number {
  return Number(text.split('\t').at(-1));
}
