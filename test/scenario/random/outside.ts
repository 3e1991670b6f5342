import type { Outcome, SipInvite, SipNotify, SipNotifyReferral, SipRefer } from '../../../src/core/effect.ts';
import type { Input, ReplyTo } from '../../../src/core/input.ts';
import { limits } from '../../../src/core/limits.ts';
import type { MsrpEffect, SipEffect } from '../../../src/core/ports.ts';
import type { Instant, MessageRow } from '../../../src/core/rows.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import type { ReferenceSubscriber } from '../../support/reference-subscriber.ts';
import type { ShakyStore } from './shaky-store.ts';

/** A dialog with a session, or an INVITE that may become one, as its peer and the SIP server know it. */
export type Call = {
  readonly dialogId: string;
  readonly by: 'peer' | 'us';
  /** User part of its peer's URI. */
  readonly name: string;
  readonly callId: string;
  endpointId: string;
  localTag: string;
  remoteTag: string;
  conferenceUri: string;
  state: 'asked' | 'talking' | 'over';
  rang: boolean;
  cancelled: boolean;
  /** A 200 of ours awaits its ACK; `answer`: with the answer to our offer. */
  ack: 'none' | 'plain' | 'answer';
  /** An INVITE of ours within it is under way. */
  reinvited: boolean;
  /** Requests of its peer that wait for our answer. */
  readonly waiting: Set<ReplyTo>;
  /** A REFER has been taken in it. */
  referred: boolean;
  /** Another INVITE of the focus to the same endpoint came before. */
  readonly again: boolean;
};

export type Subscribed = {
  readonly id: string;
  readonly dialogId: string;
  readonly name: string;
  readonly conferenceUri: string;
  /** What it makes of the documents it is sent. */
  readonly subscriber: ReferenceSubscriber;
  outstanding: number;
  /** How many NOTIFYs may be under way: one, and one for each SUBSCRIBE since. */
  allowed: number;
  /** RFC 6665 4.2.2: after a failure that does not end it, it waits for the next change. */
  waits: boolean;
  notifiedAt: Instant;
  over: boolean;
};

export type Referred = {
  readonly id: string;
  readonly dialogId: string;
  readonly name: string;
  readonly conferenceUri: string;
  outstanding: number;
  over: boolean;
};

export type Session = {
  readonly conferenceId: string;
  readonly sessionId: string;
  readonly agreed: boolean;
  lost: boolean;
};

type Asked = { readonly what: string; answers: number; readonly then: ((outcome: Outcome) => void) | null };

/** SIP, MSRP and REST as the driver sees them. It keeps what peers and a SIP server know, and notes what cannot be. */
export class Outside {
  /** By dialog id. */
  readonly calls = new Map<string, Call>();
  readonly subscriptions = new Map<string, Subscribed>();
  readonly referrals = new Map<string, Referred>();
  /** REFERs of ours without an answer. */
  readonly refers: SipRefer[] = [];
  readonly sessions = new Map<string, Session>();
  readonly requests = new Map<ReplyTo, Asked>();
  /** Who is in the last route of each conference. */
  readonly routes = new Map<string, readonly string[]>();
  /** Notices that were sent, of those that the history keeps. */
  readonly said = new Set<string>();
  /** Something went wrong not long ago, which excuses a request in a dialog that is gone. */
  excused = false;
  /** Endpoints that have been sent an INVITE, and the host of each. */
  readonly #invited = new Map<string, string>();
  readonly #store: ShakyStore;
  readonly #fault: (text: string) => void;
  readonly #now: () => Instant;
  /** Requests that came before this one are nobody's any more. */
  #lost = new Set<ReplyTo>();

  constructor(parts: { store: ShakyStore; now: () => Instant; fault: (text: string) => void }) {
    this.#store = parts.store;
    this.#now = parts.now;
    this.#fault = parts.fault;
  }

  /** A request goes in by `submit`; `then` takes what it is answered. */
  ask(
    input: Extract<Input, { reply: ReplyTo }>,
    submit: (input: Input) => void,
    then: ((outcome: Outcome) => void) | null = null,
  ): void {
    this.requests.set(input.reply, { what: input.type, answers: 0, then });
    submit(input);
  }

  readonly reply = (to: ReplyTo, outcome: Outcome): void => {
    const asked = this.requests.get(to);
    if (asked === undefined) return this.#fault(`an answer to nobody: ${to}`);
    asked.answers += 1;
    if (asked.answers > 1) this.#fault(`${asked.what} ${to} is answered ${asked.answers} times`);
    if (outcome.kind === 'refused' && outcome.code === 'internal-error')
      this.#fault(`${asked.what}: ${outcome.detail}`);
    this.#mustBeSaved(outcome);
    if (!this.#lost.delete(to)) asked.then?.(outcome);
  };

  readonly perform = (effect: SipEffect | MsrpEffect): void => {
    switch (effect.type) {
      case 'sip.invite':
        return this.#invite(effect);
      case 'sip.cancel':
        return this.#cancel(effect.endpointId);
      case 'sip.bye':
        return this.#bye(effect.dialogId);
      case 'sip.reinvite':
        return this.#reinvite(effect.dialogId);
      case 'sip.notify':
        return this.#notify(effect);
      case 'sip.notify-referral':
        return this.#notifyReferral(effect);
      case 'sip.refer':
        this.refers.push(effect);
        return;
      case 'sip.release':
        this.subscriptions.delete(effect.subscriptionId);
        return;
      case 'sip.release-referral':
        this.referrals.delete(effect.referralId);
        return;
      case 'msrp.open': {
        const { conferenceId, endpointId, sessionId, remotePath } = effect;
        this.sessions.set(endpointId, { conferenceId, sessionId, agreed: remotePath.length > 0, lost: false });
        return;
      }
      case 'msrp.close':
        this.sessions.delete(effect.endpointId);
        return;
      case 'msrp.route':
        return this.#route(
          effect.route.conferenceId,
          effect.route.members.map(({ endpointId }) => endpointId),
        );
      case 'msrp.notice':
        if (effect.kept !== undefined) this.#say(effect.kept);
        return;
      case 'msrp.unroute':
        this.routes.delete(effect.conferenceId);
        for (const [endpointId, { conferenceId }] of this.sessions)
          if (conferenceId === effect.conferenceId) this.#fault(`the session of ${endpointId} outlives its conference`);
    }
  };

  /** The connection to the SIP server is gone, and everything that it held. */
  lose(): void {
    for (const call of this.calls.values()) call.state = 'over';
    this.calls.clear();
    this.subscriptions.clear();
    this.referrals.clear();
    this.refers.length = 0;
    this.#lost = new Set([...this.requests].filter(([, { answers }]) => answers === 0).map(([reply]) => reply));
  }

  /** The INVITE of ours to an endpoint that has no final answer. */
  openInvite(endpointId: string): Call | undefined {
    return this.openInvites.find((call) => call.endpointId === endpointId);
  }

  get openInvites(): readonly Call[] {
    return [...this.calls.values()].filter(({ by, state }) => by === 'us' && state === 'asked');
  }

  /** Everything that has happened is known inside: nothing may be sent any more in a dialog that is over. */
  settle(): void {
    for (const [dialogId, { state }] of this.calls) if (state === 'over') this.calls.delete(dialogId);
    for (const [reply, { answers }] of this.requests) if (answers > 0) this.requests.delete(reply);
  }

  #say({ id }: MessageRow): void {
    if (!this.#store.messages.has(id)) this.#fault(`${id} is said before its save`);
    this.said.add(id);
  }

  #invite(effect: SipInvite): void {
    const { endpointId, dialogId, callId, fromTag, conferenceUri } = effect;
    const target = parseSipUri(effect.target);
    if (this.openInvite(endpointId) !== undefined) this.#fault(`two INVITEs at once to ${effect.target}`);
    if (!this.#store.dialogs.has(dialogId)) this.#fault(`INVITE to ${effect.target} before its save`);
    const again = this.#invited.has(endpointId);
    this.#invited.set(endpointId, target.host);
    this.calls.set(dialogId, {
      dialogId,
      by: 'us',
      name: target.user ?? '',
      callId,
      endpointId,
      localTag: fromTag,
      remoteTag: '',
      conferenceUri,
      state: 'asked',
      rang: false,
      cancelled: false,
      ack: 'none',
      reinvited: false,
      waiting: new Set(),
      referred: false,
      again,
    });
    this.#checkCaps(conferenceUri, target.host);
  }

  /** An INVITE that is sent again goes out whatever else is under way, and whoever rings takes no place. */
  #checkCaps(conferenceUri: string, host: string): void {
    const fresh = this.openInvites.filter(
      (call) => call.conferenceUri === conferenceUri && !call.rang && !call.cancelled && !call.again,
    );
    const there = fresh.filter(({ endpointId }) => this.#invited.get(endpointId) === host);
    if (fresh.length > limits.parallelInvitesMax) this.#fault(`${fresh.length} INVITEs at once in ${conferenceUri}`);
    if (there.length > limits.parallelInvitesPerHostMax) this.#fault(`${there.length} INVITEs at once to ${host}`);
  }

  /** One that crosses the final answer finds nothing. */
  #cancel(endpointId: string): void {
    const call = this.openInvite(endpointId);
    if (call !== undefined) call.cancelled = true;
  }

  #bye(dialogId: string): void {
    const call = this.calls.get(dialogId);
    if (call === undefined) return this.#stray(`BYE in ${dialogId}, which is no dialog`);
    if (call.state === 'asked') return this.#stray(`BYE in ${dialogId}, which is not answered`);
    call.state = 'over';
    this.calls.delete(dialogId);
  }

  /** After a failure nobody knows what was sent. */
  #stray(text: string): void {
    if (!this.excused) this.#fault(text);
  }

  #reinvite(dialogId: string): void {
    const call = this.calls.get(dialogId);
    if (call === undefined) return this.#stray(`INVITE within ${dialogId}, which is no dialog`);
    if (call.reinvited) this.#fault(`two INVITEs at once within ${dialogId}`);
    if (call.ack !== 'none') this.#fault(`INVITE within ${dialogId} before the ACK of the peer’s`);
    if (call.state === 'talking') call.reinvited = true;
  }

  #notify({ subscriptionId, state, body }: SipNotify): void {
    const known = this.subscriptions.get(subscriptionId);
    if (known === undefined || known.over) return this.#stray(`NOTIFY of ${subscriptionId}, which is no subscription`);
    const isLast = state.name === 'terminated';
    if (!isLast && known.outstanding >= known.allowed)
      this.#fault(`NOTIFY of ${subscriptionId} while another is under way`);
    known.outstanding += 1;
    known.waits = false;
    known.notifiedAt = this.#now();
    known.over = isLast;
    const saved = this.#store.subscriptions.get(subscriptionId);
    if (isLast && saved?.state !== 'terminated') this.#fault(`last NOTIFY of ${subscriptionId} before its save`);
    if (body === null) return;
    if (saved === undefined) this.#fault(`NOTIFY of ${subscriptionId} before its save`);
    const { faults } = known.subscriber.receive(body, { afterLoss: this.excused });
    for (const fault of faults) this.#fault(`NOTIFY of ${subscriptionId} to ${fault}\n${body}`);
  }

  #notifyReferral({ referralId, state }: SipNotifyReferral): void {
    const known = this.referrals.get(referralId);
    if (known === undefined || known.over) return this.#stray(`NOTIFY of ${referralId}, of which nothing is told`);
    const isLast = state.name === 'terminated';
    if (!isLast && known.outstanding > 0) this.#fault(`NOTIFY of ${referralId} while another is under way`);
    known.outstanding += 1;
    known.over = isLast;
  }

  #route(conferenceId: string, members: readonly string[]): void {
    this.routes.set(conferenceId, members);
    for (const endpointId of members)
      if (this.sessions.get(endpointId)?.agreed !== true)
        this.#fault(`${endpointId} is in the route without a session`);
  }

  /** Nothing that follows from a change is said before the change is saved. */
  #mustBeSaved(outcome: Outcome): void {
    const isSaved = {
      'session-accepted': (of: { endpointId: string }) => this.#store.endpoints.has(of.endpointId),
      'subscription-accepted': (of: { subscriptionId: string }) => this.#store.subscriptions.has(of.subscriptionId),
      'referral-accepted': (of: { referralId: string }) => this.#store.referrals.has(of.referralId),
      'conference-created': (of: { conference: { id: string } }) => this.#store.conferences.has(of.conference.id),
    };
    const check = isSaved[outcome.kind as keyof typeof isSaved] as ((of: Outcome) => boolean) | undefined;
    if (check?.(outcome) === false) this.#fault(`${outcome.kind} before its save`);
  }
}
