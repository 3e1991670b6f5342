import type { Effect, Outcome } from './effect.ts';
import type { Input, ReplyTo } from './input.ts';
import type { RefusalCode } from './refusal.ts';
import type {
  AttemptRow,
  Change,
  ConferenceKind,
  ConferenceRecord,
  ConferenceRow,
  ConferenceStatus,
  GroupRow,
  Instant,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  StoredConference,
  SubscriptionRow,
  UserRow,
} from './rows.ts';

/** What the shells look like from inside: the driver is handed these, tests hand in fakes. */

export type SipEffect = Extract<Effect, { type: `sip.${string}` }>;
export type MsrpEffect = Extract<Effect, { type: `msrp.${string}` }>;

export type SipPort = {
  /** Never throws; what fails comes back as an input. */
  readonly perform: (effect: SipEffect) => void;
  readonly reply: (to: ReplyTo, outcome: Outcome) => void;
};

export type MsrpPort = {
  readonly perform: (effect: MsrpEffect) => void;
  readonly reply: (to: ReplyTo, outcome: Outcome) => void;
};

export type HttpPort = { readonly reply: (to: ReplyTo, outcome: Outcome) => void };

/** Who counts what passes the driver. Never throws, and keeps nothing of what it is shown. */
export type Observer = {
  /** Something has happened; told once, also when it has to be handled again. */
  readonly took: (input: Input) => void;
  /** A turn is saved, and its effects are about to leave. */
  readonly left: (change: Change | null, effects: readonly Effect[]) => void;
  /** A request gets its answer. */
  readonly answered: (outcome: Outcome) => void;
};

export type SavePort = {
  /** Resolves when committed. Rejects when it was not; then nothing of this change is in the store. StoreBusy: too many wait. */
  readonly save: (change: Change) => Promise<void>;
  /**
   * One conference as last saved; undefined when it never was. Before it is read its messages `unsaid` are erased, which
   * a save that was rejected may have left.
   */
  readonly load: (conferenceId: string, unsaid?: readonly string[]) => Promise<StoredConference | undefined>;
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

export type AttemptFilter = {
  readonly code: string | null;
  /** AOR of who asked. */
  readonly caller: string | null;
};

/** What REST reads. A cursor that is not one of ours rejects with BadCursor. */
export type ReadPort = {
  readonly conferences: (filter: ConferenceFilter, page: PageRequest) => Promise<Page<ConferenceRow>>;
  readonly conference: (id: string) => Promise<ConferenceRow | undefined>;
  readonly record: (id: string) => Promise<ConferenceRecord | undefined>;
  readonly participants: (conferenceId: string, page: PageRequest) => Promise<Page<ParticipantRow>>;
  readonly participant: (conferenceId: string, id: string) => Promise<ParticipantRow | undefined>;
  readonly subscriptions: (conferenceId: string | null, page: PageRequest) => Promise<Page<SubscriptionRow>>;
  readonly referrals: (conferenceId: string, page: PageRequest) => Promise<Page<ReferralRow>>;
  readonly referral: (conferenceId: string, id: string) => Promise<ReferralRow | undefined>;
  /** In the order in which they were sent. */
  readonly messages: (conferenceId: string, page: PageRequest) => Promise<Page<MessageRow>>;
  readonly message: (conferenceId: string, id: string) => Promise<MessageRow | undefined>;
  readonly attempts: (filter: AttemptFilter, page: PageRequest) => Promise<Page<AttemptRow>>;
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

/** What stands until the operator changes it: a group or a user. */
export type Definition = GroupRow | UserRow;

export type DefinitionFilter = {
  /** Text that the URI, or the subject or display name, holds somewhere, in whatever case; null: all. */
  readonly q: string | null;
};

type DefinitionReads<Row extends Definition> = {
  /** Newest first. Rejects with BadCursor. */
  readonly list: (filter: DefinitionFilter, page: PageRequest) => Promise<Page<Row>>;
  readonly byId: (id: string) => Promise<Row | undefined>;
  readonly byUri: (uri: string) => Promise<Row | undefined>;
};

/** Groups, or users, as the store keeps them. */
export type DefinitionStore<Row extends Definition> = DefinitionReads<Row> & {
  /** False: its URI is taken; of groups, the user part of its URI. */
  readonly insert: (row: Row) => Promise<boolean>;
  /** Puts `row` where the one with its id and the revision before is; false when that is not there. */
  readonly replace: (row: Row) => Promise<boolean>;
  /** Removes the one with this id and revision; false when that is not there. */
  readonly remove: (id: string, revision: number) => Promise<boolean>;
  /** Those changed at this time or later, by the clocks of those who changed them. */
  readonly updatedSince: (time: Instant) => Promise<readonly Row[]>;
  /** How many there are, and the sum of their revisions: tells whether somebody knows them all. */
  readonly totals: () => Promise<DefinitionTotals>;
  readonly revisions: () => Promise<readonly DefinitionRevision[]>;
};

export type DefinitionTotals = { readonly count: number; readonly revisions: number };
export type DefinitionRevision = { readonly id: string; readonly revision: number };

/** Why a definition cannot be what was asked for; null: it is. */
export type DefinitionRefusal = Extract<
  RefusalCode,
  'already-defined' | 'changed-meanwhile' | 'too-many-definitions' | 'busy'
>;

/** Groups, or users, for REST: what is written here is saved, and then known to the core. */
export type DefinitionPort<Row extends Definition> = DefinitionReads<Row> & {
  readonly add: (row: Row) => Promise<DefinitionRefusal | null>;
  /** `row` has the revision after that of the one it replaces. */
  readonly replace: (row: Row) => Promise<DefinitionRefusal | null>;
  /** `row` as it was read. */
  readonly remove: (row: Row) => Promise<DefinitionRefusal | null>;
};
