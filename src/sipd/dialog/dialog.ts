/** Dialogs (RFC 3261 12) and what runs in them: an INVITE usage, subscriptions (RFC 6665 4.5.2, RFC 5057). */

import { RemoteError } from '../../wire/remote-error.ts';
import { parseSipUri, withoutHeaders, writeSipUri } from '../../wire/sip-uri.ts';
import type { Peer } from '../input.ts';
import { paramOf, readAddress } from '../message/address.ts';

/** What an application sent last as its Contact, route set, tags and counters of one dialog. */
export type Dialog = {
  /** `<Call-ID>;from-tag=<tag of the caller>`: what applications call it. */
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  /** From value of our requests, To value of the peer's: with our tag. */
  readonly localAddress: string;
  remoteAddress: string;
  localCseq: number;
  /** RFC 3261 12.2.2: CSeq of the peer's latest request, null before the first. */
  remoteCseq: number | null;
  /** Route headers of our requests, in order. */
  routes: readonly string[];
  /** URI of the peer's Contact; null when it gave none. */
  remoteTarget: string | null;
  /** Where the peer's message that made the dialog came from. */
  flow: Peer;
  /** RFC 3261 12.1.1, 12.1.2: begun over TLS with a sips URI; its requests go by secured transports only. */
  readonly secure: boolean;
  /** The application connection that gets the peer's requests; null when the daemon would have forgotten it. */
  owner: number | null;
  readonly method: string;
  confirmed: boolean;
  /** The Contact the application gave, to be given again. */
  localContact: string | null;
  /** What the dialog lives for: `invite`, or a subscription (`subscriptionUsage`). */
  readonly usages: Set<string>;
  /** CSeq and transaction id of the INVITE that made the dialog: the id its ACK gets. */
  readonly origin: { readonly cseq: number; readonly transactionId: string };
  /** The ACK sent last, to be repeated with its 2xx. */
  ack: { readonly cseq: number; readonly text: string; readonly to: Peer } | null;
  /** Why the server sends BYE as soon as the application has sent its ACK; null when it does not. */
  endAfterAck: string | null;
};

/**
 * All dialogs, found by the id applications use and by Call-ID and tags. The phones a forked INVITE rings at are dialogs of
 * their own under one id: one of them leads, and is what the id means.
 */
export class Dialogs {
  readonly #leading = new Map<string, Dialog>();
  /** Those that share an id and do not lead it; most ids have none. */
  readonly #following = new Map<string, readonly Dialog[]>();
  readonly #byTags = new Map<string, Dialog>();

  /** Adds a dialog; it leads its id from now on. */
  add(dialog: Dialog): void {
    this.#byTags.set(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag), dialog);
    this.lead(dialog);
  }

  /** What the id means from now on is this dialog; one that has ended comes not to life by it. */
  lead(dialog: Dialog): void {
    const before = this.#leading.get(dialog.id);
    if (before === dialog || !this.has(dialog)) return;
    this.#leading.set(dialog.id, dialog);
    if (before === undefined) return;
    const others = this.#following.get(dialog.id) ?? [];
    this.#following.set(dialog.id, [...others.filter((each) => each !== dialog), before]);
  }

  /** True when the dialog was still there. The one that followed it last leads its id. */
  remove(dialog: Dialog): boolean {
    const key = tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    if (this.#byTags.get(key) === dialog) this.#byTags.delete(key);
    const others = this.#following.get(dialog.id);
    if (this.#leading.get(dialog.id) !== dialog) {
      if (others?.includes(dialog) !== true) return false;
      this.#follow(
        dialog.id,
        others.filter((each) => each !== dialog),
      );
      return true;
    }
    const next = others?.at(-1);
    if (next === undefined) return this.#leading.delete(dialog.id);
    this.#leading.set(dialog.id, next);
    this.#follow(dialog.id, others?.slice(0, -1) ?? []);
    return true;
  }

  /** From now on the id does not mean this dialog any more; its peer's requests still find it. */
  detach(dialog: Dialog): void {
    const others = this.#following.get(dialog.id)?.filter((each) => each !== dialog) ?? [];
    this.#follow(dialog.id, others);
  }

  byId(id: string): Dialog | undefined {
    return this.#leading.get(id);
  }

  /** Every dialog of the id: those that follow, in the order they were heard of, and the one that leads. */
  branches(id: string): readonly Dialog[] {
    const lead = this.#leading.get(id);
    return lead === undefined ? [] : [...(this.#following.get(id) ?? []), lead];
  }

  /** RFC 3261 12.2.2: the dialog a received request belongs to. */
  find(callId: string, localTag: string, remoteTag: string): Dialog | undefined {
    return this.#byTags.get(tagsKey(callId, localTag, remoteTag));
  }

  /** All dialogs of an application connection. Looks through all there are. */
  ofSession(session: number): readonly Dialog[] {
    return [...this.#byTags.values()].filter(({ owner }) => owner === session);
  }

  /** An early dialog goes on under another tag: how the daemon takes a fork. */
  retag(dialog: Dialog, remoteTag: string, remoteAddress: string): void {
    if (!this.has(dialog)) return;
    this.#byTags.delete(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag));
    dialog.remoteTag = remoteTag;
    dialog.remoteCseq = null;
    dialog.remoteAddress = remoteAddress;
    this.#byTags.set(tagsKey(dialog.callId, dialog.localTag, remoteTag), dialog);
  }

  /** Whether the dialog goes on. */
  has(dialog: Dialog): boolean {
    return this.#byTags.get(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag)) === dialog;
  }

  /** Forks count one by one. */
  count(): number {
    return this.#byTags.size;
  }

  #follow(id: string, dialogs: readonly Dialog[]): void {
    if (dialogs.length === 0) this.#following.delete(id);
    else this.#following.set(id, dialogs);
  }
}

export type DialogRoute = {
  readonly requestUri: string;
  readonly routes: readonly string[];
  /** The URI that says where the request goes. */
  readonly nextHop: string;
};

/** RFC 3261 12.2.1.1: Request-URI and Route of a request in the dialog. Null when the peer gave no Contact. */
export function dialogRoute(dialog: Dialog): DialogRoute | null {
  const target = dialog.remoteTarget;
  if (target === null) return null;
  const [first, ...rest] = dialog.routes;
  const uri = asRequestUri(target);
  if (first === undefined) return { requestUri: uri, routes: [], nextHop: target };
  const router = readAddress(first).uri;
  if (paramOf(uriParams(router), 'lr') !== undefined) {
    return { requestUri: uri, routes: dialog.routes, nextHop: router };
  }
  // A strict router of RFC 2543 wants its own URI as the Request-URI, and the target last in the list.
  return { requestUri: asRequestUri(router), routes: [...rest, `<${target}>`], nextHop: router };
}

/** RFC 3261 12.2.1.1, 19.1.1: what may not stand in a Request-URI, the method parameter and the headers, is left out. */
function asRequestUri(uri: string): string {
  // Nearly no Contact has either.
  if (!uri.includes('?') && !uri.includes(';method=')) return uri;
  try {
    return writeSipUri(withoutHeaders(parseSipUri(uri)));
  } catch (error) {
    if (error instanceof RemoteError) return uri;
    throw error;
  }
}

/** Route set out of Record-Routes: as they come for a server, reversed for a client (RFC 3261 12.1.1, 12.1.2). */
export function routeSet(recordRoutes: readonly string[], role: 'server' | 'client'): readonly string[] {
  return role === 'server' ? recordRoutes : recordRoutes.toReversed();
}

function tagsKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

function uriParams(uri: string): string {
  const semicolon = uri.indexOf(';', uri.lastIndexOf('@') + 1);
  if (semicolon === -1) return '';
  const headers = uri.indexOf('?', semicolon);
  return uri.slice(semicolon, headers === -1 ? uri.length : headers);
}
