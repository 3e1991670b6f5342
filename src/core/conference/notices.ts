import type { Ids } from '../ids.ts';
import type { MessageRow, ParticipantRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import type { MessageLog } from './message-log.ts';
import type { MessageSessions } from './message-sessions.ts';
import { isPresent, rosterEntity } from './participant.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** What an operator has the focus say; `to`: null for everybody. */
export type NoticeOrder = {
  readonly contentType: string;
  readonly text: string;
  readonly to: readonly ParticipantRow[] | null;
};

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
    const row: MessageRow = {
      id,
      conferenceId,
      messageId: messageIdOf(id),
      from: uri,
      to: to?.map(rosterEntity) ?? null,
      contentType,
      size: Buffer.byteLength(text),
      sentAt,
      content: policy.history === 'content' ? text : null,
      deliveries: [],
      expiresAt: this.#log.expiryOf(sentAt),
    };
    const endpoints = to?.flatMap((participant) => participant.endpoints.filter(({ status }) => isPresent(status)));
    this.#say({ messageId: row.messageId, contentType, text }, endpoints?.map((endpoint) => endpoint.id) ?? null);
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

  #say(message: { messageId: string; contentType: string; text: string }, to: readonly string[] | null): void {
    const { facts, now: sentAt } = this.#ledger;
    this.#ledger.ask({ type: 'msrp.notice', conferenceId: facts.id, ...message, to, sentAt });
  }
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
