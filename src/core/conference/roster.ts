import {
  type ConferenceInfoDocument,
  type ConferenceInfoEndpoint,
  type ConferenceInfoUser,
  writeConferenceInfo,
} from '../../wire/conference-info.ts';
import { limits } from '../limits.ts';
import type { ConferenceRecord, Disconnection, EndpointRow, Instant, ParticipantRow } from '../rows.ts';
import { rosterEntity } from './participant.ts';

/** The conference state that subscribers and REST see (RFC 4575 4, 5), derived from the rows alone. */

/**
 * The full document as XML of at most `limits.conferenceInfoBytesMax` octets. A roster too long for that lists its
 * users, as many as fit, and of those who changed last what became of them; `user-count` still tells all.
 */
export function fullRoster(record: ConferenceRecord, version: number): string {
  return new RosterTexts().at(record, version);
}

/** RFC 4575 4.6: the last document of a conference that is no more. */
export function deletedRoster(conferenceUri: string, version: number): string {
  return writeConferenceInfo({
    entity: conferenceUri,
    state: 'deleted',
    version,
    description: null,
    conferenceState: null,
    users: null,
  });
}

/**
 * Renders each roster version once, whoever watches: two subscribers' documents of one roster differ in nothing but
 * the `version` of the root, which counts within each subscription (RFC 4575 5.2).
 */
export class RosterTexts {
  #rosterVersion = -1;
  #beforeVersion = '';
  #afterVersion = '';
  /** While the roster is too long: each participant as shown last, and the roster version since when. */
  #changed: ReadonlyMap<string, { readonly row: ParticipantRow; readonly version: number }> = new Map();

  at(record: ConferenceRecord, version: number): string {
    if (record.conference.version !== this.#rosterVersion) this.#render(record);
    return `${this.#beforeVersion}${version}${this.#afterVersion}`;
  }

  #render(record: ConferenceRecord): void {
    const text = this.#fitting(record);
    // The root comes first, and in its attributes a quotation mark ends a value.
    const at = text.indexOf(' version="0"') + ' version="'.length;
    this.#beforeVersion = text.slice(0, at);
    this.#afterVersion = text.slice(at + 1);
    this.#rosterVersion = record.conference.version;
  }

  #fitting(record: ConferenceRecord): string {
    const document = rosterDocument(record, 0);
    const whole = writeConferenceInfo(document);
    if (bytesOf(whole) <= room) return whole;
    const users = (document.users ?? []).map((user) => ({ ...user, endpoints: user.endpoints.map(statusOf) }));
    return shortened(writeConferenceInfo({ ...document, users }), this.#lastChangedFirst(record));
  }

  /** Places in the roster: who changed last at the front, and of several who did whoever is not just waiting. */
  #lastChangedFirst(record: ConferenceRecord): readonly number[] {
    const places = listed(record).map((row, index) => {
      const known = this.#changed.get(row.id);
      return { row, index, version: known?.row === row ? known.version : record.conference.version };
    });
    this.#changed = new Map(places.map(({ row, version }) => [row.id, { row, version }]));
    const waits = ({ status }: ParticipantRow): number => (status === 'pending' ? 1 : 0);
    return places.sort((a, b) => b.version - a.version || waits(a.row) - waits(b.row)).map(({ index }) => index);
  }
}

/** Room for the digits of any version. */
const roomForVersion = 10;
const room = limits.conferenceInfoBytesMax - roomForVersion;

/** What became of an endpoint, without the circumstances. */
function statusOf({ entity, status, disconnectionMethod }: ConferenceInfoEndpoint): ConferenceInfoEndpoint {
  const circumstances = { referred: null, joiningMethod: null, joiningInfo: null, disconnectionInfo: null, media: [] };
  return { entity, status, disconnectionMethod, ...circumstances };
}

/**
 * `text` with the users that find room, without endpoints, and with those of the users in `order` for which there is
 * room then. In XML text no `<user ` or `<endpoint ` can stand but the tags themselves.
 */
function shortened(text: string, order: readonly number[]): string {
  const tail = '</users></conference-info>';
  const [head = '', ...users] = text.slice(0, -tail.length).split(/(?=<user )/);
  let left = room - bytesOf(head) - bytesOf(tail);
  const kept = users.map((user) => {
    const bare = user.replace(/<endpoint .*<\/endpoint>/s, '');
    const bytes = bytesOf(bare);
    if (bytes > left) return '';
    left -= bytes;
    return bare;
  });
  for (const index of order) {
    const [bare = '', user = ''] = [kept[index], users[index]];
    const bytes = bytesOf(user) - bytesOf(bare);
    if (bare === '' || bytes > left) continue;
    left -= bytes;
    kept[index] = user;
  }
  return `${head}${kept.join('')}${tail}`;
}

/** RFC 4575 5.2: a full document, with description and users even when they are empty. */
export function rosterDocument(record: ConferenceRecord, version: number): ConferenceInfoDocument {
  const { conference, participants } = record;
  const hidden = new Map(participants.filter((one) => one.private).map((one) => [one.uri, rosterEntity(one)]));
  return {
    entity: conference.uri,
    state: 'full',
    version,
    description: {
      subject: conference.subject,
      confUris: [{ uri: conference.uri, purpose: 'participation' }],
      maximumUserCount: conference.maxParticipants,
    },
    conferenceState: {
      userCount: conference.participantCount,
      active: conference.status === 'active',
      locked: conference.locked,
    },
    users: listed(record).map((participant) => userOf(participant, hidden)),
  };
}

/** The participants that watchers see, in their order. */
function listed({ participants }: ConferenceRecord): readonly ParticipantRow[] {
  return participants.filter((participant) => participant.inRoster).sort((a, b) => a.position - b.position);
}

/** Who asked for privacy, by AOR, and the name each has here. */
type Hidden = ReadonlyMap<string, string>;

function userOf(participant: ParticipantRow, hidden: Hidden): ConferenceInfoUser {
  const current = participant.endpoints.filter((endpoint) => endpoint.status !== 'disconnected');
  const shown = current.length > 0 ? current : participant.endpoints.slice(-1);
  return {
    entity: rosterEntity(participant),
    displayText: participant.private ? `Anonymous ${participant.position + 1}` : participant.displayName,
    roles: [participant.role],
    endpoints:
      shown.length > 0
        ? shown.map((endpoint, index) => endpointOf(participant, { endpoint, index, hidden }))
        : [undialled(participant, hidden)],
  };
}

type Shown = { readonly endpoint: EndpointRow; readonly index: number; readonly hidden: Hidden };

function endpointOf(participant: ParticipantRow, { endpoint, index, hidden }: Shown): ConferenceInfoEndpoint {
  return {
    entity: participant.private ? anonymousEndpoint(participant, index) : endpoint.entity,
    referred: referredBy(endpoint.referredBy, hidden),
    status: endpoint.status,
    joiningMethod: endpoint.joiningMethod,
    joiningInfo: endpoint.joinedAt === null ? null : { when: endpoint.joinedAt, reason: null, by: null },
    ...disconnectionOf(endpoint.disconnection, endpoint.leftAt),
    media: endpoint.media,
  };
}

/** A list entry that was never dialled is shown all the same, with the reason. */
function undialled(participant: ParticipantRow, hidden: Hidden): ConferenceInfoEndpoint {
  return {
    entity: rosterEntity(participant),
    referred: referredBy(participant.referredBy, hidden),
    status: participant.status,
    joiningMethod: participant.joiningMethod,
    joiningInfo: null,
    ...disconnectionOf(participant.disconnection, participant.leftAt),
    media: [],
  };
}

/** Who invited somebody by name may ask for privacy later. */
function referredBy(uri: string | null, hidden: Hidden): ConferenceInfoEndpoint['referred'] {
  return uri === null ? null : { when: null, reason: null, by: hidden.get(uri) ?? uri };
}

/** RFC 4575 5.6: an anonymous participant's endpoint must not be its Contact. */
function anonymousEndpoint(participant: ParticipantRow, index: number): string {
  return `sip:anonymous${participant.position + 1}-${index + 1}@anonymous.invalid`;
}

function disconnectionOf(
  disconnection: Disconnection | null,
  when: Instant | null,
): Pick<ConferenceInfoEndpoint, 'disconnectionMethod' | 'disconnectionInfo'> {
  if (disconnection === null) return { disconnectionMethod: null, disconnectionInfo: null };
  const { method, sipStatus, reason } = disconnection;
  return {
    disconnectionMethod: method,
    disconnectionInfo: { when, reason: reasonHeader(sipStatus, reason), by: null },
  };
}

/** RFC 4575 5.7.2: the reason in the form of a Reason header (RFC 3326). */
function reasonHeader(status: number | null, text: string | null): string | null {
  if (status === null) return text;
  return `Reason: SIP;cause=${status}${text === null ? '' : `;text="${text.replaceAll('"', "'")}"`}`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
