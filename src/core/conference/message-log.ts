import type { Ids } from '../ids.ts';
import type { Input } from '../input.ts';
import { limits } from '../limits.ts';
import type { DeliveryLoss, SwitchedDelivery, SwitchedMessage } from '../messaging/switched.ts';
import type { ConferencePolicy, DeliveryRow, Instant, MessageRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { shortened } from './participant.ts';
import { TurnMap, type Turns } from './turn-map.ts';

const dayMs = 86_400_000;

type Switched = Pick<Extract<Input, { type: 'messages-switched' }>, 'count' | 'messages' | 'losses'>;

/** What has become of the messages of a conference, as far as its policy has that kept. */
export class MessageLog {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  /** What the focus has said and the switch has not yet told of, by Message-ID. */
  readonly #untold: TurnMap<string, MessageRow>;

  constructor({ ids, ledger, turns }: { ids: Ids; ledger: Ledger; turns: Turns }) {
    this.#ids = ids;
    this.#ledger = ledger;
    this.#untold = new TurnMap(turns);
  }

  /** The switch tells what it has done since it told last. */
  switched({ count, messages, losses }: Switched): void {
    if (count > 0) this.#ledger.patchConference({ messageCount: this.#ledger.facts.messageCount + count });
    if (this.#policy.history !== 'off') for (const message of messages) this.#settled(message);
    for (const loss of losses) this.#lost(loss);
  }

  /** The focus says something. */
  said(row: MessageRow): void {
    if (this.#policy.history === 'off') return;
    this.#ledger.putMessage(row);
    this.#untold.set(row.messageId, row);
    const [oldest] = this.#untold.size > limits.untoldNoticesMax ? this.#untold.keys() : [];
    if (oldest !== undefined) this.#untold.delete(oldest);
  }

  /** When what is sent now is to be erased. */
  expiryOf(sentAt: Instant): Instant {
    return sentAt + this.#policy.historyDays * dayMs;
  }

  get #policy(): ConferencePolicy {
    return this.#ledger.facts.policy;
  }

  #settled(message: SwitchedMessage): void {
    const row = this.#rowOf(message);
    this.#ledger.putMessage(row);
    const number = (outcome: DeliveryRow['outcome']): number =>
      row.deliveries.filter((delivery) => delivery.outcome === outcome).length;
    const told = { delivered: number('delivered'), failed: number('failed'), skipped: number('skipped') };
    // Who wrote to whom is in the row alone, which is erased in its time; the log of events is not.
    const type = told.failed > 0 && told.delivered === 0 ? 'message.failed' : 'message.sent';
    this.#ledger.event(type, { message_id: row.id, ...told });
  }

  #rowOf({ messageId, from, to, contentType, size, sentAt, content, deliveries }: SwitchedMessage): MessageRow {
    const told = { size, deliveries: deliveries.map((delivery) => this.#deliveryOf(delivery)) };
    const said = from === this.#ledger.facts.uri ? this.#untold.get(messageId) : undefined;
    if (said !== undefined) {
      this.#untold.delete(messageId);
      return { ...said, ...told };
    }
    return {
      id: this.#ids.row(),
      conferenceId: this.#ledger.facts.id,
      messageId,
      from,
      to: to === null ? null : [to],
      contentType: shortened(contentType),
      sentAt,
      content: this.#policy.history === 'content' ? content : null,
      expiresAt: this.expiryOf(sentAt),
      ...told,
    };
  }

  #deliveryOf({ endpointId, outcome, status, reason }: SwitchedDelivery): DeliveryRow {
    const participant = this.#ledger.participantOf(endpointId)?.participant;
    return {
      participantId: participant?.id ?? null,
      uri: participant?.uri ?? null,
      endpointId,
      outcome,
      status,
      reason: reason === null ? null : shortened(reason),
    };
  }

  #lost({ endpointId, count, reason }: DeliveryLoss): void {
    const participant_id = this.#ledger.participantOf(endpointId)?.participant.id ?? null;
    this.#ledger.event('message.failed', { participant_id, endpoint_id: endpointId, count, reason: shortened(reason) });
  }
}
