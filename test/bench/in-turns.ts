/** Those that are compared are measured in turns, again and again: a machine's speed wanders, their ratio does not. */

import type { LoadResult } from './load.ts';
import { compared, type Report } from './row.ts';

/** One of those that are measured. */
export type Contestant = {
  readonly name: string;
  /** What is counted, for people; default `calls`. */
  readonly unit?: string;
  readonly measure: () => Promise<LoadResult>;
  /** CPU time of its process so far, in microseconds; null where the program is not ours to ask. */
  readonly cpuMicros: (() => Promise<number>) | null;
};

/** Dialogs, or what else is counted, per second, and CPU microseconds for each. */
export type Measured = { readonly rate: number; readonly cpuMicros: number | null };

/** Measures each in turn, once to warm up and then `repeats` times; the figures of each in order. Rejects when a call fails. */
export async function inTurns<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  repeats: number,
  report: Report,
): Promise<Record<Name, Measured[]>> {
  const names = Object.keys(contestants) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Measured[]>;
  for (const name of names) await once(contestants[name], () => undefined);
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const name of names) figures[name].push(await once(contestants[name], report));
  }
  return figures;
}

async function once({ name, unit = 'calls', measure, cpuMicros }: Contestant, report: Report): Promise<Measured> {
  const before = await cpuMicros?.();
  const { calls, callsPerSecond, failed, retransmissions } = await measure();
  const after = await cpuMicros?.();
  if (failed !== 0) throw new Error(`${failed} ${unit} of ${name} failed`);
  const again = retransmissions > 0 ? `, ${retransmissions} retransmissions` : '';
  report(`${name}: ${callsPerSecond.toFixed(0)} ${unit}/s${again}`);
  const cpu = before === undefined || after === undefined ? null : (after - before) / calls;
  return { rate: callsPerSecond, cpuMicros: cpu };
}

/** The figures of two that were measured in the same turns. */
export function comparedRates(
  ours: readonly Measured[],
  anchor: readonly Measured[],
): { ours: number; anchor: number; ratio: number } {
  const rates = (measured: readonly Measured[]): number[] => measured.map(({ rate }) => rate);
  return compared(rates(ours), rates(anchor));
}

/** What each call cost, or what else was counted. */
export function cpuNote(who: string, measured: readonly Measured[], what = 'call'): string {
  const figures = measured.map(({ cpuMicros }) => (cpuMicros === null ? '-' : cpuMicros.toFixed(0)));
  return `CPU of ${who}, µs per ${what}: ${figures.join(', ')}`;
}
