import type { Outcome } from '../../../src/core/effect.ts';
import type { Caller, Input, ReplyTo } from '../../../src/core/input.ts';
import type { ConferenceRow } from '../../../src/core/rows.ts';
import type { Chance } from '../../sipd/fuzz/chance.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import type { Call, Outside } from './outside.ts';
import type { ShakyStore } from './shaky-store.ts';

/** What everybody in a play may look at, and how they make things happen. */
export type Scene = {
  readonly chance: Chance;
  readonly clock: ManualClock;
  readonly store: ShakyStore;
  readonly outside: Outside;
  readonly submit: (input: Input) => void;
};

/** Something that can happen: does it and says what it was, or gives null when it cannot be just now. */
export type Step = (scene: Scene) => string | null;

/** Who there is: a few people at a few hosts, so that they meet often. */
export const names: readonly string[] = Array.from({ length: 14 }, (_, index) => `p${index}`);
export const groupNames: readonly string[] = ['team', 'crew', 'open'];

/** The address of somebody. */
export function addressOf(name: string): string {
  return `sip:${name}@h${Number(name.slice(1)) % 3}.example.com`;
}

/** Somebody as known to the focus. */
export function callerOf({ chance }: Scene, name: string): Caller {
  return { aor: addressOf(name), displayName: chance.happens(50) ? name : null, private: chance.happens(5) };
}

/** A request that is answered some time. */
export function ask(
  { outside, submit }: Scene,
  input: Extract<Input, { reply: ReplyTo }>,
  then: ((outcome: Outcome) => void) | null = null,
): void {
  outside.ask(input, submit, then);
}

/** A conference that runs, mostly; else one that is over, or none. */
export function someConference({ chance, store }: Scene): ConferenceRow | null {
  const rows = chance.happens(97) ? store.running : [...store.conferences.values()];
  return rows.length === 0 ? null : chance.pick(rows);
}

/** A call of which `is` holds. */
export function someCall({ chance, outside }: Scene, is: (call: Call) => boolean): Call | null {
  const calls = [...outside.calls.values()].filter(is);
  return calls.length === 0 ? null : chance.pick(calls);
}

/** One of `values`, or null when there is none. */
export function someOf<Value>({ chance }: Scene, values: Iterable<Value>): Value | null {
  const all = [...values];
  return all.length === 0 ? null : chance.pick(all);
}
