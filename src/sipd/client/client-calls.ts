/** What the answers to our requests mean: for the application, for the dialog, for the call itself (RFC 3261 13.2.2). */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { type Dialog, type Dialogs, routeSet } from '../dialog/dialog.ts';
import { LastWords } from '../dialog/last-words.ts';
import { endsSubscription, endUsage, referUsage, subscriptionUsage } from '../dialog/usages.ts';
import { limits } from '../limits.ts';
import { tagOf, tidyAddress } from '../message/address.ts';
import type { AppMessage } from '../message/compose.ts';
import { firstValue, type IncomingRequest, type IncomingResponse } from '../message/incoming.ts';
import type { Sessions } from '../session-timer/sessions.ts';
import type { ClientTransactions } from '../transaction/client-transactions.ts';
import { AnswerEvents } from './answer-events.ts';
import { type ClientCall, cancelOf } from './client-call.ts';
import { EarlyDialogs } from './early-dialogs.ts';

export type ClientCallsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly transactions: ClientTransactions;
  readonly sessions: Sessions;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** Its INVITE usage has ended; subscriptions may go on for a while. */
  readonly inviteEnded: (dialog: Dialog) => void;
  /** Ends the dialog that has this id, if there is one. */
  readonly makeRoom: (id: string) => void;
  /** ACKs the 2xx of an INVITE with this CSeq. */
  readonly acknowledge: (dialog: Dialog, cseq: number) => void;
  /** ACKs a 2xx and hangs up: nobody wants the call. */
  readonly releaseUnwanted: (dialog: Dialog, cseq: number, text: string) => void;
};

/** The requests of applications that are under way, and the dialogs their answers make. */
export class ClientCalls {
  readonly #parts: ClientCallsParts;
  readonly #context: Context;
  readonly #events: AnswerEvents;
  readonly #early: EarlyDialogs;
  readonly #lastWords: LastWords;
  readonly #byId = new Map<string, ClientCall>();
  /** SUBSCRIBEs without a dialog yet, by Call-ID and our tag. */
  readonly #subscribing = new Map<string, ClientCall>();
  /** CSeq of the INVITE whose 2xx waits for the application's ACK. */
  readonly #toAcknowledge = new WeakMap<Dialog, number>();

  constructor(parts: ClientCallsParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#events = new AnswerEvents(parts.context, parts.apps);
    this.#early = new EarlyDialogs(parts);
    this.#lastWords = new LastWords(parts);
  }

  add(call: ClientCall): void {
    this.#byId.set(call.id, call);
    if (call.identity.method === 'SUBSCRIBE' && !call.inDialog) this.#subscribing.set(subscribingKey(call), call);
  }

  byId(id: string): ClientCall | undefined {
    return this.#byId.get(id);
  }

  count(): number {
    return this.#byId.size;
  }

  /** Whether answers may still make a dialog of that application connection. */
  isCalling(session: number): boolean {
    for (const call of this.#byId.values()) if (call.session === session && !call.inDialog) return true;
    return false;
  }

  /** CSeq of the INVITE whose 2xx the application has to ACK; null when there is none. */
  unacknowledged(dialog: Dialog): number | null {
    return this.#toAcknowledge.get(dialog) ?? null;
  }

  /** The dialog a request of an application goes into, by the id it gave; `rack` is the RAck of a PRACK. */
  dialogToSendIn(id: string, rack: string | undefined): Dialog | undefined {
    return this.#early.toSendIn(id, rack);
  }

  /** A response the transaction has let through. */
  response(call: ClientCall, response: IncomingResponse): void {
    const { status } = response;
    if (call.progress === 'final') {
      this.#acceptedAgain(call, response);
      return;
    }
    if (status < 200) this.#provisional(call, response);
    else this.#final(call, status);
    this.#applyToDialog(call, response);
    if (!this.#early.isNext(call, response)) return;
    if (call.deaf && status >= 200) {
      this.#context.log(
        'warn',
        { callId: response.callId },
        'final answer to a re-INVITE lost after 18x, as the daemon does',
      );
      return;
    }
    this.#events.received(call, response);
    if (status >= 200) this.#record(call, status, response.text);
    if (status >= 200) this.#settleDialog(call, status);
    if (status >= 200) this.#parts.sessions.concluded(call, response);
  }

  /** A phone has accepted whose attempt had been given up: it is hung up. The daemon lets it wait. */
  acceptedLate(call: ClientCall, response: IncomingResponse): void {
    if (this.#context.ways.has('ignores-forks')) return;
    // By another way to the same phone it may be the call all the same.
    if (call.dialog?.confirmed === true && call.dialog.remoteTag === response.toTag)
      this.#acceptedAgain(call, response);
    else this.#early.release(call, response, 'answered too late');
  }

  /** No answer can come any more: the application gets one the server makes up. */
  failed(call: ClientCall, status: number, reason: string): void {
    if (call.progress === 'final') return;
    const cancelled = call.cancel.kind === 'held' || call.cancel.kind === 'sent';
    const silent = this.#context.ways.has('deserted-requests') && cancelled && status === 408;
    this.#final(call, status);
    if (!silent && !call.deaf) this.#record(call, status, this.#events.madeUp(call, status, reason));
    this.#settleDialog(call, status);
    this.#parts.sessions.concluded(call, null);
  }

  /** An application has gone: nobody wants its calls any more. The daemon leaves them alone. */
  sessionClosed(session: number): void {
    if (this.#context.ways.has('deserted-requests')) return;
    for (const call of [...this.#byId.values()]) {
      if (call.session !== session || call.identity.method !== 'INVITE' || call.inDialog) continue;
      this.cancel(call, null);
    }
    for (const dialog of this.#parts.dialogs.ofSession(session)) this.#acknowledgeFor(dialog);
  }

  /** The call is not wanted any more; `app` has further headers. RFC 3261 9.1: CANCEL waits for a provisional answer. */
  cancel(call: ClientCall, app: AppMessage | null): void {
    if (call.cancel.kind !== 'none') return;
    if (call.progress !== 'waiting') {
      this.sendCancel(call, cancelOf(call.identity, app));
      return;
    }
    call.cancel = { kind: 'held', app };
    // RFC 3263 4.3: its target is still being looked for. No INVITE is there to be cancelled, and none follows.
    if (call.transaction === null) this.failed(call, 487, 'Request Terminated');
  }

  /** Sends a CANCEL. RFC 3261 9.1: without an answer to the INVITE after 64*T1 the call is given up. */
  sendCancel(call: ClientCall, text: string, kind: 'sent' | 'expired' = 'sent'): void {
    const { transaction, identity, peer } = call;
    if (transaction === null || peer === null) return;
    call.cancel = { kind };
    const { branch } = identity;
    const request = { method: 'CANCEL', branch, asked: identity, text, to: peer, writeAck: () => '' };
    this.#parts.transactions.begin(request, { response: () => undefined, failed: () => undefined });
    this.#context.stop(call.limit);
    call.limit = this.#context.after(64 * this.#context.timerValues.t1, () => {
      this.#parts.transactions.abandon(transaction);
    });
  }

  /** RFC 6665 4.4.1: a NOTIFY may come before the answer to our SUBSCRIBE and makes the dialog. The daemon refuses it. */
  dialogOfEarlyNotify(notify: IncomingRequest): Dialog | 'refuse' | null {
    const call = this.#subscribing.get(`${notify.callId} ${notify.toTag ?? ''}`);
    if (call === undefined || call.dialog !== null) return null;
    if (this.#context.ways.has('refuses-early-notify')) return 'refuse';
    call.dialog = this.#early.open(call, {
      remoteTag: notify.fromTag ?? '',
      remoteAddress: tidyAddress(firstValue(notify, 'from') ?? ''),
      routes: routeSet(notify.recordRoutes, 'server'),
      remoteTarget: notify.target,
      flow: notify.from,
    });
    if (call.dialog !== null) {
      call.dialog.confirmed = true;
      call.dialog.usages.add(subscriptionUsage(call.event));
    }
    return call.dialog;
  }

  #provisional(call: ClientCall, { status }: IncomingResponse): void {
    call.progress = 'provisional';
    if (call.identity.method !== 'INVITE') return;
    if (call.cancel.kind === 'held') this.sendCancel(call, cancelOf(call.identity, call.cancel.app));
    else if (call.cancel.kind === 'none') this.#ringOn(call);
    if (call.inDialog && call.session !== null && status > 100 && this.#context.ways.has('loses-final-after-18x')) {
      call.deaf = true;
    }
  }

  // RFC 3261 16.8 has this for proxies; here it keeps a phone that rings for ever from holding memory for ever.
  #ringOn(call: ClientCall): void {
    this.#context.stop(call.limit);
    call.limit = this.#context.after(limits.timerCMs, () => {
      this.sendCancel(call, cancelOf(call.identity, null), 'expired');
    });
  }

  #final(call: ClientCall, status: number): void {
    call.progress = 'final';
    this.#context.stop(call.limit);
    this.#byId.delete(call.id);
    const subscribing = subscribingKey(call);
    if (this.#subscribing.get(subscribing) === call) this.#subscribing.delete(subscribing);
    if (call.cancel.kind !== 'none' && status >= 200 && status < 300 && !call.inDialog) this.#raceLost(call);
  }

  #raceLost(call: ClientCall): void {
    this.#context.log('info', { callId: call.identity.callId }, 'call was answered before its CANCEL arrived');
  }

  /** RFC 3261 12.1.2, 12.2.1.2: dialogs begin and change with answers. */
  #applyToDialog(call: ClientCall, response: IncomingResponse): void {
    const { status } = response;
    const { method } = call.identity;
    if (status === 100 || status >= 300) return;
    const subscription = subscriptionOf(call, response);
    const makes = method === 'INVITE' || subscription !== null;
    if (!call.inDialog && makes && response.toTag !== null) {
      const before = call.dialog;
      call.dialog = this.#early.of(call, response) ?? before;
      // RFC 6665 4.4.1: a NOTIFY of another branch was faster. Applications know one subscription by the id.
      if (method === 'SUBSCRIBE' && before !== null && before !== call.dialog) this.#parts.dialogEnded(before);
    }
    const { dialog } = call;
    if (dialog === null || status < 200) return;
    if (!call.inDialog) {
      // What is accepted within an early dialog (PRACK, UPDATE) does not end its being early.
      dialog.confirmed = true;
      this.#early.accepted(call, dialog);
    }
    if (
      call.inDialog &&
      !this.#context.ways.has('keeps-first-contact') &&
      ['INVITE', 'UPDATE', 'SUBSCRIBE'].includes(method)
    ) {
      dialog.remoteTarget = response.target ?? dialog.remoteTarget;
    }
    if (method === 'INVITE') {
      dialog.usages.add('invite');
      this.#toAcknowledge.set(dialog, call.identity.cseq);
      if (call.cancel.kind !== 'none' && !call.inDialog) {
        dialog.endAfterAck = 'ACK-BYE due to cancel race condition';
      }
    } else if (subscription !== null) dialog.usages.add(subscription);
  }

  /** What a final answer ends. */
  #settleDialog(call: ClientCall, status: number): void {
    const { dialog, inDialog, identity } = call;
    if (dialog === null) return;
    const challenged = status === 401 || status === 407;
    if (identity.method === 'SUBSCRIBE') this.#subscribed(call, dialog, status);
    if (!inDialog) {
      if (status >= 300) this.#early.refused(call);
      else if (identity.method === 'INVITE') this.#ackIfDeserted(call, dialog);
      return;
    }
    // RFC 3261 17.1.1.3: a refusal has been acknowledged; the ACK of an earlier 2xx is not to be sent for it.
    if (identity.method === 'INVITE' && status >= 300) this.#toAcknowledge.delete(dialog);
    if (identity.method === 'INVITE' && status < 300) this.#ackIfDeserted(call, dialog);
    if (identity.method === 'BYE') {
      // Whoever was challenged may try again, but is not waited for for ever.
      if (challenged) this.#lastWords.of(dialog, 'invite');
      else this.#parts.inviteEnded(dialog);
    }
    if (identity.method === 'NOTIFY') this.#notified(call, dialog, status);
  }

  /** What the answer to a SUBSCRIBE ends. */
  #subscribed(call: ClientCall, dialog: Dialog, status: number): void {
    if (this.#context.ways.has('keeps-dead-subscriptions')) return;
    const usage = subscriptionUsage(call.event);
    // RFC 6665 4.1.2.3: none was made, though a NOTIFY came before. 4.1.2.2: one that is refreshed ends by what is final.
    const refused = call.inDialog ? status !== 408 && endsSubscription(status) : status >= 300;
    if (!refused && call.endsSubscription) this.#lastWords.of(dialog, usage);
    if (refused && dialog.usages.has(usage) && endUsage(dialog, usage)) this.#parts.dialogEnded(dialog);
  }

  #notified(call: ClientCall, dialog: Dialog, status: number): void {
    const challenged = status === 401 || status === 407;
    if (this.#context.ways.has('keeps-dead-subscriptions')) {
      if (call.endsSubscription && !challenged && dialog.method === 'SUBSCRIBE') this.#parts.dialogEnded(dialog);
      return;
    }
    if (challenged) {
      if (call.endsSubscription) this.#lastWords.of(dialog, subscriptionUsage(call.event));
      return;
    }
    // The daemon keeps a subscription whose NOTIFY nobody wants.
    if (!call.endsSubscription && !endsSubscription(status)) return;
    if (endUsage(dialog, subscriptionUsage(call.event))) this.#parts.dialogEnded(dialog);
  }

  // The application that called has gone: nobody would ever ACK or hang up. The daemon leaves the peer alone with it.
  #ackIfDeserted(call: ClientCall, dialog: Dialog): void {
    if (this.#context.ways.has('deserted-requests') || call.session === null || this.#parts.apps.isOpen(call.session))
      return;
    this.#acknowledgeFor(dialog);
  }

  /** ACKs a 2xx instead of the application that has gone. A call that had only begun ends with it. */
  #acknowledgeFor(dialog: Dialog): void {
    const cseq = this.unacknowledged(dialog);
    if (cseq === null || dialog.ack?.cseq === cseq) return;
    if (cseq === dialog.origin.cseq) this.#parts.releaseUnwanted(dialog, cseq, 'application gone');
    else this.#parts.acknowledge(dialog, cseq);
  }

  #record({ identity, inDialog }: ClientCall, status: number, text: string): void {
    if (identity.method !== 'INVITE' || inDialog) return;
    const { records } = this.#parts.apps;
    if (status < 300) records.start('network', text, 'uac');
    else records.refused('network', text, status);
  }

  /** A further 2xx to an INVITE (RFC 3261 13.2.2.4): the same again wants its ACK again, another is a fork. */
  #acceptedAgain(call: ClientCall, response: IncomingResponse): void {
    const { dialog } = call;
    if (dialog === null || response.status < 200 || response.status > 299) return;
    const { ack } = dialog;
    if (response.toTag !== dialog.remoteTag && !call.inDialog && !this.#context.ways.has('ignores-forks')) {
      this.#early.release(call, response, 'forked call answered twice');
      return;
    }
    // The daemon repeats the first ACK even to a fork, and none within a dialog.
    if (ack?.cseq === call.identity.cseq && !(call.inDialog && this.#context.ways.has('single-200-in-dialog'))) {
      this.#context.send(ack.to, ack.text);
    }
  }
}

/** The subscription a 2xx gives us, or lets go on; null when it gives none. */
function subscriptionOf({ identity, event }: ClientCall, response: IncomingResponse): string | null {
  if (response.status < 200) return null;
  if (identity.method === 'SUBSCRIBE') return subscriptionUsage(event);
  return identity.method === 'REFER' ? referUsage(identity.cseq, firstValue(response, 'refer-sub')) : null;
}

function subscribingKey(call: ClientCall): string {
  return `${call.identity.callId} ${tagIn(call.identity.from)}`;
}

function tagIn(value: string): string {
  return tagOf(value) ?? '';
}
