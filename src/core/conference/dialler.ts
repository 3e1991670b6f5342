import { destinationHost, type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { SipInvite } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type { ReferredBy } from '../input.ts';
import { limits } from '../limits.ts';
import type { DialAttemptRow, EndpointRow, OriginRow, ParticipantRow, ReplacesValue, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { type DialForm, firstForm, nextForm, type Refusal } from './dial-plan.ts';
import { DialSlots } from './dial-slots.ts';
import { type EndpointEvent, endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import { disconnectionFor, isPresent, shortened, unusedEntity, withEndpoint } from './participant.ts';
import { conferenceFull, isFull } from './policy.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** Whom to dial and what to say in the INVITE. */
export type DialOrder = {
  readonly target: SipUri;
  readonly replaces: ReplacesValue | null;
  /** Value of Join (RFC 3911 7.1). */
  readonly join: string | null;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
  readonly maxForwards: number;
  /** On whose behalf, or null: nobody who may be named. */
  readonly referredBy: string | null;
  /** Referred-By of the REFER that asked for it, to be passed on as it came. */
  readonly referral: ReferredBy | null;
  /** RFC 5366 5: the recipient-list-history, one text for all of a list. */
  readonly history: string | null;
  /** 0 for whom we were asked to invite, 1 for the members of a list that refused us, 2 for the members of theirs. */
  readonly listDepth: number;
  readonly origin: OriginRow;
};

/** An order that waits or is under way. */
type Dial = {
  readonly participantId: string;
  readonly order: DialOrder;
  readonly form: DialForm;
  /** CSeq of its last INVITE. */
  readonly cseq: number;
};

/** How an INVITE ended, with the value of the answer's Reason header (RFC 3326). */
type Ending = SipCause & { readonly reasonHeader?: string | null };

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
  readonly #dials: TurnMap<string, Dial>;
  /** Endpoints that wait for a place, in their order. */
  readonly #waiting = new Set<string>();
  readonly #slots: DialSlots;
  #membersDialled = 0;
  /** The peers' tags of the early dialogs of an INVITE, by its endpoint. */
  readonly #earlyTags: TurnMap<string, readonly string[]>;
  /** What the roster shall say when a cancelled INVITE has ended. */
  readonly #cancelledAs: TurnMap<string, EndpointRow['disconnection']>;

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; sessions: MessageSessions; turns: Turns }) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
    this.#dials = new TurnMap(parts.turns);
    this.#slots = new DialSlots(parts.turns);
    this.#cancelledAs = new TurnMap(parts.turns);
    this.#earlyTags = new TurnMap(parts.turns);
  }

  /** Puts a new endpoint of `participant` in the queue. */
  enqueue(participant: ParticipantRow, order: DialOrder): ParticipantRow {
    const endpointId = this.#ids.row();
    const { replaces, join, referral, history } = order;
    const multipart = history !== null || (referral !== null && referral.token !== null);
    const form = firstForm({ replaces, join, multipart }, this.#settings);
    this.#dials.set(endpointId, { participantId: participant.id, order, form, cseq: 0 });
    this.#waiting.add(endpointId);
    if (order.listDepth > 0) this.#membersDialled += 1;
    // Who is called again at the same URI is shown there again.
    const open = participant.endpoints.filter(({ status }) => status !== 'disconnected');
    const endpoint: EndpointRow = {
      id: endpointId,
      entity: unusedEntity(open, writeSipUri({ ...order.target, password: null })),
      contact: null,
      status: 'pending',
      joiningMethod: 'dialed-out',
      ...this.#freshDialog(),
      referredBy: order.referredBy,
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

  /** Dials as many waiting endpoints as the limits allow; into a full conference nobody more is asked. */
  dialWaiting(): void {
    for (const endpointId of this.#waiting) {
      if (this.#slots.full) return;
      const dial = this.#dials.get(endpointId);
      const participant = dial === undefined ? undefined : this.#ledger.participant(dial.participantId);
      const endpoint = participant?.endpoints.find(({ id }) => id === endpointId);
      if (dial === undefined || participant === undefined || endpoint === undefined) this.#waiting.delete(endpointId);
      else if (this.#isOneTooMany(participant)) this.giveUp(participant, endpoint, conferenceFull);
      else if (this.#slots.free(destinationHost(dial.order.target)))
        this.#dial(participant, { ...endpoint, status: this.#next(endpoint, 'dial') }, { dial, change: null });
    }
  }

  /** 18x; `remoteTag` is that of the early dialog. */
  alerting(participant: ParticipantRow, endpoint: EndpointRow, remoteTag: string | null): void {
    const status = after(endpointTransitions, endpoint.status, 'ring');
    if (status === undefined) return;
    if (remoteTag !== null) this.#learnEarlyDialog(endpoint.id, remoteTag);
    // Of a forked INVITE the first phone that rings is shown.
    const rung = { ...endpoint, status, remoteTag: endpoint.remoteTag ?? remoteTag };
    if (status === endpoint.status && rung.remoteTag === endpoint.remoteTag) return;
    // Whoever rings no longer takes a place: ringing costs nothing more.
    this.#slots.give(endpoint.id);
    this.#ledger.putParticipant(withEndpoint(participant, rung, this.#ledger.now));
  }

  /** RFC 3261 12.1.2: each phone that rings for a forked INVITE has an early dialog, until one of them answers. */
  hasEarlyDialog(endpointId: string, remoteTag: string): boolean {
    return this.#earlyTags.get(endpointId)?.includes(remoteTag) === true;
  }

  /** A final refusal: another INVITE in the next form, or the end of this endpoint. */
  failed(
    participant: ParticipantRow,
    endpoint: EndpointRow,
    refusal: Refusal & Pick<DialAttemptRow, 'reasonHeader'>,
  ): void {
    if (after(endpointTransitions, endpoint.status, 'fail') === undefined) return;
    const dial = this.#dials.get(endpoint.id);
    const final = dial === undefined || endpoint.status === 'disconnecting';
    const next = final ? null : nextForm(dial.form, refusal, this.#settings);
    const ending = { ...refusal.cause, reasonHeader: refusal.reasonHeader };
    if (final || next === null) {
      this.giveUp(participant, endpoint, ending);
      return;
    }
    const status = this.#next(endpoint, 'redial');
    const told = this.#withOutcome(participant, endpoint.id, ending);
    const call = next.sameCall ? { remoteTag: null } : this.#freshDialog();
    const origin = readBy(endpoint.origin, next.quirk);
    const again = { ...dial, form: next.form, cseq: next.sameCall ? dial.cseq : 0 };
    this.#dial(told, { ...endpoint, ...call, origin, status }, { dial: again, change: next.change });
  }

  /** The endpoint answered: nothing more to dial. */
  answered(participant: ParticipantRow, endpoint: EndpointRow): ParticipantRow {
    this.#stop(endpoint.id);
    return this.#withOutcome(participant, endpoint.id, { status: 200, reason: 'OK' });
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

  /** Ends the INVITE of an endpoint that is gone by its row. */
  tellGone(endpointId: string): void {
    this.#stop(endpointId);
    this.#ledger.ask({ type: 'sip.cancel', endpointId });
  }

  /** CANCEL of an INVITE that is being cancelled by its row. */
  tellCancelled(endpointId: string): void {
    this.#slots.give(endpointId);
    this.#ledger.stopTimer('ring', endpointId);
    this.#ledger.startTimer('cancel', endpointId, this.#ledger.now + limits.cancelTimeoutMs);
    this.#ledger.ask({ type: 'sip.cancel', endpointId });
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
    this.tellCancelled(endpoint.id);
    this.#ledger.putParticipant(withEndpoint(participant, { ...endpoint, status }, this.#ledger.now));
  }

  /** The end of an endpoint that never joined. */
  giveUp(participant: ParticipantRow, endpoint: EndpointRow, ending: Ending): void {
    const disconnection = this.#cancelledAs.get(endpoint.id) ?? disconnectionFor(ending);
    this.#stop(endpoint.id);
    this.#sessions.drop(endpoint.id);
    const gone: EndpointRow = { ...endpoint, status: 'disconnected', leftAt: this.#ledger.now, disconnection };
    const told = this.#withOutcome(participant, endpoint.id, ending);
    this.#ledger.putParticipant({ ...withEndpoint(told, gone, this.#ledger.now), lastError: bounded(ending) });
  }

  /** What was asked for an endpoint that waits or is being dialled. */
  orderOf(endpointId: string): DialOrder | null {
    return this.#dials.get(endpointId)?.order ?? null;
  }

  /** How many members of lists that refused us have been put in the queue since the conference began. */
  get membersDialled(): number {
    return this.#membersDialled;
  }

  /** A way back to this moment between two turns, beside that of the maps: those who wait keep their order. */
  capture(): () => void {
    const waiting = [...this.#waiting];
    const membersDialled = this.#membersDialled;
    return () => {
      this.#membersDialled = membersDialled;
      this.#waiting.clear();
      for (const endpointId of waiting) this.#waiting.add(endpointId);
    };
  }

  #dial(participant: ParticipantRow, endpoint: EndpointRow, of: { dial: Dial; change: string | null }): void {
    const dial = { ...of.dial, cseq: of.dial.cseq + 1 };
    this.#dials.set(endpoint.id, dial);
    this.#waiting.delete(endpoint.id);
    this.#earlyTags.delete(endpoint.id);
    this.#slots.take(endpoint.id, destinationHost(dial.order.target));
    const { now } = this.#ledger;
    const attempt: DialAttemptRow = {
      endpointId: endpoint.id,
      at: now,
      replaces: dial.form.replaces,
      change: of.change,
      outcome: null,
      endedAt: null,
      reasonHeader: null,
    };
    const attempts = [...participant.attempts, attempt].slice(-limits.attemptsPerParticipantMax);
    this.#ledger.putParticipant({ ...withEndpoint(participant, endpoint, now), attempts });
    this.#ledger.startTimer('ring', endpoint.id, now + limits.ringTimeoutMs);
    this.#ledger.ask(this.#invite(participant, endpoint, dial));
  }

  #invite({ displayName }: ParticipantRow, endpoint: EndpointRow, { order, form, cseq }: Dial): SipInvite {
    const { conference } = this.#ledger;
    const { referral } = order;
    return {
      type: 'sip.invite',
      endpointId: endpoint.id,
      dialogId: endpoint.dialogId,
      target: writeSipUri(order.target),
      displayName,
      conferenceUri: conference.uri,
      callId: endpoint.callId,
      fromTag: endpoint.localTag,
      cseq,
      maxForwards: order.maxForwards,
      referredBy: endpoint.referredBy,
      // RFC 3892 2.2: the value stays as it came, even where its token cannot be taken.
      referral: referral === null || form.multipart ? referral : { ...referral, token: null },
      subject: conference.subject,
      replaces: form.replaces,
      join: form.join,
      sessionTimer: form.sessionTimer,
      history: form.multipart ? order.history : null,
      extraHeaders: order.extraHeaders,
      sdp: this.#sessions.offer(endpoint.id, form.withAudio),
    };
  }

  #learnEarlyDialog(endpointId: string, remoteTag: string): void {
    const known = this.#earlyTags.get(endpointId) ?? [];
    if (known.includes(remoteTag) || known.length >= limits.earlyDialogsMax) return;
    this.#earlyTags.set(endpointId, [...known, remoteTag]);
  }

  #isOneTooMany({ status }: ParticipantRow): boolean {
    return !isPresent(status) && isFull(this.#ledger.conference, this.#ledger.count(isPresent));
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
    this.#waiting.delete(endpointId);
    this.#slots.give(endpointId);
    this.#cancelledAs.delete(endpointId);
    this.#earlyTags.delete(endpointId);
    this.#ledger.stopTimer('ring', endpointId);
    this.#ledger.stopTimer('cancel', endpointId);
  }

  /** The participant with the outcome of the endpoint's running attempt written down. */
  #withOutcome(participant: ParticipantRow, endpointId: string, ending: Ending): ParticipantRow {
    const ended = {
      outcome: bounded(ending),
      endedAt: this.#ledger.now,
      reasonHeader: ending.reasonHeader == null ? null : shortened(ending.reasonHeader),
    };
    const attempts = participant.attempts.map((attempt) =>
      attempt.endpointId === endpointId && attempt.outcome === null ? { ...attempt, ...ended } : attempt,
    );
    return { ...participant, attempts };
  }
}

/** The origin with the quirk by which it has been read since. */
function readBy(origin: OriginRow, quirk: string | null): OriginRow {
  return quirk === null ? origin : { ...origin, quirks: [...origin.quirks, quirk] };
}

function bounded({ status, reason }: SipCause): SipCause {
  return { status, reason: shortened(reason) };
}
