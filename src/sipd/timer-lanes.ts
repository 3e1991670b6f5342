/**
 * All timers of the stack. SIP knows a dozen different durations and very many timers of each, of which nearly all are
 * stopped before they fire. Timers of one duration fire in the order they were started, hence one linked list
 * ("lane") per duration: starting, stopping and finding the next are all O(1), and a stopped timer leaves nothing behind.
 */

export type TimerHandle = {
  at: number;
  readonly fire: () => void;
  lane: Lane | null;
  previous: TimerHandle | null;
  next: TimerHandle | null;
};

type Lane = { first: TimerHandle | null; last: TimerHandle | null };

/** The timers of one stack. Nothing fires by itself: the stack says what time it is. */
export class TimerLanes {
  readonly #lanes = new Map<number, Lane>();

  /** Starts a timer; `now` and `delayMs` are in milliseconds. */
  start(now: number, delayMs: number, fire: () => void): TimerHandle {
    let lane = this.#lanes.get(delayMs);
    if (lane === undefined) {
      lane = { first: null, last: null };
      this.#lanes.set(delayMs, lane);
    }
    const timer: TimerHandle = { at: now + delayMs, fire, lane, previous: lane.last, next: null };
    if (lane.last === null) lane.first = timer;
    else {
      // A clock that was set back must not break the order of a lane.
      timer.at = Math.max(timer.at, lane.last.at);
      lane.last.next = timer;
    }
    lane.last = timer;
    return timer;
  }

  /** Stops a timer; harmless when it has fired or was stopped before. */
  stop(timer: TimerHandle | null): void {
    if (timer === null || timer.lane === null) return;
    if (timer.previous === null) timer.lane.first = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next === null) timer.lane.last = timer.previous;
    else timer.next.previous = timer.previous;
    timer.lane = null;
    timer.previous = null;
    timer.next = null;
  }

  /** Fires everything due at `now`, earliest first. A timer started meanwhile is due only later. */
  run(now: number): void {
    for (let timer = this.#earliest(); timer !== null && timer.at <= now; timer = this.#earliest()) {
      this.stop(timer);
      timer.fire();
    }
  }

  /** When the next timer is due, or null. */
  next(): number | null {
    return this.#earliest()?.at ?? null;
  }

  /** How many timers run. */
  count(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) for (let at = lane.first; at !== null; at = at.next) count += 1;
    return count;
  }

  #earliest(): TimerHandle | null {
    let earliest: TimerHandle | null = null;
    for (const lane of this.#lanes.values()) {
      if (lane.first !== null && (earliest === null || lane.first.at < earliest.at)) earliest = lane.first;
    }
    return earliest;
  }
}
