import type { SessionDescription } from '../../wire/sdp.ts';
import type { Ids } from '../ids.ts';
import type { ReinviteReceived, SessionTimerAnswer } from '../input.ts';
import { limits } from '../limits.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Disconnection, EndpointRow, Instant, MediaRow, ParticipantRow, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import { disconnectionFor, isHeld, isPresent, withEndpoint } from './participant.ts';
import { agreedTimer, grantedTimer, timerRow } from './session-timer.ts';
import { Silence } from './silence.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** An endpoint and whose it is. */
export type Place = { readonly participant: ParticipantRow; readonly endpoint: EndpointRow };

/** The first description of ours in a session, and what is agreed by it. */
type Beginning = { readonly sdp: string; readonly media: readonly MediaRow[] };

/** What the 2xx to a re-INVITE of ours says. */
type Agreed = { readonly answer: SessionDescription | null; readonly sessionTimer: SessionTimerAnswer | null };

/** What is negotiated in sessions, from the first offer on: answers, hold, session timers, and offers that cross. */
export class SessionChanges {
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #sessions: MessageSessions;
  readonly #silence: Silence;
  /** Endpoints whose ACK must bring the answer to our offer, and since when. */
  readonly #awaitingAnswer: TurnMap<string, Instant>;

  constructor(parts: { ids: Ids; settings: Settings; ledger: Ledger; sessions: MessageSessions; turns: Turns }) {
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
    this.#silence = new Silence(parts);
    this.#awaitingAnswer = new TurnMap(parts.turns);
  }

  /** An INVITE begins a session: our answer, or our offer where it has none; null when its offer cannot be used. */
  begin(endpointId: string, offer: SessionDescription | null): Beginning | null {
    const answer = offer === null ? null : this.#sessions.answer(endpointId, offer);
    if (offer !== null && answer === null) return null;
    if (answer === null) this.#awaitingAnswer.set(endpointId, this.#ledger.now);
    this.#silence.invited(endpointId, answer?.silenced ?? false);
    return { sdp: answer?.sdp ?? this.#sessions.offer(endpointId, false), media: answer?.media ?? [] };
  }

  /** Why an INVITE or UPDATE of the peer in a session cannot be answered just now, or null. */
  crossing(input: ReinviteReceived, endpoint: EndpointRow, now: Instant): RefusalCode | null {
    if (input.overlaps) return 'request-overlaps';
    const offers = input.method === 'INVITE' || input.offer !== null;
    if (!offers) return null;
    // RFC 3261 14.2, RFC 3311 5.2: not while an offer of ours is open, be it in an INVITE or in the 200 to one.
    const isOpen = !isPresent(endpoint.status) || this.#silence.isAsking(endpoint.id);
    return isOpen || (input.method === 'UPDATE' && this.#awaitsAnswer(endpoint.id, now)) ? 'request-pending' : null;
  }

  /** A new offer, or the wish for one, within a running session; a refusal leaves it as it was (RFC 3261 14.2). */
  change(input: ReinviteReceived, place: Place): RefusalCode | null {
    const { endpoint } = place;
    const { id: endpointId } = endpoint;
    const answer = input.offer === null ? null : this.#sessions.answer(endpointId, input.offer);
    const sdp = answer === null ? this.#offerIn(input, endpointId) : answer.sdp;
    if (sdp === 'none') return 'media-not-acceptable';
    const isInvite = input.method === 'INVITE';
    const silenced = endpoint.joiningMethod === 'dialed-in' && answer?.silenced === true;
    if (isInvite) this.#silence.invited(endpointId, silenced);
    else if (answer !== null) this.#silence.offered(endpointId, silenced);
    if (isInvite) this.#awaitingAnswer.delete(endpointId);
    if (isInvite && answer === null) this.#awaitingAnswer.set(endpointId, this.#ledger.now);
    // RFC 4028 5: a session timer is a matter of sessions that are established.
    const isEarly = !isPresent(endpoint.status);
    const sessionTimer = isEarly ? null : grantedTimer(input, this.#settings, endpoint.sessionTimer);
    const timed = { ...endpoint, sessionTimer: timerRow(sessionTimer) };
    if (answer === null) this.#replace(place, timed);
    else this.#put({ ...place, endpoint: timed }, answer.media);
    const { uri: contact } = this.#ledger.conference;
    const toTag = endpoint.localTag;
    const accepted = { kind: 'session-accepted', endpointId, contact, toTag, sdp, at: 'conference' } as const;
    this.#ledger.reply(input.reply, { ...accepted, sessionTimer });
    return null;
  }

  /** ACK of a 200 of ours. RFC 3261 13.2.2.4: our offer must be answered in it; what is returned ends the session. */
  acknowledged(endpointId: string, answer: SessionDescription | null): Disconnection | null {
    const place = this.#ledger.participantOf(endpointId);
    if (place !== undefined && isPresent(place.endpoint.status)) this.#silence.acknowledged(place.endpoint);
    if (!this.#awaitingAnswer.delete(endpointId) || place === undefined) return null;
    const agreement = answer === null ? null : this.#sessions.complete(endpointId, answer);
    if (agreement === null) return { method: 'failed', sipStatus: 488, reason: 'No usable answer in the ACK' };
    const isFirst = place.endpoint.media.length === 0;
    if (isFirst) this.#replace(place, { ...place.endpoint, media: agreement.media });
    else this.#put(place, agreement.media);
    return null;
  }

  /** The answer to our re-INVITE; what cannot be used leaves the session as it was. */
  agreed({ participant, endpoint }: Place, said: Agreed): void {
    this.#silence.settle(endpoint.id);
    const agreement = said.answer === null ? null : this.#sessions.confirm(endpoint.id, said.answer);
    const timed = { ...endpoint, sessionTimer: agreedTimer(said.sessionTimer) };
    if (agreement === null) this.#replace({ participant }, timed);
    else this.#put({ participant, endpoint: timed }, agreement.media);
  }

  /** Our re-INVITE was refused, which leaves the session as it was, unless what is returned ends it. */
  notAgreed({ endpoint }: Place, cause: SipCause | null): Disconnection | null {
    // RFC 3261 12.2.1.2: 481 and 408 end the dialog, by BYE.
    if (cause?.status === 481 || cause?.status === 408) return disconnectionFor(cause);
    if (cause?.status === 491) this.#silence.pended(endpoint.id);
    else this.#silence.settle(endpoint.id);
    return null;
  }

  /** The pause after a 491 is over. */
  glareOver(endpoint: EndpointRow): void {
    this.#silence.resume(endpoint);
  }

  /** The message session with this id is gone; false: it was gone before. */
  mediaLost({ participant, endpoint }: Place, sessionId: string): boolean {
    const lost = this.#sessions.lose(endpoint.id, sessionId);
    if (lost === null) return false;
    const media = endpoint.media.map((row) => (lost.includes(row.id) ? { ...row, status: 'inactive' as const } : row));
    this.#replace({ participant }, { ...endpoint, media });
    return true;
  }

  /** The endpoint is gone. */
  forget(endpointId: string): void {
    this.#awaitingAnswer.delete(endpointId);
    this.#silence.forget(endpointId);
    this.#sessions.drop(endpointId);
  }

  /** Our offer in the 200 to a request without one; null: an UPDATE wants none. */
  #offerIn(input: ReinviteReceived, endpointId: string): string | null | 'none' {
    if (input.offer !== null) return 'none';
    return input.method === 'INVITE' ? (this.#sessions.offerAgain(endpointId) ?? 'none') : null;
  }

  /** Later than that the SIP server has ended the session, or the INVITE was cancelled and nobody will answer. */
  #awaitsAnswer(endpointId: string, now: Instant): boolean {
    const since = this.#awaitingAnswer.get(endpointId);
    return since !== undefined && now - since <= limits.ackTimeoutMs;
  }

  /** What is agreed anew also tells whether the peer is on hold. */
  #put(place: Place, media: readonly MediaRow[]): void {
    const { status } = place.endpoint;
    const next = after(endpointTransitions, status, isHeld(media) ? 'hold' : 'resume');
    this.#replace(place, { ...place.endpoint, media, status: next ?? status });
  }

  /** A refresh that changes nothing is no news for anybody. */
  #replace({ participant }: Pick<Place, 'participant'>, endpoint: EndpointRow): void {
    const before = participant.endpoints.find(({ id }) => id === endpoint.id);
    if (before !== undefined && negotiated(before) === negotiated(endpoint)) return;
    this.#ledger.putParticipant(withEndpoint(participant, endpoint, this.#ledger.now));
  }
}

function negotiated({ status, media, sessionTimer }: EndpointRow): string {
  return JSON.stringify([status, media, sessionTimer]);
}
