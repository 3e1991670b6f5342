/** What the answers to our requests mean: for the application, for the dialog, for the call itself (RFC 3261 13.2.2). */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { eventPayload } from '../control/frames.ts';
import { type Dialog, type Dialogs, endUsage, routeSet, subscriptionUsage } from '../dialog/dialog.ts';
import { limits } from '../limits.ts';
import { tagOf } from '../message/address.ts';
import { firstValue, type IncomingRequest, type IncomingResponse } from '../message/incoming.ts';
import type { ClientTransactions } from '../transaction/client-transactions.ts';
import { type ClientCall, cancelOf, madeUpResponse } from './client-call.ts';

export type ClientCallsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly transactions: ClientTransactions;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** Its INVITE usage has ended; subscriptions may go on for a while. */
  readonly inviteEnded: (dialog: Dialog) => void;
  /** Ends the dialog that has this id, if there is one. */
  readonly makeRoom: (id: string) => void;
  /** ACKs a 2xx and hangs up: nobody wants the call. */
  readonly releaseUnwanted: (dialog: Dialog, cseq: number, text: string) => void;
};

/** The requests of applications that are under way, and the dialogs their answers make. */
export class ClientCalls {
  readonly #parts: ClientCallsParts;
  readonly #context: Context;
  readonly #byId = new Map<string, ClientCall>();
  /** SUBSCRIBEs without a dialog yet, by Call-ID and our tag. */
  readonly #subscribing = new Map<string, ClientCall>();
  /** CSeq of the INVITE whose 2xx waits for the application's ACK. */
  readonly #toAcknowledge = new WeakMap<Dialog, number>();

  constructor(parts: ClientCallsParts) {
    this.#parts = parts;
    this.#context = parts.context;
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

  /** CSeq of the INVITE whose 2xx the application has to ACK; null when there is none. */
  unacknowledged(dialog: Dialog): number | null {
    return this.#toAcknowledge.get(dialog) ?? null;
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
    if (call.deaf && status >= 200) {
      this.#context.log(
        'warn',
        { callId: response.callId },
        'final answer to a re-INVITE lost after 18x, as the daemon does',
      );
      return;
    }
    this.#tell(call, response);
    if (status >= 200) this.#settleDialog(call, status);
  }

  /** No answer can come any more: the application gets one the server makes up. */
  failed(call: ClientCall, status: number, reason: string): void {
    if (call.progress === 'final') return;
    const cancelled = call.cancel.kind === 'held' || call.cancel.kind === 'sent';
    const silent = this.#context.ways.has('deserted-requests') && cancelled && status === 408;
    this.#final(call, status);
    if (!silent && !call.deaf) this.#tellMadeUp(call, status, reason);
    this.#settleDialog(call, status);
  }

  /** Sends a CANCEL. RFC 3261 9.1: without an answer to the INVITE after 64*T1 the call is given up. */
  sendCancel(call: ClientCall, text: string, kind: 'sent' | 'expired' = 'sent'): void {
    const { transaction, identity, peer } = call;
    if (transaction === null || peer === null) return;
    call.cancel = { kind };
    const request = { method: 'CANCEL', branch: identity.branch, text, to: peer, writeAck: () => '' };
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
    call.dialog = this.#newDialog(call, {
      remoteTag: notify.fromTag ?? '',
      remoteAddress: firstValue(notify, 'from') ?? '',
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
    if (call.cancel.kind === 'held') this.sendCancel(call, call.cancel.text);
    else if (call.cancel.kind === 'none') this.#ringOn(call);
    if (call.inDialog && status > 100 && this.#context.ways.has('loses-final-after-18x')) call.deaf = true;
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
    if (!call.inDialog && makesDialog(method, status) && response.toTag !== null) this.#openDialog(call, response);
    const { dialog } = call;
    if (dialog === null || status < 200) return;
    dialog.confirmed = true;
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
    } else if (method === 'SUBSCRIBE' || method === 'REFER') dialog.usages.add(subscriptionUsage(call.event));
  }

  #openDialog(call: ClientCall, response: IncomingResponse): void {
    const remoteTag = response.toTag ?? '';
    const remoteAddress = firstValue(response, 'to') ?? '';
    const routes = routeSet(response.recordRoutes, 'client');
    const { target, from: flow } = response;
    const { dialog } = call;
    if (dialog === null) {
      call.dialog = this.#newDialog(call, { remoteTag, remoteAddress, routes, remoteTarget: target, flow });
      return;
    }
    // Another branch of a forked call rings or answers: the application knows one dialog, and it follows the latest.
    if (dialog.remoteTag !== remoteTag) this.#parts.dialogs.retag(dialog, remoteTag, remoteAddress);
    dialog.routes = routes;
    dialog.remoteTarget = target ?? dialog.remoteTarget;
    dialog.flow = flow;
  }

  #newDialog(
    call: ClientCall,
    peer: Pick<Dialog, 'remoteTag' | 'remoteAddress' | 'routes' | 'remoteTarget' | 'flow'>,
  ): Dialog | null {
    if (this.#parts.dialogs.count() >= limits.dialogsMax) return null;
    const { identity } = call;
    const localTag = tagIn(identity.from);
    const id = `${identity.callId};from-tag=${localTag}`;
    this.#parts.makeRoom(id);
    const dialog: Dialog = {
      id,
      callId: identity.callId,
      localTag,
      remoteTag: peer.remoteTag,
      localAddress: identity.from,
      remoteAddress: peer.remoteAddress,
      localCseq: identity.cseq,
      remoteCseq: null,
      routes: peer.routes,
      remoteTarget: peer.remoteTarget,
      flow: peer.flow,
      owner: call.session,
      method: identity.method,
      confirmed: false,
      localContact: call.contact,
      usages: new Set(),
      origin: { cseq: identity.cseq, transactionId: '' },
      ack: null,
      endAfterAck: null,
    };
    this.#parts.dialogs.add(dialog);
    return dialog;
  }

  /** What a final answer ends. */
  #settleDialog(call: ClientCall, status: number): void {
    const { dialog, inDialog, identity } = call;
    if (dialog === null) return;
    const challenged = status === 401 || status === 407;
    if (!inDialog) {
      if (status >= 300 && !dialog.confirmed) this.#parts.dialogEnded(dialog);
      else if (status < 300 && identity.method === 'INVITE') this.#adopt(call, dialog);
      return;
    }
    // RFC 3261 17.1.1.3: a refusal has been acknowledged; the ACK of an earlier 2xx is not to be sent for it.
    if (identity.method === 'INVITE' && status >= 300) this.#toAcknowledge.delete(dialog);
    if (identity.method === 'BYE' && !challenged) this.#parts.inviteEnded(dialog);
    if (identity.method === 'NOTIFY' && !challenged) this.#notified(call, dialog, status);
  }

  #notified(call: ClientCall, dialog: Dialog, status: number): void {
    if (this.#context.ways.has('keeps-dead-subscriptions')) {
      if (call.endsSubscription && dialog.method === 'SUBSCRIBE') this.#parts.dialogEnded(dialog);
      return;
    }
    // RFC 6665 4.2.2: 481 to a NOTIFY ends the subscription too. The daemon keeps it.
    if (!call.endsSubscription && status !== 481) return;
    if (endUsage(dialog, subscriptionUsage(call.event))) this.#parts.dialogEnded(dialog);
  }

  // The application that called has gone: nobody would ever ACK or hang up. The daemon leaves the peer alone with it.
  #adopt(call: ClientCall, dialog: Dialog): void {
    if (this.#context.ways.has('deserted-requests') || call.session === null || this.#parts.apps.isOpen(call.session))
      return;
    this.#parts.releaseUnwanted(dialog, call.identity.cseq, 'application gone');
  }

  /** A further 2xx to an INVITE (RFC 3261 13.2.2.4): the same again wants its ACK again, another is a fork. */
  #acceptedAgain(call: ClientCall, response: IncomingResponse): void {
    const { dialog } = call;
    if (dialog === null || response.status < 200 || response.status > 299) return;
    const { ack } = dialog;
    if (response.toTag === dialog.remoteTag || this.#context.ways.has('ignores-forks')) {
      // The daemon repeats the first ACK even to a fork, and none within a dialog.
      if (ack?.cseq === call.identity.cseq && !(call.inDialog && this.#context.ways.has('single-200-in-dialog'))) {
        this.#context.send(ack.to, ack.text);
      }
      return;
    }
    this.#parts.releaseUnwanted(this.#forkedDialog(dialog, response), call.identity.cseq, 'forked call answered twice');
  }

  /** A dialog that is never registered: it lives for one ACK and one BYE. */
  #forkedDialog(dialog: Dialog, response: IncomingResponse): Dialog {
    return {
      ...dialog,
      id: '',
      owner: null,
      remoteTag: response.toTag ?? '',
      remoteAddress: firstValue(response, 'to') ?? dialog.remoteAddress,
      routes: routeSet(response.recordRoutes, 'client'),
      remoteTarget: response.target,
      flow: response.from,
      usages: new Set(['invite']),
    };
  }

  #tell(call: ClientCall, response: IncomingResponse): void {
    const { from } = response;
    this.#event(call, {
      bytes: response.bytes,
      protocol: from.protocol,
      host: from.host,
      port: from.port,
      text: response.text,
    });
  }

  #tellMadeUp(call: ClientCall, status: number, reason: string): void {
    const text = madeUpResponse(call.identity, status, { reason, tag: this.#context.ids.tag() });
    this.#event(call, { bytes: 0, protocol: call.protocol, host: '', port: 0, text });
  }

  #event(
    call: ClientCall,
    shown: {
      readonly bytes: number;
      readonly protocol: string;
      readonly host: string;
      readonly port: number;
      readonly text: string;
    },
  ): void {
    if (call.session === null || !this.#parts.apps.isOpen(call.session)) return;
    const payload = eventPayload({
      ...shown,
      id: this.#context.ids.uuid(),
      source: 'network',
      now: this.#context.now,
      transactionId: call.id,
      dialogId: call.dialog?.id ?? '',
      receivedOn: null,
    });
    this.#context.frame(call.session, payload);
  }
}

function makesDialog(method: string, status: number): boolean {
  if (method === 'INVITE') return true;
  return status >= 200 && (method === 'SUBSCRIBE' || method === 'REFER');
}

function subscribingKey(call: ClientCall): string {
  return `${call.identity.callId} ${tagIn(call.identity.from)}`;
}

function tagIn(value: string): string {
  return tagOf(value) ?? '';
}
