import type { Effect } from '../effect.ts';
import type { EventRow } from '../rows.ts';

/** The save first. A peer may connect over MSRP as soon as it has our answer, so the session comes before the reply. */
export function inOrder(effects: readonly Effect[], save: Effect | null): Effect[] {
  const ordered = save === null ? [] : [save];
  for (let rank = 0; rank < 3; rank += 1)
    for (const effect of effects) if (rankOf(effect) === rank) ordered.push(effect);
  return ordered;
}

function rankOf({ type }: Effect): number {
  if (type.startsWith('msrp.')) return 0;
  return type === 'reply' ? 1 : 2;
}

/** An event as it is kept: with the version that its turn has made. */
export function versioned(event: Omit<EventRow, 'version'>, version: number): EventRow {
  const { id, conferenceId, seq, type, time, actor, data } = event;
  return { id, conferenceId, seq, type, time, version, actor, data };
}
