/** A message on its way to those who were in the route when it began (RFC 7701 6.1), whole or as it arrives. */

import type { SwitchedDelivery } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';
import type { MsrpHeader } from '../wire/msrp.ts';
import { Congestion } from './congestion.ts';
import { type ChunkedMessage, type MsrpIds, OutgoingChunk } from './outgoing-chunk.ts';
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
  /** Media type of what message/cpim wraps. */
  readonly wrappedType: string;
  /** Members who do not get it, and why; told among the deliveries. */
  readonly skipped: readonly Skipped[];
  readonly owner: MessageOwner;
};

/** Whom the message tells how it goes. */
export type MessageOwner = {
  /** Nobody is waited for any more: what `isCongested` held up may go on. */
  readonly relieved: () => void;
  /** Once, when each receiver is known to have it, or not: those who have not, and all of them, if that is wanted. */
  readonly settled: (missed: Iterable<SwitchedDelivery>, deliveries: () => readonly SwitchedDelivery[]) => void;
};

/** What of a message is to be sent next. */
export type NextOctets = {
  readonly body: Buffer;
  /** The first octet of a message is 1. */
  readonly start: number;
  readonly total: number | null;
  readonly isLast: boolean;
};

/** In the place of the chunks that are not answered: it is known what became of the message. */
const over = -1;

/**
 * One message for all its receivers: what comes of it is sent as it comes. RFC 4975 7.1.1 and 10: a receiver has it once
 * each chunk has been answered 200; by any other answer, or none, it has not. Receivers are known by their numbers, and
 * there is no object for each of them: there are many, and nearly all of them just answer.
 */
export class OutgoingMessage implements ChunkedMessage {
  // One Message-ID for all copies: a new one, as the sender's is meant for its session with us.
  readonly messageId: string;
  readonly wrappedType: string;
  readonly #options: OutgoingMessageOptions;
  /** Of each receiver: chunks that it has not answered, or `over`. */
  readonly #unanswered: number[] = [];
  readonly #missed = new Map<number, SwitchedDelivery>();
  /** Receivers of whom it is not known whether they have it. */
  #openCount: number;
  #congestion: Congestion | null = null;
  #hasBegun = false;
  /** Receivers are being gone through: what the owner did meanwhile would overtake what is being sent to them. */
  #isBusy = false;
  #isRelieved = false;
  /** No more will be sent. */
  #isEnded = false;
  #isSettled = false;

  constructor(options: OutgoingMessageOptions) {
    this.#options = options;
    this.messageId = options.ids.messageId();
    this.wrappedType = options.wrappedType;
    this.#openCount = options.receivers.length;
    for (let receiver = 0; receiver < this.#openCount; receiver += 1) this.#unanswered.push(0);
  }

  /** Whether more of it should wait until the owner is told `relieved`: one of its receivers has too much before it. */
  get isCongested(): boolean {
    return this.#congestion?.isPresent ?? false;
  }

  /** Sends the next octets to everybody who has lost none. */
  send({ body, start, total, isLast }: NextOctets): void {
    const { mime, ids } = this.#options;
    const chunk = OutgoingChunk.of(this, { mime, body, start, total, flag: isLast ? '$' : '+' }, ids);
    const { length } = this.#unanswered;
    this.#isBusy = true;
    for (let receiver = 0; receiver < length; receiver += 1) this.#sendTo(receiver, chunk, isLast);
    this.#isBusy = false;
    this.#hasBegun = true;
    if (!isLast) return this.#relieveAfterwards();
    this.#isEnded = true;
    // Who was waited for has all of it before it now, and as long to read that as with any other message.
    this.#congestion?.endAll();
    this.#settleWhenKnown();
  }

  /** No more will come: whoever has a part of it is told to forget that (RFC 4975 7.1). */
  abort(reason: string): void {
    this.#isBusy = true;
    for (const receiver of this.#unanswered.keys()) this.failed(receiver, null, reason);
    this.#isBusy = false;
    this.#isEnded = true;
    this.#settleWhenKnown();
  }

  answered(receiver: number, status: number): void {
    const unanswered = this.#unanswered[receiver] ?? over;
    if (unanswered === over) return;
    // RFC 4975 10: whatever is no 200 is the end of this message, for this receiver.
    if (status !== 200) return this.failed(receiver, status, `it answered ${status}`);
    this.#unanswered[receiver] = unanswered - 1;
    if (this.#isEnded && unanswered === 1) this.#close(receiver);
  }

  failed(receiver: number, status: number | null, reason: string): void {
    if (this.#unanswered[receiver] === over) return;
    // RFC 4975 7.1: `#` says that the rest will never come.
    if (this.#hasBegun && !this.#isEnded)
      this.#options.receivers[receiver]?.session?.abandon(OutgoingChunk.abort(this, this.#options.ids), receiver);
    this.#miss(receiver, { outcome: 'failed', status, reason });
  }

  #sendTo(receiver: number, chunk: OutgoingChunk, isLast: boolean): void {
    const unanswered = this.#unanswered[receiver] ?? over;
    if (unanswered === over) return;
    const session = this.#options.receivers[receiver]?.session;
    if (session === undefined) return this.failed(receiver, null, 'it has no session');
    if (!this.#hasBegun && session.hasRefused(this.wrappedType))
      return this.#miss(receiver, { outcome: 'skipped', status: 415, reason: 'it has refused the type' });
    if (!session.deliver(chunk, receiver))
      return this.failed(receiver, null, session.isOver ? 'its session has ended' : 'congested');
    this.#unanswered[receiver] = unanswered + 1;
    if (!isLast) this.#watch(receiver, session, chunk.length);
  }

  #watch(receiver: number, session: Session, length: number): void {
    this.#congestion ??= new Congestion({
      clock: this.#options.clock,
      receiverCount: () => this.#openCount,
      onRelieved: () => this.#relieve(),
      onImpatient: (impatient) => this.failed(impatient, null, 'congested'),
    });
    this.#congestion.watch(receiver, session, length);
  }

  #relieve(): void {
    if (this.#isBusy) this.#isRelieved = true;
    else this.#options.owner.relieved();
  }

  #relieveAfterwards(): void {
    if (!this.#isRelieved) return;
    this.#isRelieved = false;
    if (!this.isCongested) this.#options.owner.relieved();
  }

  #miss(receiver: number, how: Omit<SwitchedDelivery, 'endpointId'>): void {
    this.#missed.set(receiver, { endpointId: this.#endpointOf(receiver), ...how });
    this.#close(receiver);
  }

  #close(receiver: number): void {
    this.#unanswered[receiver] = over;
    this.#openCount -= 1;
    this.#congestion?.end(receiver);
    this.#settleWhenKnown();
  }

  #settleWhenKnown(): void {
    if (!this.#isEnded || this.#openCount > 0 || this.#isSettled) return;
    this.#isSettled = true;
    this.#options.owner.settled(this.#missed.values(), () => this.#deliveries());
  }

  #deliveries(): readonly SwitchedDelivery[] {
    const { receivers, skipped } = this.#options;
    const deliveries: SwitchedDelivery[] = [];
    for (let receiver = 0; receiver < receivers.length; receiver += 1)
      deliveries.push(this.#missed.get(receiver) ?? deliveredTo(this.#endpointOf(receiver)));
    for (const { endpointId, reason } of skipped)
      deliveries.push({ endpointId, outcome: 'skipped', status: null, reason });
    return deliveries;
  }

  #endpointOf(receiver: number): string {
    return this.#options.receivers[receiver]?.endpointId ?? '';
  }
}

function deliveredTo(endpointId: string): SwitchedDelivery {
  return { endpointId, outcome: 'delivered', status: null, reason: null };
}
