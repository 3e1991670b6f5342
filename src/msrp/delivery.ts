/** One message at one of its receivers, from its first octet to what became of it. */

import { limits } from '../core/limits.ts';
import type { SwitchedDelivery } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import type { Session } from './session.ts';
import type { Awaiting } from './transactions.ts';

/** Who gets the message; without a session it gets nothing. */
export type Receiver = { readonly endpointId: string; readonly session: Session | undefined };

/** What the deliveries of one message share. */
export type DeliveredMessage = {
  readonly messageId: string;
  readonly wrappedType: string | null;
  readonly clock: Clock;
  /** The chunk that says that no more will come. */
  readonly abort: () => OutgoingChunk;
  /** Once, when this receiver is known to have it, or not. */
  readonly onOver: () => void;
  /** This receiver is waited for no longer. */
  readonly onRelieved: () => void;
};

/** RFC 4975 7.1.1 and 10: delivered once every chunk has been answered 200, failed by any other answer, or none. */
export class Delivery implements Awaiting {
  readonly #message: DeliveredMessage;
  readonly #receiver: Receiver;
  #unanswered = 0;
  #hasBegun = false;
  #isWhole = false;
  #outcome: SwitchedDelivery | null = null;
  #stopPatience: (() => void) | null = null;

  constructor(message: DeliveredMessage, receiver: Receiver) {
    this.#message = message;
    this.#receiver = receiver;
  }

  get messageId(): string {
    return this.#message.messageId;
  }

  get wrappedType(): string | null {
    return this.#message.wrappedType;
  }

  /** What became of it; null as long as nobody knows. */
  get outcome(): SwitchedDelivery | null {
    return this.#outcome;
  }

  /** Sends the next chunk, unless it is known what became of the message. */
  send(chunk: OutgoingChunk, isLast: boolean): void {
    if (this.#outcome !== null) return;
    const { session } = this.#receiver;
    if (session === undefined) return this.failed(null, 'it has no session');
    if (!this.#hasBegun && session.hasRefused(this.wrappedType))
      return this.#end('skipped', 415, 'it refuses the type');
    this.#unanswered += 1;
    if (!session.deliver(chunk, this)) return this.failed(null, 'congested');
    this.#hasBegun = true;
    this.#isWhole = isLast;
  }

  answered(status: number): void {
    // RFC 4975 10: whatever is no 200 is the end of this message, for this receiver.
    if (status !== 200) return this.failed(status, `it answered ${status}`);
    this.#unanswered -= 1;
    if (this.#isWhole && this.#unanswered === 0) this.#end('delivered', null, null);
  }

  failed(status: number | null, reason: string): void {
    if (this.#outcome !== null) return;
    // RFC 4975 7.1: `#` says that the rest will never come.
    if (this.#hasBegun && !this.#isWhole) this.#receiver.session?.abandon(this.#message.abort(), this);
    this.#end('failed', status, reason);
  }

  /**
   * Whether the receiver has too much before it, so that no more of a large message should be read. That lasts until it
   * has caught up; if it does not soon, the message is lost to it.
   */
  holdsUp(): boolean {
    if (this.#outcome !== null) return false;
    if (this.#stopPatience !== null) return true;
    const { session } = this.#receiver;
    if (session === undefined || !session.isCongested) return false;
    const { clock } = this.#message;
    this.#stopPatience = clock.callAt(clock.now() + limits.msrpPatienceMs, () => this.failed(null, 'congested'));
    session.whenRelieved(() => this.#relieve());
    return true;
  }

  #relieve(): void {
    if (this.#stopPatience === null) return;
    this.#stopPatience();
    this.#stopPatience = null;
    this.#message.onRelieved();
  }

  #end(outcome: SwitchedDelivery['outcome'], status: number | null, reason: string | null): void {
    this.#outcome = { endpointId: this.#receiver.endpointId, outcome, status, reason };
    this.#message.onOver();
    this.#relieve();
  }
}
