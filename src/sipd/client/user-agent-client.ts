/**
 * Requests that applications send, outside dialogs and in them (RFC 3261 8.1, 9.1, 12.2.1, 13.2.2.4), and the BYEs of
 * the server itself. What the answers mean is in client-calls.ts.
 */

import { RemoteError } from '../../wire/remote-error.ts';
import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { eventPayload, requestSent } from '../control/frames.ts';
import { type Dialog, type Dialogs, dialogRoute } from '../dialog/dialog.ts';
import { dialogPeer } from '../dialog/dialog-peer.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { readAddress, tagOf, withTag } from '../message/address.ts';
import { knownMethods, readCSeq } from '../message/checks.ts';
import {
  type AppMessage,
  given,
  givenContact,
  lacksContentType,
  withOwnHost,
  writeRequest,
} from '../message/compose.ts';
import { bareContact, type OwnAddress } from '../own-addresses.ts';
import { type Hop, type HopReading, isIpAddress, readHop } from '../target/next-hop.ts';
import { type ClientCall, cancelOf, ownVia, type RequestIdentity } from './client-call.ts';
import type { ClientCalls } from './client-calls.ts';
import type { Dispatch } from './dispatch.ts';

export type UserAgentClientParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly calls: ClientCalls;
  readonly dispatch: Dispatch;
  readonly inviteEnded: (dialog: Dialog) => void;
};

export type AppRequest = {
  readonly session: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly dialogId: string;
  /** Next hop the application wants, or empty. */
  readonly proxy: string;
  readonly message: AppMessage;
  readonly method: string;
  readonly uri: string;
};

/** Where a request goes, and from which of our addresses. */
type Route = { readonly to: Peer | Hop | null; readonly own: OwnAddress };

type DialogWay = Route & { readonly uri: string; readonly routes: readonly string[] };

/** A refusal of the application's request: the text of its NOK. */
class Refused extends Error {}

/** The requesting half: what applications send, brought into SIP’s form. */
export class UserAgentClient {
  readonly #parts: UserAgentClientParts;
  readonly #context: Context;

  constructor(parts: UserAgentClientParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends what the application asked for and confirms it, or says NOK. */
  request(request: AppRequest): void {
    try {
      if (request.method === 'CANCEL') this.#cancel(request);
      else if (request.dialogId === '') this.#outsideDialog(request);
      else this.#inDialog(request);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof RemoteError)) throw error;
      this.#context.log('warn', { method: request.method, uri: request.uri, text: error.message }, 'request refused');
      this.#parts.apps.reply(request.session, request.messageId, `NOK|${error.message}`);
    }
  }

  /** The server hangs up by itself and tells the application (`unsolicited`). */
  hangUp(dialog: Dialog, text: string): void {
    const found = this.#routeOrNone(dialog);
    // Without a way to the peer the application must hear all the same that the dialog is gone.
    const route = found.to === null ? { ...found, uri: readAddress(dialog.remoteAddress).uri } : found;
    this.#parts.inviteEnded(dialog);
    const headers = [{ name: 'Reason', key: 'reason', value: `SIP;cause=200;text="${text}"`, start: 0, end: 0 }];
    const app = { headers, body: '' };
    const identity = this.#dialogIdentity(dialog, {
      method: 'BYE',
      uri: route.uri,
      own: route.own,
      cseq: null,
    });
    const bye = writeRequest({ ...identity, routes: route.routes, contact: null, app });
    const call = this.#makeCall(identity, { session: null, text: bye, dialog });
    if (dialog.owner !== null && this.#parts.apps.isOpen(dialog.owner)) this.#tellUnsolicited(dialog, call);
    if (route.to !== null) this.#parts.dispatch.send(call, route.to);
  }

  /** ACKs a 2xx nobody else will ACK (RFC 3261 13.2.2.4), as to a fork or for an application that has gone. */
  acknowledge(dialog: Dialog, cseq: number): void {
    this.#sendAck(dialog, cseq, null);
  }

  #outsideDialog(request: AppRequest): void {
    const { message, method, uri } = request;
    if (!knownMethods.has(method) || method === 'ACK' || method === 'BYE' || method === 'PRACK') {
      throw new Refused(`invalid request-uri: ${message.startLine}`);
    }
    if (lacksContentType(message)) throw new Refused('missing content-type');
    if (this.#parts.calls.count() >= limits.transactionsMax) throw new Refused('too many transactions');
    const route = this.#route(readRoute(request));
    const identity = this.#newIdentity(request, route.own);
    const ours = givenContact(message, route.own);
    const wantsContact = method === 'INVITE' || method === 'SUBSCRIBE';
    const contact = ours ?? (wantsContact ? bareContact(route.own) : null);
    const text = writeRequest({ ...identity, uri, contact, app: message });
    const call = this.#makeCall(identity, {
      session: request.session,
      text,
      dialog: null,
      contact,
      message,
    });
    this.#launch(request, call, route.to);
  }

  #inDialog(request: AppRequest): void {
    const rack = request.method === 'PRACK' ? given(request.message, 'rack') : undefined;
    const dialog = this.#parts.calls.dialogToSendIn(request.dialogId, rack);
    if (request.method === 'ACK') {
      this.#ack(request, dialog);
      return;
    }
    if (dialog === undefined) throw new Refused('Server error: unable to find dialog for dialog id provided');
    const { message, method } = request;
    if (lacksContentType(message)) throw new Refused('Server error: missing content-type');
    const route = this.#dialogRoute(dialog, request.proxy);
    if (route.to === null) {
      throw new Refused(`Server error: unable to find route when sending request inside dialog ${dialog.id}`);
    }
    // drachtio-srf acknowledges provisional answers with the URI of the INVITE; the target is what counts, as for an ACK.
    const uri = request.uri === 'sip:placeholder' || method === 'PRACK' ? route.uri : request.uri;
    const identity = this.#dialogIdentity(dialog, {
      method,
      uri,
      own: route.own,
      cseq: given(message, 'cseq') ?? null,
    });
    const ours = givenContact(message, route.own);
    const wantsContact = method === 'INVITE' || method === 'SUBSCRIBE' || method === 'REFER';
    const before = dialog.localContact ?? bareContact(route.own);
    const contact = ours ?? (wantsContact ? before : null);
    if (contact !== null && wantsContact) dialog.localContact = contact;
    const whole = { ...identity, routes: route.routes, contact, app: message };
    const call = this.#makeCall(
      { ...identity, routes: route.routes },
      {
        session: request.session,
        text: writeRequest(whole),
        dialog,
        contact,
        message,
      },
    );
    this.#launch(request, call, route.to);
  }

  #launch(request: AppRequest, call: ClientCall, to: Peer | Hop | null): void {
    this.#parts.calls.add(call);
    this.#confirm(request, call.text, { id: call.id, own: call.identity.own, to, held: false });
    if (to !== null) this.#parts.dispatch.send(call, to);
    // `sips:` without a listener: the daemon takes the request and makes up its answer.
    else this.#parts.calls.failed(call, 416, 'Unsupported URI Scheme');
  }

  #makeCall(
    identity: RequestIdentity,
    rest: {
      session: number | null;
      text: string;
      dialog: Dialog | null;
      contact?: string | null;
      message?: AppMessage;
    },
  ): ClientCall {
    const state = given(rest.message ?? null, 'subscription-state') ?? '';
    return {
      id: this.#context.ids.uuid(),
      session: rest.session,
      identity,
      text: rest.text,
      protocol: identity.own.protocol,
      contact: rest.contact ?? null,
      event: given(rest.message ?? null, 'event'),
      endsSubscription: identity.method === 'NOTIFY' && state.toLowerCase().includes('terminated'),
      dialog: rest.dialog,
      inDialog: rest.dialog !== null,
      transaction: null,
      peer: null,
      progress: 'waiting',
      cancel: { kind: 'none' },
      deaf: false,
      limit: null,
    };
  }

  /** Everything the application may give but need not (RFC 3261 8.1.1). */
  #newIdentity({ message, method, uri }: AppRequest, own: OwnAddress): RequestIdentity {
    const { ids } = this.#context;
    const from = withOwnHost(given(message, 'from') ?? `<sip:${own.host}:${own.port}>`, own);
    const branch = ids.branch();
    return {
      method,
      uri,
      via: ownVia(own, branch),
      branch,
      own,
      routes: [],
      from: tagOf(from) === null ? withTag(from, ids.tag()) : from,
      to: withOwnHost(given(message, 'to') ?? `<${uri}>`, own),
      callId: given(message, 'call-id') ?? ids.callId(),
      cseq: givenCSeq(given(message, 'cseq')) ?? ids.cseq(),
    };
  }

  #dialogIdentity(
    dialog: Dialog,
    given: { readonly method: string; readonly uri: string; readonly own: OwnAddress; readonly cseq: string | null },
  ): RequestIdentity {
    // RFC 3261 12.2.1.1: counts up by one. An application that answers a challenge gives its own, higher number.
    dialog.localCseq = Math.max(givenCSeq(given.cseq ?? undefined) ?? 0, dialog.localCseq + 1);
    const branch = this.#context.ids.branch();
    return {
      method: given.method,
      uri: given.uri,
      via: ownVia(given.own, branch),
      branch,
      own: given.own,
      routes: [],
      from: dialog.localAddress,
      to: dialog.remoteAddress,
      callId: dialog.callId,
      cseq: dialog.localCseq,
    };
  }

  #route(reading: HopReading): Route {
    if (reading.kind === 'refused') throw new Refused(reading.text);
    const { own } = this.#context;
    if (reading.kind === 'no-secure-transport') return { to: null, own: own.first };
    const { host, port, protocol } = reading.hop;
    if (own.isOwn(host, port)) throw new Refused('can not send request to myself');
    const from = own.towards(protocol, host);
    if (from === null) throw new Refused('requested protocol/transport not available');
    return { to: reading.hop, own: from };
  }

  #dialogRoute(dialog: Dialog, proxy: string): DialogWay {
    const found = dialogRoute(dialog);
    if (found === null) return { to: null, own: this.#context.own.first, uri: '', routes: [] };
    const peer = dialogPeer(this.#context, dialog);
    const common = { uri: found.requestUri, routes: found.routes };
    if (proxy === '' && peer !== null) return { to: peer, own: this.#context.own.of(peer), ...common };
    const reading = readHop(proxy === '' ? found.nextHop : proxy, dialog.flow.protocol);
    return { ...this.#route(reading), ...common };
  }

  /** The same where nobody is there to be told why it fails. */
  #routeOrNone(dialog: Dialog): DialogWay {
    try {
      return this.#dialogRoute(dialog, '');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#context.log('warn', { callId: dialog.callId, text: error.message }, 'no way to the peer of a dialog');
      return { to: null, own: this.#context.own.first, uri: '', routes: [] };
    }
  }

  #confirm(
    request: AppRequest,
    text: string,
    sent: { readonly id: string; readonly own: OwnAddress; readonly to: Peer | Hop | null; readonly held: boolean },
  ): void {
    const { own } = sent;
    // The daemon names its own socket for UDP, the peer for a stream.
    const shown = own.protocol === 'udp' || sent.to === null ? own : sent.to;
    const rest = requestSent({
      bytes: sent.held ? 0 : text.length,
      protocol: own.protocol,
      host: shown.host,
      port: shown.port,
      now: this.#context.now,
      transactionId: sent.id,
      text,
    });
    this.#parts.apps.reply(request.session, request.messageId, rest);
  }

  #ack(request: AppRequest, dialog: Dialog | undefined): void {
    if (dialog === undefined) throw new Refused('Server error: unable to find dialog for dialog id provided');
    const invite = this.#parts.calls.unacknowledged(dialog);
    if (invite === null) {
      throw new Refused('Server error: ACK for non-success final response is automatically generated by server');
    }
    const sent = this.#sendAck(dialog, invite, request.message);
    if (sent === null) {
      throw new Refused(`Server error: unable to find route when sending request inside dialog ${dialog.id}`);
    }
    const id = this.#context.ids.uuid();
    this.#confirm(request, sent.text, { id, own: this.#context.own.of(sent.to), to: sent.to, held: false });
    const { endAfterAck } = dialog;
    if (endAfterAck === null) return;
    dialog.endAfterAck = null;
    this.hangUp(dialog, endAfterAck);
  }

  /** RFC 3261 13.2.2.4: the ACK of a 2xx is a request in the dialog with the INVITE's CSeq, sent without a transaction. */
  #sendAck(dialog: Dialog, cseq: number, app: AppMessage | null): { text: string; to: Peer } | null {
    const route = this.#routeOrNone(dialog);
    const to = ackPeer(dialog, route.to);
    if (route.uri === '' || to === null) return null;
    const branch = this.#context.ids.branch();
    const own = this.#context.own.of(to);
    const text = writeRequest({
      method: 'ACK',
      uri: route.uri,
      via: ownVia(own, branch),
      routes: route.routes,
      from: dialog.localAddress,
      to: dialog.remoteAddress,
      callId: dialog.callId,
      cseq,
      contact: null,
      app,
      own,
    });
    dialog.ack = { cseq, text, to };
    this.#context.send(to, text);
    return { text, to };
  }

  #cancel(request: AppRequest): void {
    const call = this.#parts.calls.byId(request.transactionId);
    if (call === undefined || call.identity.method !== 'INVITE' || call.progress === 'final') {
      throw new Refused(`unable to cancel unknown transaction id: ${request.transactionId}`);
    }
    const text = cancelOf(call.identity, request.message);
    const held = call.progress === 'waiting';
    this.#confirm(request, text, { id: this.#context.ids.uuid(), own: call.identity.own, to: call.peer, held });
    if (call.cancel.kind !== 'none') return;
    if (held) call.cancel = { kind: 'held', text };
    else this.#parts.calls.sendCancel(call, text);
  }

  #tellUnsolicited(dialog: Dialog, bye: ClientCall): void {
    const { ids, now } = this.#context;
    const { own } = bye.identity;
    if (dialog.owner === null) return;
    const payload = eventPayload({
      id: ids.uuid(),
      source: 'application',
      bytes: bye.text.length,
      protocol: bye.protocol,
      host: own.host,
      port: own.port,
      now,
      transactionId: 'unsolicited',
      dialogId: dialog.id,
      receivedOn: null,
      text: bye.text,
    });
    this.#context.frame(dialog.owner, payload);
  }
}

/** Where an ACK goes: it cannot wait for a lookup, and the 2xx has just come from somewhere. */
function ackPeer(dialog: Dialog, to: Peer | Hop | null): Peer | null {
  if (to === null || 'connection' in to) return to;
  return isIpAddress(to.host) ? { ...to, connection: null, listener: null } : dialog.flow;
}

/** The URI that says where a request outside a dialog goes. */
function readRoute({ proxy, uri }: AppRequest): HopReading {
  const target = readHop(uri);
  // A `tel:` target crashes the daemon whatever else is said; and nobody can route it without a proxy.
  if (target.kind === 'refused' && (proxy === '' || uri.toLowerCase().startsWith('tel:'))) return target;
  return proxy === '' ? target : readHop(proxy);
}

function givenCSeq(value: string | undefined): number | null {
  if (value === undefined) return null;
  try {
    return readCSeq(value).number;
  } catch {
    return null;
  }
}
