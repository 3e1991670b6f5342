/** What 10,000 calls cost that stand and say nothing. */

import { callAll } from '../load.ts';
import type { BoundRow, Report, Result } from '../row.ts';
import { type Server, startProcess, type Usage } from '../server-process.ts';

const calls = 10_000;
const callsPerSecond = 1_000;
/** Long enough that all stand, have outlived their transactions (32 s), and are watched for a while. */
const holdMs = 65_000;
const settledMs = 48_000;
const watchMs = 8_000;

/** Memory of an idle dialog beside plain objects that keep the same texts, and CPU beside a Node that does nothing. */
export const idleDialogs: readonly BoundRow[] = [
  {
    name: 'sipd-idle-memory',
    about:
      'memory of a call that stands, in sipd and the application, beside bare objects with its INVITE and both SDPs',
    bound: { max: 6 },
    run: async (report) => (await hold(report)).memory,
  },
  {
    name: 'sipd-idle-cpu',
    about: 'CPU of 10,000 calls that stand, beside a Node process with nothing to do',
    bound: {},
    run: async (report) => (await hold(report)).cpu,
  },
];

type Held = { readonly memory: Result; readonly cpu: Result };

let held: Promise<Held> | null = null;

/** Both rows come from one run. */
function hold(report: Report): Promise<Held> {
  held ??= measure(report);
  return held;
}

async function measure(report: Report): Promise<Held> {
  const ours = await startProcess('srf-process.ts');
  const objects = await startProcess('idle-objects-process.ts', [String(calls)]);
  try {
    await callAll({ port: ours.port, calls: 2_000, open: 50 });
    const empty = await usage(ours, 'memory');
    const callers = callAll({ port: ours.port, calls, open: calls, rate: callsPerSecond, holdMs });
    await pause(settledMs);
    const full = await usage(ours, 'memory');
    report(`${full.counts['dialogs']} dialogs held, ${full.counts['timers']} timers`);
    if (full.counts['dialogs'] !== calls) throw new Error('not all calls stand');
    const [before, anchorBefore] = [await usage(ours, 'cpu'), await usage(objects, 'cpu')];
    await pause(watchMs);
    const [after, anchorAfter] = [await usage(ours, 'cpu'), await usage(objects, 'cpu')];
    const { failed } = await callers;
    if (failed > 0) throw new Error(`${failed} calls failed`);
    const each = (full.heap - empty.heap) / calls;
    const anchorEach = anchorBefore.counts['octetsEach'] ?? Number.NaN;
    const cpu = (after.cpuMicros - before.cpuMicros) / watchMs;
    const anchorCpu = (anchorAfter.cpuMicros - anchorBefore.cpuMicros) / watchMs;
    return {
      memory: { ours: each, anchor: anchorEach, ratio: each / anchorEach, unit: 'octets' },
      cpu: { ours: cpu, anchor: anchorCpu, ratio: cpu / anchorCpu, unit: 'ms CPU per s' },
    };
  } finally {
    await Promise.all([ours.close(), objects.close()]);
  }
}

async function usage(server: Server, question: 'cpu' | 'memory'): Promise<Usage> {
  if (server.usage === null) throw new Error('this server cannot be asked');
  return await server.usage(question);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
