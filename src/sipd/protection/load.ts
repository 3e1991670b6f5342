/**
 * Whether the server is overloaded. What tells is measured a few times a second; each measure has a level that is high
 * and one that is low, and between them nothing changes. It takes two measurements in a row to change anything, so that
 * one long pause (a garbage collection, a start) refuses nobody.
 */

/** One look at the server. */
export type Load = {
  /** How late the event loop is, in milliseconds. */
  readonly delayMs: number;
  /** Octets of control frames that the slowest application has not taken yet. */
  readonly queuedBytes: number;
  /** Requests that applications have not finally answered. */
  readonly pendingRequests: number;
  /** Of client or server transactions, whichever are more. */
  readonly transactions: number;
};

export type LoadMeasure = keyof Load;

/** Above `high` it is too much; at `low` or below it is well. */
export type LoadLimits = Readonly<Record<LoadMeasure, { readonly high: number; readonly low: number }>>;

export type LoadState = 'calm' | 'strained' | 'shedding' | 'easing';
export type LoadLevel = 'high' | 'middle' | 'low';

/** State, level, next state; what is absent leaves the state. New requests are refused in `shedding` and `easing`. */
export const loadTable: Readonly<Record<LoadState, Readonly<Partial<Record<LoadLevel, LoadState>>>>> = {
  calm: { high: 'strained' },
  strained: { high: 'shedding', middle: 'calm', low: 'calm' },
  shedding: { low: 'easing' },
  easing: { high: 'shedding', middle: 'shedding', low: 'calm' },
};

const measures: readonly LoadMeasure[] = ['delayMs', 'queuedBytes', 'pendingRequests', 'transactions'];

/** Which measures are above their high level. */
export function tooMuch(load: Load, limits: LoadLimits): readonly LoadMeasure[] {
  return measures.filter((measure) => load[measure] > limits[measure].high);
}

/** The level of the whole: high when one measure is, low when all are. */
export function loadLevel(load: Load, limits: LoadLimits): LoadLevel {
  if (measures.some((measure) => load[measure] > limits[measure].high)) return 'high';
  return measures.every((measure) => load[measure] <= limits[measure].low) ? 'low' : 'middle';
}

/** Whether new requests are refused in that state. */
export function isShedding(state: LoadState): boolean {
  return state === 'shedding' || state === 'easing';
}
