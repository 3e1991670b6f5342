/**
 * Received requests (RFC 3261 8.2, 9.2, 12.2.2): to which application, in which dialog, or refused at once. The answers
 * the applications give are in answers.ts.
 */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Dialog, Dialogs } from '../dialog/dialog.ts';
import type { HeldRequests } from '../handlers/held-requests.ts';
import { limits } from '../limits.ts';
import { knownMethods } from '../message/checks.ts';
import { spellHeader } from '../message/header-names.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import { type OwnResponse, replyPeer, statelessTag, writeOwnResponse } from '../message/own-response.ts';
import type { ForwardingProxy } from '../proxy/forwarding-proxy.ts';
import type { Sessions } from '../session-timer/sessions.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { OpenRequests } from './open-requests.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { ReliableProvisionals } from './reliable-provisionals.ts';
import type { RequestEvents } from './request-events.ts';
import type { Unacknowledged } from './unacknowledged.ts';

export type UserAgentServerParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly unacknowledged: Unacknowledged;
  readonly open: OpenRequests;
  readonly reliable: ReliableProvisionals;
  readonly sessions: Sessions;
  readonly events: RequestEvents;
  /** For requests that a handler is asked about. */
  readonly held: HeldRequests;
  /** For what belongs to calls that went through us. */
  readonly proxy: Pick<ForwardingProxy, 'relay' | 'acknowledge' | 'cancel'>;
  /** Dialog of a NOTIFY that has overtaken the answer to our SUBSCRIBE (RFC 6665 4.4.1). */
  readonly dialogOfEarlyNotify: (request: IncomingRequest) => Dialog | 'refuse' | null;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** The peer has sent BYE. */
  readonly inviteEnded: (dialog: Dialog) => void;
};

/** A refusal by the server itself. */
type Refusal = Omit<OwnResponse, 'toTag'>;

/** The receiving half: gives each request to an application, or refuses it. */
export class UserAgentServer {
  readonly #parts: UserAgentServerParts;
  readonly #context: Context;

  constructor(parts: UserAgentServerParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** `admission` is `refuse` when the source has sent too much: what is new is not let in. */
  receive(request: IncomingRequest, admission: 'pass' | 'refuse'): void {
    if (request.method === 'ACK') {
      this.#acknowledged(request);
      return;
    }
    const transaction = this.#parts.transactions.find(request);
    if (transaction !== undefined) this.#parts.transactions.receive(transaction, 'request');
    else if (admission === 'refuse') this.#refuseBusy(request, 'limited');
    else if (request.method === 'CANCEL') this.#cancel(request);
    else if (request.toTag === null) this.#outsideDialog(request);
    else this.#inDialog(request, request.toTag);
  }

  /** Answers without a transaction: a repeated request gets the same answer, To tag and all. Gives its text. */
  refuse(request: IncomingRequest, response: Refusal): string {
    const toTag = statelessTag(`${request.callId} ${request.fromTag ?? ''} ${request.cseq} ${request.uri}`);
    const to = this.#context.ways.has('answers-to-source') ? request.from : replyPeer(request.from, request.via);
    if (this.#context.ways.has('trying-at-once') && request.method === 'INVITE') {
      this.#context.send(to, writeOwnResponse(request, { status: 100, toTag: null }));
    }
    const text = writeOwnResponse(request, { ...response, toTag });
    this.#context.send(to, text);
    return text;
  }

  /** RFC 3262 3: nobody has acknowledged the reliable answer to this INVITE. Its application hears of a CANCEL. */
  unacknowledged(pending: PendingRequest): void {
    const { request } = pending;
    this.#context.log('warn', { callId: request.callId }, 'a reliable provisional answer was not acknowledged');
    this.#parts.open.answerFor(pending, { status: 504, reason: 'PRACK timeout' });
    this.#event(madeUpCancel(request), pending, '');
  }

  #outsideDialog(request: IncomingRequest): void {
    const { method } = request;
    const wanted = this.#parts.apps.hasVerb(method) || this.#parts.held.adviserFor(method) !== null;
    if (!knownMethods.has(method) && !(wanted && !this.#context.ways.has('drops-unknown-methods'))) {
      if (this.#context.ways.has('drops-unknown-methods')) this.#drop(request, 'unknown method');
      else this.refuse(request, { status: 501, headers: [{ name: 'Allow', value: this.#parts.apps.allowed() }] });
    } else if (method === 'REFER' && this.#context.ways.has('drops-refer'))
      this.#drop(request, 'REFER outside a dialog');
    else if (method === 'BYE' || method === 'UPDATE' || method === 'PRACK') this.refuse(request, { status: 481 });
    else if (this.#isMerged(request))
      this.refuse(request, { status: this.#context.ways.has('late-merge') ? 480 : 482 });
    else {
      const refusal = this.#parts.sessions.refusal(request, null);
      if (refusal === null) this.#offer(request);
      else this.refuse(request, refusal);
    }
  }

  /**
   * RFC 3261 8.2.2.2: the same request over another path. That is a rule for user agents, and whether the application is
   * one nobody knows yet: by 16.3 step 4 a proxy forwards what comes with another Request-URI, be it a fork or a spiral.
   * Answered by the application itself, one of them is accepted at most. The daemon lets all through until one is.
   */
  #isMerged(request: IncomingRequest): boolean {
    const dialog = this.#parts.dialogs.byId(`${request.callId};from-tag=${request.fromTag ?? ''}`);
    if (dialog?.confirmed && dialog.origin.cseq === request.cseq && dialog.method === request.method) return true;
    if (this.#context.ways.has('late-merge')) return false;
    return this.#parts.pending.sameOrigin(request).some((pending) => pending.request.uri === request.uri);
  }

  #inDialog(request: IncomingRequest, toTag: string): void {
    const dialog = this.#parts.dialogs.find(request.callId, toTag, request.fromTag ?? '');
    if (dialog === undefined) this.#unknownDialog(request);
    else this.#known(request, dialog);
  }

  #known(request: IncomingRequest, dialog: Dialog): void {
    const { owner } = dialog;
    if (owner === null || !this.#parts.apps.isOpen(owner)) {
      this.#orphaned(request, dialog);
      return;
    }
    const refusal = this.#refusalInDialog(request, dialog);
    if (refusal !== null) {
      this.#refuseInDialog(request, refusal);
      return;
    }
    if (request.method === 'BYE' && !this.#mayEnd(request, dialog)) return;
    dialog.remoteCseq = Math.max(request.cseq, dialog.remoteCseq ?? 0);
    if (request.from.protocol !== 'udp') dialog.flow = request.from;
    this.#hand(request, owner, dialog);
    if (request.method === 'BYE') this.#hungUp(request, dialog);
    if (request.method === 'PRACK') this.#parts.reliable.goOn(dialog);
    if (request.method === 'NOTIFY' && this.#context.ways.has('refuses-early-notify'))
      this.#strictNotify(request, dialog);
  }

  /** What the server refuses in a dialog by itself; null is the application's to judge. */
  #refusalInDialog(request: IncomingRequest, dialog: Dialog): Refusal | null {
    // RFC 3261 12.2.2: requests of a dialog count up. The daemon does not look.
    const late = dialog.remoteCseq !== null && request.cseq < dialog.remoteCseq;
    if (late && !this.#context.ways.has('any-cseq')) return { status: 500 };
    const { method } = request;
    if (method === 'PRACK') return this.#prackRefusal(request, dialog);
    if (method !== 'INVITE' && method !== 'UPDATE') return null;
    if (this.#overlaps(method, dialog)) {
      // RFC 3261 14.2, RFC 3311 5.2: 500, and a Retry-After of 0 to 10 seconds by chance.
      const seconds = this.#context.ids.random32() % 11;
      return { status: 500, headers: [{ name: 'Retry-After', value: String(seconds) }] };
    }
    return this.#parts.sessions.refusal(request, dialog);
  }

  /** RFC 3262 3: 481 to a PRACK that acknowledges nothing. */
  #prackRefusal(prack: IncomingRequest, dialog: Dialog): Refusal | null {
    const result = this.#parts.reliable.acknowledge(dialog, prack);
    if (result === 'matched') return null;
    return result === 'malformed' ? { status: 400, reason: 'Missing or malformed RAck' } : { status: 481 };
  }

  /** Whether one of the kind is still unanswered. Whether one of ours is (491) is the application's to know. */
  #overlaps(method: 'INVITE' | 'UPDATE', dialog: Dialog): boolean {
    if (method === 'INVITE') {
      if (this.#context.ways.has('overlapping-invites')) return false;
      if (this.#parts.pending.byId(dialog.origin.transactionId)?.dialog === dialog) return true;
    }
    return this.#parts.pending.inDialog(dialog).some(({ request }) => request.method === method);
  }

  /** Within a dialog a refusal has a transaction of its own, so that its ACK is not taken for the application's. */
  #refuseInDialog(request: IncomingRequest, refusal: Refusal): void {
    const transaction = this.#parts.transactions.begin(request);
    if (transaction === null) {
      this.refuse(request, this.#busy());
      return;
    }
    const text = writeOwnResponse(request, { ...refusal, toTag: null });
    this.#parts.transactions.respond(transaction, refusal.status, text);
  }

  #hungUp(bye: IncomingRequest, dialog: Dialog): void {
    this.#parts.apps.records.ended(dialog, { source: 'network', text: bye.text }, 'normal-release');
    this.#parts.inviteEnded(dialog);
  }

  // A dialog without an application. Another may take it over, which no peer would wait for whom a 481 told that it is
  // gone (RFC 5057 5.1); the daemon says just that.
  #orphaned(request: IncomingRequest, dialog: Dialog): void {
    const stays = this.#context.ways.has('orphans-stay') || dialog.owner === null;
    if (request.method === 'BYE') {
      this.refuse(request, { status: stays ? 481 : 200 });
      this.#hungUp(request, dialog);
    } else if (stays) this.refuse(request, { status: 481 });
    else this.refuse(request, { status: 503, headers: [{ name: 'Retry-After', value: limits.orphanRetryAfter }] });
  }

  /** Whether a BYE ends anything here; if not, it has been answered. */
  #mayEnd(bye: IncomingRequest, dialog: Dialog): boolean {
    const ours = dialog.origin.transactionId === '' && dialog.method === 'INVITE';
    if (ours && !dialog.confirmed) {
      // RFC 3261 15: nobody we call may end an early dialog, so this BYE has overtaken its 200, which still needs our ACK.
      dialog.endAfterAck = 'BYE came before the answer';
      this.refuse(bye, { status: 200 });
      return false;
    }
    // RFC 5057 5.2: BYE has no meaning where there is no call.
    if (this.#context.ways.has('bye-ends-all') || !dialog.confirmed || dialog.usages.has('invite')) return true;
    this.refuse(bye, { status: 481 });
    return false;
  }

  // The daemon drops a subscription's dialog before the application can answer its last NOTIFY; and in an INVITE dialog
  // it forgets who owns it, unless the Event is spelt `refer` or `REFER`.
  #strictNotify(notify: IncomingRequest, dialog: Dialog): void {
    if (!(firstValue(notify, 'subscription-state') ?? '').includes('terminated')) return;
    const event = firstValue(notify, 'event') ?? '';
    if (dialog.method === 'SUBSCRIBE') this.#parts.dialogEnded(dialog);
    else if (!event.includes('refer') && !event.includes('REFER')) dialog.owner = null;
  }

  // What may begin something new is the application's to judge; the rest speaks of a dialog that does not exist.
  #unknownDialog(request: IncomingRequest): void {
    if (request.method === 'NOTIFY') {
      const early = this.#parts.dialogOfEarlyNotify(request);
      if (early === 'refuse') {
        this.#offer(request);
        for (const pending of this.#parts.pending.sameOrigin(request))
          this.#parts.open.answerFor(pending, { status: 500 });
        return;
      }
      if (early !== null) {
        this.#known(request, early);
        return;
      }
    }
    // Only what no dialog of ours wants: an application may be the user agent behind our own Route.
    if (this.#parts.proxy.relay(request)) return;
    const anew = ['MESSAGE', 'INFO', 'NOTIFY', 'SUBSCRIBE', 'OPTIONS', 'PUBLISH', 'REGISTER'].includes(request.method);
    if (anew) this.#offer(request);
    else if (this.#isDropped(request.method)) this.#drop(request, 'no such dialog');
    else this.refuse(request, { status: 481 });
  }

  #isDropped(method: string): boolean {
    if (method === 'REFER') return this.#context.ways.has('drops-refer');
    return !knownMethods.has(method) && this.#context.ways.has('drops-unknown-methods');
  }

  #offer(request: IncomingRequest): void {
    const { apps, held } = this.#parts;
    const adviser = held.adviserFor(request.method);
    if (this.#context.guard.sheds(request.method) || (adviser !== null && !held.hasRoom())) {
      this.#refuseBusy(request, 'shed');
      return;
    }
    if (request.method === 'INVITE') apps.records.attempt('network', request.text);
    if (adviser !== null) {
      const pending = this.#begin(request, null, null);
      if (pending !== null) held.hold(pending, adviser);
      return;
    }
    const session = apps.choose(request.method);
    if (session !== null) {
      this.#hand(request, session, null);
      return;
    }
    const text = this.refuse(request, this.#unwanted());
    if (request.method === 'INVITE') apps.records.stop('application', text, 'call-rejected');
  }

  #refuseBusy(request: IncomingRequest, why: 'limited' | 'shed'): void {
    this.#context.guard.complain(why, request.from);
    this.refuse(request, this.#busy());
  }

  /** RFC 3261 21.5.4. Those who are refused at once do not come back at once. */
  #busy(): Refusal {
    const seconds = limits.retryAfterSeconds.least + (this.#context.ids.cseq() % limits.retryAfterSeconds.spread);
    return { status: 503, headers: [{ name: 'Retry-After', value: String(seconds) }] };
  }

  // RFC 3261 8.2.1: a method nobody asked for is not allowed; while nobody asks for anything, nobody is there.
  #unwanted(): Refusal {
    const { apps } = this.#parts;
    if (this.#context.ways.has('unwanted-503') || !apps.isWanting()) return { status: 503 };
    return { status: 405, headers: [{ name: 'Allow', value: apps.allowed() }] };
  }

  /** Begins a transaction and hands the request to the application. */
  #hand(request: IncomingRequest, session: number, dialog: Dialog | null): void {
    const pending = this.#begin(request, session, dialog);
    if (pending !== null) this.#event(request, pending, dialog?.id ?? '');
  }

  /** Null when there is no room for one more: the request has been refused. */
  #begin(request: IncomingRequest, session: number | null, dialog: Dialog | null): PendingRequest | null {
    const transaction = this.#parts.transactions.begin(request);
    if (transaction === null) {
      this.refuse(request, this.#busy());
      return null;
    }
    const pending: PendingRequest = {
      id: this.#context.ids.uuid(),
      request,
      transaction,
      session,
      dialog: request.method === 'BYE' ? null : dialog,
      inDialog: dialog !== null,
      localTag: request.toTag,
      trying: null,
      silence: null,
    };
    this.#parts.pending.add(pending);
    this.#parts.open.watch(pending);
    return pending;
  }

  /** What a request handler is still asked about no application knows, nor its CANCEL. */
  #event(request: IncomingRequest, { id, session }: Pick<PendingRequest, 'id' | 'session'>, dialogId: string): void {
    if (session !== null) this.#parts.events.tell(request, { id, session }, dialogId);
  }

  /** RFC 3261 9.2. */
  #cancel(cancel: IncomingRequest): void {
    const invite = this.#parts.transactions.find(cancel, 'INVITE');
    if (invite === undefined) {
      this.refuse(cancel, { status: 481 });
      return;
    }
    const pending = this.#parts.pending.byTransaction(invite);
    const transaction = this.#parts.transactions.begin(cancel);
    if (transaction === null) return;
    // The daemon answers 481 once the INVITE has been accepted; by the RFC the CANCEL is fine but has no effect.
    const late = this.#context.ways.has('late-cancel-481') && invite.state === 'accepted';
    const status = late ? 481 : 200;
    const toTag = pending === undefined ? this.#context.ids.tag() : this.#tagOf(pending);
    this.#parts.transactions.respond(transaction, status, writeOwnResponse(cancel, { status, toTag }));
    if (pending === undefined) {
      this.#parts.proxy.cancel(cancel, invite);
      return;
    }
    this.#event(cancel, pending, '');
    this.#parts.open.cancelled(pending, cancel);
  }

  // RFC 3261 9.2: the To tag of the answers to CANCEL and INVITE should be the same.
  #tagOf(pending: PendingRequest): string {
    pending.localTag ??= this.#context.ids.tag();
    return pending.localTag;
  }

  #acknowledged(ack: IncomingRequest): void {
    const transaction = this.#parts.transactions.find(ack);
    if (transaction !== undefined && !this.#parts.transactions.receive(transaction, 'ack')) return;
    const dialog = this.#parts.dialogs.find(ack.callId, ack.toTag ?? '', ack.fromTag ?? '');
    if (dialog === undefined) {
      if (!this.#parts.proxy.acknowledge(ack)) this.#drop(ack, 'no such dialog');
      return;
    }
    this.#parts.unacknowledged.acknowledge(dialog, ack.cseq);
    if (dialog.owner === null || !this.#parts.apps.isOpen(dialog.owner)) return;
    const first = ack.cseq === dialog.origin.cseq && dialog.origin.transactionId !== '';
    const id = first ? dialog.origin.transactionId : this.#context.ids.uuid();
    this.#event(ack, { id, session: dialog.owner }, dialog.id);
  }

  #drop(request: IncomingRequest, why: string): void {
    this.#context.log('debug', { method: request.method, callId: request.callId, why }, 'request dropped');
  }
}

/** What the application gets when the server gives an INVITE up: a CANCEL nobody sent. */
function madeUpCancel(invite: IncomingRequest): IncomingRequest {
  const head = ['via', 'from', 'to', 'call-id'].map(
    (key) => `${spellHeader(key)}: ${firstValue(invite, key) ?? ''}\r\n`,
  );
  const text =
    `CANCEL ${invite.uri} SIP/2.0\r\n${head.join('')}CSeq: ${invite.cseq} CANCEL\r\n` +
    'Reason: SIP;cause=504;text="PRACK timeout"\r\nContent-Length: 0\r\n\r\n';
  return { ...invite, method: 'CANCEL', bytes: 0, text };
}
