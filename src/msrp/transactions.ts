/** The requests of one session that its peer is still to answer. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';

/** Who is told what became of a request; one of the two, once. */
export type Awaiting = {
  readonly messageId: string;
  /** Media type of what message/cpim wraps, when that is known. */
  readonly wrappedType: string | null;
  readonly answered: (status: number) => void;
  readonly failed: (status: number | null, reason: string) => void;
};

type Transaction = { readonly awaiting: Awaiting; readonly sentAt: Instant };

/** RFC 4975 7.1.1: each request has 30 s for its response. One timer serves all: it watches the oldest. */
export class Transactions {
  readonly #clock: Clock;
  readonly #onOverdue: () => void;
  /** By id, the oldest first. */
  readonly #waiting = new Map<string, Transaction>();
  #oldest: Transaction | undefined;
  /** When the one before the oldest was answered. */
  #oldestSince: Instant = 0;
  #stopTimer: (() => void) | null = null;

  /** `onOverdue`: one was not answered in time; it has been told. */
  constructor(clock: Clock, onOverdue: () => void) {
    this.#clock = clock;
    this.#onOverdue = onOverdue;
  }

  get count(): number {
    return this.#waiting.size;
  }

  add(id: string, awaiting: Awaiting): void {
    const transaction = { awaiting, sentAt: this.#clock.now() };
    this.#waiting.set(id, transaction);
    this.#oldest ??= transaction;
    if (this.#stopTimer === null) this.#watch(transaction.sentAt + limits.msrpAnswerTimeoutMs);
  }

  /** Who waits for the answer to this request, which has come; undefined when nobody does any more. */
  take(id: string): Awaiting | undefined {
    const transaction = this.#waiting.get(id);
    if (transaction === undefined) return undefined;
    this.#waiting.delete(id);
    if (transaction === this.#oldest) {
      this.#oldest = this.#waiting.values().next().value;
      this.#oldestSince = this.#clock.now();
    }
    return transaction.awaiting;
  }

  /** Who still waits for an answer to a request of this message. */
  ofMessage(messageId: string): Awaiting | undefined {
    for (const { awaiting } of this.#waiting.values()) if (awaiting.messageId === messageId) return awaiting;
    return undefined;
  }

  /** No answer counts any more: all who wait are told. */
  close(reason: string): void {
    this.#stopTimer?.();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#oldest = undefined;
    for (const { awaiting } of waiting) awaiting.failed(null, reason);
  }

  #watch(at: Instant): void {
    this.#stopTimer = this.#clock.callAt(at, () => this.#check());
  }

  // Ours: on a slow link what was sent waits in the network. While the peer answers in order, the next has 30 s from there.
  #check(): void {
    this.#stopTimer = null;
    if (this.#oldest === undefined) return;
    const due = Math.max(this.#oldest.sentAt, this.#oldestSince) + limits.msrpAnswerTimeoutMs;
    if (this.#clock.now() < due) return this.#watch(due);
    // RFC 4975 7.1.1: as if the answer had been 408.
    this.#oldest.awaiting.failed(408, 'it did not answer in time');
    this.#onOverdue();
  }
}
