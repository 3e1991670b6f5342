/** The caller of all call benchmarks: SIPp with `caller.xml`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';

export type Load = {
  readonly port: number;
  readonly calls: number;
  /** Calls open at once; a new one begins when one has ended. */
  readonly open: number;
  /** Calls begun per second at most. */
  readonly rate?: number;
  /** How long a call stands, in milliseconds. */
  readonly holdMs?: number;
};

export type LoadResult = { readonly callsPerSecond: number; readonly failed: number; readonly retransmissions: number };

/** Calls `127.0.0.1:port` over UDP. Rejects when SIPp cannot run; failed calls are counted, not thrown. */
export async function callAll(load: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-bench-'));
  try {
    const scenario = fileURLToPath(new URL('scenarios/caller.xml', import.meta.url));
    const { port, calls, open, rate = 100_000, holdMs = 0 } = load;
    const child = endWithUs(
      spawn(
        'sipp',
        [
          ...[`127.0.0.1:${port}`, '-sf', scenario, '-i', '127.0.0.1', '-t', 'u1', '-nostdin', '-d', String(holdMs)],
          ...['-m', String(calls), '-l', String(open), '-r', String(rate), '-buff_size', '4194304'],
          ...['-trace_stat', '-stf', join(folder, 'figures'), '-fd', '1000', '-timeout', '300s'],
        ],
        { cwd: folder, stdio: 'ignore', env: { ...process.env, TERM: 'dumb' } },
      ),
    );
    await once(child, 'exit');
    return readFigures(await readFile(join(folder, 'figures'), 'utf8'), calls);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last line of SIPp's statistics: `;`-separated values under the names of the first line. */
function readFigures(text: string, calls: number): LoadResult {
  const lines = text.trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const values = lines.at(-1)?.split(';') ?? [];
  const figure = (name: string): string => values[names.indexOf(name)] ?? '';
  const successful = Number(figure('SuccessfulCall(C)'));
  return {
    callsPerSecond: successful / (seconds(figure('CurrentTime')) - seconds(figure('StartTime'))),
    failed: calls - successful,
    retransmissions: Number(figure('Retransmissions(C)')),
  };
}

/** `date <tab> time <tab> seconds since 1970`: SIPp's elapsed time itself has no fraction. */
function seconds(text: string): number {
  return Number(text.split('\t').at(-1));
}
