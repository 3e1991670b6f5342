/** The way of a received request to its application: it gets a transaction, is waited for, and its application told. */

import type { Context } from '../context.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { OpenRequests } from './open-requests.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { Refusals } from './refusals.ts';
import type { RequestEvents } from './request-events.ts';

export type HandOverParts = {
  readonly context: Context;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly open: OpenRequests;
  readonly events: RequestEvents;
  readonly refusals: Refusals;
};

/** Gives requests to applications, in dialogs and outside them. */
export class HandOver {
  readonly #parts: HandOverParts;
  readonly #context: Context;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Begins a transaction and hands the request to the application. */
  hand(request: IncomingRequest, session: number, dialog: Dialog | null): void {
    const pending = this.begin(request, session, dialog);
    if (pending !== null) this.tell(request, pending, dialog?.id ?? '');
  }

  /**
   * Begins a transaction; `session` is null while a request handler is asked whose the request is. Null when there is no
   * room for one more: the request has been refused.
   */
  begin(request: IncomingRequest, session: number | null, dialog: Dialog | null): PendingRequest | null {
    const transaction = this.#parts.transactions.begin(request);
    if (transaction === null) {
      this.#parts.refusals.refuse(request, this.#parts.refusals.busy());
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
  tell(request: IncomingRequest, { id, session }: Pick<PendingRequest, 'id' | 'session'>, dialogId: string): void {
    if (session !== null) this.#parts.events.tell(request, { id, session }, dialogId);
  }
}
