/**
 * Received requests: which are repeated, which acknowledge or cancel another (RFC 3261 9.2, 13.3.1.4), and to which half
 * the rest goes: new-requests.ts (8.2) or dialog-requests.ts (12.2.2). The answers of applications are in answers.ts.
 */

import type { Context } from '../context.ts';
import { spellHeader } from '../message/header-names.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import { writeOwnResponse } from '../message/own-response.ts';
import type { ForwardingProxy } from '../proxy/forwarding-proxy.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';
import { DialogRequests, type DialogRequestsParts } from './dialog-requests.ts';
import { HandOver, type HandOverParts } from './hand-over.ts';
import { NewRequests, type NewRequestsParts } from './new-requests.ts';
import type { PendingRequest } from './pending-requests.ts';
import { type Refusal, Refusals } from './refusals.ts';
import type { Unacknowledged } from './unacknowledged.ts';

/** What its halves need, but for what it makes for them itself. */
export type UserAgentServerParts = Omit<NewRequestsParts & DialogRequestsParts & HandOverParts, OwnParts> & {
  readonly unacknowledged: Unacknowledged;
  readonly proxy: Pick<ForwardingProxy, 'acknowledge' | 'cancel'>;
};

type OwnParts = 'refusals' | 'handOver' | 'newRequests';

/** The receiving half: gives each request to an application, or refuses it. */
export class UserAgentServer {
  readonly #parts: UserAgentServerParts;
  readonly #context: Context;
  readonly #refusals: Refusals;
  readonly #handOver: HandOver;
  readonly #newRequests: NewRequests;
  readonly #dialogRequests: DialogRequests;

  constructor(parts: UserAgentServerParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#refusals = new Refusals(parts.context);
    this.#handOver = new HandOver({ ...parts, refusals: this.#refusals });
    const shared = { ...parts, refusals: this.#refusals, handOver: this.#handOver };
    this.#newRequests = new NewRequests(shared);
    this.#dialogRequests = new DialogRequests({ ...shared, newRequests: this.#newRequests });
  }

  /** `admission` is `refuse` when the source has sent too much: what is new is not let in. */
  receive(request: IncomingRequest, admission: 'pass' | 'refuse'): void {
    if (request.method === 'ACK') {
      this.#acknowledged(request);
      return;
    }
    const transaction = this.#parts.transactions.find(request);
    if (transaction !== undefined) this.#repeated(transaction);
    else if (admission === 'refuse' && !this.#endsSomething(request))
      this.#refusals.refuseBusy(request, 'limitedRequests');
    else if (request.method === 'CANCEL') this.#cancel(request);
    else if (request.toTag === null) this.#newRequests.receive(request);
    else this.#dialogRequests.receive(request, request.toTag);
  }

  /** Answers without a transaction. */
  refuse(request: IncomingRequest, response: Refusal): void {
    this.#refusals.refuse(request, response);
  }

  /** RFC 3262 3: nobody has acknowledged the reliable answer to this INVITE. Its application hears of a CANCEL. */
  unacknowledged(pending: PendingRequest): void {
    const { request } = pending;
    this.#context.log('warn', { callId: request.callId }, 'a reliable provisional answer was not acknowledged');
    this.#parts.open.answerFor(pending, { status: 504, reason: 'PRACK timeout' });
    this.#handOver.tell(madeUpCancel(request), pending, '');
  }

  // RFC 3261 17.2.3: the branch alone says so, whatever else stands in the request.
  #repeated(transaction: ServerTransaction): void {
    this.#context.counters.count('repeatedRequests');
    this.#parts.transactions.receive(transaction, 'request');
  }

  /**
   * RFC 3261 15.1.1: whoever has sent BYE is done with the call whatever the answer, and nobody sends a CANCEL twice;
   * refused, what they end would stay. It is less work afterwards, so it is let in where its refusal would be.
   */
  #endsSomething(request: IncomingRequest): boolean {
    const { method, callId, toTag, fromTag } = request;
    if (method === 'CANCEL') return this.#parts.transactions.find(request, 'INVITE') !== undefined;
    return method === 'BYE' && this.#parts.dialogs.find(callId, toTag ?? '', fromTag ?? '') !== undefined;
  }

  /** RFC 3261 9.2. */
  #cancel(cancel: IncomingRequest): void {
    const invite = this.#parts.transactions.find(cancel, 'INVITE');
    if (invite === undefined) {
      this.#refusals.refuse(cancel, { status: 481 });
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
    this.#handOver.tell(cancel, pending, '');
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
      if (!this.#parts.proxy.acknowledge(ack)) this.#refusals.drop(ack, 'no such dialog');
      return;
    }
    this.#parts.unacknowledged.acknowledge(dialog, ack.cseq);
    if (dialog.owner === null || !this.#parts.apps.isOpen(dialog.owner)) return;
    const first = ack.cseq === dialog.origin.cseq && dialog.origin.transactionId !== '';
    const id = first ? dialog.origin.transactionId : this.#context.ids.uuid();
    this.#handOver.tell(ack, { id, session: dialog.owner }, dialog.id);
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
