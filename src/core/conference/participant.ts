import type { Particulars } from '../input.ts';
import { limits } from '../limits.ts';
import type {
  Disconnection,
  EndpointRow,
  EndpointStatus,
  JoiningMethod,
  ListEntryRow,
  MediaRow,
  ParticipantRow,
  ReplacesValue,
  Role,
  SipCause,
} from '../rows.ts';

/** The endpoint that says most about a participant comes first. */
const precedence: readonly EndpointStatus[] = [
  'connected',
  'muted-via-focus',
  'on-hold',
  'alerting',
  'dialing-in',
  'dialing-out',
  'pending',
  'disconnecting',
  'disconnected',
];

export type NewParticipant = {
  readonly id: string;
  readonly conferenceId: string;
  readonly uri: string;
  readonly displayName: string | null;
  readonly private: boolean;
  readonly role: Role;
  readonly joiningMethod: JoiningMethod;
  readonly referredBy: string | null;
  readonly replaces: ReplacesValue | null;
  readonly listEntry: ListEntryRow | null;
  readonly position: number;
};

/** A participant without endpoints yet. */
export function newParticipant(facts: NewParticipant): ParticipantRow {
  // Written out: what is added beside a spread costs V8 a microsecond for each property.
  return {
    id: facts.id,
    conferenceId: facts.conferenceId,
    uri: facts.uri,
    displayName: facts.displayName === null ? null : shortened(facts.displayName),
    nickname: null,
    private: facts.private,
    role: facts.role,
    status: 'pending',
    joiningMethod: facts.joiningMethod,
    referredBy: facts.referredBy,
    replaces: facts.replaces,
    muted: false,
    joinedAt: null,
    leftAt: null,
    disconnection: null,
    endpoints: [],
    listEntry: facts.listEntry,
    attempts: [],
    lastError: null,
    position: facts.position,
    inRoster: true,
  };
}

/** Text from outside that goes into rosters and INVITEs, cut to a bearable length. */
export function shortened(text: string): string {
  return text.length <= limits.textCharactersMax ? text : `${text.slice(0, limits.textCharactersMax - 1)}…`;
}

/**
 * How the roster, and every From, names the participant.
 * RFC 4575 5.6, RFC 7701 5.2: whoever asked for privacy gets a number of its own under `.invalid`, stable for its stay.
 */
export function rosterEntity(participant: ParticipantRow): string {
  if (participant.private) return `sip:anonymous${participant.position + 1}@anonymous.invalid`;
  // An entry that could not be read is shown all the same, under a key that every reader of the roster can take.
  const unreadable = participant.listEntry?.uri === null && !/^[a-z][a-z0-9+.-]*:[\w.@+-]+$/i.test(participant.uri);
  return unreadable ? `sip:entry${participant.position + 1}@unreadable.invalid` : participant.uri;
}

/** The participant with what the roster calls `hidden` in the place of who that is, wherever it has asked it in. */
export function notNaming(participant: ParticipantRow, hidden: ParticipantRow): ParticipantRow {
  const { referredBy, endpoints } = participant;
  if (![participant, ...endpoints].some((each) => each.referredBy === hidden.uri)) return participant;
  const named = (by: string | null) => (by === hidden.uri ? rosterEntity(hidden) : by);
  const hiding = endpoints.map((endpoint) => ({ ...endpoint, referredBy: named(endpoint.referredBy) }));
  return { ...participant, referredBy: named(referredBy), endpoints: hiding };
}

/** A participant that is never dialled, with the reason as its outcome. */
export function failedParticipant(facts: NewParticipant, cause: SipCause): ParticipantRow {
  return {
    ...newParticipant(facts),
    status: 'disconnected',
    disconnection: { method: 'failed', sipStatus: cause.status, reason: cause.reason },
    lastError: cause,
  };
}

/** The participant with `endpoint` added or put in place of the one with its id; status and times follow from it. */
export function withEndpoint(participant: ParticipantRow, endpoint: EndpointRow, now: number): ParticipantRow {
  const known = participant.endpoints.some((other) => other.id === endpoint.id);
  const endpoints = known
    ? participant.endpoints.map((other) => (other.id === endpoint.id ? endpoint : other))
    : recent([...participant.endpoints, endpoint]);
  const status = statusOf(endpoints);
  const present = isPresent(status);
  const wasPresent = isPresent(participant.status);
  // Who comes back starts anew, so that `left` is told once for each time of joining.
  const returns = participant.status === 'disconnected' && status !== 'disconnected';
  const joinedBefore = returns ? null : participant.joinedAt;
  const joinedAt = present && !wasPresent ? now : joinedBefore;
  const left = status === 'disconnected' && joinedAt !== null;
  // Written out, as for a new one.
  return {
    id: participant.id,
    conferenceId: participant.conferenceId,
    uri: participant.uri,
    displayName: participant.displayName,
    // RFC 7701 7: a name is asked for before it is used, and who is back has not yet asked.
    nickname: returns ? null : participant.nickname,
    private: participant.private,
    role: participant.role,
    status,
    joiningMethod: participant.joiningMethod,
    referredBy: participant.referredBy,
    replaces: participant.replaces,
    muted: participant.muted,
    joinedAt,
    leftAt: left ? (participant.leftAt ?? now) : null,
    disconnection: status === 'disconnected' ? endpoint.disconnection : null,
    endpoints,
    listEntry: participant.listEntry,
    attempts: participant.attempts,
    lastError: participant.lastError,
    position: participant.position,
    inRoster: status === 'disconnected' ? participant.inRoster : true,
  };
}

/** What an endpoint of the participant shows of who is at it; nothing of what was not said, or says no more than the AOR. */
export function particularsOf(
  { uri }: ParticipantRow,
  said: Particulars,
): Pick<EndpointRow, 'languages' | 'associatedAors'> {
  const { languages } = said;
  const associatedAors = said.associatedAors.filter((aor) => aor !== uri);
  return { ...(languages.length > 0 && { languages }), ...(associatedAors.length > 0 && { associatedAors }) };
}

/**
 * The participant once it has, or has not, asked for privacy: whoever asks once is hidden from then on, and goes no longer by a
 * nickname of which all know whose it is (ours).
 */
export function withPrivacy(participant: ParticipantRow, isAsked: boolean): ParticipantRow {
  return isAsked && !participant.private ? { ...participant, private: true, nickname: null } : participant;
}

/** Whether one more endpoint of the participant may be open beside those that are. */
export function mayBringAnother({ endpoints }: ParticipantRow): boolean {
  return endpoints.filter(({ status }) => status !== 'disconnected').length < limits.endpointsPerParticipantMax;
}

/** RFC 4575 5.7: an endpoint's key is its own within the participant, even where two dialogs bear the same URI. */
export function unusedEntity(endpoints: readonly EndpointRow[], uri: string): string {
  const used = new Set(endpoints.map((endpoint) => endpoint.entity));
  if (!used.has(uri)) return uri;
  for (let number = 2; ; number += 1) {
    const numbered = `${uri};dialog=${number}`;
    if (!used.has(numbered)) return numbered;
  }
}

/** Whether this status means: in the conference. */
export function isPresent(status: EndpointStatus): boolean {
  return status === 'connected' || status === 'on-hold' || status === 'muted-via-focus';
}

/** On hold is whoever takes no messages just now, though there is a line for them; audio never counts, as ours is silent. */
export function isHeld(media: readonly MediaRow[]): boolean {
  const messages = media.filter(({ type }) => type === 'message');
  return messages.length > 0 && messages.every(({ status }) => status === 'sendonly' || status === 'inactive');
}

/** Who comes and goes for days keeps only the latest of the endpoints that are gone. */
function recent(endpoints: readonly EndpointRow[]): readonly EndpointRow[] {
  const gone = endpoints.filter((endpoint) => endpoint.status === 'disconnected');
  const dropped = new Set(gone.slice(0, Math.max(0, gone.length - limits.pastEndpointsMax)));
  return dropped.size === 0 ? endpoints : endpoints.filter((endpoint) => !dropped.has(endpoint));
}

function statusOf(endpoints: readonly EndpointRow[]): EndpointStatus {
  return precedence.find((status) => endpoints.some((endpoint) => endpoint.status === status)) ?? 'pending';
}

/** The event log's word for this change of a participant, or null when it is not worth one. */
export function participantEvent(before: ParticipantRow | undefined, after: ParticipantRow): string | null {
  if (before !== undefined && before.status === after.status) {
    const isSame = before.endpoints === after.endpoints && before.nickname === after.nickname;
    return isSame ? null : 'participant.updated';
  }
  const wasPresent = before !== undefined && isPresent(before.status);
  if (isPresent(after.status)) return wasPresent ? 'participant.updated' : 'participant.joined';
  // Also while another device of the same user is still being called.
  if (wasPresent) return 'participant.left';
  if (after.status === 'disconnected') return after.joinedAt === null ? 'participant.failed' : 'participant.updated';
  if (after.status === 'alerting') return 'participant.ringing';
  if (after.status === 'dialing-out' || after.status === 'pending') {
    return before === undefined || before.status === 'disconnected' ? 'participant.invited' : null;
  }
  return null;
}

/** RFC 4575 5.7: 486 and 600 mean busy, any other failure is `failed`. */
export function disconnectionFor(cause: SipCause): Disconnection {
  const busy = cause.status === 486 || cause.status === 600;
  return { method: busy ? 'busy' : 'failed', sipStatus: cause.status, reason: shortened(cause.reason) };
}
