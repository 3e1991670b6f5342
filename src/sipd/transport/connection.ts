/** One SIP connection, whatever carries it: what waits, what has begun, how long it is idle, and its end. */

import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { StreamEvent } from './stream.ts';

/** What carries a connection: a byte stream (TCP, TLS) or a WebSocket. */
export type Carrier = {
  /** Sends a message or a keep-alive; the text is latin1. */
  readonly write: (text: string) => void;
  /** Octets written and not sent yet. */
  readonly queued: () => number;
  /** Octets received of a message that is not whole. */
  readonly held: () => number;
  /** Closes once what was written is sent. */
  readonly end: () => void;
  readonly destroy: () => void;
};

export type ConnectionUser = {
  readonly onMessage: (from: Peer, text: string) => void;
  /** The connection cannot be read on; `text` is what may still be answered, or empty, and whoever hears it closes it. */
  readonly onBroken: (from: Peer, text: string, reason: string) => void;
  /** It was open and is gone. */
  readonly onClosed: (peer: Peer) => void;
  /** It never opened. */
  readonly onUnreachable: (peer: Peer, reason: string) => void;
};

/** Whoever made the connection also hears how many octets have come or are to go. */
type Keeper = ConnectionUser & { readonly onOctets: (count: number) => void };

/** Whoever made the carrier tells it of everything that happens there: `opened`, `take`, `closed`. */
export class Connection {
  readonly peer: Peer;
  readonly #carrier: Carrier;
  readonly #user: Keeper;
  readonly #idle: NodeJS.Timeout;
  /** What is to be sent once the connection is open; null since then. */
  #waiting: string[] | null = [];
  #waitingBytes = 0;
  /** Runs while a message is being received. */
  #partial: NodeJS.Timeout | null = null;
  /** Runs while the last of what was written is being sent. */
  #ending: NodeJS.Timeout | null = null;

  constructor(peer: Peer, carrier: Carrier, user: Keeper) {
    this.peer = peer;
    this.#carrier = carrier;
    this.#user = user;
    this.#idle = setTimeout(() => this.end(), limits.streamIdleMs).unref();
  }

  /** Whether it is being closed from here: what is sent now is lost. */
  get ending(): boolean {
    return this.#ending !== null;
  }

  /** Octets it keeps in memory, of messages in either direction. */
  get held(): number {
    return this.#waiting === null ? this.#carrier.queued() + this.#carrier.held() : this.#waitingBytes;
  }

  /** Nothing is sent before: the other side may not be who it should be. */
  opened(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const text of waiting) this.#write(text);
  }

  send(text: string): void {
    if (this.#ending !== null) return;
    if (this.#waiting === null) {
      this.#write(text);
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#user.onOctets(text.length);
    if (this.#waitingBytes > limits.streamQueueBytesMax) this.#carrier.destroy();
  }

  /** What has come with one read of so many octets; `partial` says whether another message has begun with it. */
  take(events: readonly StreamEvent[], partial: boolean, octets: number): void {
    this.#idle.refresh();
    this.#user.onOctets(octets);
    let pings = 0;
    for (const event of events) {
      if (this.#ending !== null) return;
      if (event.kind === 'message') this.#user.onMessage(this.peer, event.text);
      else if (event.kind === 'ping') pings += 1;
      else this.#user.onBroken(this.peer, event.text, event.reason);
    }
    // RFC 5626 4.4.1, all of one read at once.
    if (pings > 0 && this.#ending === null) this.#write('\r\n'.repeat(pings));
    this.#watchPartial(events.length > 0, partial);
  }

  /** Closes once what was written is sent, and soon in any case. */
  end(): void {
    if (this.#ending !== null) return;
    this.#ending = setTimeout(() => this.#carrier.destroy(), limits.streamEndMs).unref();
    this.#carrier.end();
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  /** The carrier is gone, for good. */
  closed(reason: string): void {
    clearTimeout(this.#idle);
    if (this.#partial !== null) clearTimeout(this.#partial);
    if (this.#ending !== null) clearTimeout(this.#ending);
    if (this.#waiting === null) this.#user.onClosed(this.peer);
    else this.#user.onUnreachable(this.peer, reason);
  }

  #write(text: string): void {
    this.#idle.refresh();
    this.#carrier.write(text);
    this.#user.onOctets(text.length);
    // A peer that does not read must not fill our memory.
    if (this.#carrier.queued() > limits.streamQueueBytesMax) this.#carrier.destroy();
  }

  /** Every message has its own time: a busy connection ends many a read within one. */
  #watchPartial(anyWhole: boolean, partial: boolean): void {
    if (this.#partial !== null && (anyWhole || !partial)) {
      clearTimeout(this.#partial);
      this.#partial = null;
    }
    if (partial) this.#partial ??= setTimeout(() => this.#carrier.destroy(), limits.streamPartialMs).unref();
  }
}
