/** The requests of one session that its peer is still to answer. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';

/** A chunk at one of its receivers, by the number of that receiver. */
export type Copy = { readonly chunk: OutgoingChunk; readonly receiver: number };

/** How many that are answered stay in the lists before these are made anew. */
const answeredMax = 1_000;

/**
 * RFC 4975 7.1.1: each request has 30 s for its response. One timer serves all: it watches the oldest. Most peers answer in
 * order, so that the oldest is nearly always the one that is looked for. There are many of them, hence two plain lists.
 */
export class Transactions {
  readonly #clock: Clock;
  readonly #onOverdue: () => void;
  /** The oldest first; null once it is answered. Before `#first` all are, and the one there is not. */
  #chunks: (OutgoingChunk | null)[] = [];
  #receivers: number[] = [];
  #first = 0;
  #waitingCount = 0;
  #waitingBytes = 0;
  /** The places of all that wait, if the peer has answered another than the oldest, `#base` being that of the first. */
  #places: Map<string, number> | null = null;
  #base = 0;
  /** Since when the oldest is waited for, at the latest. */
  #since: Instant = 0;
  #isProgressing = false;
  #stopTimer: (() => void) | null = null;

  /** `onOverdue`: one was not answered in time; it has been told. */
  constructor(clock: Clock, onOverdue: () => void) {
    this.#clock = clock;
    this.#onOverdue = onOverdue;
  }

  get count(): number {
    return this.#waitingCount;
  }

  /** Octets of all that is not answered. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  add(chunk: OutgoingChunk, receiver: number): void {
    if (this.#waitingCount === 0) this.#since = this.#clock.now();
    this.#places?.set(chunk.transactionOf(receiver), this.#base + this.#chunks.length);
    this.#chunks.push(chunk);
    this.#receivers.push(receiver);
    this.#waitingCount += 1;
    this.#waitingBytes += chunk.length;
    if (this.#stopTimer === null) this.#watch(this.#since);
  }

  /** What this request was, whose answer has come; undefined when none is waited for any more. */
  take(id: string): Copy | undefined {
    const oldest = this.#at(this.#first);
    if (oldest === undefined) return undefined;
    if (!oldest.chunk.isTransactionOf(oldest.receiver, id)) return this.#takeOther(id);
    this.#remove(this.#first, oldest);
    this.#advance();
    return oldest;
  }

  /** A copy of this message that is not answered. */
  ofMessage(messageId: string): Copy | undefined {
    // Whoever has left much unanswered may ask often: nothing is made of those that are passed by.
    const index = this.#chunks.findIndex((chunk) => chunk?.message.messageId === messageId);
    return this.#at(index);
  }

  /** No answer counts any more: all who wait are told. */
  close(reason: string): void {
    this.#stopTimer?.();
    const waiting = this.#waiting();
    this.#chunks = [];
    this.#receivers = [];
    this.#places = null;
    for (const { chunk, receiver } of waiting) chunk.message.failed(receiver, null, reason);
  }

  #at(index: number): Copy | undefined {
    const [chunk, receiver] = [this.#chunks[index], this.#receivers[index]];
    return chunk === undefined || chunk === null || receiver === undefined ? undefined : { chunk, receiver };
  }

  #waiting(): readonly Copy[] {
    return this.#chunks.flatMap((_, index) => this.#at(index) ?? []);
  }

  #takeOther(id: string): Copy | undefined {
    if (this.#places === null) {
      const known = this.#waiting().map(({ chunk, receiver }) => chunk.transactionOf(receiver));
      this.#places = new Map(known.map((each, index) => [each, this.#base + this.#first + index]));
    }
    const index = (this.#places.get(id) ?? -1) - this.#base;
    const copy = this.#at(index);
    if (copy !== undefined) this.#remove(index, copy);
    return copy;
  }

  #remove(index: number, { chunk, receiver }: Copy): void {
    this.#chunks[index] = null;
    this.#places?.delete(chunk.transactionOf(receiver));
    this.#waitingCount -= 1;
    this.#waitingBytes -= chunk.length;
  }

  #advance(): void {
    this.#isProgressing = true;
    do this.#first += 1;
    while (this.#chunks[this.#first] === null);
    if (this.#waitingCount > 0 && this.#first < answeredMax) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#receivers = this.#receivers.slice(this.#first);
    this.#base += this.#first;
    this.#first = 0;
  }

  #watch(now: Instant): void {
    this.#isProgressing = false;
    const at = Math.min(this.#since + limits.msrpAnswerTimeoutMs, now + limits.msrpAnswerCheckMs);
    this.#stopTimer = this.#clock.callAt(at, () => this.#check());
  }

  // Ours: on a slow link what was sent waits in the network. While the peer answers in order, the next has 30 s from there.
  #check(): void {
    this.#stopTimer = null;
    const oldest = this.#at(this.#first);
    if (oldest === undefined) return;
    const now = this.#clock.now();
    if (this.#isProgressing) this.#since = now;
    if (now < this.#since + limits.msrpAnswerTimeoutMs) return this.#watch(now);
    // RFC 4975 7.1.1: as if the answer had been 408.
    oldest.chunk.message.failed(oldest.receiver, 408, 'it did not answer in time');
    this.#onOverdue();
  }
}
