import type { SessionDescription } from '../../wire/sdp.ts';
import type { Ids } from '../ids.ts';
import type { Caller, Input, InviteReceived, Particulars, ReinviteReceived, SessionTimerAnswer } from '../input.ts';
import { limits } from '../limits.ts';
import type { RefusalCode } from '../refusal.ts';
import type { Disconnection, EndpointRow, Instant, ParticipantRow, Role, SipCause } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import type { Dialler } from './dialler.ts';
import { endpointTransitions } from './endpoint-state.ts';
import type { Ledger } from './ledger.ts';
import type { MessageSessions } from './message-sessions.ts';
import {
  isPresent,
  newParticipant,
  particularsOf,
  shortened,
  unusedEntity,
  withEndpoint,
  withPrivacy,
} from './participant.ts';
import { conferenceFull, isFull } from './policy.ts';
import { type Place, SessionChanges } from './session-changes.ts';
import { agreedTimer, grantedTimer, timerRow } from './session-timer.ts';
import type { Turns } from './turn-map.ts';

/** What an invitee's 2xx says. */
export type AnswerFacts = Particulars & {
  readonly contact: string | null;
  readonly remoteTag: string;
  readonly displayName: string | null;
  readonly private: boolean;
  readonly answer: SessionDescription | null;
  readonly sessionTimer: SessionTimerAnswer | null;
};

export type MediaLoss = Pick<Extract<Input, { type: 'msrp-closed' }>, 'sessionId' | 'cause' | 'reason'>;

/** Why a caller cannot be taken in: too many devices, or an offer that cannot be used. */
export type NotTakenIn = 'conference-full' | 'media-not-acceptable';

/** Who calls, as what, and by which URI; `replaces`: the endpoint whose place the new one takes. */
export type Arriving = {
  readonly caller: Caller;
  readonly role: Role;
  readonly at: 'factory' | 'conference';
  readonly replaces?: string | undefined;
};

type AttendanceParts = {
  readonly ids: Ids;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly sessions: MessageSessions;
  readonly dialler: Dialler;
  readonly turns: Turns;
};

/** Who is in the conference: endpoints that join, change their session, and leave. */
export class Attendance {
  readonly #ids: Ids;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #sessions: MessageSessions;
  readonly #dialler: Dialler;
  readonly #changes: SessionChanges;

  constructor(parts: AttendanceParts) {
    this.#ids = parts.ids;
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#sessions = parts.sessions;
    this.#dialler = parts.dialler;
    this.#changes = new SessionChanges(parts);
  }

  /** Takes in a caller who sent INVITE, and answers it; refuses without any change. */
  join(input: InviteReceived, who: Arriving): NotTakenIn | null {
    const participant = this.#participantOf(who.caller, who.role);
    const replaced = who.replaces === undefined ? undefined : this.#ledger.participantOf(who.replaces);
    const open = participant.endpoints.filter(({ id, status }) => status !== 'disconnected' && id !== who.replaces);
    if (open.length >= limits.endpointsPerParticipantMax) return 'conference-full';
    const endpointId = this.#ids.row();
    const session = this.#changes.begin(endpointId, input.offer);
    if (session === null) return 'media-not-acceptable';
    const { sdp, media } = session;
    const toTag = this.#ids.tag();
    const sessionTimer = grantedTimer(input, this.#settings, null);
    const endpoint = {
      ...this.#dialledIn(input, endpointId, toTag),
      entity: unusedEntity(participant.endpoints, input.contact),
      media,
      sessionTimer: timerRow(sessionTimer),
      ...particularsOf(participant, input),
    };
    const joined = withEndpoint(participant, endpoint, this.#ledger.now);
    if (replaced === undefined) this.#ledger.putParticipant(joined);
    else this.#takeOver(joined, replaced);
    const { uri: contact } = this.#ledger.facts;
    const accepted = { kind: 'session-accepted', endpointId, contact, toTag, sdp, at: who.at, sessionTimer } as const;
    this.#ledger.reply(input.reply, accepted);
    return null;
  }

  /** Why an INVITE or UPDATE in a session cannot be answered just now, or null. */
  crossing(input: ReinviteReceived, endpoint: EndpointRow, now: Instant): RefusalCode | null {
    return this.#changes.crossing(input, endpoint, now);
  }

  /** A new offer, or the wish for one, within a session; a refusal leaves it as it was (RFC 3261 14.2). */
  reinvite(input: ReinviteReceived): RefusalCode | null {
    const place = this.#ledger.participantOf(input.endpointId);
    if (place === undefined || place.endpoint.status === 'disconnected') return 'no-such-dialog';
    return this.#changes.change(input, place);
  }

  /** ACK of a 200 of ours. */
  acknowledged(endpointId: string, answer: SessionDescription | null): void {
    this.#hangUpIf(endpointId, this.#changes.acknowledged(endpointId, answer));
  }

  /** The answer to our re-INVITE. */
  agreed(endpointId: string, said: Pick<AnswerFacts, 'answer' | 'sessionTimer'>): void {
    const place = this.#present(endpointId);
    if (place !== undefined) this.#changes.agreed(place, said);
  }

  /** Our re-INVITE was refused. */
  notAgreed(endpointId: string, cause: SipCause | null): void {
    const place = this.#present(endpointId);
    if (place !== undefined) this.#hangUpIf(endpointId, this.#changes.notAgreed(place, cause));
  }

  /** The pause after a 491 is over. */
  glareOver(endpointId: string): void {
    const place = this.#present(endpointId);
    if (place !== undefined) this.#changes.glareOver(place.endpoint);
  }

  /** An invitee answered 2xx. */
  answered(endpointId: string, facts: AnswerFacts): void {
    const found = this.#ledger.participantOf(endpointId);
    if (found === undefined) return;
    const { participant } = found;
    const endpoint: EndpointRow = { ...found.endpoint, contact: facts.contact, remoteTag: facts.remoteTag };
    const status = after(endpointTransitions, endpoint.status, 'answer');
    if (status !== 'connected') return this.#tooLate(participant, endpoint);
    const isFurther = isPresent(participant.status);
    if (!isFurther && isFull(this.#ledger.conference)) return this.#turnAway(participant, endpoint, conferenceFull);
    const agreement = facts.answer === null ? null : this.#sessions.complete(endpointId, facts.answer);
    if (agreement === null)
      return this.#turnAway(participant, endpoint, { status: 488, reason: 'No usable media in the answer' });
    const told = this.#dialler.answered(participant, endpoint);
    const displayName = told.displayName ?? (facts.displayName === null ? null : shortened(facts.displayName));
    // Who was shown while we called is hidden from now on.
    const named = { ...withPrivacy(told, facts.private), displayName, lastError: null };
    const { media } = agreement;
    const sessionTimer = agreedTimer(facts.sessionTimer);
    const joined: EndpointRow = {
      ...endpoint,
      status,
      joinedAt: this.#ledger.now,
      media,
      sessionTimer,
      ...particularsOf(participant, facts),
    };
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

  /** A session that is no longer the endpoint's is no loss. Whoever stalls would do so in the next one, and is let go. */
  mediaLost(endpointId: string, { sessionId, cause, reason }: MediaLoss): void {
    const place = this.#present(endpointId);
    if (place === undefined || !this.#changes.mediaLost(place, sessionId)) return;
    this.#ledger.event('participant.media-lost', { participant_id: place.participant.id, reason });
    if (cause === 'stalled')
      this.hangUp(place.participant, place.endpoint, { method: 'failed', sipStatus: null, reason });
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

  /** Ends the dialog of an endpoint that is gone by its row. */
  tellGone(endpoint: EndpointRow): void {
    if (isPresent(endpoint.status)) this.#bye(endpoint, 'Conference ended');
    else this.#dialler.tellGone(endpoint.id);
  }

  /** An invitee who answered and cannot come in. */
  #turnAway(participant: ParticipantRow, endpoint: EndpointRow, cause: SipCause): void {
    this.#bye(endpoint, cause.reason);
    this.#dialler.giveUp(participant, endpoint, cause);
  }

  /** RFC 3261 9.1, 15: the 200 crossed our CANCEL; the session exists and is ended by BYE. */
  #tooLate(participant: ParticipantRow, endpoint: EndpointRow): void {
    this.#bye(endpoint, 'Cancelled');
    if (endpoint.status !== 'disconnected')
      this.#dialler.giveUp(participant, endpoint, { status: 487, reason: 'Request Terminated' });
  }

  /** `joined` has a new endpoint for `replaced`; RFC 3891 3: that is ended by BYE, or by CANCEL while it rings. */
  #takeOver(joined: ParticipantRow, replaced: Place): void {
    const how: Disconnection = { method: 'departed', sipStatus: null, reason: 'Replaced' };
    const { participant, endpoint } = replaced;
    const isOwn = participant.id === joined.id;
    if (!isPresent(endpoint.status)) {
      this.#ledger.putParticipant(joined);
      this.#dialler.cancel(isOwn ? joined : participant, endpoint, how);
    } else if (isOwn) {
      // One change of the roster, in which nobody comes or goes.
      this.#bye(endpoint, 'Replaced');
      this.#ledger.putParticipant(withEndpoint(joined, this.#left(endpoint, how), this.#ledger.now));
    } else {
      this.#ledger.putParticipant(joined);
      this.#bye(endpoint, 'Replaced');
      this.#gone(participant, endpoint, how);
    }
  }

  #gone(participant: ParticipantRow, endpoint: EndpointRow, how: Disconnection): void {
    this.#ledger.putParticipant(withEndpoint(participant, this.#left(endpoint, how), this.#ledger.now));
  }

  /** The endpoint as it is once it has left; nothing is kept of its session. */
  #left(endpoint: EndpointRow, how: Disconnection): EndpointRow {
    const status = after(endpointTransitions, endpoint.status, 'leave');
    if (status === undefined) throw new Error(`endpoint ${endpoint.status} cannot leave`);
    this.#changes.forget(endpoint.id);
    return { ...endpoint, status, leftAt: this.#ledger.now, disconnection: how, media: [] };
  }

  #hangUpIf(endpointId: string, how: Disconnection | null): void {
    const place = how === null ? undefined : this.#present(endpointId);
    if (place !== undefined && how !== null) this.hangUp(place.participant, place.endpoint, how);
  }

  /** The endpoint, as long as it is in the conference. */
  #present(endpointId: string): Place | undefined {
    const place = this.#ledger.participantOf(endpointId);
    return place !== undefined && isPresent(place.endpoint.status) ? place : undefined;
  }

  #bye(endpoint: EndpointRow, reason: string): void {
    this.#ledger.ask({ type: 'sip.bye', endpointId: endpoint.id, dialogId: endpoint.dialogId, reason });
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
      origin: { by: 'invite', received: keptText(input), quirks: input.quirks },
    };
  }

  /** The caller as already known here, perhaps invited or gone, or as a new participant. */
  #participantOf(caller: Caller, role: Role): ParticipantRow {
    const known = this.#ledger.participantByUri(caller.aor);
    if (known !== undefined) {
      const displayName = known.displayName ?? (caller.displayName === null ? null : shortened(caller.displayName));
      return { ...withPrivacy(known, caller.private), displayName };
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

/** What is kept of an INVITE with its endpoint, which is saved again with each change: all of it where it was odd. */
function keptText({ received, quirks }: InviteReceived): string {
  return quirks.length > 0 ? received : received.slice(0, limits.plainTextMax);
}
