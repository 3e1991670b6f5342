/** Answers applications give to requests (RFC 3261 8.2.6, 12.1.1, 13.3.1). */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { responseSent } from '../control/frames.ts';
import { type Dialog, type Dialogs, routeSet } from '../dialog/dialog.ts';
import { subscriptionUsage } from '../dialog/usages.ts';
import { limits } from '../limits.ts';
import { isAddress, tagOf, withTag } from '../message/address.ts';
import {
  type AppMessage,
  given,
  givenContact,
  lacksContentType,
  withOwnHost,
  writeResponse,
} from '../message/compose.ts';
import { allValues, firstValue, type IncomingRequest } from '../message/incoming.ts';
import { bareContact } from '../own-addresses.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { Unacknowledged } from './unacknowledged.ts';

export type AnswerParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly unacknowledged: Unacknowledged;
  /** The server answers a request itself. */
  readonly answerFor: (pending: PendingRequest, status: number) => void;
  /** The application has said something, but not everything: it is not waited for longer than a call may ring. */
  readonly provisionalSent: (pending: PendingRequest) => void;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** Ends the dialog that has this id, if there is one. */
  readonly makeRoom: (id: string) => void;
  /** A subscription we had has been ended by the peer's NOTIFY, which is now answered. */
  readonly notifyAnswered: (notify: IncomingRequest, dialog: Dialog) => void;
};

export type AppAnswer = {
  readonly session: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly message: AppMessage;
  readonly status: number;
  readonly reason: string;
};

/** The answering half of the user agent server. */
export class Answers {
  readonly #parts: AnswerParts;
  readonly #context: Context;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends the answer and confirms it to the application, in this order of frames: confirmation, then what follows. */
  answer(answer: AppAnswer): void {
    const pending = this.#parts.pending.byId(answer.transactionId);
    const refusal =
      pending === undefined ? 'Response not sent due to unknown transaction' : this.#refusal(pending, answer);
    if (pending === undefined || refusal !== null) {
      this.#parts.apps.reply(answer.session, answer.messageId, `NOK|${refusal}`);
      return;
    }
    this.#context.stop(pending.trying);
    this.#context.stop(pending.silence);
    this.#send(pending, answer);
  }

  #refusal(pending: PendingRequest, { message, status }: AppAnswer): string | null {
    if (this.#context.ways.has('closed-is-gone') && !this.#context.isOpen(pending.transaction.to)) {
      return 'transport for response has been shutdown or closed';
    }
    const to = given(message, 'to');
    if (to !== undefined && !isAddress(to)) return 'invalid to header';
    const requires = given(message, 'require') ?? '';
    if (status < 200 && requires.includes('100rel')) {
      const supports = [...allValues(pending.request, 'supported'), ...allValues(pending.request, 'require')];
      if (!supports.some((value) => value.includes('100rel'))) return 'Remote endpoint does not support 100rel';
      return 'reliable provisional responses are not supported';
    }
    if (status >= 200 && status < 300 && !pending.inDialog && this.#parts.dialogs.count() >= limits.dialogsMax) {
      return 'too many dialogs';
    }
    return null;
  }

  #send(pending: PendingRequest, answer: AppAnswer): void {
    const { request } = pending;
    const { status } = answer;
    const success = status >= 200 && status < 300;
    const to = this.#toValue(pending, answer.message);
    const contact = this.#contact(pending, answer);
    const recordRoutes = this.#opensDialog(pending, status) ? allValues(request, 'record-route') : [];
    const text = writeResponse({
      status,
      reason: answer.reason,
      vias: allValues(request, 'via'),
      recordRoutes,
      ...this.#identity(pending, answer.message),
      to: status === 100 ? (firstValue(request, 'to') ?? to) : to,
      contact,
      app: lacksContentType(answer.message) ? { ...answer.message, body: '' } : answer.message,
      own: this.#context.own.of(request.from),
    });
    if (this.#opensDialog(pending, status)) this.#openDialog(pending, to, contact);
    if (success) this.#succeed(pending, contact);
    this.#parts.transactions.respond(pending.transaction, status, text);
    this.#confirm(pending, answer, text);
    if (status >= 200) this.#finish(pending, status, text);
    else this.#parts.provisionalSent(pending);
  }

  /** What identifies the answer. The daemon takes it from the application even when it is foreign to the request. */
  #identity(pending: PendingRequest, message: AppMessage): { from: string; callId: string; cseq: string } {
    const { request } = pending;
    const own = this.#context.ways.has('believes-applications') ? message : null;
    return {
      from: given(own, 'from') ?? firstValue(request, 'from') ?? '',
      callId: given(own, 'call-id') ?? request.callId,
      cseq: given(own, 'cseq') ?? `${request.cseq} ${request.method}`,
    };
  }

  /** To with our tag: the dialog's, or the one the application gave, or a new one. */
  #toValue(pending: PendingRequest, message: AppMessage): string {
    const received = firstValue(pending.request, 'to') ?? '';
    if (pending.request.toTag !== null) return received;
    const chosen = given(message, 'to');
    const chosenTag = chosen === undefined ? null : tagOf(chosen);
    pending.localTag ??= chosenTag ?? this.#context.ids.tag();
    // Once a tag is chosen (RFC 3261 8.2.6.2: one for all answers) another would name a dialog that does not exist.
    const usesChosen = chosen !== undefined && (chosenTag === null || chosenTag === pending.localTag);
    const value =
      this.#context.ways.has('believes-applications') && usesChosen
        ? withOwnHost(chosen, this.#context.own.of(pending.request.from))
        : received;
    return tagOf(value) === null ? withTag(value, pending.localTag) : value;
  }

  #contact(pending: PendingRequest, { message, status }: AppAnswer): string | null {
    const { method, from } = pending.request;
    const own = this.#context.own.of(from);
    const ours = givenContact(message, own);
    if (ours !== null) return ours;
    if (status < 200 || status > 299 || (method !== 'INVITE' && method !== 'SUBSCRIBE')) return null;
    // The daemon falls back to its bare address even where the dialog has had another Contact.
    const before = this.#context.ways.has('forgets-contact') ? null : (pending.dialog?.localContact ?? null);
    return before ?? bareContact(own);
  }

  /** RFC 3261 12.1: 2xx, and a provisional answer with a To tag, to what can make a dialog (REFER: RFC 3515 2.4.4). */
  #opensDialog(pending: PendingRequest, status: number): boolean {
    if (pending.inDialog || status === 100 || status >= 300) return false;
    const { method } = pending.request;
    return method === 'INVITE' || (status >= 200 && (method === 'SUBSCRIBE' || method === 'REFER'));
  }

  #openDialog(pending: PendingRequest, to: string, contact: string | null): void {
    const { request } = pending;
    if (pending.dialog !== null) {
      pending.dialog.localContact = contact ?? pending.dialog.localContact;
      return;
    }
    const fromTag = request.fromTag ?? '';
    const id = `${request.callId};from-tag=${fromTag}`;
    this.#parts.makeRoom(id);
    const dialog: Dialog = {
      id,
      callId: request.callId,
      localTag: pending.localTag ?? '',
      remoteTag: fromTag,
      localAddress: to,
      remoteAddress: firstValue(request, 'from') ?? '',
      localCseq: request.cseq,
      remoteCseq: request.cseq,
      routes: routeSet(request.recordRoutes, 'server'),
      remoteTarget: request.target,
      flow: request.from,
      owner: pending.session,
      method: request.method,
      confirmed: false,
      localContact: contact,
      usages: new Set(),
      origin: { cseq: request.cseq, transactionId: request.method === 'INVITE' ? pending.id : '' },
      ack: null,
      endAfterAck: null,
    };
    pending.dialog = dialog;
    this.#parts.dialogs.add(dialog);
  }

  #succeed(pending: PendingRequest, contact: string | null): void {
    const { dialog, request } = pending;
    if (dialog === null) return;
    dialog.confirmed = true;
    dialog.localContact = contact ?? dialog.localContact;
    if (request.method === 'INVITE') dialog.usages.add('invite');
    else if (request.method === 'SUBSCRIBE' || request.method === 'REFER') {
      dialog.usages.add(subscriptionUsage(firstValue(request, 'event')));
    }
    // RFC 3261 12.2.2: a target refresh request brings the peer's new Contact. The daemon keeps the first.
    const refreshed = request.target;
    const refreshes = ['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'].includes(request.method);
    if (this.#context.ways.has('keeps-first-contact') || !pending.inDialog || !refreshes || refreshed === null) return;
    dialog.remoteTarget = refreshed;
  }

  #confirm(pending: PendingRequest, answer: AppAnswer, text: string): void {
    const { to } = pending.transaction;
    const rest = responseSent({
      bytes: text.length,
      protocol: pending.request.method === 'INVITE' ? to.protocol : '',
      host: to.host,
      port: to.port,
      now: this.#context.now,
      transactionId: pending.id,
      dialogId: pending.dialog?.id ?? '',
      text,
    });
    this.#parts.apps.reply(answer.session, answer.messageId, rest);
  }

  #finish(pending: PendingRequest, status: number, text: string): void {
    const { dialog, request } = pending;
    this.#parts.pending.remove(pending);
    if (status >= 300) {
      if (!pending.inDialog && dialog !== null) this.#parts.dialogEnded(dialog);
      return;
    }
    if (dialog === null) return;
    if (request.method === 'INVITE') this.#awaitAck(pending, dialog, text);
    if (request.method === 'NOTIFY') this.#parts.notifyAnswered(request, dialog);
    // The daemon refuses the other branches of a forked request once one is accepted.
    for (const other of this.#parts.pending.sameOrigin(request)) this.#parts.answerFor(other, 480);
  }

  #awaitAck(pending: PendingRequest, dialog: Dialog, text: string): void {
    // The daemon does not repeat the answer to a re-INVITE, nor does it miss its ACK.
    if (pending.inDialog && this.#context.ways.has('single-200-in-dialog')) return;
    const { to, fallback } = pending.transaction;
    this.#parts.unacknowledged.add({ dialog, cseq: pending.request.cseq, text, to, fallback });
  }
}
