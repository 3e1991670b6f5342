import type { Clock } from '../../src/core/ports.ts';
import type { Instant } from '../../src/core/rows.ts';

type Timer = { readonly at: Instant; readonly callback: () => void };

/** A clock that stands still until a test turns it; what is due then is called, in order of time. */
export class ManualClock implements Clock {
  #now: Instant;
  readonly #timers = new Set<Timer>();

  constructor(now: Instant) {
    this.#now = now;
  }

  readonly now = (): Instant => this.#now;

  readonly callAt = (at: Instant, callback: () => void): (() => void) => {
    const timer = { at, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** When the next timer is due; undefined when none waits. */
  get nextDue(): Instant | undefined {
    const due = [...this.#timers].map(({ at }) => at);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  turn(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}
