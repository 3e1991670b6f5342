import type { Ids } from '../ids.ts';
import type { Input } from '../input.ts';
import type { DeliveryLoss, SwitchedDelivery, SwitchedMessage } from '../messaging/switched.ts';
import type { ConferencePolicy, DeliveryRow, Instant, MessageRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { rosterEntity, shortened } from './participant.ts';

const dayMs = 86_400_000;

type Switched = Pick<Extract<Input, { type: 'messages-switched' }>, 'count' | 'messages' | 'losses'>;

/** What has become of the messages of a conference, as far as its policy has that kept. */
export class MessageLog {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  /** A message that is told again, because its save failed, has the same row: the failed one may have been committed. */
  readonly #idByMessage = new WeakMap<SwitchedMessage, string>();

  constructor({ ids, ledger }: { ids: Ids; ledger: Ledger }) {
    this.#ids = ids;
    this.#ledger = ledger;
  }

  /** The switch tells what it has done since it told last. */
  switched({ count, messages, losses }: Switched): void {
    if (count > 0) this.#ledger.patchConference({ messageCount: this.#ledger.facts.messageCount + count });
    if (this.isKept) for (const message of messages) this.#settled(this.#rowOf(message));
    for (const loss of losses) this.#lost(loss);
  }

  /** Whether anything is kept of messages. */
  get isKept(): boolean {
    return this.#policy.history !== 'off';
  }

  /** The focus says something; the switch will tell of those to whom it is on its way. */
  said(row: MessageRow): void {
    if (!this.isKept) return;
    if (row.deliveries.some(({ outcome }) => outcome === 'pending')) this.#ledger.putMessage(row);
    else this.#settled(row);
  }

  /** When what is sent now is to be erased. */
  expiryOf(sentAt: Instant): Instant {
    return sentAt + this.#policy.historyDays * dayMs;
  }

  get #policy(): ConferencePolicy {
    return this.#ledger.facts.policy;
  }

  /** It is known what became of it. */
  #settled(row: MessageRow): void {
    this.#ledger.putMessage(row);
    const number = (outcome: DeliveryRow['outcome']): number =>
      row.deliveries.filter((delivery) => delivery.outcome === outcome).length;
    const told = { delivered: number('delivered'), failed: number('failed'), skipped: number('skipped') };
    // Who wrote to whom is in the row alone, which is erased in its time; the log of events is not.
    const type = told.failed > 0 && told.delivered === 0 ? 'message.failed' : 'message.sent';
    this.#ledger.event(type, { message_id: row.id, ...told });
  }

  #rowOf(message: SwitchedMessage): MessageRow {
    const { kept, messageId, from, to, contentType, size, sentAt, content, deliveries } = message;
    if (kept !== undefined) return { ...kept, size, deliveries: settledOf(kept, deliveries) };
    return {
      id: this.#idOf(message),
      conferenceId: this.#ledger.facts.id,
      messageId,
      from,
      to: to === null ? null : [to],
      contentType: shortened(contentType),
      sentAt,
      content: this.#policy.history === 'content' ? content : null,
      size,
      deliveries: deliveries.map((delivery) => this.#deliveryOf(delivery)),
      expiresAt: this.expiryOf(sentAt),
    };
  }

  #idOf(message: SwitchedMessage): string {
    const id = this.#idByMessage.get(message) ?? this.#ids.row();
    this.#idByMessage.set(message, id);
    return id;
  }

  #deliveryOf(told: SwitchedDelivery): DeliveryRow {
    const { endpointId } = told;
    const participant = this.#ledger.participantOf(endpointId)?.participant;
    // RFC 4575 5.6: who reads what became of messages learns no more of who is who than the roster tells.
    const uri = participant === undefined ? null : rosterEntity(participant);
    return { participantId: participant?.id ?? null, uri, endpointId, ...outcomeOf(told) };
  }

  #lost({ endpointId, count, reason }: DeliveryLoss): void {
    const participant_id = this.#ledger.participantOf(endpointId)?.participant.id ?? null;
    this.#ledger.event('message.failed', { participant_id, endpoint_id: endpointId, count, reason: shortened(reason) });
  }
}

type Outcome = Pick<DeliveryRow, 'outcome' | 'status' | 'reason'>;

/** Of an endpoint that could not be sent anything. */
export const sessionless: Outcome = { outcome: 'failed', status: null, reason: 'it has no session' };

function outcomeOf({ outcome, status, reason }: SwitchedDelivery): Outcome {
  return { outcome, status, reason: reason === null ? null : shortened(reason) };
}

/** What became of a notice at those to whom it was on its way. */
function settledOf({ deliveries }: MessageRow, told: readonly SwitchedDelivery[]): readonly DeliveryRow[] {
  const byEndpoint = new Map(told.map((delivery) => [delivery.endpointId, outcomeOf(delivery)]));
  return deliveries.map((row) =>
    row.outcome === 'pending' ? { ...row, ...(byEndpoint.get(row.endpointId) ?? sessionless) } : row,
  );
}
