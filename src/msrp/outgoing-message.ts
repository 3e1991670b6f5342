/** A message on its way to those who were in the route when it began (RFC 7701 6.1), whole or as it arrives. */

import type { SwitchedDelivery } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';
import type { MsrpHeader } from '../wire/msrp.ts';
import { type MsrpIds, OutgoingChunk } from './outgoing-chunk.ts';
import type { Session } from './session.ts';

/** Who gets the message; without a session it gets nothing. */
export type Receiver = { readonly endpointId: string; readonly session: Session | undefined };

/** Who was not sent the message. */
export type Skipped = { readonly endpointId: string; readonly reason: string };

export type OutgoingMessageOptions = {
  /** Content- headers of the message, which go on as they came. */
  readonly mime: readonly MsrpHeader[];
  readonly receivers: readonly Receiver[];
  readonly ids: MsrpIds;
  readonly clock: Clock;
  /** Media type of what message/cpim wraps, when that is known. */
  readonly wrappedType?: string;
  /** Members who do not get it, and why; told among the deliveries. */
  readonly skipped?: readonly Skipped[];
  /** Nobody is waited for any more: what `isCongested` held up may go on. */
  readonly onRelieved?: () => void;
  /** Once, when each receiver is known to have it, or not. */
  readonly onSettled: (deliveries: readonly SwitchedDelivery[]) => void;
};

/** What of a message is to be sent next. */
export type NextOctets = {
  readonly body: Buffer;
  /** The first octet of a message is 1. */
  readonly start: number;
  readonly total: number | null;
  readonly isLast: boolean;
};

/** One message for all its receivers: what comes of it is sent as it comes. */
export class OutgoingMessage {
  readonly #options: OutgoingMessageOptions;
  // One Message-ID for all copies: a new one, as the sender's is meant for its session with us.
  readonly #messageId: string;
  readonly #lost = new Set<string>();

  constructor(options: OutgoingMessageOptions) {
    this.#options = options;
    this.#messageId = options.ids.messageId();
  }

  /** Copies of it that could not be queued: no session, a full queue, or a closing connection. */
  get lostCount(): number {
    return this.#lost.size;
  }

  /** Whether more of it should wait until `onRelieved`: one of its receivers has too much before it. */
  get isCongested(): boolean {
    return false;
  }

  /** No more will come: whoever has a part of it is told to forget that (RFC 4975 7.1). */
  abort(): void {
    this.#settle();
  }

  /** Sends the next octets to everybody who has lost none. */
  send({ body, start, total, isLast }: NextOctets): void {
    const { mime, receivers, ids } = this.#options;
    const flag = isLast ? '$' : '+';
    const chunk = new OutgoingChunk({ messageId: this.#messageId, mime, body, start, total, flag }, ids);
    for (const { endpointId, session } of receivers) {
      if (this.#lost.has(endpointId)) continue;
      if (!(session?.deliver(chunk) ?? false)) this.#lost.add(endpointId);
    }
    if (isLast) this.#settle();
  }

  #settle(): void {
    const deliveries = this.#options.receivers.map(({ endpointId }): SwitchedDelivery => {
      if (!this.#lost.has(endpointId)) return { endpointId, outcome: 'delivered', status: null, reason: null };
      return { endpointId, outcome: 'failed', status: null, reason: 'its queue is full, or it has no session' };
    });
    const skipped = (this.#options.skipped ?? []).map(
      ({ endpointId, reason }): SwitchedDelivery => ({ endpointId, outcome: 'skipped', status: null, reason }),
    );
    this.#options.onSettled([...deliveries, ...skipped]);
  }
}
