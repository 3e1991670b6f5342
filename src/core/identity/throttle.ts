import { limits } from '../limits.ts';
import type { Instant } from '../rows.ts';

/** Who tries: `asker` is the mark of an address, `username` who it says it is. */
export type Attempted = { readonly asker: string; readonly username: string };

/**
 * Counts failed attempts to authenticate: of an address, and of an address as one user. Nobody is counted by the username
 * alone, or whoever knows it could keep its owner out.
 */
export class Throttle {
  readonly #ofSource = new Failures(limits.failedAttemptsPerSourceMax);
  readonly #ofUser = new Failures(limits.failedAttemptsPerUserMax);

  /** Counts that are kept. */
  get size(): number {
    return this.#ofSource.size + this.#ofUser.size;
  }

  /** Whether nothing more is tried until the window is over. */
  isClosed(who: Attempted, now: Instant): boolean {
    return this.#ofSource.isReached(who.asker, now) || this.#ofUser.isReached(keyOf(who), now);
  }

  failed(who: Attempted, now: Instant): void {
    this.#ofSource.add(who.asker, now);
    this.#ofUser.add(keyOf(who), now);
  }

  /** The user has shown to be the one; others behind the same address have not. */
  succeeded(who: Attempted): void {
    this.#ofUser.forget(keyOf(who));
  }
}

type Count = { readonly since: Instant; readonly failures: number };

/** Failures in windows that begin with the first one, by key. */
class Failures {
  readonly #max: number;
  /** In the order in which their windows began. */
  readonly #counts = new Map<string, Count>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#counts.size;
  }

  isReached(key: string, now: Instant): boolean {
    return (this.#running(key, now)?.failures ?? 0) >= this.#max;
  }

  add(key: string, now: Instant): void {
    const running = this.#running(key, now);
    if (running === undefined) this.#counts.delete(key);
    this.#counts.set(key, { since: running?.since ?? now, failures: (running?.failures ?? 0) + 1 });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > limits.failuresCountedMax && oldest !== undefined) this.#counts.delete(oldest);
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #running(key: string, now: Instant): Count | undefined {
    const count = this.#counts.get(key);
    return count !== undefined && now - count.since < limits.failedAttemptsWindowMs ? count : undefined;
  }
}

function keyOf(who: Attempted): string {
  return `${who.asker} ${who.username}`;
}
