/** Who of a large message's receivers has too much before it, and for how long it is waited for. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Session } from './session.ts';

export type CongestionOptions = {
  readonly clock: Clock;
  /** Nobody is waited for any more. */
  readonly onRelieved: () => void;
  /** This receiver was waited for as long as it may be. */
  readonly onImpatient: (receiver: number) => void;
};

/**
 * Receivers are known by their numbers. RFC 7701 6.4 leaves open how long others are held up: ours is no longer than the
 * patience at once, and in all no longer than that and what all of the message takes at the least pace.
 */
export class Congestion {
  readonly #options: CongestionOptions;
  /** Those who are waited for, with what stops that. */
  readonly #waits = new Map<number, () => void>();
  /** What is left of the patience with each who was waited for, in milliseconds; it is whole with all others. */
  readonly #patience = new Map<number, number>();

  constructor(options: CongestionOptions) {
    this.#options = options;
  }

  get isPresent(): boolean {
    return this.#waits.size > 0;
  }

  /** A receiver was sent so many octets more: waits for it if it has too much before it now, until it has caught up. */
  watch(receiver: number, session: Session, length: number): void {
    const patience = this.#earn(receiver, length);
    if (this.#waits.has(receiver) || !session.isCongested) return;
    const { clock, onImpatient } = this.#options;
    const since = clock.now();
    const stop = clock.callAt(since + patience, () => {
      // Its answers may be held up by ourselves meanwhile, which is not its fault.
      if (session.isCongested) onImpatient(receiver);
      else this.#stop(receiver);
    });
    this.#waits.set(receiver, stop);
    session.whenRelieved(() => {
      if (this.#waits.get(receiver) !== stop) return;
      this.#patience.set(receiver, patience - (clock.now() - since));
      this.#stop(receiver);
    });
  }

  /** The receiver is waited for no longer. */
  end(receiver: number): void {
    this.#patience.delete(receiver);
    this.#stop(receiver);
  }

  /** Nobody is waited for any longer. */
  endAll(): void {
    for (const receiver of [...this.#waits.keys()]) this.end(receiver);
  }

  #stop(receiver: number): void {
    const stop = this.#waits.get(receiver);
    if (stop === undefined) return;
    stop();
    this.#waits.delete(receiver);
    if (!this.isPresent) this.#options.onRelieved();
  }

  #earn(receiver: number, length: number): number {
    const left = this.#patience.get(receiver);
    if (left === undefined) return limits.msrpPatienceMs;
    const patience = Math.min(left + (length / limits.msrpPaceBytes) * 1_000, limits.msrpPatienceMs);
    this.#patience.set(receiver, patience);
    return patience;
  }
}
