/** Who may come in: a bound on all connections, and one on those of an address that no session is known of. */

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
    const unbound = this.#unboundOf.get(address) ?? 0;
    if (this.#count >= this.#connectionsMax || unbound >= this.#unboundPerAddressMax) return null;
    this.#count += 1;
    this.#unboundOf.set(address, unbound + 1);
    let isUnbound = true;
    let isIn = true;
    const bound = (): void => {
      if (isUnbound) this.#leaveUnbound(address);
      isUnbound = false;
    };
    const left = (): void => {
      bound();
      if (isIn) this.#count -= 1;
      isIn = false;
    };
    return { bound, left };
  }

  #leaveUnbound(address: string): void {
    const unbound = this.#unboundOf.get(address) ?? 0;
    if (unbound > 1) this.#unboundOf.set(address, unbound - 1);
    else this.#unboundOf.delete(address);
  }
}
