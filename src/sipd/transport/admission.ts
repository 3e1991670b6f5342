/** How many connections there may be: in all, and from one source. */

import { sourceOf } from '../source-address.ts';

export type AdmissionOptions = {
  readonly connectionsMax: number;
  readonly perSourceMax: number;
  /** Trusted addresses are bound by the number in all only. */
  readonly isTrusted: (address: string) => boolean;
};

/** Counts the connections of one server. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #perSource = new Map<string, number>();
  #count = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** A place for a connection from `address`, or for one we make (null). Gives what frees it again; null: there is none. */
  enter(address: string | null): (() => void) | null {
    const { connectionsMax, perSourceMax, isTrusted } = this.#options;
    if (this.#count >= connectionsMax) return null;
    const source = address === null || isTrusted(address) ? null : sourceOf(address);
    if (source !== null) {
      const already = this.#perSource.get(source) ?? 0;
      if (already >= perSourceMax) return null;
      this.#perSource.set(source, already + 1);
    }
    this.#count += 1;
    return () => this.#leave(source);
  }

  #leave(source: string | null): void {
    this.#count -= 1;
    if (source === null) return;
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
  }
}
