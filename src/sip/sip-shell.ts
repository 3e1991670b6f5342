/**
 * The SIP shell: what the SIP server reports becomes inputs, the core's effects and replies become SIP. It decides
 * nothing: every dialog is the core's, found here by the SIP server's id. The library's own dialogs (createUAS,
 * createUAC) are not used: they answer BYE and SUBSCRIBE by themselves, the latter with a 202, which RFC 6665 8.3.1
 * deprecates.
 */
import type { Outcome, SipNotify, SipNotifyReferral, SipRefer } from '../core/effect.ts';
import type { Input, ReplyTo } from '../core/input.ts';
import type { Clock, SipEffect } from '../core/ports.ts';
import type { SipCause } from '../core/rows.ts';
import { bounds } from './bounds.ts';
import { product } from './capabilities.ts';
import type { ChallengeRules } from './challenge.ts';
import { ClientRequests } from './client-requests.ts';
import { Dialogs, type LeftDialog } from './dialogs.ts';
import { HeldByes } from './held-byes.ts';
import { Incoming } from './incoming.ts';
import { InviteClient } from './invite-client.ts';
import {
  byeRequest,
  farewellRequest,
  notifyRequest,
  type OutgoingRequest,
  parseSipCore,
  type RoutingRules,
} from './outgoing.ts';
import { notifyReferralRequest, referRequest, referralFarewell } from './outgoing-referrals.ts';
import { ServerLink } from './server-link.ts';
import type { Log } from './sip-log.ts';
import type { SrfAgent } from './srf.ts';

export type SipShellOptions = {
  /** The SIP server's control port: sipd or a drachtio server. */
  readonly server: { readonly host: string; readonly port: number; readonly secret: string };
  /** The first one stands in Warning. */
  readonly ownDomains: readonly string[];
  readonly lenient: boolean;
  readonly auth: 'open' | 'digest';
  readonly isTrustedPeer: (address: string) => boolean;
  /** URI of the SIP/IP core, or null; what is no sip or sips URI makes the constructor throw. */
  readonly sipCore: string | null;
  readonly challenge: ChallengeRules;
  readonly submit: (input: Input) => void;
  readonly clock: Clock;
  /** `reply` makes a fresh token that begins with `sip:`. */
  readonly ids: { readonly reply: () => ReplyTo };
  readonly log: Log;
};

/** Methods the SIP server is asked to hand up; within dialogs it hands up every method. */
const routed = [
  'invite',
  'subscribe',
  'options',
  'bye',
  'ack',
  'register',
  'refer',
  'message',
  'publish',
  'info',
  'notify',
  'update',
  'prack',
];

/** SIP of the whole process. What happens comes out through `submit`; effects and replies go in. */
export class SipShell {
  readonly #submit: (input: Input) => void;
  readonly #dialogs = new Dialogs();
  readonly #heldByes: HeldByes;
  readonly #incoming: Incoming;
  readonly #requests: ClientRequests;
  readonly #invites: InviteClient;
  readonly #routing: RoutingRules;
  readonly #link: ServerLink;
  /** Dialogs the SIP server may still hold after the connection was lost. */
  #orphans: readonly LeftDialog[] = [];

  constructor(options: SipShellOptions) {
    const { clock, log, submit, isTrustedPeer, auth, lenient, challenge, ids, sipCore } = options;
    const dialogs = this.#dialogs;
    const agent = options.ownDomains[0] ?? product;
    this.#submit = submit;
    this.#heldByes = new HeldByes(clock);
    this.#incoming = new Incoming({
      dialogs,
      heldByes: this.#heldByes,
      rules: { auth, isTrustedPeer, lenient },
      submit,
      clock,
      log,
      newReply: ids.reply,
      challenge,
      agent,
    });
    const { arrived } = this.#incoming;
    this.#requests = new ClientRequests({ clock, log, agent: () => this.#link.agent });
    const routing: RoutingRules = { sipCore: sipCore === null ? null : parseSipCore(sipCore), isTrustedPeer };
    this.#invites = new InviteClient({ requests: this.#requests, dialogs, routing, lenient, log, submit, arrived });
    this.#routing = routing;
    const events = {
      prepare: (library: SrfAgent): void => this.#listen(library),
      connected: (): void => this.#connected(),
      lost: (): void => this.#lost(),
    };
    this.#link = new ServerLink(options.server, { clock, log, events });
  }

  /** True while the SIP server can be talked to. */
  get connected(): boolean {
    return this.#link.connected;
  }

  /**
   * What is held: dialogs, requests of peers the core has not answered, requests of ours without a final response,
   * among them BYEs that are not out yet.
   */
  get counts(): { readonly dialogs: number; readonly pendingReplies: number; readonly openRequests: number } {
    return {
      dialogs: this.#dialogs.size,
      pendingReplies: this.#incoming.pendingReplies,
      openRequests: this.#requests.size + this.#heldByes.size,
    };
  }

  /** Resolves when the SIP server has let us in; rejects with one sentence when it does not within ten seconds. */
  connect(): Promise<void> {
    return this.#link.open();
  }

  /** Ends the connection; the dialogs are the core's to end before. */
  async close(): Promise<void> {
    await this.#link.close();
    this.#forgetAll();
  }

  /** Never throws; what fails comes back as an input. */
  perform(effect: SipEffect): void {
    switch (effect.type) {
      case 'sip.invite':
        this.#invites.invite(effect);
        break;
      case 'sip.reinvite':
        this.#invites.reinvite(effect);
        break;
      case 'sip.cancel':
        this.#invites.cancel(effect.endpointId);
        break;
      case 'sip.bye':
        this.#bye(effect.dialogId, effect.reason);
        break;
      case 'sip.notify':
        this.#notify(effect);
        break;
      case 'sip.release':
        this.#release(effect);
        break;
      case 'sip.notify-referral':
        this.#notifyReferral(effect);
        break;
      case 'sip.refer':
        this.#refer(effect);
        break;
      case 'sip.release-referral':
        this.#dialogs.closeReferral(effect.dialogId, effect.referralId);
        break;
    }
  }

  /** Answers a request, once; one that was cancelled or given up meanwhile is answered no more. */
  reply(to: ReplyTo, outcome: Outcome): void {
    this.#incoming.reply(to, outcome);
  }

  /**
   * Ends dialogs whose owner is gone: the sessions with BYE, the subscriptions and referrals with a terminated NOTIFY
   * (RFC 6665 4.1.3: deactivated, subscribe again). Best effort: resolves when all are answered, refused or given up.
   */
  async endDialogs(left: readonly LeftDialog[], reason = 'The service was restarted'): Promise<void> {
    const waiting = left.values();
    const some = async (): Promise<void> => {
      for (const dialog of waiting) await this.#endDialog(dialog, reason);
    };
    await Promise.all(Array.from({ length: Math.min(bounds.farewellsMax, left.length) }, some));
  }

  #endDialog(dialog: LeftDialog, reason: string): Promise<void> {
    const request = dialog.kind === 'session' ? byeRequest(dialog.dialogId, reason) : lastNotify(dialog);
    return new Promise((resolve) => this.#sendInDialog(request, () => resolve(), resolve));
  }

  #listen(library: SrfAgent): void {
    const { arrived } = this.#incoming;
    for (const method of routed) library.use(method, arrived);
    // Methods nobody can name beforehand come up within dialogs.
    library.use(arrived);
  }

  #connected(): void {
    const orphans = this.#orphans;
    this.#orphans = [];
    // A drachtio server that outlived the connection still holds them and answers their peers 481.
    if (orphans.length > 0) void this.endDialogs(orphans, 'The service lost its SIP server');
  }

  #lost(): void {
    this.#orphans = this.#dialogs.clear();
    this.#forgetAll();
    this.#submit({ type: 'sip-server-lost', conferenceId: null });
  }

  #forgetAll(): void {
    this.#requests.forgetAll();
    this.#invites.forgetAll();
    this.#incoming.forgetAll();
    this.#heldByes.clear();
    this.#dialogs.clear();
  }

  #bye(dialogId: string, reason: string): void {
    const send = (): void =>
      this.#sendInDialog(byeRequest(dialogId, reason), () => this.#dialogs.closeSession(dialogId));
    const session = this.#dialogs.find(dialogId)?.session;
    this.#dialogs.changeSession(dialogId, { ending: true });
    // RFC 3261 15: the callee sends no BYE before the ACK of its 2xx.
    if (session?.confirmed === false) this.#heldByes.hold(dialogId, send);
    else send();
  }

  #notify(effect: SipNotify): void {
    const { dialogId, subscriptionId } = effect;
    const answered = (status: number): void => this.#submit({ type: 'notify-answered', subscriptionId, status });
    // Its subscriber has begun anew, and would take this for news of what it has now.
    if (this.#dialogs.isOfAnother(dialogId, subscriptionId)) return queueMicrotask(() => answered(481));
    const last = effect.state.name === 'terminated';
    if (last) this.#dialogs.endingSubscription(dialogId);
    this.#sendInDialog(notifyRequest(effect), (status) => {
      if (last && !this.#dialogs.isOfAnother(dialogId, subscriptionId)) this.#dialogs.closeSubscription(dialogId);
      answered(status);
    });
  }

  #notifyReferral(effect: SipNotifyReferral): void {
    const { dialogId, referralId } = effect;
    const last = effect.state.name === 'terminated';
    if (last) this.#dialogs.endingReferral(dialogId, referralId);
    this.#sendInDialog(notifyReferralRequest(effect), (status) => {
      if (last) this.#dialogs.closeReferral(dialogId, referralId);
      this.#submit({ type: 'referral-notify-answered', referralId, status });
    });
  }

  #refer(effect: SipRefer): void {
    const { referralId, target } = effect;
    const answered = (cause: SipCause): void => this.#submit({ type: 'refer-answered', referralId, target, cause });
    const request = referRequest(effect, this.#routing);
    if (request === null) {
      queueMicrotask(() => answered({ status: 416, reason: 'Unsupported URI Scheme' }));
      return;
    }
    this.#requests.send(request, {
      timeoutMs: bounds.requestTimeoutMs,
      ended: (ending) => {
        if (ending.kind === 'failed') answered(ending.cause);
        else answered({ status: ending.response.status, reason: ending.response.reason });
      },
    });
  }

  /**
   * After a refused NOTIFY a drachtio server keeps the dialog until a terminated one has been answered.
   * A dialog that also holds a session lives on and needs no release.
   */
  #release({ dialogId, subscriptionId }: Extract<SipEffect, { type: 'sip.release' }>): void {
    if (this.#dialogs.isOfAnother(dialogId, subscriptionId)) return;
    const dialog = this.#dialogs.find(dialogId);
    this.#dialogs.closeSubscription(dialogId);
    if (dialog?.session) return;
    const left = dialog === null ? { dialogId } : { dialogId, contact: dialog.contact };
    this.#sendInDialog(farewellRequest(left, 'deactivated'), () => undefined);
  }

  /** Sends `request`; `ended` gets the final status, real or made up, unless the connection is lost before. */
  #sendInDialog(
    request: OutgoingRequest,
    ended: (status: number) => void,
    forgotten: () => void = () => undefined,
  ): void {
    this.#requests.send(request, {
      timeoutMs: bounds.requestTimeoutMs,
      ended: (ending) => ended(ending.kind === 'answered' ? ending.response.status : ending.cause.status),
      forgotten,
    });
  }
}

/** The last NOTIFY of a dialog that holds a subscription or a referral. */
function lastNotify(dialog: LeftDialog): OutgoingRequest {
  return dialog.kind === 'referral' ? referralFarewell(dialog) : farewellRequest(dialog, 'deactivated');
}
