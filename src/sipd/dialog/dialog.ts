/** Dialogs (RFC 3261 12) and what runs in them: an INVITE usage, subscriptions (RFC 6665 4.5.2, RFC 5057). */

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

/** All dialogs, found by the id applications use and by Call-ID and tags. */
export class Dialogs {
  readonly #byId = new Map<string, Dialog>();
  readonly #byTags = new Map<string, Dialog>();

  /** Adds a dialog; one with the same id must have been ended before. */
  add(dialog: Dialog): void {
    this.#byId.set(dialog.id, dialog);
    this.#byTags.set(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag), dialog);
  }

  /** True when the dialog was still there. */
  remove(dialog: Dialog): boolean {
    const key = tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    if (this.#byTags.get(key) === dialog) this.#byTags.delete(key);
    if (this.#byId.get(dialog.id) !== dialog) return false;
    return this.#byId.delete(dialog.id);
  }

  byId(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** RFC 3261 12.2.2: the dialog a received request belongs to. */
  find(callId: string, localTag: string, remoteTag: string): Dialog | undefined {
    return this.#byTags.get(tagsKey(callId, localTag, remoteTag));
  }

  /** RFC 3261 12.1: an early dialog continues as the one of another answer (a fork that went on). */
  retag(dialog: Dialog, remoteTag: string, remoteAddress: string): void {
    this.#byTags.delete(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag));
    dialog.remoteTag = remoteTag;
    dialog.remoteCseq = null;
    dialog.remoteAddress = remoteAddress;
    this.#byTags.set(tagsKey(dialog.callId, dialog.localTag, remoteTag), dialog);
  }

  count(): number {
    return this.#byId.size;
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
  if (first === undefined) return { requestUri: target, routes: [], nextHop: target };
  const router = readAddress(first).uri;
  if (paramOf(uriParams(router), 'lr') !== undefined) {
    return { requestUri: target, routes: dialog.routes, nextHop: router };
  }
  // A strict router of RFC 2543 wants its own URI as the Request-URI, and the target last in the list.
  return { requestUri: router, routes: [...rest, `<${target}>`], nextHop: router };
}

/** Route set out of Record-Routes: as they come for a server, reversed for a client (RFC 3261 12.1.1, 12.1.2). */
export function routeSet(recordRoutes: readonly string[], role: 'server' | 'client'): readonly string[] {
  return role === 'server' ? recordRoutes : recordRoutes.toReversed();
}

/**
 * Name of a subscription usage: its package and id (RFC 6665 4.5.1); a REFER without Event subscribes to `refer`. No
 * package can be mistaken for the call itself.
 */
export function subscriptionUsage(event: string | undefined): string {
  const [type = 'refer', ...params] = (event ?? 'refer').split(';').map((part) => part.trim());
  const id = params.find((param) => param.startsWith('id='));
  return id === undefined ? `event ${type}` : `event ${type};${id}`;
}

/**
 * Ends a usage; a NOTIFY may name an id where the subscription was counted without (REFER). True when it was the last;
 * a usage the dialog never had ends nothing.
 */
export function endUsage(dialog: Dialog, usage: string): boolean {
  let ended = dialog.usages.delete(usage);
  if (!ended) {
    const type = usage.split(';')[0] ?? usage;
    const same = [...dialog.usages].find((each) => each.split(';')[0] === type);
    ended = same !== undefined && dialog.usages.delete(same);
  }
  return ended && dialog.usages.size === 0;
}

function tagsKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

function uriParams(uri: string): string {
  const semicolon = uri.indexOf(';', uri.lastIndexOf('@') + 1);
  return semicolon === -1 ? '' : uri.slice(semicolon);
}
