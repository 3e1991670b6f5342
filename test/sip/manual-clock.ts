import type { Clock } from '../../src/core/ports.ts';

type Appointment = { readonly at: number; readonly callback: () => void };

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #appointments = new Set<Appointment>();

  readonly now = (): number => this.#now;

  readonly callAt = (at: number, callback: () => void): (() => void) => {
    const appointment = { at, callback };
    this.#appointments.add(appointment);
    return () => this.#appointments.delete(appointment);
  };

  /** How many callbacks are waiting. */
  get waiting(): number {
    return this.#appointments.size;
  }

  /** Moves on by `ms` and calls back whoever is due, earliest first. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#appointments.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }

  #due(until: number): Appointment | undefined {
    return [...this.#appointments].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }
}
