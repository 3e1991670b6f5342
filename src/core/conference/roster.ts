import type {
  CallInfo,
  ConferenceDescription,
  ConferenceInfoEndpoint,
  ConferenceInfoUser,
  ConferenceState,
  HostInfo,
} from '../../wire/conference-info.ts';
import type { ConferenceRecord, ConferenceRow, Disconnection, EndpointRow, Instant, ParticipantRow } from '../rows.ts';
import { rosterEntity } from './participant.ts';
import { type Sight, sights, type View } from './views.ts';

/** The conference state that subscribers and REST see (RFC 4575 4, 5), derived from the rows alone. */

/** Who asked for privacy, by AOR, and the name each has here. */
export type Hidden = ReadonlyMap<string, string>;

/** Those of `participants` whom watchers may not know. */
export function hiddenAmong(participants: readonly ParticipantRow[]): Hidden {
  return new Map(participants.filter((one) => one.private).map((one) => [one.uri, rosterEntity(one)]));
}

/** The participants that watchers see, in their order. */
export function listed({ participants }: Pick<ConferenceRecord, 'participants'>): readonly ParticipantRow[] {
  return participants.filter((participant) => participant.inRoster).sort((a, b) => a.position - b.position);
}

/** RFC 4575 5.3: what the conference is about, and how to come in. */
export function descriptionOf(conference: ConferenceRow): ConferenceDescription {
  return {
    subject: conference.subject,
    confUris: [{ uri: conference.uri, purpose: 'participation' }],
    maximumUserCount: conference.maxParticipants,
    availableMedia: [{ label: 'message', type: 'message', status: 'sendrecv' }],
  };
}

/** RFC 4575 5.4: who made it; nobody is named whom the roster hides, or of whom that is forgotten, and no operator. */
export function hostOf({ createdBy, participants }: HostFacts, hidden: Hidden): HostInfo | null {
  const creator = participants.find(({ uri }) => uri === createdBy);
  if (creator === undefined || !/^(sips?|tel):/.test(createdBy) || hidden.has(createdBy)) return null;
  const uris = [{ uri: createdBy, purpose: null }];
  return { displayText: creator.displayName, webPage: null, uris };
}

type HostFacts = { readonly createdBy: string; readonly participants: readonly ParticipantRow[] };

/** RFC 4575 5.5. */
export function stateOf(conference: Pick<ConferenceRow, 'participantCount' | 'status' | 'locked'>): ConferenceState {
  return {
    userCount: conference.participantCount,
    active: conference.status === 'active',
    locked: conference.locked,
  };
}

export type UserSight = { readonly view: View; readonly hidden: Hidden };

/** RFC 4575 5.6: one participant as `view` shows it. */
export function userOf(participant: ParticipantRow, { view, hidden }: UserSight): ConferenceInfoUser {
  const sight = sights[view];
  const anonymous = participant.private;
  const shown = shownEndpoints(participant);
  const latest = shown.at(-1)?.endpoint;
  return {
    entity: rosterEntity(participant),
    nickname: participant.nickname,
    displayText: anonymous ? `Anonymous ${participant.position + 1}` : participant.displayName,
    associatedAors: anonymous || !sight.addresses ? [] : (latest?.associatedAors ?? []),
    roles: [participant.role],
    languages: anonymous ? [] : (latest?.languages ?? []),
    endpoints:
      shown.length > 0
        ? shown.map((each) => endpointOf(participant, { ...each, sight, hidden }))
        : [undialled(participant, { sight, hidden })],
  };
}

type Place = { readonly endpoint: EndpointRow; readonly index: number };

/** Those that are open, else the last one; each with its place among all. */
function shownEndpoints({ endpoints }: ParticipantRow): readonly Place[] {
  const places = endpoints.map((endpoint, index) => ({ endpoint, index }));
  const current = places.filter(({ endpoint }) => endpoint.status !== 'disconnected');
  return current.length > 0 ? current : places.slice(-1);
}

type EndpointSight = { readonly sight: Sight; readonly hidden: Hidden };

function endpointOf(
  participant: ParticipantRow,
  { endpoint, index, sight, hidden }: Place & EndpointSight,
): ConferenceInfoEndpoint {
  const callInfo = sight.callInfo && !participant.private ? callInfoOf(endpoint) : null;
  return {
    entity: endpointEntity(participant, { endpoint, index, sight }),
    ...circumstances(endpoint, { sight, hidden, joinedAt: endpoint.joinedAt }),
    status: shownStatus(endpoint.status, sight),
    joiningMethod: endpoint.joiningMethod,
    media: endpoint.media,
    callInfo,
  };
}

/** A list entry that was never dialled is shown all the same, with the reason. */
function undialled(participant: ParticipantRow, { sight, hidden }: EndpointSight): ConferenceInfoEndpoint {
  return {
    entity: rosterEntity(participant),
    ...circumstances(participant, { sight, hidden, joinedAt: null }),
    status: shownStatus(participant.status, sight),
    joiningMethod: participant.joiningMethod,
    media: [],
    callInfo: null,
  };
}

/** RFC 4575 5.6: an anonymous participant's endpoint must not be its Contact. */
function endpointEntity(participant: ParticipantRow, { endpoint, index, sight }: Place & { sight: Sight }): string {
  if (participant.private) return `sip:anonymous${participant.position + 1}-${index + 1}@anonymous.invalid`;
  if (sight.addresses) return endpoint.entity;
  return index === 0 ? rosterEntity(participant) : `${rosterEntity(participant)};endpoint=${index + 1}`;
}

/** Whom we are calling, or call no more, is to come, for those who are not to know more. */
function shownStatus(status: EndpointRow['status'], { transients }: Sight): EndpointRow['status'] {
  const isTransient = status === 'dialing-out' || status === 'alerting' || status === 'disconnecting';
  return isTransient && !transients ? 'pending' : status;
}

type Circumstances = Pick<
  ConferenceInfoEndpoint,
  'referred' | 'joiningInfo' | 'disconnectionMethod' | 'disconnectionInfo'
>;
type Happened = Pick<EndpointRow, 'referredBy' | 'disconnection' | 'leftAt'>;

function circumstances(
  { referredBy, disconnection, leftAt }: Happened,
  { sight, hidden, joinedAt }: EndpointSight & { joinedAt: Instant | null },
): Circumstances {
  const disconnectionMethod = disconnection?.method ?? null;
  if (!sight.circumstances) {
    return { referred: null, joiningInfo: null, disconnectionMethod, disconnectionInfo: null };
  }
  return {
    // Who invited somebody by name may ask for privacy later.
    referred: referredBy === null ? null : { when: null, reason: null, by: hidden.get(referredBy) ?? referredBy },
    joiningInfo: joinedAt === null ? null : { when: joinedAt, reason: null, by: null },
    disconnectionMethod,
    disconnectionInfo: disconnection === null ? null : disconnectionInfo(disconnection, leftAt),
  };
}

function disconnectionInfo({ sipStatus, reason }: Disconnection, when: Instant | null) {
  return { when, reason: reasonHeader(sipStatus, reason), by: null };
}

/** RFC 4575 5.7.2: the reason in the form of a Reason header (RFC 3326). */
function reasonHeader(status: number | null, text: string | null): string | null {
  if (status === null) return text;
  const quoted = text?.replaceAll('"', "'").replaceAll('\\', '\\\\');
  return `Reason: SIP;cause=${status}${quoted === undefined ? '' : `;text="${quoted}"`}`;
}

/** RFC 4575 5.7.3: of the dialog, as its INVITE had it. */
function callInfoOf({ callId, localTag, remoteTag, joiningMethod }: EndpointRow): CallInfo | null {
  if (remoteTag === null) return null;
  return joiningMethod === 'dialed-out'
    ? { callId, fromTag: localTag, toTag: remoteTag }
    : { callId, fromTag: remoteTag, toTag: localTag };
}
