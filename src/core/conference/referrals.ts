import { aorOf, type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { SipNotifyReferral } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type { ReferReceived, ReferralRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import type { Instant, ReferralRow, ReferTargetRow, SipCause } from '../rows.ts';
import { after } from '../transition.ts';
import type { Ledger } from './ledger.ts';
import { fatalAnswers } from './notifier.ts';
import { isPresent, shortened } from './participant.ts';
import { type ReportEvent, type ReportState, reportTransitions } from './referral-state.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** One URI of a REFER, and what was set going for it. */
export type ReferralTarget = {
  readonly row: ReferTargetRow;
  /** The endpoint whose INVITE brings the outcome. */
  readonly endpointId: string | null;
  /** Whom to send a REFER of ours, so that he calls in. */
  readonly callee: SipUri | null;
};

/** An accepted REFER: who sent it, and who is named as the referrer, null where nobody may be. */
export type AcceptedRefer = {
  readonly by: string;
  readonly referredBy: string | null;
  readonly targets: readonly ReferralTarget[];
};

/** One referral under way. */
type Open = {
  readonly row: ReferralRow;
  readonly endpointIds: readonly (string | null)[];
  readonly report: ReportState;
  readonly expiresAt: Instant;
};

type Sent = SipNotifyReferral['state'];

const trying: SipCause = { status: 100, reason: 'Trying' };
const terminated: SipCause = { status: 487, reason: 'Request Terminated' };

/** The REFERs that one conference has accepted and not settled: what becomes of each, and what its sender is told of it. */
export class Referrals {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #open: TurnMap<string, Open>;
  /** AORs of those who were asked to call in, the latest last. */
  readonly #askedIn: TurnMap<string, true>;

  constructor(parts: { ids: Ids; ledger: Ledger; turns: Turns }) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#open = new TurnMap(parts.turns);
    this.#askedIn = new TurnMap(parts.turns);
  }

  /** Ids of those that are not settled. */
  get openIds(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Whether `aor` was asked to call in (RFC 4579 5.7). */
  hasAskedIn(aor: string): boolean {
    return this.#askedIn.has(aor);
  }

  /** How many of them came in one dialog. */
  countIn(dialogId: string): number {
    return [...this.#open.values()].filter(({ row }) => row.dialogId === dialogId).length;
  }

  /** The REFER whose sender is still told of it; undefined once that is over. */
  told(id: string): Pick<ReferralRow, 'by' | 'dialogId'> | undefined {
    const open = this.#open.get(id);
    return open === undefined || open.report === 'over' ? undefined : open.row;
  }

  /** Takes a REFER that was judged allowed, answers it and begins to tell how it goes (RFC 3515 2.4.2, 2.4.4). */
  accept(input: ReferReceived, accepted: AcceptedRefer): void {
    const { conference, now } = this.#ledger;
    const { by, targets } = accepted;
    // RFC 5368 8: of several targets nothing is told, and the answer says so.
    const subscribes = input.wantsSubscription && !input.viaList;
    // RFC 3515 2.4.6: all but the first REFER of a dialog are told apart by their CSeq.
    const eventId = input.further || this.countIn(input.dialogId) > 0 ? input.cseq : null;
    const row: ReferralRow = {
      id: this.#ids.row(),
      conferenceId: conference.id,
      by,
      at: now,
      endedAt: null,
      state: 'trying',
      targets: targets.map((target) => target.row),
      dialogId: input.dialogId,
      subscription: subscribes ? { eventId } : null,
      quirks: input.quirks,
      received: input.received,
    };
    const expiresAt = now + limits.referralExpiresDefault * 1_000;
    const endpointIds = targets.map(({ endpointId }) => endpointId);
    this.#ledger.event('referral.accepted', { referral_id: row.id, by, targets: row.targets.map(asked) });
    this.#ledger.reply(input.reply, {
      kind: 'referral-accepted',
      referralId: row.id,
      contact: conference.uri,
      toTag: subscribes && input.endpointId === null ? this.#ids.tag() : null,
      subscribes,
    });
    this.#put({ row, endpointIds, report: subscribes ? 'quiet' : 'over', expiresAt });
    if (subscribes) this.#ledger.startTimer('referral', row.id, expiresAt);
    if (targets.some(({ row: { outcome } }) => !isFinal(outcome))) this.#step(row.id, 'tell');
    for (const [index, { callee }] of targets.entries())
      if (callee !== null) this.#refer(row.id, { index, callee, input, referredBy: accepted.referredBy });
    this.#settleOne(row.id);
  }

  /** More time for a referral's NOTIFYs, or, with 0 seconds, no more of them (RFC 3515 2.4.4, RFC 6665 4.2.1.1). */
  refresh(input: ReferralRefreshed, expires: number): void {
    const open = this.#open.get(input.referralId);
    if (open === undefined) throw new Error('a referral that is settled cannot be refreshed');
    const { id } = open.row;
    const expiresAt = this.#ledger.now + expires * 1_000;
    this.#open.set(id, { ...open, expiresAt });
    const contact = this.#ledger.conference.uri;
    this.#ledger.reply(input.reply, { kind: 'referral-refreshed', referralId: id, contact, expires });
    if (expires === 0) return this.expired(id);
    this.#ledger.startTimer('referral', id, expiresAt);
    this.#step(id, 'tell');
  }

  /** Nobody wants to hear more of it (RFC 6665 4.4.3). */
  expired(id: string): void {
    this.#stop(id, 'timeout');
    this.#settleOne(id);
  }

  /** Final answer to a NOTIFY. */
  notifyAnswered(id: string, status: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (!fatalAnswers.has(status)) this.#step(id, 'answer');
    else if (this.#step(id, 'refuse') === 'over') {
      this.#ledger.ask({ type: 'sip.release-referral', referralId: id, dialogId: open.row.dialogId });
    }
    this.#settleOne(id);
  }

  /** Final answer to a REFER of ours. */
  referAnswered(id: string, index: number, cause: SipCause): void {
    this.#learn(id, index, cause);
    this.#settleOne(id);
  }

  /** Learns from the endpoints how their INVITEs go, and tells it. */
  settle(): void {
    for (const id of this.openIds) {
      for (const [index, endpointId] of (this.#open.get(id)?.endpointIds ?? []).entries())
        if (endpointId !== null) this.#learn(id, index, this.#outcomeAt(endpointId));
      this.#settleOne(id);
    }
  }

  /** The conference is over: what has no outcome yet will have none, and everybody is told at once. */
  endAll(): void {
    for (const id of this.openIds) {
      for (const index of this.#open.get(id)?.row.targets.keys() ?? []) this.#learn(id, index, terminated);
      this.#stop(id, 'noresource');
      this.#settleOne(id);
    }
  }

  /** Ends referrals of which only the store knows: nobody was ever told of them. */
  endUnknown(rows: readonly ReferralRow[]): void {
    for (const row of rows) {
      if (row.state === 'trying' && !this.#open.has(row.id))
        this.#ledger.putReferral({ ...row, state: 'ended', endedAt: this.#ledger.now });
    }
  }

  #refer(
    referralId: string,
    of: { index: number; callee: SipUri; input: ReferReceived; referredBy: string | null },
  ): void {
    const { index, callee, input, referredBy } = of;
    this.#askedIn.set(aorOf(callee), true);
    const [first] = this.#askedIn.keys();
    if (this.#askedIn.size > limits.participantsPerConferenceMax && first !== undefined) this.#askedIn.delete(first);
    this.#ledger.ask({
      type: 'sip.refer',
      referralId,
      target: index,
      uri: writeSipUri(callee),
      conferenceUri: this.#ledger.conference.uri,
      callId: this.#ids.callId(),
      fromTag: this.#ids.tag(),
      maxForwards: Math.min(limits.maxForwards, input.maxForwards - 1),
      referredBy,
      referral: input.referredBy,
    });
  }

  /** What the INVITE of an endpoint has come to; several INVITEs for one endpoint are one. */
  #outcomeAt(endpointId: string): SipCause | null {
    const found = this.#ledger.participantOf(endpointId);
    if (found === undefined) return terminated;
    const { endpoint, participant } = found;
    if (isPresent(endpoint.status)) return { status: 200, reason: 'OK' };
    if (endpoint.status === 'alerting') return { status: 180, reason: 'Ringing' };
    if (endpoint.status !== 'disconnected') return null;
    const ended = participant.attempts.filter(
      (attempt) => attempt.endpointId === endpointId && attempt.outcome !== null,
    );
    return ended.at(-1)?.outcome ?? terminated;
  }

  /** Writes down what is new of one target. A final outcome stands; no outcome is no news. */
  #learn(id: string, index: number, outcome: SipCause | null): void {
    const open = this.#open.get(id);
    const target = open?.row.targets[index];
    if (open === undefined || target === undefined || outcome === null || isFinal(target.outcome)) return;
    if (target.outcome?.status === outcome.status) return;
    const known = { status: outcome.status, reason: shortened(outcome.reason) };
    const targets = open.row.targets.map((each, at) => (at === index ? { ...each, outcome: known } : each));
    this.#put({ ...open, row: { ...open.row, targets } });
    if (!isFinal(known)) this.#step(id, 'tell');
  }

  /** Once every outcome is final the sender is told the last, and then nothing is left. */
  #settleOne(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined || !open.row.targets.every(({ outcome }) => isFinal(outcome))) return;
    if (this.#step(id, 'finish') !== 'over') return;
    const row: ReferralRow = { ...open.row, state: 'ended', endedAt: this.#ledger.now };
    this.#ledger.putReferral(row);
    this.#ledger.event('referral.ended', { referral_id: id, by: row.by, targets: row.targets.map(ended) });
    this.#open.delete(id);
  }

  #stop(id: string, reason: string): void {
    const open = this.#open.get(id);
    if (open === undefined || after(reportTransitions, open.report, 'stop') === undefined) return;
    this.#open.set(id, { ...open, report: 'over' });
    this.#ledger.stopTimer('referral', id);
    this.#notify(open, { name: 'terminated', reason });
  }

  /** One step of the report, with the NOTIFY that follows; gives the state it is in then. */
  #step(id: string, event: ReportEvent): ReportState {
    const open = this.#open.get(id);
    if (open === undefined) return 'over';
    const report = after(reportTransitions, open.report, event);
    if (report === undefined) return open.report;
    this.#open.set(id, { ...open, report });
    if (report === 'telling') this.#notify(open, { name: 'active', expires: this.#secondsLeft(open) });
    // RFC 3515 2.4.7: noresource says that nothing more will come.
    else if (report === 'over' && event !== 'refuse') this.#notify(open, { name: 'terminated', reason: 'noresource' });
    if (report === 'over') this.#ledger.stopTimer('referral', id);
    return report;
  }

  #secondsLeft({ expiresAt }: Open): number {
    return Math.max(0, Math.ceil((expiresAt - this.#ledger.now) / 1_000));
  }

  #notify({ row }: Open, state: Sent): void {
    this.#ledger.ask({
      type: 'sip.notify-referral',
      referralId: row.id,
      dialogId: row.dialogId,
      conferenceUri: this.#ledger.conference.uri,
      eventId: row.subscription?.eventId ?? null,
      state,
      cause: row.targets[0]?.outcome ?? trying,
    });
  }

  #put(open: Open): void {
    this.#open.set(open.row.id, open);
    this.#ledger.putReferral(open.row);
  }
}

/** Seconds granted for what a SUBSCRIBE in a REFER's dialog asks, never more than that; 0 ends the NOTIFYs. */
export function grantedReferralExpires(asked: number | null): number {
  return Math.min(asked ?? limits.referralExpiresDefault, limits.referralExpiresMax);
}

function isFinal(outcome: SipCause | null): boolean {
  return outcome !== null && outcome.status >= 200;
}

function asked({ method, raw }: ReferTargetRow): Readonly<Record<string, unknown>> {
  return { method, target: raw };
}

function ended(target: ReferTargetRow): Readonly<Record<string, unknown>> {
  return { ...asked(target), outcome: target.outcome };
}
