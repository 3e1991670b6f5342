/** Requests that applications have been given and have not finally answered. */

import type { Dialog } from '../dialog/dialog.ts';
import type { AppMessage } from '../message/compose.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';

export type PendingRequest = {
  /** What the application calls it. */
  readonly id: string;
  readonly request: IncomingRequest;
  readonly transaction: ServerTransaction;
  /** Null: a request handler has not said yet whose it is. */
  session: number | null;
  dialog: Dialog | null;
  /** Whether the request came in a dialog; else an answer may make one. */
  readonly inDialog: boolean;
  /** Our tag in the answers, chosen with the first of them. */
  localTag: string | null;
  /** 100 Trying that is still to be sent. */
  trying: TimerHandle | null;
  /** Runs until the application has said anything at all. */
  silence: TimerHandle | null;
};

/** What an application answers. */
export type AppAnswer = {
  readonly session: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly message: AppMessage;
  readonly status: number;
  readonly reason: string;
};

/** The open requests, found by id, transaction, dialog, or by what merged copies have in common. */
export class PendingRequests {
  readonly #byId = new Map<string, PendingRequest>();
  readonly #byTransaction = new Map<ServerTransaction, PendingRequest>();
  readonly #byOrigin = new Map<string, Set<PendingRequest>>();
  readonly #byDialog = new Map<Dialog, Set<PendingRequest>>();

  add(pending: PendingRequest): void {
    this.#byId.set(pending.id, pending);
    this.#byTransaction.set(pending.transaction, pending);
    if (pending.inDialog) {
      if (pending.dialog !== null) into(this.#byDialog, pending.dialog, pending);
    } else into(this.#byOrigin, originKey(pending.request), pending);
  }

  remove(pending: PendingRequest): void {
    this.#byId.delete(pending.id);
    this.#byTransaction.delete(pending.transaction);
    if (!pending.inDialog) outOf(this.#byOrigin, originKey(pending.request), pending);
    else if (pending.dialog !== null) outOf(this.#byDialog, pending.dialog, pending);
  }

  byId(id: string): PendingRequest | undefined {
    return this.#byId.get(id);
  }

  byTransaction(transaction: ServerTransaction): PendingRequest | undefined {
    return this.#byTransaction.get(transaction);
  }

  /** Requests outside dialogs with the same Call-ID, From tag, CSeq and method: forks of one (RFC 3261 8.2.2.2). */
  sameOrigin(request: IncomingRequest): readonly PendingRequest[] {
    return [...(this.#byOrigin.get(originKey(request)) ?? [])];
  }

  /** Unanswered requests of a dialog. */
  inDialog(dialog: Dialog): readonly PendingRequest[] {
    return [...(this.#byDialog.get(dialog) ?? [])];
  }

  ofSession(session: number): readonly PendingRequest[] {
    return [...this.#byId.values()].filter((pending) => pending.session === session);
  }

  count(): number {
    return this.#byId.size;
  }
}

function originKey(request: IncomingRequest): string {
  return `${request.callId} ${request.fromTag ?? ''} ${request.cseq} ${request.method}`;
}

function into<Key>(map: Map<Key, Set<PendingRequest>>, key: Key, pending: PendingRequest): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, new Set([pending]));
  else found.add(pending);
}

function outOf<Key>(map: Map<Key, Set<PendingRequest>>, key: Key, pending: PendingRequest): void {
  const found = map.get(key);
  if (found === undefined) return;
  found.delete(pending);
  if (found.size === 0) map.delete(key);
}
