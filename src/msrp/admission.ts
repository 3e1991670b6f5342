/** Who may come in: a bound on all connections, and one on those of an address that no session is known of. */

import { ipOctets } from '../wire/ip-address.ts';

/** A connection that was let in. */
export type Entry = {
  /** It serves a session now: its address may have another one wait. */
  readonly bound: () => void;
  readonly left: () => void;
};

/** Counts connections from their first packet on, before any handshake. */
export class Admission {
  readonly #connectionsMax: number;
  readonly #unboundPerAddressMax: number;
  readonly #unboundOf = new Map<string, number>();
  #count = 0;

  constructor(connectionsMax: number, unboundPerAddressMax: number) {
    this.#connectionsMax = connectionsMax;
    this.#unboundPerAddressMax = unboundPerAddressMax;
  }

  /** Null: there is no room. */
  enter(address: string): Entry | null {
    const source = sourceOf(address);
    const unbound = this.#unboundOf.get(source) ?? 0;
    if (this.#count >= this.#connectionsMax || unbound >= this.#unboundPerAddressMax) return null;
    this.#count += 1;
    this.#unboundOf.set(source, unbound + 1);
    let isUnbound = true;
    let isIn = true;
    const bound = (): void => {
      if (isUnbound) this.#leaveUnbound(source);
      isUnbound = false;
    };
    const left = (): void => {
      bound();
      if (isIn) this.#count -= 1;
      isIn = false;
    };
    return { bound, left };
  }

  #leaveUnbound(source: string): void {
    const unbound = this.#unboundOf.get(source) ?? 0;
    if (unbound > 1) this.#unboundOf.set(source, unbound - 1);
    else this.#unboundOf.delete(source);
  }
}

/** RFC 4291 2.5.4: whoever has one IPv6 address has 2^64 of them; an IPv4 one stands alone, also where it is mapped. */
function sourceOf(address: string): string {
  const octets = ipOctets(address.replace(/%.*$/, '')) ?? [];
  const isMapped = octets.length === 16 && octets.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  return (isMapped ? octets.slice(12) : octets.slice(0, 8)).join('.');
}
