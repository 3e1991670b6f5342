/** Call set-up: INVITE, 200, ACK, BYE, 200 over UDP, fifty calls open at once. */

import { freePort } from '../free-port.ts';
import { callAll } from '../load.ts';
import { type BoundRow, compared, type Report, type Result } from '../row.ts';
import { type Server, startProcess, startSippServer } from '../server-process.ts';

const repeats = 3;
const calls = 4_000;
const warmUp = 2_000;
const open = 50;

type Measured = { readonly rate: number; readonly cpuMicros: number | null };

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
  const ours = await startProcess('srf-process.ts');
  const anchor = await startAnchor();
  try {
    for (const server of [ours, anchor]) await callAll({ port: server.port, calls: warmUp, open });
    const rates: { ours: Measured[]; anchor: Measured[] } = { ours: [], anchor: [] };
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      rates.ours.push(await measure(ours, report));
      rates.anchor.push(await measure(anchor, report));
    }
    const figures = compared(
      rates.ours.map(({ rate }) => rate),
      rates.anchor.map(({ rate }) => rate),
    );
    return { ...figures, unit: 'calls/s', notes: [cpuNote('ours', rates.ours), cpuNote('anchor', rates.anchor)] };
  } finally {
    await Promise.all([ours.close(), anchor.close()]);
  }
}

async function measure(server: Server, report: Report): Promise<Measured> {
  const before = await server.usage?.('cpu');
  const { callsPerSecond, failed, retransmissions } = await callAll({ port: server.port, calls, open });
  const after = await server.usage?.('cpu');
  if (failed > 0) throw new Error(`${failed} calls failed`);
  report(`${callsPerSecond.toFixed(0)} calls/s${retransmissions > 0 ? `, ${retransmissions} retransmissions` : ''}`);
  const cpuMicros = before && after ? (after.cpuMicros - before.cpuMicros) / calls : null;
  return { rate: callsPerSecond, cpuMicros };
}

function cpuNote(who: string, measured: readonly Measured[]): string {
  const figures = measured.map(({ cpuMicros }) => (cpuMicros === null ? '-' : cpuMicros.toFixed(0)));
  return `CPU of ${who}, µs per call: ${figures.join(', ')}`;
}
