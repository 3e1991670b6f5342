/**
 * Received requests within dialogs (RFC 3261 12.2.2): to the application that has the dialog, or refused: what comes late,
 * overlaps, acknowledges nothing or ends nothing. What names a dialog that is unknown here may be new all the same.
 */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Dialog, Dialogs } from '../dialog/dialog.ts';
import { limits } from '../limits.ts';
import { knownMethods } from '../message/checks.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import { writeOwnResponse } from '../message/own-response.ts';
import type { ForwardingProxy } from '../proxy/forwarding-proxy.ts';
import type { Sessions } from '../session-timer/sessions.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { HandOver } from './hand-over.ts';
import type { NewRequests } from './new-requests.ts';
import type { OpenRequests } from './open-requests.ts';
import type { PendingRequests } from './pending-requests.ts';
import type { Refusal, Refusals } from './refusals.ts';
import type { ReliableProvisionals } from './reliable-provisionals.ts';

export type DialogRequestsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly open: OpenRequests;
  readonly reliable: ReliableProvisionals;
  readonly sessions: Sessions;
  readonly handOver: HandOver;
  readonly refusals: Refusals;
  /** Gets what no dialog here wants, but may begin something. */
  readonly newRequests: NewRequests;
  /** For what belongs to calls that went through us. */
  readonly proxy: Pick<ForwardingProxy, 'relay'>;
  /** Dialog of a NOTIFY that has overtaken the answer to our SUBSCRIBE (RFC 6665 4.4.1). */
  readonly dialogOfEarlyNotify: (request: IncomingRequest) => Dialog | 'refuse' | null;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** The peer has sent BYE. */
  readonly inviteEnded: (dialog: Dialog) => void;
};

/** Finds the dialog of a request, and judges what may happen in it. */
export class DialogRequests {
  readonly #parts: DialogRequestsParts;
  readonly #context: Context;

  constructor(parts: DialogRequestsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** A request with a To tag. */
  receive(request: IncomingRequest, toTag: string): void {
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
    this.#parts.handOver.hand(request, owner, dialog);
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
      this.#parts.refusals.refuse(request, this.#parts.refusals.busy());
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
      this.#parts.refusals.refuse(request, { status: stays ? 481 : 200 });
      this.#hungUp(request, dialog);
    } else if (stays) this.#parts.refusals.refuse(request, { status: 481 });
    else
      this.#parts.refusals.refuse(request, {
        status: 503,
        headers: [{ name: 'Retry-After', value: limits.orphanRetryAfter }],
      });
  }

  /** Whether a BYE ends anything here; if not, it has been answered. */
  #mayEnd(bye: IncomingRequest, dialog: Dialog): boolean {
    const ours = dialog.origin.transactionId === '' && dialog.method === 'INVITE';
    if (ours && !dialog.confirmed) {
      // RFC 3261 15: nobody we call may end an early dialog, so this BYE has overtaken its 200, which still needs our ACK.
      dialog.endAfterAck = 'BYE came before the answer';
      this.#parts.refusals.refuse(bye, { status: 200 });
      return false;
    }
    // RFC 5057 5.2: BYE has no meaning where there is no call.
    if (this.#context.ways.has('bye-ends-all') || !dialog.confirmed || dialog.usages.has('invite')) return true;
    this.#parts.refusals.refuse(bye, { status: 481 });
    return false;
  }

  // The daemon drops a subscription's dialog before the application can answer its last NOTIFY; and in an INVITE dialog
  // it forgets who owns it, unless the Event is spelt `refer` or `REFER`.
  #strictNotify(notify: IncomingRequest, dialog: Dialog): void {
    if (!(firstValue(notify, 'subscription-state') ?? '').includes('terminated')) return;
    const event = firstValue(notify, 'event') ?? '';
    if (dialog.method === 'SUBSCRIBE') this.#parts.dialogEnded(dialog);
    else if (!event.includes('refer') && !event.includes('REFER')) this.#forgetOwner(dialog);
  }

  /** Nobody can take such a dialog over; it ends when an orphan does. The daemon keeps both (`orphans-stay`). */
  #forgetOwner(dialog: Dialog): void {
    dialog.owner = null;
    if (this.#context.ways.has('orphans-stay')) return;
    this.#context.after(limits.orphanMs, () => {
      if (this.#parts.dialogs.has(dialog)) this.#parts.dialogEnded(dialog);
    });
  }

  // What may begin something new is the application's to judge; the rest speaks of a dialog that does not exist.
  #unknownDialog(request: IncomingRequest): void {
    if (request.method === 'NOTIFY') {
      const early = this.#parts.dialogOfEarlyNotify(request);
      if (early === 'refuse') {
        this.#parts.newRequests.offer(request);
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
    if (anew) this.#parts.newRequests.offer(request);
    else if (this.#isDropped(request.method)) this.#parts.refusals.drop(request, 'no such dialog');
    else {
      this.#context.counters.count('unknownDialogs');
      this.#parts.refusals.refuse(request, { status: 481 });
    }
  }

  #isDropped(method: string): boolean {
    if (method === 'REFER') return this.#context.ways.has('drops-refer');
    return !knownMethods.has(method) && this.#context.ways.has('drops-unknown-methods');
  }
}
