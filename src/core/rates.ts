import { limits } from './limits.ts';
import type { Instant } from './rows.ts';

type Minute = { readonly until: Instant; count: number };

/** How often each user has done one thing in the minute that began with the first time; kept of the latest users only. */
export class Rate {
  /** Oldest minute first. */
  readonly #minutes = new Map<string, Minute>();

  /** Counts `amount` more, unless that were over `perMinute`: then gives the whole seconds to wait, else 0. */
  take(user: string, amount: number, at: { readonly now: Instant; readonly perMinute: number }): number {
    const minute = this.#minuteOf(user, at.now);
    if (minute.count + amount > at.perMinute) return Math.ceil((minute.until - at.now) / 1_000);
    minute.count += amount;
    return 0;
  }

  #minuteOf(user: string, now: Instant): Minute {
    const known = this.#minutes.get(user);
    if (known !== undefined && now < known.until) return known;
    const minute = { until: now + 60_000, count: 0 };
    this.#minutes.delete(user);
    this.#minutes.set(user, minute);
    const [oldest] = this.#minutes.keys();
    if (this.#minutes.size > limits.ratedUsersMax && oldest !== undefined) this.#minutes.delete(oldest);
    return minute;
  }
}

/** RFC 5363 5.3: what one user may have the focus do in a minute. */
export type Rates = { readonly creations: Rate; readonly invitations: Rate };
