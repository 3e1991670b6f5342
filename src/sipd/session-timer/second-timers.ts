/**
 * Timers of whole seconds, of any length. The lanes of timer-lanes.ts want few different durations; session intervals are
 * chosen by peers. Here one tick a second, while timers run, fires what is due.
 */

import type { Context } from '../context.ts';
import type { TimerHandle } from '../timer-lanes.ts';

export type SecondTimer = { readonly second: number; readonly fire: () => void };

/** Starting and stopping is O(1); a timer fires at most two seconds late, and never early. */
export class SecondTimers {
  readonly #context: Context;
  readonly #due = new Map<number, Set<SecondTimer>>();
  #tick: TimerHandle | null = null;
  /** The last second that has been worked off. */
  #done = 0;
  #running = false;

  constructor(context: Context) {
    this.#context = context;
  }

  start(seconds: number, fire: () => void): SecondTimer {
    const timer = { second: Math.ceil(this.#context.now / 1000 + seconds), fire };
    const others = this.#due.get(timer.second);
    if (others === undefined) this.#due.set(timer.second, new Set([timer]));
    else others.add(timer);
    if (this.#tick === null && !this.#running) {
      this.#done = Math.floor(this.#context.now / 1000);
      this.#tick = this.#context.after(1000, () => this.#run());
    }
    return timer;
  }

  /** Harmless when it has fired or was stopped before. */
  stop(timer: SecondTimer | null): void {
    const others = timer === null ? undefined : this.#due.get(timer.second);
    if (timer === null || others === undefined) return;
    others.delete(timer);
    if (others.size > 0) return;
    this.#due.delete(timer.second);
    if (this.#due.size > 0) return;
    this.#context.stop(this.#tick);
    this.#tick = null;
  }

  #run(): void {
    this.#tick = null;
    this.#running = true;
    const second = Math.floor(this.#context.now / 1000);
    while (this.#done < second) {
      this.#done += 1;
      const due = this.#due.get(this.#done);
      for (const timer of due ?? []) {
        due?.delete(timer);
        timer.fire();
      }
      this.#due.delete(this.#done);
    }
    this.#running = false;
    if (this.#due.size > 0) this.#tick = this.#context.after(1000, () => this.#run());
  }
}
