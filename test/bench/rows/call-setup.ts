/** Call set-up: INVITE, 200, ACK, BYE, 200 over UDP, fifty calls open at once. */

import { freePort } from '../free-port.ts';
import { comparedRates, cpuNote, inTurns } from '../in-turns.ts';
import { Opened } from '../opened.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { contestantOf, type Server, startProcess, startSippServer } from '../server-process.ts';

const repeats = 3;
const calls = 4_000;
const open = 50;

/** The rows of call set-up; the same runs of ours stand beside each anchor. */
export const callSetup: readonly BoundRow[] = [
  {
    name: 'sipd-uas',
    about: 'calls answered by a bare drachtio-srf application on sipd, beside npm `sip`',
    bound: { min: 0.45 },
    run: (report) => beside(report, async () => await startProcess('npm-sip-process.ts', [String(await freePort())])),
  },
  {
    name: 'sipd-vs-sipp',
    about: 'the same beside SIPp as the server',
    bound: { min: 0.15 },
    run: (report) => beside(report, async () => await startSippServer(await freePort())),
  },
];

async function beside(report: Report, startAnchor: () => Promise<Server>): Promise<Result> {
  await using opened = new Opened();
  const contestants = {
    ours: contestantOf('ours', opened.keep(await startProcess('srf-process.ts')), { calls, open }),
    anchor: contestantOf('anchor', opened.keep(await startAnchor()), { calls, open }),
  };
  const { ours, anchor } = await inTurns(contestants, repeats, report);
  const notes = [cpuNote('ours', ours), cpuNote('anchor', anchor)];
  return { ...comparedRates(ours, anchor), unit: 'calls/s', notes };
}
