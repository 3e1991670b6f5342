import type { MsrpNotice } from '../effect.ts';
import type { Ids } from '../ids.ts';
import { limits } from '../limits.ts';
import type { DeliveryRow, EndpointRow, MessageRow, ParticipantRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { type MessageLog, sessionless } from './message-log.ts';
import type { MessageSessions } from './message-sessions.ts';
import { isPresent, rosterEntity } from './participant.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** What an operator has the focus say; `to`: null for everybody. */
export type NoticeOrder = {
  readonly contentType: string;
  readonly text: string;
  readonly to: readonly ParticipantRow[] | null;
};

type Place = { readonly participant: ParticipantRow; readonly endpoint: EndpointRow };

type Said = Pick<MsrpNotice, 'messageId' | 'contentType' | 'text' | 'kept'>;

const underWay = { outcome: 'pending', status: null, reason: null } as const;

type NoticeParts = {
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly log: MessageLog;
  readonly sessions: MessageSessions;
  readonly turns: Turns;
};

/** What the focus itself says: for the operator, to who comes, and of who comes and leaves. */
export class Notices {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #log: MessageLog;
  readonly #sessions: MessageSessions;
  /** Endpoints that have been greeted and are still here. */
  readonly #greeted: TurnMap<string, true>;

  constructor(parts: NoticeParts) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#log = parts.log;
    this.#sessions = parts.sessions;
    this.#greeted = new TurnMap(parts.turns);
  }

  /** Says what the operator asked for; the message as far as it is known before it is on its way. */
  post({ contentType, text, to }: NoticeOrder): MessageRow {
    const { id: conferenceId, uri, policy } = this.#ledger.facts;
    const id = this.#ids.row();
    const sentAt = this.#ledger.now;
    const size = Buffer.byteLength(text);
    const places = to === null ? this.#members : to.flatMap(placesOf);
    const row: MessageRow = {
      id,
      conferenceId,
      messageId: messageIdOf(id),
      from: uri,
      to: to?.map(rosterEntity) ?? null,
      contentType,
      size,
      sentAt,
      content: policy.history === 'content' && size <= limits.keptContentBytesMax ? text : null,
      deliveries: this.#expected(places),
      expiresAt: this.#log.expiryOf(sentAt),
    };
    const awaited = row.deliveries.filter(({ outcome }) => outcome === 'pending').map(({ endpointId }) => endpointId);
    const kept = this.#log.isKept ? { kept: row } : {};
    if (awaited.length > 0)
      this.#say({ messageId: row.messageId, contentType, text, ...kept }, to === null ? null : awaited);
    this.#log.said(row);
    return row;
  }

  /** The turn is over and its route is published: whoever has come, `arrived`, is greeted, and the others are told. */
  settle(arrived: readonly string[]): void {
    const { greeting, announcements } = this.#ledger.facts.policy;
    if (greeting) this.#greet(arrived);
    if (announcements) this.#announce();
  }

  #greet(arrived: readonly string[]): void {
    for (const { endpoints } of this.#ledger.changedParticipants)
      for (const { id, status } of endpoints) if (status === 'disconnected') this.#greeted.delete(id);
    const { subject } = this.#ledger.facts;
    const coming = arrived.filter((endpointId) => !this.#greeted.has(endpointId));
    for (const endpointId of coming) this.#greeted.set(endpointId, true);
    if (subject !== null && coming.length > 0) this.#tell(subject, coming);
  }

  #announce(): void {
    for (const { type, data } of this.#ledger.told) {
      const participant = this.#ledger.participant(String(data['participant_id']));
      if (participant === undefined) continue;
      if (type === 'participant.joined') this.#announceArrival(participant);
      else if (type === 'participant.left') this.#announceDeparture(participant);
    }
  }

  /** Whoever comes knows it. */
  #announceArrival(participant: ParticipantRow): void {
    const own = new Set(participant.endpoints.map(({ id }) => id));
    const others = this.#sessions.memberIds.filter((endpointId) => !own.has(endpointId));
    if (others.length > 0) this.#tell(`${shownName(participant)} has come`, others);
  }

  #announceDeparture(participant: ParticipantRow): void {
    if (this.#sessions.memberIds.length > 0) this.#tell(`${shownName(participant)} has left`, null);
  }

  #tell(text: string, to: readonly string[] | null): void {
    this.#say({ messageId: messageIdOf(this.#ids.row()), contentType: 'text/plain', text }, to);
  }

  /** Everybody who can be told something. */
  get #members(): readonly Place[] {
    return this.#sessions.memberIds.flatMap((endpointId) => this.#ledger.participantOf(endpointId) ?? []);
  }

  /** What is to become of a notice for these endpoints, as far as that is known before it is sent. */
  #expected(places: readonly Place[]): readonly DeliveryRow[] {
    const members = new Set(this.#sessions.memberIds);
    return places.map(({ participant, endpoint }) => ({
      participantId: participant.id,
      uri: rosterEntity(participant),
      endpointId: endpoint.id,
      ...(members.has(endpoint.id) ? underWay : sessionless),
    }));
  }

  #say(message: Said, to: readonly string[] | null): void {
    const { facts, now: sentAt } = this.#ledger;
    this.#ledger.ask({ type: 'msrp.notice', conferenceId: facts.id, ...message, to, sentAt });
  }
}

/** Where somebody in the conference can be told something. */
function placesOf(participant: ParticipantRow): readonly Place[] {
  const present = participant.endpoints.filter(({ status }) => isPresent(status));
  return present.map((endpoint) => ({ participant, endpoint }));
}

/** RFC 4975 9: at most 32 characters; of a UUID, all of it that counts. */
function messageIdOf(rowId: string): string {
  return rowId.replaceAll('-', '');
}

/** As the roster names whom the others may know. */
function shownName(participant: ParticipantRow): string {
  const { nickname, displayName, position } = participant;
  if (nickname !== null) return nickname;
  return participant.private ? `Anonymous ${position + 1}` : (displayName ?? rosterEntity(participant));
}
