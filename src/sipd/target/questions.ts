/** What is asked of DNS and the hosts file, and what comes back: names in lower case, without a dot at their end. */

export type Question = { readonly kind: 'a' | 'aaaa' | 'srv' | 'naptr'; readonly name: string };

/** RFC 2782. A target of `''` (the root) says that the service is decidedly not available. */
export type SrvRecord = {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
};

/** RFC 3403 4.1. */
export type NaptrRecord = {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
};

/** The answer to one question; empty when there is nothing, or nobody to say so. */
export type Answer =
  | { readonly kind: 'a' | 'aaaa'; readonly addresses: readonly string[] }
  | { readonly kind: 'srv'; readonly records: readonly SrvRecord[] }
  | { readonly kind: 'naptr'; readonly records: readonly NaptrRecord[] };
