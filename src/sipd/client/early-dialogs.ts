/**
 * The dialogs that answers to our requests make. A proxy may fork an INVITE: each phone that rings is an early dialog of
 * its own, with its own tag, route set, target and counters (RFC 3261 12.1.2), and the one that accepts first becomes the
 * call. Applications know one id for all of them, since drachtio's protocol names dialogs by Call-ID and our tag alone.
 */

import type { Context } from '../context.ts';
import { type Dialog, type Dialogs, routeSet } from '../dialog/dialog.ts';
import { limits } from '../limits.ts';
import { tagOf, tidyAddress } from '../message/address.ts';
import { allValues, firstValue, type IncomingResponse } from '../message/incoming.ts';
import { isSips } from '../target/next-hop.ts';
import { isSecure } from '../target/transports.ts';
import type { ClientCall } from './client-call.ts';

export type EarlyDialogsParts = {
  readonly context: Context;
  readonly dialogs: Dialogs;
  /** Ends every dialog that has this id. */
  readonly makeRoom: (id: string) => void;
  readonly dialogEnded: (dialog: Dialog) => void;
  /** ACKs a 2xx and hangs up: nobody wants the call. */
  readonly releaseUnwanted: (dialog: Dialog, cseq: number, text: string) => void;
};

/** What an answer says of the other side of its dialog. */
export type Remote = Pick<Dialog, 'remoteTag' | 'remoteAddress' | 'routes' | 'remoteTarget' | 'flow'>;

/** Reliable provisional answers of one INVITE from one phone (RFC 3262 4). */
type Reliable = { last: number };

type AwaitedPrack = { readonly rseq: number; readonly order: number };

/** Makes dialogs of answers, keeps the branches of a fork apart, and the reliable answers of each in order. */
export class EarlyDialogs {
  readonly #parts: EarlyDialogsParts;
  readonly #context: Context;
  /** By To tag. */
  readonly #reliable = new WeakMap<ClientCall, Map<string, Reliable>>();
  readonly #awaitedPracks = new WeakMap<Dialog, AwaitedPrack[]>();
  /** Branches that accepted too late, by To tag: their repeated 2xx get their ACK again, and nothing else. */
  readonly #released = new WeakMap<ClientCall, Map<string, Dialog>>();
  #order = 0;

  constructor(parts: EarlyDialogsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** The dialog an answer belongs to, made if it is the first of its phone. Null when there are too many. */
  of(call: ClientCall, response: IncomingResponse): Dialog | null {
    const remote = remoteOf(response);
    const { dialogs } = this.#parts;
    if (call.dialog === null) return this.open(call, remote);
    const same = call.dialog.remoteTag === remote.remoteTag || this.#context.ways.has('ignores-forks');
    const known = same ? call.dialog : this.#ofTag(call, remote.remoteTag);
    if (known === null) return this.#branch(call, remote);
    // The daemon has one dialog, which follows whoever spoke last.
    if (known.remoteTag !== remote.remoteTag) dialogs.retag(known, remote.remoteTag, remote.remoteAddress);
    // RFC 3261 13.2.2.4: the 2xx says anew which way the dialog goes.
    known.routes = remote.routes;
    known.remoteTarget = remote.remoteTarget ?? known.remoteTarget;
    known.flow = remote.flow;
    dialogs.lead(known);
    return known;
  }

  /** Makes the first dialog of a call; null when there are too many. */
  open(call: ClientCall, remote: Remote): Dialog | null {
    if (this.#parts.dialogs.count() >= limits.dialogsMax) return null;
    const dialog = newDialog(call, remote);
    this.#parts.makeRoom(dialog.id);
    this.#parts.dialogs.add(dialog);
    return dialog;
  }

  /** A 2xx has made this dialog the call. RFC 3261 13.2.2.4: the other early ones are over 64*T1 later. */
  accepted(call: ClientCall, dialog: Dialog): void {
    const others = this.#parts.dialogs.branches(dialog.id).filter((each) => each !== dialog && !each.confirmed);
    if (others.length === 0) return;
    for (const other of others) this.#parts.dialogs.detach(other);
    this.#context.after(64 * this.#context.timerValues.t1, () => this.#endEarly(others, call));
  }

  /** RFC 3261 12.3: a final answer other than 2xx ends the early dialogs of the call. */
  refused(call: ClientCall): void {
    if (call.dialog !== null) this.#endEarly(this.#parts.dialogs.branches(call.dialog.id), call);
  }

  /** RFC 3261 13.2.2.4: a 2xx of another branch than the one that is the call. Its phone is hung up, once; `why` for people. */
  release(call: ClientCall, response: IncomingResponse, why: string): void {
    const remote = remoteOf(response);
    const released = this.#released.get(call) ?? new Map<string, Dialog>();
    this.#released.set(call, released);
    const before = released.get(remote.remoteTag);
    if (before !== undefined) {
      if (before.ack !== null) this.#context.send(before.ack.to, before.ack.text);
      return;
    }
    const dialog = Object.assign(this.#ofTag(call, remote.remoteTag) ?? newDialog(call, remote), remote);
    dialog.owner = null;
    dialog.confirmed = true;
    dialog.usages.add('invite');
    dropOldest(released);
    released.set(remote.remoteTag, dialog);
    this.#parts.releaseUnwanted(dialog, call.identity.cseq, why);
  }

  /**
   * Whether a provisional answer goes to the application. RFC 3262 4: a reliable one that comes again does not, and one
   * that is not the next in order does not either; its sender repeats it.
   */
  isNext(call: ClientCall, response: IncomingResponse): boolean {
    const rseq = reliableNumber(call, response);
    if (rseq === null) return true;
    const phones = this.#reliable.get(call) ?? new Map<string, Reliable>();
    this.#reliable.set(call, phones);
    const tag = response.toTag ?? '';
    const phone = phones.get(tag);
    if (phone !== undefined && rseq !== phone.last + 1) return false;
    if (phone === undefined) {
      dropOldest(phones);
      phones.set(tag, { last: rseq });
    } else phone.last = rseq;
    if (call.dialog !== null) this.#awaitPrack(call.dialog, rseq);
    return true;
  }

  /**
   * The dialog a request of an application goes into. Of several early ones it is the one heard of last, but for a PRACK
   * the one whose answer it acknowledges: RAck tells the number, and applications acknowledge in order.
   */
  toSendIn(id: string, rack: string | undefined): Dialog | undefined {
    const { dialogs } = this.#parts;
    const lead = dialogs.byId(id);
    if (lead === undefined || rack === undefined) return lead;
    const rseq = Number(rack.trim().split(/\s/, 1)[0]);
    let found: { readonly dialog: Dialog; readonly order: number } | null = null;
    for (const dialog of dialogs.branches(id)) {
      const awaited = this.#awaitedPracks.get(dialog)?.find((each) => each.rseq === rseq);
      if (awaited === undefined || (found !== null && found.order < awaited.order)) continue;
      found = { dialog, order: awaited.order };
    }
    if (found === null) return lead;
    const { dialog, order } = found;
    const left = this.#awaitedPracks.get(dialog)?.filter((each) => each.order !== order) ?? [];
    this.#awaitedPracks.set(dialog, left);
    return dialog;
  }

  #awaitPrack(dialog: Dialog, rseq: number): void {
    this.#order += 1;
    const awaited = [...(this.#awaitedPracks.get(dialog) ?? []), { rseq, order: this.#order }];
    this.#awaitedPracks.set(dialog, awaited.slice(-limits.forksMax));
  }

  #branch(call: ClientCall, remote: Remote): Dialog | null {
    const { dialogs } = this.#parts;
    if (dialogs.count() >= limits.dialogsMax) return null;
    const dialog = newDialog(call, remote);
    const early = dialogs.branches(dialog.id).filter((each) => !each.confirmed);
    if (early.length >= limits.forksMax) this.#endEarly(early.slice(0, 1), call);
    dialogs.add(dialog);
    return dialog;
  }

  #endEarly(dialogs: readonly Dialog[], call: ClientCall): void {
    for (const dialog of dialogs) {
      // Another call may have come to the same id since; only what this one made is its own.
      if (!dialog.confirmed && dialog.origin.cseq === call.identity.cseq) this.#parts.dialogEnded(dialog);
    }
  }

  #ofTag({ identity }: ClientCall, remoteTag: string): Dialog | null {
    return this.#parts.dialogs.find(identity.callId, tagOf(identity.from) ?? '', remoteTag) ?? null;
  }
}

/** The other side of a dialog, as an answer to our request tells it (RFC 3261 12.1.2). */
function remoteOf(response: IncomingResponse): Remote {
  return {
    remoteTag: response.toTag ?? '',
    remoteAddress: tidyAddress(firstValue(response, 'to') ?? ''),
    routes: routeSet(response.recordRoutes, 'client'),
    remoteTarget: response.target,
    flow: response.from,
  };
}

/** RFC 3262 4: RSeq of a provisional answer to an INVITE that requires 100rel; null for every other answer. */
function reliableNumber(call: ClientCall, response: IncomingResponse): number | null {
  if (call.identity.method !== 'INVITE' || response.status === 100 || response.status >= 200) return null;
  const value = firstValue(response, 'rseq');
  if (value === undefined || !/^\d{1,10}$/.test(value.trim())) return null;
  return allValues(response, 'require').some((each) => each.includes('100rel')) ? Number(value) : null;
}

function newDialog(call: ClientCall, remote: Remote): Dialog {
  const { identity } = call;
  const localTag = tagOf(identity.from) ?? '';
  return {
    remoteTag: remote.remoteTag,
    remoteAddress: remote.remoteAddress,
    routes: remote.routes,
    remoteTarget: remote.remoteTarget,
    flow: remote.flow,
    id: `${identity.callId};from-tag=${localTag}`,
    callId: identity.callId,
    localTag,
    localAddress: identity.from,
    localCseq: identity.cseq,
    remoteCseq: null,
    owner: call.session,
    secure: isSips(identity.uri) && isSecure(remote.flow.protocol),
    method: identity.method,
    confirmed: false,
    localContact: call.contact,
    usages: new Set(),
    origin: { cseq: identity.cseq, transactionId: '' },
    ack: null,
    endAfterAck: null,
  };
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size < limits.forksMax) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
