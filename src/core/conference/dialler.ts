import { type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import { limits } from '../limits.ts';
import type { DialAttemptRow, EndpointRow, OriginRow, ParticipantRow, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { type DialForm, nextForm } from './dial-plan.ts';
import { type EndpointEvent, endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import { disconnectionFor, shortened, withEndpoint } from './participant.ts';

/** Whom to dial and what to say in the INVITE. */
export type DialOrder = {
  readonly target: SipUri;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly maxForwards: number;
  readonly origin: OriginRow;
  readonly form: DialForm;
};

/**
 * Inviting endpoints (RFC 5366 5): in parallel within the limits, again in another form when a refusal asks for it
 * (`nextForm`), given up after the ring time.
 */
export class Dialler {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #sessions: MessageSessions;
  /** What each INVITE waiting or under way says. */
  readonly #dials = new Map<string, DialOrder>();
  /** What the roster shall say when a cancelled INVITE has ended. */
  readonly #cancelledAs = new Map<string, EndpointRow['disconnection']>();

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; sessions: MessageSessions }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
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
      sessionTimer: null,
      origin: order.origin,
    };
    const queued = withEndpoint(participant, endpoint, this.#ledger.now);
    this.#ledger.putParticipant(queued);
    return queued;
  }

  /** Dials as many waiting endpoints as the limits allow. */
  dialWaiting(): void {
    for (const [endpointId, dial] of this.#dials) {
      const found = this.#ledger.participantOf(endpointId);
      if (found?.endpoint.status !== 'pending' || !this.#mayDial(dial.target)) continue;
      this.#dial(found.participant, { ...found.endpoint, status: this.#next(found.endpoint, 'dial') }, dial);
    }
  }

  alerting(participant: ParticipantRow, endpoint: EndpointRow): void {
    const status = after(endpointTransitions, endpoint.status, 'ring');
    if (status === undefined || status === endpoint.status) return;
    this.#ledger.putParticipant(withEndpoint(participant, { ...endpoint, status }, this.#ledger.now));
  }

  /** A final refusal: another INVITE in the next form, or the end of this endpoint. */
  failed(
    participant: ParticipantRow,
    endpoint: EndpointRow,
    refused: { cause: SipCause; unsupported: readonly string[] },
  ): void {
    if (after(endpointTransitions, endpoint.status, 'fail') === undefined) return;
    const dial = this.#dials.get(endpoint.id);
    const final = dial === undefined || endpoint.status === 'disconnecting';
    const form = final ? null : nextForm(dial.form, refused, this.#settings);
    if (final || form === null) this.giveUp(participant, endpoint, refused.cause);
    else {
      const status = this.#next(endpoint, 'redial');
      const told = withOutcome(participant, endpoint.id, refused.cause);
      this.#dial(told, { ...endpoint, ...this.#freshDialog(), status }, { ...dial, form });
    }
  }

  /** The endpoint answered: nothing more to dial. */
  answered(participant: ParticipantRow, endpoint: EndpointRow): ParticipantRow {
    this.#stop(endpoint.id);
    return withOutcome(participant, endpoint.id, { status: 200, reason: 'OK' });
  }

  /** Ends every unanswered endpoint at once: no answer can come any more. */
  abandonAll(cause: SipCause): void {
    for (const participant of this.#ledger.participants) {
      for (const { id } of participant.endpoints) {
        const found = this.#ledger.participantOf(id);
        if (found === undefined || after(endpointTransitions, found.endpoint.status, 'fail') === undefined) continue;
        this.giveUp(found.participant, found.endpoint, cause);
      }
    }
  }

  /** Ends an unanswered endpoint by CANCEL; the roster will say `as` once it has ended. */
  cancel(participant: ParticipantRow, endpoint: EndpointRow, as: EndpointRow['disconnection']): void {
    // The first reason stands: who was removed stays removed although the conference ends meanwhile.
    if (!this.#cancelledAs.has(endpoint.id)) this.#cancelledAs.set(endpoint.id, as);
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
    this.#sessions.drop(endpoint.id);
    const gone: EndpointRow = { ...endpoint, status: 'disconnected', leftAt: this.#ledger.now, disconnection };
    const told = withOutcome(participant, endpoint.id, cause);
    this.#ledger.putParticipant({ ...withEndpoint(told, gone, this.#ledger.now), lastError: bounded(cause) });
  }

  /** A way back to this moment between two turns. */
  capture(): () => void {
    const dials = [...this.#dials];
    const cancelledAs = [...this.#cancelledAs];
    return () => {
      this.#dials.clear();
      this.#cancelledAs.clear();
      for (const [endpointId, dial] of dials) this.#dials.set(endpointId, dial);
      for (const [endpointId, as] of cancelledAs) this.#cancelledAs.set(endpointId, as);
    };
  }

  #dial(participant: ParticipantRow, endpoint: EndpointRow, dial: DialOrder): void {
    this.#dials.set(endpoint.id, dial);
    const { now } = this.#ledger;
    const attempt: DialAttemptRow = {
      endpointId: endpoint.id,
      at: now,
      replaces: dial.form.replaces,
      change: null,
      outcome: null,
      endedAt: null,
      reasonHeader: null,
    };
    const attempts = [...participant.attempts, attempt].slice(-limits.attemptsPerParticipantMax);
    this.#ledger.putParticipant({ ...withEndpoint(participant, endpoint, now), attempts });
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
      referral: null,
      subject: conference.subject,
      replaces: dial.form.replaces,
      join: null,
      sessionTimer: null,
      history: null,
      extraHeaders: dial.extraHeaders,
      sdp: this.#sessions.offer(endpoint.id, dial.form.withAudio),
    });
  }

  /** RFC 5363 5.2: no flood, least of all of one host. Whoever rings no longer counts: ringing costs nothing more. */
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

/** The participant with the outcome of the endpoint's running attempt written down. */
function withOutcome(participant: ParticipantRow, endpointId: string, cause: SipCause): ParticipantRow {
  const attempts = participant.attempts.map((attempt) =>
    attempt.endpointId === endpointId && attempt.outcome === null ? { ...attempt, outcome: bounded(cause) } : attempt,
  );
  return { ...participant, attempts };
}

function bounded({ status, reason }: SipCause): SipCause {
  return { status, reason: shortened(reason) };
}
