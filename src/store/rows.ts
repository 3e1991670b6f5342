import { usualChat } from '../core/chat-policy.ts';
import type { KeyRow } from '../core/ports.ts';
import type {
  AttemptRow,
  ConferenceKind,
  ConferencePolicy,
  ConferenceRow,
  ConferenceStatus,
  EndpointRow,
  EndpointStatus,
  EndReason,
  GroupRow,
  Instant,
  JoiningMethod,
  MessageRow,
  OriginRow,
  ParticipantRow,
  ReferralRow,
  ReferralState,
  Role,
  SubscriptionRow,
  SubscriptionState,
  UserRow,
} from '../core/rows.ts';
import type {
  ApiKey,
  Attempt,
  Conference,
  Endpoint,
  Group,
  Message,
  Participant,
  Referral,
  Subscription,
  User,
} from './generated/client.ts';

/**
 * From the database to the core's rows. (The other way there is no mapping: a batch carries the rows themselves, see
 * batch-statement.ts.) Words are checked; nested values are JSON that this program wrote, and migrations keep its shape.
 */

type Words<Word extends string> = Readonly<Record<Word, true>>;

const conferenceStatuses: Words<ConferenceStatus> = { creating: true, active: true, ending: true, ended: true };
const conferenceKinds: Words<ConferenceKind> = { ad_hoc: true, pre_arranged: true };
const endReasons: Words<EndReason> = {
  'creator-left': true,
  'last-left': true,
  'idle': true,
  'operator': true,
  'restarted': true,
  'cancelled': true,
  'error': true,
};
const endpointStatuses: Words<EndpointStatus> = {
  'pending': true,
  'dialing-out': true,
  'dialing-in': true,
  'alerting': true,
  'on-hold': true,
  'connected': true,
  'muted-via-focus': true,
  'disconnecting': true,
  'disconnected': true,
};
const joiningMethods: Words<JoiningMethod> = { 'dialed-in': true, 'dialed-out': true, 'focus-owner': true };
const roles: Words<Role> = { chair: true, participant: true, observer: true };
const subscriptionStates: Words<SubscriptionState> = { pending: true, active: true, terminated: true };
const subscriptionRoles: Words<SubscriptionRow['role']> = { notifier: true, forwarded: true };
const referralStates: Words<ReferralState> = { trying: true, ended: true };
const events: Words<SubscriptionRow['event']> = { conference: true };

/** A row of `conferences`. Throws when it holds a word we do not know. */
export function conferenceRow(kept: Conference): ConferenceRow {
  return {
    ...kept,
    kind: word(conferenceKinds, kept.kind),
    status: word(conferenceStatuses, kept.status),
    createdAt: kept.createdAt.getTime(),
    activatedAt: instant(kept.activatedAt),
    endedAt: instant(kept.endedAt),
    policy: policyOf(kept.policy),
    endReason: kept.endReason === null ? null : word(endReasons, kept.endReason),
    labels: json(kept.labels),
  };
}

/** What belongs to a row of `participants`. */
export const withEndpoints = { endpointRows: true } as const;

/** A row of `participants`, its endpoints and attempts included. Throws when it holds a word we do not know. */
export function participantRow({
  endpointRows,
  ...kept
}: Participant & { readonly endpointRows: readonly Endpoint[] }): ParticipantRow {
  return {
    ...kept,
    role: word(roles, kept.role),
    status: word(endpointStatuses, kept.status),
    joiningMethod: word(joiningMethods, kept.joiningMethod),
    replaces: json(kept.replaces),
    joinedAt: instant(kept.joinedAt),
    leftAt: instant(kept.leftAt),
    disconnection: json(kept.disconnection),
    endpoints: endpointsOf(json(kept.endpoints), endpointRows),
    listEntry: json(kept.listEntry),
    attempts: json(kept.attempts),
    lastError: json(kept.lastError),
  };
}

/** In the order of `ids`; a row beside them is of an endpoint that the participant has no longer. */
function endpointsOf(ids: readonly string[], kept: readonly Endpoint[]): readonly EndpointRow[] {
  const byId = new Map(kept.map((endpoint) => [endpoint.id, endpoint]));
  return ids.flatMap((id) => {
    const { facts, origin } = byId.get(id) ?? {};
    return facts === undefined
      ? []
      : [{ ...json<Omit<EndpointRow, 'origin'>>(facts), origin: json<OriginRow>(origin) }];
  });
}

/** A row of `subscriptions`. Throws when it holds a word we do not know. */
export function subscriptionRow(kept: Subscription): SubscriptionRow {
  return {
    ...kept,
    event: word(events, kept.event),
    state: word(subscriptionStates, kept.state),
    role: word(subscriptionRoles, kept.role),
    expiresAt: kept.expiresAt.getTime(),
  };
}

/** A row of `referrals`. Throws when it holds a word we do not know. */
export function referralRow(kept: Referral): ReferralRow {
  return {
    ...kept,
    at: kept.at.getTime(),
    endedAt: instant(kept.endedAt),
    state: word(referralStates, kept.state),
    targets: json(kept.targets),
    subscription: json(kept.subscription),
    quirks: json(kept.quirks),
  };
}

/** A row of `messages`. */
export function messageRow(kept: Message): MessageRow {
  return {
    ...kept,
    to: json(kept.to),
    sentAt: kept.sentAt.getTime(),
    deliveries: json(kept.deliveries),
    expiresAt: kept.expiresAt.getTime(),
  };
}

/** A row of `groups`. */
export function groupRow(kept: Group): GroupRow {
  return {
    ...kept,
    members: json(kept.members),
    policy: policyOf(kept.policy),
    labels: json(kept.labels),
    createdAt: kept.createdAt.getTime(),
    updatedAt: kept.updatedAt.getTime(),
  };
}

/** A row of `users`. */
export function userRow(kept: User): UserRow {
  return {
    ...kept,
    secrets: json(kept.secrets),
    createdAt: kept.createdAt.getTime(),
    updatedAt: kept.updatedAt.getTime(),
  };
}

/** A row of `attempts`. */
export function attemptRow(kept: Attempt): AttemptRow {
  return { ...kept, at: kept.at.getTime(), quirks: json(kept.quirks) };
}

/** A row of `api_keys`. */
export function keyRow(kept: ApiKey): KeyRow {
  return { ...kept, scopes: json(kept.scopes), createdAt: kept.createdAt.getTime() };
}

/** Policies of old say nothing of messages. */
function policyOf(kept: unknown): ConferencePolicy {
  return { ...usualChat, ...json<ConferencePolicy>(kept) };
}

/** `text` as one of the words. Throws when the database holds another: it was written by a newer version. */
function word<Word extends string>(words: Words<Word>, text: string): Word {
  if (!isWord(words, text)) throw new Error(`The database holds the unknown word ${JSON.stringify(text)}.`);
  return text;
}

function isWord<Word extends string>(words: Words<Word>, text: string): text is Word {
  return Object.hasOwn(words, text);
}

function instant(kept: Date | null): Instant | null {
  return kept === null ? null : kept.getTime();
}

function json<Value>(kept: unknown): Value {
  return kept as Value;
}
