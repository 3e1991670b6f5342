/** What the relay before a peer has answered 200, and may still fail beyond it. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import type { ChunkedMessage } from './outgoing-chunk.ts';
import type { Copy } from './transactions.ts';

/** How many chunks of a message the relay has. Not which: their octets must not be kept so long. */
type Awaited = {
  readonly message: ChunkedMessage;
  readonly receiver: number;
  readonly count: number;
  readonly until: Instant;
};

/**
 * RFC 4976: a relay answers for itself, and tells by a REPORT what was not taken or answered beyond it. The peer's own
 * REPORT says that it has all; not every peer sends one, so that no word of a failure for a while means the same.
 */
export class AwaitedReports {
  readonly #clock: Clock;
  /** By Message-ID; what has waited longest comes first. */
  readonly #byMessageId = new Map<string, Awaited>();
  #stopTimer: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The relay has this chunk. */
  add({ chunk: { message }, receiver }: Copy): void {
    const { messageId } = message;
    const count = (this.#take(messageId)?.count ?? 0) + 1;
    const until = this.#clock.now() + limits.msrpReportTimeoutMs;
    this.#byMessageId.set(messageId, { message, receiver, count, until });
    const [oldest] = this.#byMessageId.keys();
    if (oldest !== undefined && this.#byMessageId.size > limits.msrpUnansweredMax) this.delivered(oldest);
    this.#watch();
  }

  /** All of it has arrived, as far as anybody says. */
  delivered(messageId: string): void {
    const awaited = this.#take(messageId);
    for (let i = 0; i < (awaited?.count ?? 0); i += 1) awaited?.message.answered(awaited.receiver, 200);
  }

  failed(messageId: string, status: number): void {
    const awaited = this.#take(messageId);
    awaited?.message.failed(awaited.receiver, status, reported(status));
  }

  /** No REPORT will come any more. */
  close(): void {
    this.#stopTimer?.();
    for (const messageId of [...this.#byMessageId.keys()]) this.delivered(messageId);
  }

  #take(messageId: string): Awaited | undefined {
    const awaited = this.#byMessageId.get(messageId);
    this.#byMessageId.delete(messageId);
    return awaited;
  }

  #watch(): void {
    const [oldest] = this.#byMessageId.values();
    if (oldest === undefined || this.#stopTimer !== null) return;
    this.#stopTimer = this.#clock.callAt(oldest.until, () => {
      this.#stopTimer = null;
      const now = this.#clock.now();
      for (const [messageId, { until }] of [...this.#byMessageId]) if (until <= now) this.delivered(messageId);
      this.#watch();
    });
  }
}

/** Why a delivery failed that a REPORT tells of. */
export function reported(status: number): string {
  return `it was reported ${status}`;
}
