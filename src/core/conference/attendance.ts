import type { SessionDescription } from '../../wire/sdp.ts';
import type { Ids } from '../ids.ts';
import type { Caller, InviteReceived, ReinviteReceived, SessionTimerAnswer } from '../input.ts';
import { limits } from '../limits.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Disconnection, EndpointRow, MediaRow, ParticipantRow, Role, SessionTimerRow, SipCause } from '../rows.ts';
import { after } from '../transition.ts';
import type { Dialler } from './dialler.ts';
import { endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import { disconnectionFor, isPresent, newParticipant, shortened, withEndpoint } from './participant.ts';
import { Silence } from './silence.ts';

/** What an invitee's 2xx says. */
export type AnswerFacts = {
  readonly contact: string | null;
  readonly remoteTag: string;
  readonly displayName: string | null;
  readonly answer: SessionDescription | null;
  readonly sessionTimer: SessionTimerAnswer | null;
};

/** Who is in the conference: endpoints that join, change their session, and leave. */
export class Attendance {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #sessions: MessageSessions;
  readonly #dialler: Dialler;
  readonly #silence: Silence;
  /** Endpoints whose ACK must bring the answer to our offer. */
  readonly #awaitingAnswer = new Set<string>();

  constructor(parts: { ids: Ids; ledger: Ledger; sessions: MessageSessions; dialler: Dialler }) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
    this.#dialler = parts.dialler;
    this.#silence = new Silence(parts);
  }

  /** A way back to this moment between two turns. */
  capture(): () => void {
    const awaiting = [...this.#awaitingAnswer];
    const silence = this.#silence.capture();
    return () => {
      silence();
      this.#awaitingAnswer.clear();
      for (const endpointId of awaiting) this.#awaitingAnswer.add(endpointId);
    };
  }

  /** Takes in a caller who sent INVITE, and answers it; refuses without any change. */
  join(input: InviteReceived, who: { caller: Caller; role: Role; at: 'factory' | 'conference' }): RefusalCode | null {
    const participant = this.#participantOf(who.caller, who.role);
    const open = participant.endpoints.filter((endpoint) => endpoint.status !== 'disconnected');
    if (open.length >= limits.endpointsPerParticipantMax) return 'conference-full';
    const endpointId = this.#ids.row();
    const answer = input.offer === null ? null : this.#sessions.answer(endpointId, input.offer);
    if (input.offer !== null && answer === null) return 'media-not-acceptable';
    const sdp = answer?.sdp ?? this.#sessions.offer(endpointId, false);
    if (answer === null) this.#awaitingAnswer.add(endpointId);
    this.#silence.invited(endpointId, answer?.silenced ?? false);
    const toTag = this.#ids.tag();
    const entity = unusedEntity(participant, input.contact);
    const endpoint = { ...this.#dialledIn(input, endpointId, toTag), entity, media: answer?.media ?? [] };
    this.#ledger.putParticipant(withEndpoint(participant, endpoint, this.#ledger.now));
    const contact = this.#ledger.conference.uri;
    this.#ledger.reply(input.reply, {
      kind: 'session-accepted',
      endpointId,
      contact,
      toTag,
      sdp,
      at: who.at,
      sessionTimer: null,
    });
    return null;
  }

  /** A new offer, or the wish for one, within a running session; a refusal leaves it as it was (RFC 3261 14.2). */
  reinvite(input: ReinviteReceived): RefusalCode | null {
    const found = this.#present(input.endpointId);
    if (found === undefined) return 'no-such-dialog';
    const answer = input.offer === null ? null : this.#sessions.answer(input.endpointId, input.offer);
    const sdp = input.offer === null ? this.#sessions.offerAgain(input.endpointId) : (answer?.sdp ?? null);
    if (sdp === null) return 'media-not-acceptable';
    if (answer === null) this.#awaitingAnswer.add(input.endpointId);
    else this.#setMedia(found.participant, found.endpoint, answer.media);
    const isCaller = found.endpoint.joiningMethod === 'dialed-in';
    this.#silence.invited(input.endpointId, isCaller && answer?.silenced === true);
    const contact = this.#ledger.conference.uri;
    const toTag = found.endpoint.localTag;
    this.#ledger.reply(input.reply, {
      kind: 'session-accepted',
      endpointId: input.endpointId,
      contact,
      toTag,
      sdp,
      at: 'conference',
      sessionTimer: null,
    });
    return null;
  }

  /** ACK of a 200 of ours. RFC 3261 13.2.2.4: our offer must be answered in it, else the session ends. */
  acknowledged(endpointId: string, answer: SessionDescription | null): void {
    const found = this.#ledger.participantOf(endpointId);
    if (found !== undefined && isPresent(found.endpoint.status)) this.#silence.acknowledged(found.endpoint);
    if (!this.#awaitingAnswer.delete(endpointId) || found === undefined) return;
    const agreement = answer === null ? null : this.#sessions.complete(endpointId, answer);
    if (agreement !== null) this.#setMedia(found.participant, found.endpoint, agreement.media);
    else
      this.hangUp(found.participant, found.endpoint, {
        method: 'failed',
        sipStatus: 488,
        reason: 'No usable answer in the ACK',
      });
  }

  /** Whether an INVITE of ours is under way within the endpoint's session. */
  isAsking(endpointId: string): boolean {
    return this.#silence.isAsking(endpointId);
  }

  /** The answer to our re-INVITE; what cannot be used leaves the session as it was. */
  agreed(endpointId: string, answer: SessionDescription | null): void {
    const found = this.#present(endpointId);
    if (found === undefined) return;
    this.#silence.settle(endpointId);
    const agreement = answer === null ? null : this.#sessions.confirm(endpointId, answer);
    if (agreement !== null) this.#setMedia(found.participant, found.endpoint, agreement.media);
  }

  /** Our re-INVITE was refused, which leaves the session as it was, unless the refusal says that there is none. */
  notAgreed(endpointId: string, cause: SipCause | null): void {
    const found = this.#present(endpointId);
    if (found === undefined) return;
    // RFC 3261 12.2.1.2: 481 and 408 end the dialog, by BYE.
    if (cause?.status === 481 || cause?.status === 408)
      this.hangUp(found.participant, found.endpoint, disconnectionFor(cause));
    else if (cause?.status === 491) this.#silence.pended(endpointId);
    else this.#silence.settle(endpointId);
  }

  /** The pause after a 491 is over. */
  glareOver(endpointId: string): void {
    const found = this.#present(endpointId);
    if (found !== undefined) this.#silence.resume(found.endpoint);
  }

  /** An invitee answered 2xx. */
  answered(endpointId: string, facts: AnswerFacts): void {
    const found = this.#ledger.participantOf(endpointId);
    if (found === undefined) return;
    const { participant } = found;
    const endpoint: EndpointRow = { ...found.endpoint, contact: facts.contact, remoteTag: facts.remoteTag };
    const status = after(endpointTransitions, endpoint.status, 'answer');
    if (status !== 'connected') return this.#tooLate(participant, endpoint);
    const agreement = facts.answer === null ? null : this.#sessions.complete(endpointId, facts.answer);
    if (agreement === null) {
      this.#bye(endpoint, 'No usable media in the answer');
      this.#dialler.giveUp(participant, endpoint, { status: 488, reason: 'No usable media in the answer' });
      return;
    }
    const told = this.#dialler.answered(participant, endpoint);
    const displayName = told.displayName ?? (facts.displayName === null ? null : shortened(facts.displayName));
    const named = { ...told, displayName, lastError: null };
    const { media } = agreement;
    const sessionTimer = agreedTimer(facts.sessionTimer);
    const joined: EndpointRow = { ...endpoint, status, joinedAt: this.#ledger.now, media, sessionTimer };
    this.#ledger.putParticipant(withEndpoint(named, joined, this.#ledger.now));
  }

  /** The endpoint's dialog is over without our doing. */
  departed(endpointId: string, how: Disconnection): void {
    const found = this.#present(endpointId);
    if (found !== undefined) this.#gone(found.participant, found.endpoint, how);
  }

  /** An INVITE was withdrawn before our 200 could reach its sender (RFC 3261 9.2). */
  withdrawn(dialogId: string): void {
    for (const participant of this.#ledger.participants) {
      const endpoint = participant.endpoints.find((candidate) => candidate.dialogId === dialogId);
      if (endpoint === undefined || !isPresent(endpoint.status)) continue;
      this.#gone(participant, endpoint, { method: 'failed', sipStatus: 487, reason: 'Request Terminated' });
    }
  }

  mediaLost(endpointId: string, reason: string): void {
    const found = this.#present(endpointId);
    if (found === undefined) return;
    this.#sessions.lose(endpointId);
    const media = found.endpoint.media.map((row) =>
      row.type === 'message' ? { ...row, status: 'inactive' as const } : row,
    );
    this.#setMedia(found.participant, found.endpoint, media);
    this.#ledger.event('participant.media-lost', { participant_id: found.participant.id, reason });
  }

  /** Ends every endpoint of a participant by the focus's own will: BYE where connected, CANCEL where not yet. */
  dismiss(participantId: string, how: { connected: Disconnection; unanswered: Disconnection }): void {
    for (const { id } of this.#ledger.participant(participantId)?.endpoints ?? []) {
      const found = this.#ledger.participantOf(id);
      if (found === undefined || found.endpoint.status === 'disconnected') continue;
      if (isPresent(found.endpoint.status)) this.hangUp(found.participant, found.endpoint, how.connected);
      else this.#dialler.cancel(found.participant, found.endpoint, how.unanswered);
    }
  }

  hangUp(participant: ParticipantRow, endpoint: EndpointRow, how: Disconnection): void {
    this.#bye(endpoint, how.reason ?? 'Conference ended');
    this.#gone(participant, endpoint, how);
  }

  /** RFC 3261 9.1, 15: the 200 crossed our CANCEL; the session exists and is ended by BYE. */
  #tooLate(participant: ParticipantRow, endpoint: EndpointRow): void {
    this.#bye(endpoint, 'Cancelled');
    if (endpoint.status !== 'disconnected')
      this.#dialler.giveUp(participant, endpoint, { status: 487, reason: 'Request Terminated' });
  }

  #gone(participant: ParticipantRow, endpoint: EndpointRow, how: Disconnection): void {
    const status = after(endpointTransitions, endpoint.status, 'leave');
    if (status === undefined) throw new Error(`endpoint ${endpoint.status} cannot leave`);
    this.#awaitingAnswer.delete(endpoint.id);
    this.#silence.forget(endpoint.id);
    this.#sessions.drop(endpoint.id);
    const left: EndpointRow = { ...endpoint, status, leftAt: this.#ledger.now, disconnection: how, media: [] };
    this.#ledger.putParticipant(withEndpoint(participant, left, this.#ledger.now));
  }

  /** The endpoint, as long as it is in the conference. */
  #present(endpointId: string): { participant: ParticipantRow; endpoint: EndpointRow } | undefined {
    const found = this.#ledger.participantOf(endpointId);
    return found !== undefined && isPresent(found.endpoint.status) ? found : undefined;
  }

  #bye(endpoint: EndpointRow, reason: string): void {
    this.#ledger.ask({ type: 'sip.bye', endpointId: endpoint.id, dialogId: endpoint.dialogId, reason });
  }

  #setMedia(participant: ParticipantRow, endpoint: EndpointRow, media: readonly MediaRow[]): void {
    if (JSON.stringify(endpoint.media) === JSON.stringify(media)) return;
    this.#ledger.putParticipant(withEndpoint(participant, { ...endpoint, media }, this.#ledger.now));
  }

  #dialledIn(input: InviteReceived, id: string, localTag: string): EndpointRow {
    return {
      id,
      entity: input.contact,
      contact: input.contact,
      status: 'connected',
      joiningMethod: 'dialed-in',
      callId: input.callId,
      localTag,
      remoteTag: input.fromTag,
      dialogId: input.dialogId,
      referredBy: null,
      joinedAt: this.#ledger.now,
      leftAt: null,
      disconnection: null,
      media: [],
      sessionTimer: null,
      origin: { by: 'invite', received: input.received, quirks: input.quirks },
    };
  }

  /** The caller as already known here, perhaps invited or gone, or as a new participant. */
  #participantOf(caller: Caller, role: Role): ParticipantRow {
    const known = this.#ledger.participantByUri(caller.aor);
    if (known !== undefined) {
      const displayName = known.displayName ?? (caller.displayName === null ? null : shortened(caller.displayName));
      // Whoever asks for privacy once is hidden from then on.
      return { ...known, displayName, private: known.private || caller.private };
    }
    return newParticipant({
      id: this.#ids.row(),
      conferenceId: this.#ledger.conference.id,
      uri: caller.aor,
      displayName: caller.displayName,
      private: caller.private,
      role,
      joiningMethod: 'dialed-in',
      referredBy: null,
      replaces: null,
      listEntry: null,
      position: this.#ledger.nextPosition,
    });
  }
}

/** RFC 4028 7.2: what the 2xx to our INVITE says; the UAC of that INVITE is the focus. */
function agreedTimer(said: SessionTimerAnswer | null): SessionTimerRow | null {
  return said === null ? null : { expires: said.expires, refresher: said.refresher === 'uac' ? 'focus' : 'peer' };
}

/** RFC 4575 5.7: an endpoint's key is its own within the participant, even when two dialogs bear the same Contact. */
function unusedEntity(participant: ParticipantRow, contact: string): string {
  const used = new Set(participant.endpoints.map((endpoint) => endpoint.entity));
  if (!used.has(contact)) return contact;
  for (let number = 2; ; number += 1) {
    const numbered = `${contact};dialog=${number}`;
    if (!used.has(numbered)) return numbered;
  }
}
