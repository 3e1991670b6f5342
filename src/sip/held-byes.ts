/**
 * BYEs of ours that may not go out yet. RFC 3261 15: the callee sends none before it has received the ACK of its 2xx or
 * the transaction has timed out. Bounded like the dialogs they end.
 */
import type { Clock } from '../core/ports.ts';
import { bounds } from './bounds.ts';

type HeldBye = { readonly send: () => void; readonly stopTimer: () => void };

/** The BYEs that wait, by dialog; each goes once, at the ACK or when that is overdue, unless the session ends before. */
export class HeldByes {
  readonly #clock: Clock;
  readonly #held = new Map<string, HeldBye>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Keeps the BYE of a dialog until it is released; it goes out all the same when nothing is heard of it in time. */
  hold(dialogId: string, send: () => void): void {
    if (this.#held.has(dialogId)) return;
    const stopTimer = this.#clock.callAt(this.#clock.now() + bounds.ackTimeoutMs, () => this.release(dialogId));
    this.#held.set(dialogId, { send, stopTimer });
  }

  /** The ACK has come. */
  release(dialogId: string): void {
    this.#take(dialogId)?.send();
  }

  /** The session has ended without us. */
  drop(dialogId: string): void {
    this.#take(dialogId);
  }

  clear(): void {
    for (const dialogId of [...this.#held.keys()]) this.drop(dialogId);
  }

  #take(dialogId: string): HeldBye | undefined {
    const held = this.#held.get(dialogId);
    held?.stopTimer();
    this.#held.delete(dialogId);
    return held;
  }
}
