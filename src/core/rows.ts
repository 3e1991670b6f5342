/**
 * What is kept of a conference: one flat, readonly row per thing, exactly as the store saves it and REST shows it.
 * Rows are immutable values; a change makes a new row. Times are milliseconds since the epoch, null when not yet.
 */

export type Instant = number;

export type ConferenceStatus = 'creating' | 'active' | 'ending' | 'ended';
export type ConferenceKind = 'ad_hoc' | 'pre_arranged';
export type EndReason = 'creator-left' | 'last-left' | 'idle' | 'operator' | 'restarted' | 'cancelled' | 'error';

/**
 * When a conference ends by itself. `creator-leaves`: with the creator's last endpoint (RFC 4579 5.12). `last-leaves`: when
 * nobody is in it any more. `idle`: when nobody has been in it for a while.
 */
export type EndPolicy = 'creator-leaves' | 'last-leaves' | 'idle';

/** What is said of messages in a conference. */
export type ChatPolicy = {
  /** RFC 7701 7: whether participants may give themselves nicknames. */
  readonly nicknames: boolean;
  /** RFC 7701 6.2: whether they may write to one another. */
  readonly privateMessages: boolean;
  /** What is kept of each message: nothing, what became of it, or its words too. */
  readonly history: 'off' | 'facts' | 'content';
  /** How long that is kept, from 1 to 365. */
  readonly historyDays: number;
  /** Whether every endpoint is told the subject when it comes. */
  readonly greeting: boolean;
  /** Whether all are told who has come and who has left. */
  readonly announcements: boolean;
  /** RFC 7701 4.1: with `tls` nobody may exchange messages in the clear. */
  readonly transport: 'any' | 'tls';
};

/** Who may do what in a conference, beside the chairs, who may do all of it. */
export type ConferencePolicy = ChatPolicy & {
  readonly end: EndPolicy;
  /** How long it may stand empty: under `idle`, and under every policy before the first one has come. */
  readonly idleSeconds: number;
  /** `members`: whoever was invited or is a member of its group. */
  readonly join: 'anyone' | 'members';
  readonly subscribe: 'anyone' | 'members' | 'participants';
  readonly invite: 'chairs' | 'participants';
};

export type ConferenceRow = {
  readonly id: string;
  readonly node: string;
  /** The conference URI: one and the same string in Contact, From, roster entity and conf-uris. */
  readonly uri: string;
  readonly factoryUri: string | null;
  readonly kind: ConferenceKind;
  readonly groupId: string | null;
  readonly status: ConferenceStatus;
  readonly subject: string | null;
  readonly locked: boolean;
  readonly maxParticipants: number | null;
  readonly policy: ConferencePolicy;
  /** AOR of the creator, or `key:<id>` of the operator who made it. */
  readonly createdBy: string;
  readonly createdAt: Instant;
  readonly activatedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly endReason: EndReason | null;
  /** Who ended it: an AOR, `key:<id>` for an operator, or null. */
  readonly endedBy: string | null;
  /** Participants with at least one connected endpoint. */
  readonly participantCount: number;
  readonly peakParticipants: number;
  readonly messageCount: number;
  /** Rises by one with each change of the roster. */
  readonly version: number;
  /** Number of the last event in this conference's log; gap-free from 1. */
  readonly seq: number;
  readonly labels: Readonly<Record<string, string>>;
};

/** RFC 4575 5.7: the status words of an endpoint. */
export type EndpointStatus =
  | 'pending'
  | 'dialing-out'
  | 'dialing-in'
  | 'alerting'
  | 'on-hold'
  | 'connected'
  | 'muted-via-focus'
  | 'disconnecting'
  | 'disconnected';
export type JoiningMethod = 'dialed-in' | 'dialed-out' | 'focus-owner';
export type DisconnectionMethod = 'departed' | 'booted' | 'failed' | 'busy';
export type Role = 'chair' | 'participant' | 'observer';

/** Replaces as it goes on the wire (RFC 3891 6.1). Call-ID unescaped. */
export type ReplacesValue = {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  readonly earlyOnly: boolean;
};

/** A SIP answer that explains an outcome. */
export type SipCause = { readonly status: number; readonly reason: string };

export type Disconnection = {
  readonly method: DisconnectionMethod;
  readonly sipStatus: number | null;
  readonly reason: string | null;
};

/** One media line of an endpoint as the roster shows it; status from the participant's side (RFC 4575 5.8). */
export type MediaRow = {
  readonly id: string;
  /** SDP media name; `message` for MSRP. */
  readonly type: string;
  readonly status: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
};

/** Who the focus or the peer has agreed keeps the session alive (RFC 4028), and for how many seconds at a time. */
export type SessionTimerRow = { readonly expires: number; readonly refresher: 'focus' | 'peer' };

/** What brought an endpoint into the conference: the request as it came, shortened, and how it was read. */
export type OriginRow = {
  readonly by: 'invite' | 'list' | 'group' | 'refer' | 'rest';
  /** null: nothing came over the wire, as when an operator asks. */
  readonly received: string | null;
  readonly quirks: readonly string[];
};

/** One dialog of a participant with the focus. */
export type EndpointRow = {
  readonly id: string;
  /** Roster key, stable for the endpoint's whole life: the Contact of who dialled in, the dialled URI of who was invited. */
  readonly entity: string;
  readonly contact: string | null;
  readonly status: EndpointStatus;
  readonly joiningMethod: JoiningMethod;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string | null;
  /** drachtio's id of the dialog, `<Call-ID>;from-tag=<tag>`: lets a later process end it after a crash. */
  readonly dialogId: string;
  readonly referredBy: string | null;
  readonly joinedAt: Instant | null;
  readonly leftAt: Instant | null;
  readonly disconnection: Disconnection | null;
  readonly media: readonly MediaRow[];
  /** null: the session does not expire. */
  readonly sessionTimer: SessionTimerRow | null;
  readonly origin: OriginRow;
  /** Language tags of Accept-Language in its INVITE or its answer to ours, the best first; absent: none. */
  readonly languages?: readonly string[];
  /** Further AORs of the user, as a trusted peer asserted them (RFC 3325): a tel URI; absent: none. */
  readonly associatedAors?: readonly string[];
};

/** The list entry as it arrived and how it was read; also for entries that were never dialled. */
export type ListEntryRow = {
  /** The `uri` attribute as it arrived. */
  readonly raw: string;
  /** The cleaned URI that was dialled; null when it could not be read. */
  readonly uri: string | null;
  /** Quirks that were needed to read it, e.g. `QK-7`. */
  readonly quirks: readonly string[];
  /** Position in the flattened list, from 0. */
  readonly position: number;
  /** RFC 5364 4: whether the others may learn of it. */
  readonly copyControl: CopyControl;
  readonly anonymize: boolean;
  /** Headers of the URI that were not heeded. */
  readonly ignoredHeaders: readonly string[];
};

export type CopyControl = 'to' | 'cc' | 'bcc';

/** One INVITE that was sent for a participant and how it ended; several when it was tried again in another form. */
export type DialAttemptRow = {
  readonly endpointId: string;
  readonly at: Instant;
  readonly replaces: ReplacesValue | null;
  /** What differs from the INVITE before, e.g. `QK-9` or `without Replaces`; null for the first one. */
  readonly change: string | null;
  /** null while unanswered. */
  readonly outcome: SipCause | null;
  /** When the final answer came. */
  readonly endedAt: Instant | null;
  /** Value of the answer's Reason header (RFC 3326). */
  readonly reasonHeader: string | null;
};

/** One URI that a REFER asked something of, and what came of it. */
export type ReferTargetRow = {
  /** As it arrived. */
  readonly raw: string;
  /** As it was read, without method and headers; null when it could not be. */
  readonly uri: string | null;
  readonly method: string;
  readonly replaces: ReplacesValue | null;
  readonly quirks: readonly string[];
  /** Whom it brought in or sent out. */
  readonly participantId: string | null;
  /** The last answer, provisional or final; null: none yet. */
  readonly outcome: SipCause | null;
};

export type ReferralState = 'trying' | 'ended';

/** A REFER that the focus has accepted (RFC 3515, RFC 4579 5.5 to 5.11). */
export type ReferralRow = {
  readonly id: string;
  readonly conferenceId: string;
  /** AOR of who sent it. */
  readonly by: string;
  readonly at: Instant;
  readonly endedAt: Instant | null;
  readonly state: ReferralState;
  readonly targets: readonly ReferTargetRow[];
  /** drachtio's id of the dialog the REFER came in. */
  readonly dialogId: string;
  /** RFC 3515 2.4.6: the id in its NOTIFYs, null for the first REFER of a dialog; RFC 4488: no NOTIFYs at all. */
  readonly subscription: { readonly eventId: number | null } | null;
  readonly quirks: readonly string[];
  /** What came, shortened. */
  readonly received: string;
};

/** What became of a message at one endpoint; `pending`: it is on its way, or nobody has ever told. */
export type DeliveryRow = {
  /** null, as for the URI, which is as the roster has it: forgotten meanwhile. */
  readonly participantId: string | null;
  readonly uri: string | null;
  readonly endpointId: string;
  readonly outcome: 'delivered' | 'failed' | 'skipped' | 'pending';
  /** The MSRP status, when that told it. */
  readonly status: number | null;
  readonly reason: string | null;
};

/** A message of a participant, or of the focus, in a conference that keeps its history. */
export type MessageRow = {
  readonly id: string;
  readonly conferenceId: string;
  /** Message-ID, as its sender gave it. */
  readonly messageId: string;
  /** As the roster names the sender; the conference URI for what the focus says. */
  readonly from: string;
  /** Whom it was for, as the roster names them; null: everybody. */
  readonly to: readonly string[] | null;
  readonly contentType: string;
  readonly size: number;
  readonly sentAt: Instant;
  /** Its words, where the policy keeps them. */
  readonly content: string | null;
  /** One for each endpoint it was for; empty: nobody was there. */
  readonly deliveries: readonly DeliveryRow[];
  readonly expiresAt: Instant;
};

/** A member of a pre-arranged group. */
export type GroupMember = { readonly uri: string; readonly displayName: string | null; readonly role: Role };

/** A pre-arranged group: a standing definition that an INVITE to its URI turns into a conference. */
export type GroupRow = {
  readonly id: string;
  /** `sip:<user>@<own domain>`; its user part names the group at every own domain. */
  readonly uri: string;
  readonly subject: string | null;
  readonly members: readonly GroupMember[];
  readonly policy: ConferencePolicy;
  readonly maxParticipants: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Rises by one with each change. */
  readonly revision: number;
};

/** RFC 7616 3.4.2: H(username:realm:password), lower-case hex, per algorithm. */
export type DigestHashes = { readonly md5: string; readonly sha256: string };

/** Of the user part of the AOR as username; `long`: of the whole AOR but its scheme. */
export type DigestSecrets = DigestHashes & { readonly realm: string; readonly long?: DigestHashes };

/** What the operator says of one user, ours or not. */
export type UserRow = {
  readonly id: string;
  /** The AOR, canonical. */
  readonly uri: string;
  readonly displayName: string | null;
  /** null: this user cannot authenticate by digest. */
  readonly secrets: DigestSecrets | null;
  readonly barred: boolean;
  readonly mayCreate: boolean;
  /** RFC 5360: has agreed to be invited by lists. */
  readonly consents: boolean;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Rises by one with each change. */
  readonly revision: number;
};

export type ParticipantRow = {
  readonly id: string;
  readonly conferenceId: string;
  /** The AOR, canonical, without parameters; the roster's entity. Anything readable for entries with a foreign scheme. */
  readonly uri: string;
  readonly displayName: string | null;
  readonly nickname: string | null;
  /** Privacy was asked for: the roster shows an anonymous entity (RFC 4575 5.6). */
  readonly private: boolean;
  readonly role: Role;
  readonly status: EndpointStatus;
  readonly joiningMethod: JoiningMethod;
  readonly referredBy: string | null;
  readonly replaces: ReplacesValue | null;
  readonly muted: boolean;
  readonly joinedAt: Instant | null;
  readonly leftAt: Instant | null;
  readonly disconnection: Disconnection | null;
  readonly endpoints: readonly EndpointRow[];
  readonly listEntry: ListEntryRow | null;
  readonly attempts: readonly DialAttemptRow[];
  /** The last thing that went wrong for this participant, with the SIP cause. */
  readonly lastError: SipCause | null;
  /** Order of arrival in the conference, from 0; the roster's order. */
  readonly position: number;
  /** False once a participant who left has lingered long enough: still listed by REST, no longer in the roster. */
  readonly inRoster: boolean;
};

export type SubscriptionState = 'pending' | 'active' | 'terminated';

export type SubscriptionRow = {
  readonly id: string;
  readonly conferenceId: string;
  /** The URI that was subscribed to. */
  readonly target: string;
  /** AOR of the subscriber. */
  readonly subscriber: string;
  readonly event: 'conference';
  readonly state: SubscriptionState;
  readonly expiresAt: Instant;
  /** Version attribute of the last document sent; -1 before the first. Scoped to this subscription (RFC 4575 5.2). */
  readonly lastVersionSent: number;
  readonly role: 'notifier' | 'forwarded';
  readonly dialogId: string;
  readonly terminatedReason: string | null;
};

export type EventRow = {
  readonly id: string;
  readonly conferenceId: string;
  readonly seq: number;
  readonly type: string;
  readonly time: Instant;
  readonly version: number;
  readonly actor: string | null;
  readonly data: Readonly<Record<string, unknown>>;
};

/** A refused or failed creation, join or referral: who, what came, how it was read, why it was refused. */
export type AttemptRow = {
  readonly id: string;
  readonly node: string;
  readonly at: Instant;
  readonly method: string;
  readonly target: string;
  readonly caller: string | null;
  readonly callId: string | null;
  /** Stable refusal code, see refusal.ts. */
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  readonly quirks: readonly string[];
  /** What came, shortened to a bounded length; never credentials. */
  readonly received: string;
};

/** The changed rows of one input; saved in one transaction. At most one conference row per change. */
export type Change = {
  /** Id of the conference the rows belong to, or null when only attempts are in it. */
  readonly conferenceId: string | null;
  readonly conferences: readonly ConferenceRow[];
  readonly participants: readonly ParticipantRow[];
  readonly subscriptions: readonly SubscriptionRow[];
  readonly events: readonly EventRow[];
  readonly attempts: readonly AttemptRow[];
  readonly referrals: readonly ReferralRow[];
  readonly messages: readonly MessageRow[];
};

/** All rows of one live conference: what survives a restart, and what REST shows. */
export type ConferenceRecord = {
  readonly conference: ConferenceRow;
  readonly participants: readonly ParticipantRow[];
  readonly subscriptions: readonly SubscriptionRow[];
};

/** One conference as the store has it, with the referrals that are not settled. */
export type StoredConference = ConferenceRecord & { readonly referrals: readonly ReferralRow[] };
