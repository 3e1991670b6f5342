/**
 * RFC 3261 18.1.1: a request too long for a datagram goes over TCP to the same address, and over UDP all the same when
 * nobody takes TCP there. Who does not is remembered, so that not each long request asks again.
 */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';

/** Which requests leave UDP. Remembers at most `limits.tcpRefusalsMax` peers, each for `limits.tcpRefusalMs`. */
export class LongRequests {
  readonly #context: Context;
  /** Until when, by address and port; the oldest first. */
  readonly #refusedUntil = new Map<string, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Where a request of so many octets goes instead; null: where it was to go. */
  overTcp(to: Peer, bytes: number): Peer | null {
    if (bytes <= limits.udpRequestBytesMax || to.protocol !== 'udp') return null;
    const { ways, own } = this.#context;
    if (ways.has('stays-on-udp') || own.towards('tcp', to.host) === null || this.#isKnown(to)) return null;
    return { ...to, protocol: 'tcp', connection: null, listener: null };
  }

  /** The peer takes no TCP. */
  refused(peer: Peer): void {
    const key = keyOf(peer);
    this.#refusedUntil.delete(key);
    const [oldest] = this.#refusedUntil.keys();
    if (this.#refusedUntil.size >= limits.tcpRefusalsMax && oldest !== undefined) this.#refusedUntil.delete(oldest);
    this.#refusedUntil.set(key, this.#context.now + limits.tcpRefusalMs);
  }

  #isKnown(peer: Peer): boolean {
    if (this.#refusedUntil.size === 0) return false;
    const key = keyOf(peer);
    const until = this.#refusedUntil.get(key);
    if (until === undefined) return false;
    if (until > this.#context.now) return true;
    this.#refusedUntil.delete(key);
    return false;
  }
}

function keyOf({ host, port }: Peer): string {
  return `${host} ${port}`;
}
