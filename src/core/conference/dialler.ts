import { type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import { limits } from '../limits.ts';
import type { DialAttemptRow, EndpointRow, ParticipantRow, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { type DialForm, nextForm } from './dial-plan.ts';
import { type EndpointEvent, endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { Legs } from './legs.ts';
import { disconnectionFor, withEndpoint } from './participant.ts';

/** Whom to dial and what to say in the INVITE. */
export type DialOrder = {
  readonly target: SipUri;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly maxForwards: number;
  readonly form: DialForm;
};

/**
 * Inviting endpoints (standards 1.5): in parallel within the limits, again in another form when a refusal asks for it
 * (1.6), given up after the ring time.
 */
export class Dialler {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #legs: Legs;
  /** What each INVITE under way says; an endpoint without one, after a failed save, is not tried in another form. */
  readonly #dials = new Map<string, DialOrder>();
  /** What the roster shall say when a cancelled INVITE has ended. */
  readonly #cancelledAs = new Map<string, EndpointRow['disconnection']>();

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; legs: Legs }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#legs = parts.legs;
  }

  /** Puts a new endpoint of `participant` in the queue. */
  enqueue(participant: ParticipantRow, order: DialOrder): ParticipantRow {
    const endpointId = this.#ids.row();
    this.#dials.set(endpointId, order);
    const endpoint: EndpointRow = {
      id: endpointId,
      entity: writeSipUri(order.target),
      contact: null,
      status: 'pending',
      joiningMethod: 'dialed-out',
      ...this.#freshDialog(),
      referredBy: participant.referredBy,
      joinedAt: null,
      leftAt: null,
      disconnection: null,
      media: [],
    };
    const queued = withEndpoint(participant, endpoint, this.#ledger.now);
    this.#ledger.putParticipant(queued);
    return queued;
  }

  /** Dials as many waiting endpoints as the limits allow. */
  dialWaiting(): void {
    for (const participant of this.#ledger.participants) {
      for (const endpoint of participant.endpoints) {
        const dial = this.#dials.get(endpoint.id);
        if (endpoint.status !== 'pending' || dial === undefined) continue;
        if (this.#mayDial(dial.target))
          this.#dial(participant, { ...endpoint, status: this.#next(endpoint, 'dial') }, dial);
      }
    }
  }

  alerting(participant: ParticipantRow, endpoint: EndpointRow): void {
    const status = after(endpointTransitions, endpoint.status, 'ring');
    if (status === undefined || status === endpoint.status) return;
    this.#ledger.putParticipant(withEndpoint(participant, { ...endpoint, status }, this.#ledger.now));
    this.dialWaiting();
  }

  /** A final refusal: another INVITE in the next form, or the end of this endpoint. */
  failed(
    participant: ParticipantRow,
    endpoint: EndpointRow,
    refused: { cause: SipCause; unsupported: readonly string[] },
  ): void {
    if (after(endpointTransitions, endpoint.status, 'fail') === undefined) return;
    const dial = this.#dials.get(endpoint.id);
    const told = withOutcome(participant, refused.cause);
    const final = dial === undefined || endpoint.status === 'disconnecting';
    const form = final ? null : nextForm(dial.form, refused, this.#settings);
    if (final || form === null) this.giveUp(told, endpoint, refused.cause);
    else {
      const status = this.#next(endpoint, 'redial');
      this.#dial(told, { ...endpoint, ...this.#freshDialog(), status }, { ...dial, form });
    }
    this.dialWaiting();
  }

  /** The endpoint answered: nothing more to dial. */
  answered(participant: ParticipantRow, endpoint: EndpointRow): ParticipantRow {
    this.#stop(endpoint.id);
    return withOutcome(participant, { status: 200, reason: 'OK' });
  }

  /** Ends an unanswered endpoint by CANCEL; the roster will say `as` once it has ended. */
  cancel(participant: ParticipantRow, endpoint: EndpointRow, as: EndpointRow['disconnection']): void {
    this.#cancelledAs.set(endpoint.id, as);
    if (endpoint.status === 'pending') {
      this.giveUp(participant, endpoint, { status: 487, reason: 'Request Terminated' });
      return;
    }
    const status = after(endpointTransitions, endpoint.status, 'cancel');
    if (status === undefined) return;
    this.#ledger.stopTimer('ring', endpoint.id);
    this.#ledger.startTimer('cancel', endpoint.id, this.#ledger.now + limits.cancelTimeoutMs);
    this.#ledger.ask({ type: 'sip.cancel', endpointId: endpoint.id });
    this.#ledger.putParticipant(withEndpoint(participant, { ...endpoint, status }, this.#ledger.now));
  }

  /** The end of an endpoint that never joined. */
  giveUp(participant: ParticipantRow, endpoint: EndpointRow, cause: SipCause): void {
    const disconnection = this.#cancelledAs.get(endpoint.id) ?? disconnectionFor(cause);
    this.#stop(endpoint.id);
    this.#legs.drop(endpoint.id);
    const gone: EndpointRow = { ...endpoint, status: 'disconnected', leftAt: this.#ledger.now, disconnection };
    this.#ledger.putParticipant({ ...withEndpoint(participant, gone, this.#ledger.now), lastError: cause });
  }

  #dial(participant: ParticipantRow, endpoint: EndpointRow, dial: DialOrder): void {
    this.#dials.set(endpoint.id, dial);
    const attempt: DialAttemptRow = { at: this.#ledger.now, replaces: dial.form.replaces, outcome: null };
    const dialled = withEndpoint(participant, endpoint, this.#ledger.now);
    this.#ledger.putParticipant({ ...dialled, attempts: [...dialled.attempts, attempt] });
    this.#ledger.startTimer('ring', endpoint.id, this.#ledger.now + limits.ringTimeoutMs);
    const { conference } = this.#ledger;
    this.#ledger.ask({
      type: 'sip.invite',
      endpointId: endpoint.id,
      dialogId: endpoint.dialogId,
      target: writeSipUri(dial.target),
      displayName: participant.displayName,
      conferenceUri: conference.uri,
      callId: endpoint.callId,
      fromTag: endpoint.localTag,
      maxForwards: dial.maxForwards,
      referredBy: endpoint.referredBy,
      subject: conference.subject,
      replaces: dial.form.replaces,
      extraHeaders: dial.extraHeaders,
      sdp: this.#legs.offer(endpoint.id, dial.form.withAudio),
    });
  }

  /** Standards 7.2. Whoever rings no longer counts: it costs its host nothing more. */
  #mayDial(target: SipUri): boolean {
    const dialling = this.#ledger.participants.flatMap((participant) =>
      participant.endpoints.filter((endpoint) => endpoint.status === 'dialing-out'),
    );
    const toHost = dialling.filter((endpoint) => this.#dials.get(endpoint.id)?.target.host === target.host);
    return dialling.length < limits.parallelInvitesMax && toHost.length < limits.parallelInvitesPerHostMax;
  }

  /** RFC 3261 8.1.1: each invitee gets a Call-ID and a From tag of its own; drachtio's dialog id follows from them. */
  #freshDialog(): { callId: string; localTag: string; remoteTag: null; dialogId: string } {
    const callId = this.#ids.callId();
    const localTag = this.#ids.tag();
    return { callId, localTag, remoteTag: null, dialogId: `${callId};from-tag=${localTag}` };
  }

  #next(endpoint: EndpointRow, event: EndpointEvent): EndpointRow['status'] {
    const status = after(endpointTransitions, endpoint.status, event);
    if (status === undefined) throw new Error(`endpoint ${endpoint.status} cannot ${event}`);
    return status;
  }

  #stop(endpointId: string): void {
    this.#dials.delete(endpointId);
    this.#cancelledAs.delete(endpointId);
    this.#ledger.stopTimer('ring', endpointId);
    this.#ledger.stopTimer('cancel', endpointId);
  }
}

/** The participant with the outcome of its running attempt written down. */
function withOutcome(participant: ParticipantRow, cause: SipCause): ParticipantRow {
  const attempts = participant.attempts.map((attempt, index) =>
    index === participant.attempts.length - 1 ? { ...attempt, outcome: cause } : attempt,
  );
  return { ...participant, attempts };
}
