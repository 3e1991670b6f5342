/**
 * What each source of messages has used up of what one may use. Sources are found again by their address, an IPv6 one by
 * its network (`sourceOf`) unless it is trusted; those not heard of for long are forgotten.
 */

import { sourceOf } from '../source-address.ts';
import { fullBucket, type Rate, type TokenBucket } from './token-bucket.ts';

/** What one source may do; none of it binds those that are trusted. */
export type SourceLimits = {
  /** Messages: requests, and answers nobody waits for. */
  readonly requests: Rate;
  /** 503s to requests beyond that rate; what is beyond this too is dropped without a word. */
  readonly refusals: Rate;
  /** Server transactions at a time. One over UDP lives 32 s after its answer. */
  readonly openTransactions: number;
  /** Final answers to INVITEs that are repeated until their ACK comes. What claims to be the source may be another. */
  readonly unacknowledgedFinals: number;
};

export type Source = {
  readonly trusted: boolean;
  readonly requests: TokenBucket;
  /** ACKs beyond that rate, while answers of ours wait for one; filled as fast. */
  readonly acknowledgements: TokenBucket;
  readonly refusals: TokenBucket;
  openTransactions: number;
  unacknowledgedFinals: number;
};

export type SourcesOptions = {
  readonly limits: SourceLimits;
  /** How many addresses are remembered at most. */
  readonly addressesMax: number;
  readonly isTrusted: (address: string) => boolean;
};

/**
 * The sources heard of. They are kept in two halves: what is heard of goes into the young one; when that is full the old
 * one is forgotten and the young one becomes it.
 */
export class Sources {
  readonly #options: SourcesOptions;
  #young = new Map<string, Source>();
  #old = new Map<string, Source>();

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  get limits(): SourceLimits {
    return this.#options.limits;
  }

  /** The source an address belongs to. `now` is in milliseconds. */
  of(address: string, now: number): Source {
    const known = this.#young.get(address);
    if (known !== undefined) return known;
    // Trust is of addresses: whoever shares a network with a trusted one has none of it, and takes none away.
    const trusted = this.#options.isTrusted(address);
    const key = trusted ? address : sourceOf(address);
    const source = this.#find(key) ?? this.#create(trusted, now);
    this.#remember(address, source);
    if (key !== address) this.#remember(key, source);
    return source;
  }

  /** How many addresses are remembered. */
  count(): number {
    return this.#young.size + this.#old.size;
  }

  #find(key: string): Source | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  #create(trusted: boolean, now: number): Source {
    const { limits } = this.#options;
    return {
      trusted,
      requests: fullBucket(limits.requests, now),
      acknowledgements: fullBucket(limits.requests, now),
      refusals: fullBucket(limits.refusals, now),
      openTransactions: 0,
      unacknowledgedFinals: 0,
    };
  }

  #remember(key: string, source: Source): void {
    if (this.#young.size >= this.#options.addressesMax / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, source);
  }
}
