/**
 * Requests that applications have been given and have not answered: the clocks that run for them, and the answers the
 * server gives instead (RFC 3261 15.1.2, 17.2.1; RFC 4320 4).
 */

import type { Context, TimerValues } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Dialog, Dialogs } from '../dialog/dialog.ts';
import { limits } from '../limits.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import { type OwnResponse, writeOwnResponse } from '../message/own-response.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { ReliableProvisionals } from './reliable-provisionals.ts';

export type OpenRequestsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly reliable: ReliableProvisionals;
  /** A NOTIFY has its answer, or will never have one (408). */
  readonly notifyAnswered: (notify: IncomingRequest, dialog: Dialog, status: number) => void;
};

/** Methods of usages other than the call: BYE leaves them alone (RFC 5057 4.1). */
const subscriptionMethods: ReadonlySet<string> = new Set(['SUBSCRIBE', 'NOTIFY', 'REFER']);

/** Watches over unanswered requests. */
export class OpenRequests {
  readonly #parts: OpenRequestsParts;
  readonly #context: Context;
  readonly #lateTryingMs: number;

  constructor(parts: OpenRequestsParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#lateTryingMs = lateTryingMs(parts.context.timerValues);
  }

  /** An application gets the request: from now on it is waited for. */
  watch(pending: PendingRequest): void {
    pending.silence = this.#watchSilence(pending);
    pending.trying = this.#promiseTrying(pending);
  }

  /** The application has said something. */
  heard(pending: PendingRequest): void {
    this.#context.stop(pending.trying);
    pending.trying = null;
    this.#context.stop(pending.silence);
  }

  /** A call that rings longer than any caller waits (timer C) has been forgotten by its application. */
  watchRinging(pending: PendingRequest): void {
    pending.silence = this.#context.after(limits.timerCMs, () => this.answerFor(pending, { status: 500 }));
  }

  /** The server gives the final answer of a request instead of the application. */
  answerFor(pending: PendingRequest, response: Omit<OwnResponse, 'toTag'>): void {
    const text = this.#answer(pending, response);
    if (!opensCall(pending)) return;
    this.#parts.apps.records.refused('application', text, response.status);
  }

  /** RFC 3261 9.2: the INVITE has been cancelled. */
  cancelled(pending: PendingRequest, cancel: IncomingRequest): void {
    const unheard = pending.dialog === null;
    this.#answer(pending, { status: 487 });
    if (unheard && this.#context.ways.has('single-487')) this.#parts.transactions.sayOnce(pending.transaction);
    if (opensCall(pending)) this.#parts.apps.records.stop('network', cancel.text, 'call-canceled');
  }

  /** The dialog is gone: what is still open in it is answered. */
  endAll(dialog: Dialog): void {
    for (const pending of this.#parts.pending.inDialog(dialog)) this.#end(pending);
    const opening = this.#parts.pending.byId(dialog.origin.transactionId);
    if (opening?.dialog === dialog) this.answerFor(opening, { status: 487 });
  }

  /** The call in the dialog is over, its subscriptions are not. */
  endCall(dialog: Dialog): void {
    for (const pending of this.#parts.pending.inDialog(dialog)) {
      if (!subscriptionMethods.has(pending.request.method)) this.#end(pending);
    }
  }

  /** An application has gone. The daemon leaves its requests open; we tell the peers. */
  sessionClosed(session: number): void {
    if (this.#context.ways.has('deserted-requests')) return;
    for (const pending of this.#parts.pending.ofSession(session)) this.answerFor(pending, { status: 503 });
  }

  #answer(pending: PendingRequest, response: Omit<OwnResponse, 'toTag'>): string {
    this.#settle(pending, response.status);
    pending.localTag ??= this.#context.ids.tag();
    const text = writeOwnResponse(pending.request, { ...response, toTag: pending.localTag });
    this.#parts.transactions.respond(pending.transaction, response.status, text);
    return text;
  }

  // RFC 3261 15.1.2: 487; the daemon says 500.
  #end(pending: PendingRequest): void {
    this.answerFor(pending, { status: this.#context.ways.has('ends-with-500') ? 500 : 487 });
  }

  #promiseTrying(pending: PendingRequest): PendingRequest['trying'] {
    const { ways } = this.#context;
    const invite = pending.request.method === 'INVITE';
    if (!invite && ways.has('before-rfc-4320')) return null;
    // RFC 3261 17.2.1: 100 only when the application needs longer than 200 ms; the daemon sends it at once.
    if (!invite || !ways.has('trying-at-once')) {
      return this.#context.after(invite ? limits.tryingMs : this.#lateTryingMs, () => this.#sayTrying(pending));
    }
    this.#sayTrying(pending);
    return null;
  }

  #sayTrying(pending: PendingRequest): void {
    pending.trying = null;
    const text = writeOwnResponse(pending.request, { status: 100, toTag: null });
    this.#parts.transactions.respond(pending.transaction, 100, text);
  }

  #watchSilence(pending: PendingRequest): PendingRequest['silence'] {
    const { method } = pending.request;
    const bye = method === 'BYE' && pending.inDialog;
    return this.#context.after(this.#patienceMs(method, bye), () => {
      this.#context.log('warn', { method, callId: pending.request.callId }, 'application did not answer');
      if (bye || (method === 'INVITE' && !this.#context.ways.has('deserted-requests'))) {
        this.answerFor(pending, { status: 500 });
        return;
      }
      // RFC 4320 4.2: a late error to a non-INVITE helps nobody. The daemon says nothing to an INVITE either.
      this.#settle(pending, 408);
      this.#parts.transactions.forget(pending.transaction);
    });
  }

  // RFC 4320 4.2: after 64*T1 nobody waits for the answer to a non-INVITE.
  #patienceMs(method: string, bye: boolean): number {
    const late = method === 'INVITE' || this.#context.ways.has('before-rfc-4320');
    return late && !bye ? limits.silentApplicationMs : 64 * this.#context.timerValues.t1;
  }

  #settle(pending: PendingRequest, status: number): void {
    this.heard(pending);
    this.#parts.pending.remove(pending);
    this.#parts.reliable.finish(pending);
    const { request, dialog } = pending;
    if (request.method === 'NOTIFY' && dialog !== null) this.#parts.notifyAnswered(request, dialog, status);
    // An early dialog ends with the answer that refuses it.
    if (!pending.inDialog && pending.dialog !== null && !pending.dialog.confirmed) {
      this.#parts.dialogs.remove(pending.dialog);
      this.endAll(pending.dialog);
    }
  }
}

/** RFC 4320 4.1: 100 to a non-INVITE must come when the client's timer E has grown to T2, and over UDP not before. */
export function lateTryingMs({ t1, t2 }: TimerValues): number {
  let at = 0;
  for (let interval = t1; interval < t2; interval *= 2) at += interval;
  return at;
}

function opensCall({ request, inDialog }: PendingRequest): boolean {
  return request.method === 'INVITE' && !inDialog;
}
