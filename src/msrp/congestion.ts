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

/** Receivers are known by their numbers. */
export class Congestion {
  readonly #options: CongestionOptions;
  /** Those who are waited for, with what stops that. */
  readonly #waits = new Map<number, () => void>();

  constructor(options: CongestionOptions) {
    this.#options = options;
  }

  get isPresent(): boolean {
    return this.#waits.size > 0;
  }

  /** Waits for a receiver that has too much before it, until it has caught up. */
  watch(receiver: number, session: Session): void {
    if (this.#waits.has(receiver) || !session.isCongested) return;
    const { clock, onImpatient } = this.#options;
    this.#waits.set(
      receiver,
      clock.callAt(clock.now() + limits.msrpPatienceMs, () => {
        // Its answers may be held up by ourselves meanwhile, which is not its fault.
        if (session.isCongested) onImpatient(receiver);
        else this.end(receiver);
      }),
    );
    session.whenRelieved(() => this.end(receiver));
  }

  /** The receiver is waited for no longer. */
  end(receiver: number): void {
    const stop = this.#waits.get(receiver);
    if (stop === undefined) return;
    stop();
    this.#waits.delete(receiver);
    if (!this.isPresent) this.#options.onRelieved();
  }

  /** Nobody is waited for any longer. */
  endAll(): void {
    for (const receiver of [...this.#waits.keys()]) this.end(receiver);
  }
}
