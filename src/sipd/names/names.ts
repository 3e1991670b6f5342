/** Where names are looked up: DNS and the hosts file, or what a test puts in their place. */

import type { NaptrRecord, SrvRecord } from '../target/questions.ts';

/** What was found; no records: there is nothing. */
export type Found<Record> = {
  readonly records: readonly Record[];
  /** How long it may be kept, milliseconds; null when nobody said. */
  readonly ttlMs: number | null;
};

/** Names are in lower case, without a dot at their end. A rejection counts as nothing found. */
export type Names = {
  /** IPv4 and IPv6 addresses of a host. */
  readonly a: (name: string) => Promise<Found<string>>;
  readonly aaaa: (name: string) => Promise<Found<string>>;
  /** Hosts in them are as `SrvRecord` and `NaptrRecord` say. */
  readonly srv: (name: string) => Promise<Found<SrvRecord>>;
  readonly naptr: (name: string) => Promise<Found<NaptrRecord>>;
  /** Gives up what is still being asked. */
  readonly close?: () => void;
};
