/** Where the requests of applications go, and from which of our addresses (RFC 3261 8.1.2, 12.2.1.1). */

import type { Context } from '../context.ts';
import type { ConnectionsByUser } from '../dialog/connections-by-user.ts';
import { type Dialog, dialogRoute } from '../dialog/dialog.ts';
import { connectedPeer, peerBehindNat } from '../dialog/dialog-peer.ts';
import type { Peer } from '../input.ts';
import { readAddress } from '../message/address.ts';
import type { OwnAddress } from '../own-addresses.ts';
import { namesUs } from '../proxy/route-information.ts';
import { type Hop, type HopReading, isSips, readHop, secured } from '../target/next-hop.ts';
import { defaultPort, defaultTransport, transportsFor } from '../target/transports.ts';

/** A refusal of the application's request: the text of its NOK. */
export class Refused extends Error {}

/** `to` is null when nothing can be sent; `own` is the address of the transport that is thought of first. */
export type Route = { readonly to: Peer | Hop | null; readonly own: OwnAddress };

/** With the Request-URI (empty without a way) and the Route headers. */
export type DialogWay = Route & { readonly uri: string; readonly routes: readonly string[] };

export type RoutingParts = {
  readonly context: Context;
  readonly connectionsByUser: ConnectionsByUser;
  /** The URI where requests outside dialogs go unless the application names another; null: none. Checked at once. */
  readonly outboundProxy: string | null;
  /** Names in the URIs of requests outside dialogs lead to public addresses only. */
  readonly publicNames: boolean;
};

/** The ways of requests. The constructor throws one sentence on a proxy that cannot be used; the rest throws Refused with what the application is told. */
export class Routing {
  readonly #context: Context;
  readonly #parts: RoutingParts;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#checkOutboundProxy();
  }

  /** A request outside dialogs; `proxy` is the next hop the application wants, or empty. */
  outside(uri: string, proxy: string): Route {
    const target = readHop(uri);
    const tel = uri.slice(0, 4).toLowerCase() === 'tel:';
    // RFC 3261 8.1.2: what an application says goes before what is configured.
    const next = proxy === '' ? this.#parts.outboundProxy : proxy;
    // A `tel:` target crashes the daemon whatever else is said; and nobody can route it without a proxy.
    if (target.kind === 'refused' && (next === null || tel)) throw new Refused(target.text);
    const reading = next === null ? this.#publicly(target) : readHop(next);
    // RFC 3261 8.1.2: what goes to a sips URI goes over TLS, whoever says where.
    return this.#route(isSips(uri) ? securedReading(reading) : reading);
  }

  /** A request within a dialog. */
  inDialog(whole: Dialog, proxy: string): DialogWay {
    const dialog = this.#beyondUs(whole);
    const found = dialogRoute(dialog);
    if (found === null) return this.#none();
    const common = { uri: found.requestUri, routes: found.routes };
    const connected = proxy === '' ? this.#connected(dialog, found.requestUri) : null;
    if (connected !== null) return { to: connected, own: this.#context.own.of(connected), ...common };
    const reading = readHop(proxy === '' ? found.nextHop : proxy, dialog.flow.protocol);
    const source = proxy === '' ? peerBehindNat(this.#context, dialog, reading) : null;
    if (source !== null) return { to: source, own: this.#context.own.of(source), ...common };
    // RFC 3261 12.1.1, 8.1.2: what began secured stays so, and a sips URI wants it.
    const isSecured = dialog.secure || isSips(found.requestUri);
    return { ...this.#route(isSecured ? securedReading(reading) : reading), ...common };
  }

  /** The same where nobody is there to be told why it fails. */
  inDialogOrNone(dialog: Dialog): DialogWay {
    try {
      return this.inDialog(dialog, '');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#context.log('warn', { callId: dialog.callId, text: error.message }, 'no way to the peer of a dialog');
      return this.#none();
    }
  }

  #checkOutboundProxy(): void {
    const { outboundProxy } = this.#parts;
    if (outboundProxy === null) return;
    const reading = readHop(outboundProxy);
    if (reading.kind === 'refused') throw new Error(`The outbound proxy must be a SIP URI, not "${outboundProxy}".`);
    const { own } = this.#context;
    if (transportsFor(reading.hop, own).length > 0) return;
    throw new Error(`The outbound proxy ${outboundProxy} needs a transport that sipd does not listen on.`);
  }

  #publicly(reading: HopReading): HopReading {
    if (!this.#parts.publicNames || reading.kind === 'refused') return reading;
    return { kind: 'hop', hop: { ...reading.hop, publicOnly: true } };
  }

  #connected(dialog: Dialog, requestUri: string): Peer | null {
    return this.#parts.connectionsByUser.of(requestUri) ?? connectedPeer(this.#context, dialog);
  }

  // RFC 3261 16.4: our own Record-Route (of a call that went through us to us) would only bring the request back here.
  #beyondUs(dialog: Dialog): Dialog {
    const { own } = this.#context;
    const { routes } = dialog;
    if (routes.length === 0) return dialog;
    const first = routes.findIndex((route) => !namesUs(readAddress(route).uri, own));
    if (first === 0) return dialog;
    return { ...dialog, routes: first === -1 ? [] : routes.slice(first) };
  }

  #none(): DialogWay {
    return { to: null, own: this.#context.own.first, uri: '', routes: [] };
  }

  #route(reading: HopReading): Route {
    if (reading.kind === 'refused') throw new Refused(reading.text);
    const { own } = this.#context;
    const { hop } = reading;
    const protocol = defaultTransport(hop, own);
    const from = protocol === null ? null : own.towards(protocol, hop.host);
    if (protocol === null || from === null) {
      // Secure, and nobody listens for that: the daemon takes such a request and answers it 416 itself.
      if (hop.scheme === 'sips') return { to: null, own: own.first };
      throw new Refused('requested protocol/transport not available');
    }
    if (own.isOwn(hop.host, hop.port ?? defaultPort(protocol))) throw new Refused('can not send request to myself');
    return { to: hop, own: from };
  }
}

function securedReading(reading: HopReading): HopReading {
  return reading.kind === 'hop' ? { kind: 'hop', hop: secured(reading.hop) } : reading;
}
