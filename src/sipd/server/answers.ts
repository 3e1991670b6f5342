/** Answers applications give to requests (RFC 3261 8.2.6, 12.1.1, 13.3.1). */

import type { SipHeader } from '../../wire/sip-message.ts';
import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { responseSent } from '../control/frames.ts';
import { type ConnectionsByUser, grantedSeconds } from '../dialog/connections-by-user.ts';
import { type Dialog, type Dialogs, routeSet } from '../dialog/dialog.ts';
import { referUsage, subscriptionUsage } from '../dialog/usages.ts';
import { limits } from '../limits.ts';
import { isAddress, tagOf, tidyAddress, withTag } from '../message/address.ts';
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
import type { Agreement, Sessions } from '../session-timer/sessions.ts';
import { isSips } from '../target/next-hop.ts';
import { isSecure } from '../target/transports.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { OpenRequests } from './open-requests.ts';
import type { AppAnswer, PendingRequest, PendingRequests } from './pending-requests.ts';
import type { ReliableProvisionals } from './reliable-provisionals.ts';
import type { Unacknowledged } from './unacknowledged.ts';

export type AnswerParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly transactions: ServerTransactions;
  readonly unacknowledged: Unacknowledged;
  readonly connectionsByUser: ConnectionsByUser;
  readonly open: OpenRequests;
  readonly reliable: ReliableProvisionals;
  readonly sessions: Sessions;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** Ends the dialog that has this id, if there is one. */
  readonly makeRoom: (id: string) => void;
  /** A NOTIFY has its answer, which may end the subscription it is of. */
  readonly notifyAnswered: (notify: IncomingRequest, dialog: Dialog, status: number) => void;
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
    const refusal = pending === undefined ? unknownTransaction : this.#refusal(pending, answer);
    if (pending === undefined || refusal !== null) {
      this.#parts.apps.reply(answer.session, answer.messageId, `NOK|${refusal}`);
      return;
    }
    if (this.#parts.reliable.holdsBack(pending, answer, isReliable(answer))) return;
    this.send(pending, answer);
  }

  /** The answer cannot be sent any more. */
  refuse(answer: AppAnswer): void {
    this.#parts.apps.reply(answer.session, answer.messageId, `NOK|${unknownTransaction}`);
  }

  /** The same for an answer whose turn it is. */
  send(pending: PendingRequest, answer: AppAnswer): void {
    this.#parts.open.heard(pending);
    const reliable = isReliable(answer);
    const rseq = reliable ? this.#parts.reliable.nextNumber(pending) : null;
    const success = answer.status >= 200 && answer.status < 300;
    const agreement = success
      ? this.#parts.sessions.agree(pending, answer.message)
      : { message: answer.message, further: [], interval: null };
    const text = this.#write(
      pending,
      answer,
      rseq === null ? agreement : { ...agreement, further: [rseqHeader(rseq)] },
    );
    if (success) this.#parts.sessions.answered(pending, agreement);
    this.#parts.transactions.respond(pending.transaction, answer.status, text);
    const describes = answer.message.body !== '';
    if (rseq !== null) this.#parts.reliable.sent(pending, rseq, { text, describes });
    this.#confirm(pending, answer, text);
    this.#record(pending, answer.status, text);
    if (answer.status >= 200) this.#finish(pending, answer.status, text);
    else this.#rings(pending, answer.message.body);
  }

  #refusal(pending: PendingRequest, answer: AppAnswer): string | null {
    const { message, status } = answer;
    if (this.#context.ways.has('closed-is-gone') && !this.#context.isOpen(pending.transaction.to)) {
      return 'transport for response has been shutdown or closed';
    }
    const to = given(message, 'to');
    if (to !== undefined && !isAddress(to)) return 'invalid to header';
    if (this.#parts.reliable.isDecided(pending)) return unknownTransaction;
    if (status === 100 && requiresReliable(message)) return '100 Trying is never sent reliably';
    if (isReliable(answer) && !takesReliable(pending.request)) return 'Remote endpoint does not support 100rel';
    if (pending.request.method !== 'INVITE' && !this.#context.ways.has('before-rfc-4320')) {
      // RFC 4320 4.1: none but 100, which the server sends in time; 4.2: what nobody waits for any more is not sent.
      if (status < 200) return 'only an INVITE has provisional responses';
      if (status === 408) return 'only an INVITE is answered 408';
    }
    if (status >= 200 && status < 300 && !pending.inDialog && this.#parts.dialogs.count() >= limits.dialogsMax) {
      return 'too many dialogs';
    }
    return null;
  }

  /** The text of the answer, and what it does to its dialog. */
  #write(pending: PendingRequest, { message, status, reason }: AppAnswer, agreement: Agreement): string {
    const { request } = pending;
    const to = this.#toValue(pending, message);
    const contact = this.#contact(pending, message, status);
    const opens = opensDialog(pending, message, status);
    const text = writeResponse({
      status,
      reason,
      vias: allValues(request, 'via'),
      recordRoutes: opens ? allValues(request, 'record-route') : [],
      ...this.#identity(pending, message),
      to: status === 100 ? (firstValue(request, 'to') ?? to) : to,
      contact,
      further: agreement.further,
      app: lacksContentType(message) ? { ...message, body: '' } : agreement.message,
      own: this.#context.own.of(request.from),
    });
    if (opens) this.#openDialog(pending, to, contact);
    if (status >= 200 && status < 300) this.#succeed(pending, message, contact);
    return text;
  }

  /** The application has said something, but not everything: it is not waited for longer than a call may ring. */
  #rings(pending: PendingRequest, body: string): void {
    this.#parts.open.watchRinging(pending);
    if (pending.dialog !== null) this.#parts.sessions.described(pending.dialog, body);
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

  #contact(pending: PendingRequest, message: AppMessage, status: number): string | null {
    const { method, from } = pending.request;
    const own = this.#context.own.of(from);
    const ours = givenContact(message, own);
    if (ours !== null) return ours;
    // RFC 3262 3: a reliable provisional answer has what makes a dialog, as a 2xx has.
    const wanted = status < 200 ? requiresReliable(message) : status < 300;
    if (!wanted || (method !== 'INVITE' && method !== 'SUBSCRIBE')) return null;
    // The daemon falls back to its bare address even where the dialog has had another Contact.
    const before = this.#context.ways.has('forgets-contact') ? null : (pending.dialog?.localContact ?? null);
    return before ?? bareContact(own, isSips(pending.request.uri));
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
      localAddress: tidyAddress(to),
      remoteAddress: tidyAddress(firstValue(request, 'from') ?? ''),
      localCseq: request.cseq,
      remoteCseq: request.cseq,
      routes: routeSet(request.recordRoutes, 'server'),
      remoteTarget: request.target,
      flow: request.from,
      secure: isSips(request.uri) && isSecure(request.from.protocol),
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

  #succeed(pending: PendingRequest, message: AppMessage, contact: string | null): void {
    const { dialog, request } = pending;
    if (request.method === 'REGISTER' || (request.method === 'SUBSCRIBE' && pending.inDialog)) {
      this.#parts.connectionsByUser.accepted(request, grantedSeconds(message));
    }
    if (dialog === null) return;
    // What is answered within an early dialog does not end its being early.
    if (!pending.inDialog) dialog.confirmed = true;
    dialog.localContact = contact ?? dialog.localContact;
    if (request.method === 'INVITE') dialog.usages.add('invite');
    const subscription = subscriptionOf(request, message);
    if (subscription !== null) dialog.usages.add(subscription);
    // RFC 3261 12.2.2: a target refresh request brings the peer's new Contact. The daemon keeps the first.
    const refreshed = request.target;
    const refreshes = ['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'].includes(request.method);
    if (this.#context.ways.has('keeps-first-contact') || !pending.inDialog || !refreshes || refreshed === null) return;
    dialog.remoteTarget = refreshed;
  }

  #record({ request, inDialog }: PendingRequest, status: number, text: string): void {
    if (request.method !== 'INVITE' || inDialog || status < 200) return;
    const { records } = this.#parts.apps;
    if (status < 300) records.start('application', text, 'uas');
    else records.refused('application', text, status);
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
    this.#parts.reliable.finish(pending);
    if (request.method === 'NOTIFY' && dialog !== null) this.#parts.notifyAnswered(request, dialog, status);
    if (status >= 300) {
      if (!pending.inDialog && dialog !== null) this.#parts.dialogEnded(dialog);
      return;
    }
    if (dialog === null) return;
    if (request.method === 'INVITE') this.#awaitAck(pending, dialog, text);
    // RFC 3261 8.2.2.2: the other branches of a forked request are refused, now that one is accepted.
    const refusal = { status: this.#context.ways.has('late-merge') ? 480 : 482 };
    for (const other of this.#parts.pending.sameOrigin(request)) this.#parts.open.answerFor(other, refusal);
  }

  #awaitAck(pending: PendingRequest, dialog: Dialog, text: string): void {
    // The daemon does not repeat the answer to a re-INVITE, nor does it miss its ACK.
    if (pending.inDialog && this.#context.ways.has('single-200-in-dialog')) return;
    const { to, fallback } = pending.transaction;
    this.#parts.unacknowledged.add({ dialog, cseq: pending.request.cseq, text, to, fallback });
  }
}

const unknownTransaction = 'Response not sent due to unknown transaction';

/** RFC 3262 3: a provisional answer that needs a PRACK. */
function isReliable({ message, status }: AppAnswer): boolean {
  return status > 100 && status < 200 && requiresReliable(message);
}

function requiresReliable(message: AppMessage): boolean {
  return (given(message, 'require') ?? '').toLowerCase().includes('100rel');
}

function takesReliable(request: IncomingRequest): boolean {
  if (request.method !== 'INVITE') return false;
  const supports = [...allValues(request, 'supported'), ...allValues(request, 'require')];
  return supports.some((value) => value.toLowerCase().includes('100rel'));
}

function rseqHeader(rseq: number): SipHeader {
  return { name: 'RSeq', value: String(rseq) };
}

/** RFC 3261 12.1: 2xx, and a provisional answer with a To tag, to what can make a dialog (REFER: RFC 3515 2.4.4). */
function opensDialog({ request, inDialog }: PendingRequest, message: AppMessage, status: number): boolean {
  if (inDialog || status === 100 || status >= 300) return false;
  if (request.method === 'INVITE') return true;
  return status >= 200 && subscriptionOf(request, message) !== null;
}

/** The subscription that a 2xx with these headers begins, or goes on with; null when there is none. */
function subscriptionOf(request: IncomingRequest, message: AppMessage): string | null {
  if (request.method === 'SUBSCRIBE') return subscriptionUsage(firstValue(request, 'event'));
  if (request.method !== 'REFER') return null;
  return referUsage(request.cseq, given(message, 'refer-sub'));
}
