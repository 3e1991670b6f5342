/** A message on its way to those who were in the route when it began (RFC 7701 6.1), whole or as it arrives. */

import type { SwitchedDelivery } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';
import type { MsrpHeader } from '../wire/msrp.ts';
import { type DeliveredMessage, Delivery, type Receiver } from './delivery.ts';
import { type MsrpIds, OutgoingChunk } from './outgoing-chunk.ts';

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
  readonly #deliveries: readonly Delivery[];
  /** Deliveries whose outcome is not known. */
  #openCount: number;
  #isCongested = false;
  #abort: OutgoingChunk | null = null;
  /** No more will be sent. */
  #isEnded = false;
  #isSettled = false;

  constructor(options: OutgoingMessageOptions) {
    const { ids, clock, receivers, wrappedType = null } = options;
    this.#options = options;
    this.#messageId = ids.messageId();
    const message: DeliveredMessage = {
      messageId: this.#messageId,
      wrappedType,
      clock,
      abort: () => (this.#abort ??= OutgoingChunk.abort(this.#messageId, ids)),
      onOver: () => this.#countDown(),
      onRelieved: () => this.#relieve(),
    };
    this.#deliveries = receivers.map((receiver) => new Delivery(message, receiver));
    this.#openCount = receivers.length;
  }

  /** Whether more of it should wait until `onRelieved`: one of its receivers has too much before it. */
  get isCongested(): boolean {
    return this.#isCongested;
  }

  /** Sends the next octets to everybody who has lost none. */
  send({ body, start, total, isLast }: NextOctets): void {
    const { mime, ids } = this.#options;
    const flag = isLast ? '$' : '+';
    const chunk = OutgoingChunk.of({ messageId: this.#messageId, mime, body, start, total, flag }, ids);
    for (const delivery of this.#deliveries) delivery.send(chunk, isLast);
    if (isLast) this.#end();
    else this.#isCongested = this.#isHeldUp();
  }

  /** No more will come: whoever has a part of it is told to forget that (RFC 4975 7.1). */
  abort(reason = 'its sender has given it up'): void {
    for (const delivery of this.#deliveries) delivery.failed(null, reason);
    this.#end();
  }

  #isHeldUp(): boolean {
    let isHeldUp = false;
    for (const delivery of this.#deliveries) isHeldUp = delivery.holdsUp() || isHeldUp;
    return isHeldUp;
  }

  #relieve(): void {
    if (!this.#isCongested || this.#isHeldUp()) return;
    this.#isCongested = false;
    this.#options.onRelieved?.();
  }

  #end(): void {
    this.#isEnded = true;
    this.#settleWhenKnown();
  }

  #countDown(): void {
    this.#openCount -= 1;
    this.#settleWhenKnown();
  }

  #settleWhenKnown(): void {
    if (!this.#isEnded || this.#openCount > 0 || this.#isSettled) return;
    this.#isSettled = true;
    const { skipped = [], onSettled } = this.#options;
    const sent = this.#deliveries.flatMap(({ outcome }) => outcome ?? []);
    const notSent = skipped.map(
      ({ endpointId, reason }): SwitchedDelivery => ({ endpointId, outcome: 'skipped', status: null, reason }),
    );
    onSettled([...sent, ...notSent]);
  }
}
