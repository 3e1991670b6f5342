import type { Effect } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type {
  ConferenceRecord,
  ConferenceRow,
  ConferenceStatus,
  Disconnection,
  EndpointRow,
  ParticipantRow,
  StoredConference,
} from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { Attendance } from './attendance.ts';
import { type ConferenceEvent, conferenceTransitions } from './conference-state.ts';
import { Dialler } from './dialler.ts';
import { Invitations } from './invitations.ts';
import { Ledger } from './ledger.ts';
import { type Ending, idleTimer, Lifetime } from './lifetime.ts';
import { MessageLog } from './message-log.ts';
import { MessageSessions } from './message-sessions.ts';
import { Nicknames } from './nicknames.ts';
import { Notices } from './notices.ts';
import { Notifier } from './notifier.ts';
import { Referrals } from './referrals.ts';
import { Turns } from './turn-map.ts';

export type ConferenceParts = { readonly ids: Ids; readonly settings: Settings; readonly record: ConferenceRecord };

/**
 * The focus of one conference (RFC 4579 3.1): its states and its parts. Attendance knows who is in, Invitations and the
 * Dialler whom it asks in, Referrals who has asked it to, the Notifier who watches, the MessageSessions who can exchange
 * messages, Lifetime when it ends by itself; they share one Ledger. Whatever is done to them happens inside `turn`.
 */
export class Conference {
  readonly ledger: Ledger;
  readonly attendance: Attendance;
  readonly invitations: Invitations;
  readonly notifier: Notifier;
  readonly dialler: Dialler;
  readonly referrals: Referrals;
  readonly nicknames: Nicknames;
  readonly messages: MessageLog;
  readonly notices: Notices;
  readonly #turns = new Turns();
  readonly #sessions: MessageSessions;
  readonly #lifetime: Lifetime;

  constructor(parts: ConferenceParts) {
    const { ids, settings } = parts;
    const turns = this.#turns;
    const ledger = new Ledger({ ids, turns, record: parts.record });
    const sessions = new MessageSessions({ ids, settings, ledger, turns });
    const dialler = new Dialler({ ids, settings, ledger, sessions, turns });
    this.ledger = ledger;
    this.#sessions = sessions;
    this.dialler = dialler;
    this.attendance = new Attendance({ ids, settings, ledger, dialler, sessions, turns });
    this.invitations = new Invitations({ ids, settings, ledger, dialler });
    this.notifier = new Notifier({ ids, settings, ledger, turns });
    this.referrals = new Referrals({ ids, ledger, turns });
    this.nicknames = new Nicknames({ ledger, turns });
    this.messages = new MessageLog({ ids, ledger });
    this.notices = new Notices({ ids, ledger, log: this.messages, sessions, turns });
    this.#lifetime = new Lifetime(ledger);
  }

  get row(): ConferenceRow {
    return this.ledger.conference;
  }

  /** Takes this moment down; what is returned leads back to it, as if the turns since had never been. */
  capture(): () => void {
    const ledger = this.ledger.capture();
    const dialler = this.dialler.capture();
    const maps = this.#turns.capture();
    return () => {
      ledger();
      dialler();
      this.#sessions.wentBack();
      this.notifier.wentBack();
      maps();
    };
  }

  /** Runs one input; gives its effects in order, the save first. */
  turn(now: number, actor: string | null, body: () => void): Effect[] {
    this.ledger.open(now, actor);
    body();
    if (this.#isActive) this.#endByPolicy();
    if (this.#isActive) this.dialler.dialWaiting();
    this.referrals.settle();
    this.nicknames.settle();
    this.#settleWhenQuiet();
    this.ledger.settleCounts();
    if (this.#isActive) this.notices.settle(this.#sessions.publishRoute());
    if (this.ledger.rosterChanged) this.notifier.rosterChanged();
    return this.ledger.close();
  }

  /** After a mistake of ours in a turn: what it asked for is withdrawn and everybody is let go. */
  collapse(): Effect[] {
    this.ledger.withdrawEffects();
    this.#endInError();
    this.#settleWhenQuiet();
    this.ledger.settleCounts();
    return this.ledger.close();
  }

  activate(): void {
    this.#move('activate');
    this.ledger.patchConference({ activatedAt: this.ledger.now });
    this.ledger.event('conference.activated', {});
  }

  /** Ends it: a last NOTIFY to every subscriber, BYE or CANCEL to everybody (RFC 4575 3.3, RFC 4579 5.12). */
  end(ending: Ending): void {
    if (after(conferenceTransitions, this.row.status, 'end') === undefined) return;
    this.#move('end');
    // Whoever is being cancelled still is.
    this.ledger.stopTimers('cancel');
    this.ledger.patchConference({ endReason: ending.reason, endedBy: ending.by });
    // Before the BYEs: some SIP servers have the whole dialog end with its session, as some phones do, which answer 481 then.
    this.referrals.endAll();
    this.notifier.terminateAll(ending.subscriptions);
    const connected: Disconnection = { method: 'booted', sipStatus: null, reason: ending.text };
    const unanswered: Disconnection = { method: 'failed', sipStatus: 487, reason: ending.text };
    for (const { id } of this.ledger.participants) this.attendance.dismiss(id, { connected, unanswered });
    this.#sessions.close();
  }

  /** Removes one participant; RFC 4579 5.11: it also stops watching. */
  remove(participant: ParticipantRow, reason: string): void {
    const booted: Disconnection = { method: 'booted', sipStatus: null, reason };
    this.attendance.dismiss(participant.id, { connected: booted, unanswered: booted });
    for (const row of this.ledger.subscriptions) {
      if (row.subscriber === participant.uri) this.notifier.terminate(row, 'rejected');
    }
  }

  /** Removes one participant because `by`, a participant, asked for it. RFC 4579 3.4: whoever leaves may go on watching. */
  removeFor(participant: ParticipantRow, by: string): void {
    if (participant.uri !== by) return this.remove(participant, 'Removed by a chair');
    const left: Disconnection = { method: 'departed', sipStatus: null, reason: 'Left at own request' };
    this.attendance.dismiss(participant.id, { connected: left, unanswered: left });
  }

  timerFired(kind: string, item: string): void {
    if (!this.ledger.timerFired(kind, item)) return;
    if (kind === 'ring') this.#rangTooLong(item);
    else if (kind === 'cancel') this.#cancelUnanswered(item);
    else if (kind === 'glare') this.attendance.glareOver(item);
    else if (kind === 'linger') this.#leaveRoster(item);
    else if (kind === 'expiry') this.#subscriptionExpired(item);
    else if (kind === 'pace') this.notifier.paceAllows();
    else if (kind === 'referral') this.referrals.expired(item);
    else if (kind === idleTimer.kind) this.end(this.#lifetime.idle());
  }

  /** Lost with every dialog: nobody can be told, and nobody can answer any more. */
  lose(ending: Ending): void {
    this.end(ending);
    this.dialler.abandonAll({ status: 503, reason: ending.text });
  }

  /** Takes the stored rows for its own where they are not what was thought, and lets everybody go. */
  giveUpOn(stored: StoredConference, now: number): Effect[] {
    const known = this.ledger.record();
    this.ledger.adopt(stored);
    return this.turn(now, null, () => {
      if (stored.conference.status === 'active') this.#endInError();
      else this.#closeAll(stored.conference.status);
      this.referrals.endUnknown(stored.referrals);
      this.#tellUntold(known, stored);
    });
  }

  /** What is still open of a conference that the store has as ending, or ended. */
  #closeAll(status: ConferenceStatus): void {
    this.referrals.endAll();
    this.#sessions.close();
    this.ledger.stopTimers(status === 'ended' ? null : 'cancel');
  }

  /** Who has gone by the store's rows, or is being called no more, and was never told: nobody else would end that. */
  #tellUntold(known: ConferenceRecord, stored: ConferenceRecord): void {
    const before = endpointsOf(known);
    const after = endpointsOf(stored);
    for (const endpoint of before.values()) {
      const isGone = (after.get(endpoint.id)?.status ?? 'disconnected') === 'disconnected';
      if (endpoint.status !== 'disconnected' && isGone) this.attendance.tellGone(endpoint);
    }
    for (const { id, status } of after.values())
      if (status === 'disconnecting' && before.get(id)?.status !== status) this.dialler.tellCancelled(id);
    const watching = new Set(stored.subscriptions.map(({ id }) => id));
    for (const row of known.subscriptions) if (!watching.has(row.id)) this.notifier.tellGone(row);
  }

  get #isActive(): boolean {
    return this.ledger.facts.status === 'active';
  }

  #endInError(): void {
    this.end({ reason: 'error', by: null, text: 'Server internal error', subscriptions: 'noresource' });
  }

  #endByPolicy(): void {
    const over = this.#lifetime.over();
    if (over === null) this.#lifetime.watch();
    else this.end(over);
  }

  /** No cancelled INVITE can be answered any more: nothing of the conference is left outside. */
  #settleWhenQuiet(): void {
    if (this.ledger.facts.status !== 'ending') return;
    if (this.ledger.count((status) => status !== 'disconnected') > 0) return;
    this.#move('settle');
    this.ledger.stopTimers(null);
    this.ledger.patchConference({ endedAt: this.ledger.now });
    this.ledger.event('conference.ended', { reason: this.row.endReason });
  }

  #rangTooLong(endpointId: string): void {
    const found = this.ledger.participantOf(endpointId);
    if (found === undefined) return;
    this.dialler.cancel(found.participant, found.endpoint, { method: 'failed', sipStatus: 408, reason: 'No answer' });
  }

  #cancelUnanswered(endpointId: string): void {
    const found = this.ledger.participantOf(endpointId);
    if (found === undefined || found.endpoint.status !== 'disconnecting') return;
    this.dialler.giveUp(found.participant, found.endpoint, { status: 408, reason: 'Request Timeout' });
  }

  #leaveRoster(participantId: string): void {
    const participant = this.ledger.participant(participantId);
    if (participant?.status === 'disconnected') this.ledger.putParticipant({ ...participant, inRoster: false });
  }

  #subscriptionExpired(id: string): void {
    const row = this.ledger.subscription(id);
    if (row !== undefined) this.notifier.terminate(row, 'timeout');
  }

  #move(event: ConferenceEvent): void {
    const status = after(conferenceTransitions, this.row.status, event);
    if (status === undefined) throw new Error(`conference ${this.row.status} cannot ${event}`);
    this.ledger.patchConference({ status });
  }
}

function endpointsOf({ participants }: ConferenceRecord): ReadonlyMap<string, EndpointRow> {
  return new Map(participants.flatMap(({ endpoints }) => endpoints.map((endpoint) => [endpoint.id, endpoint])));
}
