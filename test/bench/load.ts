/** The caller of all call benchmarks: SIPp with `caller.xml`, every call from a user of its own. */

import { runSipp } from './sipp.ts';

export type Load = {
  readonly port: number;
  /** User part of the URI that is called; default `bench`. */
  readonly user?: string;
  readonly calls: number;
  /** Calls open at once; a new one begins when one has ended. */
  readonly open: number;
  /** Calls begun per second at most. */
  readonly rate?: number;
  /** How long a call stands, in milliseconds. */
  readonly holdMs?: number;
};

export type LoadResult = {
  /** Dialogs that were made and ended as they should. */
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly failed: number;
  readonly retransmissions: number;
};

/** Calls `127.0.0.1:port` over UDP. Rejects when SIPp cannot run; failed calls are counted, not thrown. */
export async function callAll(load: Load): Promise<LoadResult> {
  const { port, user = 'bench', calls, open, rate = 100_000, holdMs = 0 } = load;
  const args = [`127.0.0.1:${port}`, '-s', user, '-d', String(holdMs), '-l', String(open), '-r', String(rate)];
  const { successful, retransmissions, startedAt, endedAt } = await runSipp('caller', calls, args);
  return {
    calls: successful,
    callsPerSecond: successful / (endedAt - startedAt),
    failed: calls - successful,
    retransmissions,
  };
}
