import type { Instant } from './rows.ts';

/** When each of the latest so many things ended; the oldest is forgotten for one too many. */
export class Memory {
  readonly #max: number;
  /** Oldest first. */
  readonly #times = new Map<string, Instant>();
  /**
   * Where the oldest is, once there have been too many. It is kept, as a Map that is asked for its first key anew has to
   * pass over all that were deleted before it.
   */
  #oldest: MapIterator<string> | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Instant | undefined {
    return this.#times.get(key);
  }

  delete(key: string): void {
    this.#times.delete(key);
  }

  add(key: string, at: Instant): void {
    this.#times.delete(key);
    this.#times.set(key, at);
    if (this.#times.size <= this.#max) return;
    this.#oldest ??= this.#times.keys();
    const { value } = this.#oldest.next();
    if (value !== undefined) this.#times.delete(value);
  }
}
