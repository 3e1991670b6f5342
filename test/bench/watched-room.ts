/** A conference that is watched while somebody comes in and leaves again, over and over; whoever notifies of it. */

import type { Contestant } from './in-turns.ts';
import type { LoadResult } from './load.ts';
import { startWatchers, type Watchers } from './watchers.ts';

/** One change of who is in. */
export type Change = {
  /** What stands in each document that tells of it, and not in those before it. */
  readonly shows: string;
  readonly make: () => Promise<unknown>;
};

export type Room = {
  readonly uri: string;
  /** Of SIP over UDP on 127.0.0.1. */
  readonly port: number;
  /** AORs of so many watchers. */
  readonly subscribers: (count: number) => readonly string[];
  /** One more is to come in, or to leave again. */
  readonly next: () => Change;
  /** Ends it; nothing more goes to the watchers then. */
  readonly close: (watchers: Watchers) => Promise<void>;
};

/** As it stands in a document, full or partial. */
export function userCount(count: number): string {
  return `<user-count>${count}</user-count>`;
}

export type Watched = Contestant & {
  /** Ends the conference, then the watchers. */
  readonly close: () => Promise<void>;
};

/** So many watch, and see so many changes in one measurement. */
export type Crowd = { readonly count: number; readonly changes: number };

/** Has a crowd watch a room; the CPU time is that of its server. */
export async function watched(
  name: string,
  { room, count, changes, cpuMicros }: Crowd & { readonly room: Room; readonly cpuMicros: () => Promise<number> },
): Promise<Watched> {
  const watchers = await watch(room, count);
  return {
    name,
    unit: 'NOTIFYs',
    cpuMicros,
    measure: async () => await changeOver(room, { watchers, changes }),
    close: async () => {
      await room.close(watchers);
      await watchers.close();
    },
  };
}

export async function watch(room: Room, count: number): Promise<Watchers> {
  const { port, uri: target } = room;
  return await startWatchers({ port, target, subscribers: room.subscribers(count) });
}

export type Series = { readonly watchers: Watchers; readonly changes: number };

/** Changes that are made one at a time: NOTIFYs per second until the last watcher knows of each. */
export async function changeOver(room: Room, { watchers, changes }: Series): Promise<LoadResult> {
  let [milliseconds, repeated] = [0, 0];
  for (let change = 0; change < changes; change += 1) {
    const { shows, make } = room.next();
    const sight = await watchers.see(shows, make);
    milliseconds += sight.milliseconds;
    repeated += sight.repeated;
  }
  const calls = changes * watchers.count;
  return { calls, callsPerSecond: (1_000 * calls) / milliseconds, failed: 0, retransmissions: repeated };
}
