/** Who of a large message's receivers has too much before it, and for how long it is waited for. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import type { Session } from './session.ts';

export type CongestionOptions = {
  readonly clock: Clock;
  /** How many still get the message. */
  readonly receiverCount: () => number;
  /** Nobody is waited for any more. */
  readonly onRelieved: () => void;
  /** This receiver was waited for as long as it may be. */
  readonly onImpatient: (receiver: number) => void;
};

/** `heldUpMs`: for how long others had been held up when it began. */
type Wait = { readonly since: Instant; readonly heldUpMs: number; stop: () => void };

/** A wait is looked at this often at most. */
const lookMs = 100;

/**
 * Receivers are known by their numbers. RFC 7701 6.4 leaves open how long others are held up: ours is by no receiver longer
 * than the patience at once, and in all no longer than that and what all of the message takes at the least pace. Where
 * most are waited for it is the pace of all, which holds up nobody.
 */
export class Congestion {
  readonly #options: CongestionOptions;
  readonly #waits = new Map<number, Wait>();
  /** What is left of the patience with each who has held up others, in milliseconds; it is whole with all others. */
  readonly #patience = new Map<number, number>();
  /** For how long others were held up until `#lookedAt`, and whether they have been since. */
  #heldUpMs = 0;
  #lookedAt: Instant = 0;
  #isHoldingUp = false;

  constructor(options: CongestionOptions) {
    this.#options = options;
  }

  get isPresent(): boolean {
    return this.#waits.size > 0;
  }

  /** A receiver was sent so many octets more: waits for it if it has too much before it now, until it has caught up. */
  watch(receiver: number, session: Session, length: number): void {
    this.#earn(receiver, length);
    if (this.#waits.has(receiver) || !session.isCongested) return;
    this.#look();
    const wait: Wait = { since: this.#lookedAt, heldUpMs: this.#heldUpMs, stop: () => undefined };
    this.#waits.set(receiver, wait);
    this.#look();
    this.#expect(receiver, session, wait);
    session.whenRelieved(() => {
      if (this.#waits.get(receiver) !== wait) return;
      this.#patience.set(receiver, this.#left(receiver, wait));
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

  #expect(receiver: number, session: Session, wait: Wait): void {
    const { clock, onImpatient } = this.#options;
    const latest = wait.since + limits.msrpPatienceMs;
    const next = clock.now() + Math.max(lookMs, Math.ceil(this.#left(receiver, wait)));
    wait.stop = clock.callAt(Math.min(next, latest), () => {
      // Its answers may be held up by ourselves meanwhile, which is not its fault.
      if (!session.isCongested) return this.#stop(receiver);
      if (clock.now() >= latest || this.#left(receiver, wait) <= 0) return onImpatient(receiver);
      this.#expect(receiver, session, wait);
    });
  }

  #stop(receiver: number): void {
    const wait = this.#waits.get(receiver);
    if (wait === undefined) return;
    wait.stop();
    this.#look();
    this.#waits.delete(receiver);
    this.#look();
    if (!this.isPresent) this.#options.onRelieved();
  }

  #earn(receiver: number, length: number): void {
    const left = this.#patience.get(receiver);
    if (left === undefined) return;
    const earned = (length / limits.msrpPaceBytes) * 1_000;
    this.#patience.set(receiver, Math.min(left + earned, limits.msrpPatienceMs));
  }

  #left(receiver: number, { heldUpMs }: Wait): number {
    this.#look();
    return (this.#patience.get(receiver) ?? limits.msrpPatienceMs) - (this.#heldUpMs - heldUpMs);
  }

  #look(): void {
    const { clock, receiverCount } = this.#options;
    const now = clock.now();
    if (this.#isHoldingUp) this.#heldUpMs += now - this.#lookedAt;
    this.#lookedAt = now;
    this.#isHoldingUp = this.isPresent && 2 * this.#waits.size <= receiverCount();
  }
}
