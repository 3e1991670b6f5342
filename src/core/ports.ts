import type { Effect, Outcome } from './effect.ts';
import type { ReplyTo } from './input.ts';
import type {
  AttemptRow,
  Change,
  ConferenceKind,
  ConferenceRecord,
  ConferenceRow,
  ConferenceStatus,
  Instant,
  ParticipantRow,
  SubscriptionRow,
} from './rows.ts';

/** What the shells look like from inside: the driver is handed these, tests hand in fakes. */

export type SipEffect = Extract<Effect, { type: `sip.${string}` }>;
export type MsrpEffect = Extract<Effect, { type: `msrp.${string}` }>;

export type SipPort = {
  /** Never throws; what fails comes back as an input. */
  readonly perform: (effect: SipEffect) => void;
  readonly reply: (to: ReplyTo, outcome: Outcome) => void;
};

export type MsrpPort = { readonly perform: (effect: MsrpEffect) => void };

export type HttpPort = { readonly reply: (to: ReplyTo, outcome: Outcome) => void };

export type SavePort = {
  /** Resolves when committed. Rejects when it was not; then nothing of this change is in the store. StoreBusy: too many wait. */
  readonly save: (change: Change) => Promise<void>;
  /** One conference as last saved; undefined when it never was. */
  readonly load: (conferenceId: string) => Promise<ConferenceRecord | undefined>;
};

export type Clock = {
  readonly now: () => Instant;
  /** Calls back once, at or after `at`; the returned function stops it. */
  readonly callAt: (at: Instant, callback: () => void) => () => void;
};

/** One page of a list; `nextCursor` is opaque and null on the last page. */
export type Page<Row> = {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  readonly total: number | null;
};

export type PageRequest = { readonly limit: number; readonly cursor: string | null; readonly count: boolean };

export type ConferenceFilter = {
  readonly status: ConferenceStatus | null;
  readonly kind: ConferenceKind | null;
  readonly createdBy: string | null;
  readonly participantUri: string | null;
  readonly createdAfter: Instant | null;
  readonly createdBefore: Instant | null;
  /** `-created_at` (newest first) or `created_at`. */
  readonly sort: 'created_at' | '-created_at';
};

/** What REST reads. A cursor that is not one of ours rejects with BadCursor. */
export type ReadPort = {
  readonly conferences: (filter: ConferenceFilter, page: PageRequest) => Promise<Page<ConferenceRow>>;
  readonly conference: (id: string) => Promise<ConferenceRow | undefined>;
  readonly record: (id: string) => Promise<ConferenceRecord | undefined>;
  readonly participants: (conferenceId: string, page: PageRequest) => Promise<Page<ParticipantRow>>;
  readonly participant: (conferenceId: string, id: string) => Promise<ParticipantRow | undefined>;
  readonly subscriptions: (conferenceId: string | null, page: PageRequest) => Promise<Page<SubscriptionRow>>;
  readonly attempts: (page: PageRequest) => Promise<Page<AttemptRow>>;
  readonly ping: () => Promise<void>;
};

/** A cursor that no list of ours has given, or another list than the one it is shown to. */
export class BadCursor extends Error {}

/** More changes wait for the store than it keeps; the request is to be refused `busy`. */
export class StoreBusy extends Error {}

export type KeyRow = {
  readonly id: string;
  readonly name: string;
  /** Lower-case hex SHA-256 of the whole key. */
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly createdAt: Instant;
};

export type KeyPort = {
  readonly keyByHash: (hash: string) => Promise<KeyRow | undefined>;
  readonly addKey: (key: KeyRow) => Promise<void>;
  readonly countKeys: () => Promise<number>;
};
