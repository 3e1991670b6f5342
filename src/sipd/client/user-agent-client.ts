/**
 * Requests that applications send, outside dialogs and in them (RFC 3261 8.1, 9.1, 12.2.1, 13.2.2.4), and the BYEs of
 * the server itself. What the answers mean is in client-calls.ts.
 */

import { RemoteError } from '../../wire/remote-error.ts';
import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { eventPayload, requestSent } from '../control/frames.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Orphans } from '../dialog/orphans.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { readAddress, tagOf, withTag } from '../message/address.ts';
import { knownMethods, readCSeq } from '../message/checks.ts';
import { type AppMessage, given, givenContact, lacksContentType, withOwnHost } from '../message/compose.ts';
import { bareContact, type OwnAddress } from '../own-addresses.ts';
import type { Unacknowledged } from '../server/unacknowledged.ts';
import { sessionExpired } from '../session-timer/session-interval.ts';
import type { OwnRequest, Sessions } from '../session-timer/sessions.ts';
import { type Hop, isSips } from '../target/next-hop.ts';
import { defaultPort } from '../target/transports.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { type ClientCall, cancelOf, ownVia, type RequestIdentity, textOf } from './client-call.ts';
import type { ClientCalls } from './client-calls.ts';
import type { Dispatch } from './dispatch.ts';
import { Refused, type Routing } from './routing.ts';

export type UserAgentClientParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly calls: ClientCalls;
  readonly routing: Routing;
  readonly dispatch: Dispatch;
  readonly acknowledgements: Acknowledgements;
  readonly orphans: Orphans;
  readonly sessions: Sessions;
  readonly unacknowledged: Unacknowledged;
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
    const found = this.#parts.routing.inDialogOrNone(dialog);
    // Without a way to the peer the application must hear all the same that the dialog is gone.
    const route = found.to === null ? { ...found, uri: readAddress(dialog.remoteAddress).uri } : found;
    this.#parts.inviteEnded(dialog);
    const headers = [{ name: 'Reason', key: 'reason', value: `SIP;cause=200;text="${text}"`, start: 0, end: 0 }];
    const app = { headers, body: '' };
    const identity = this.#dialogIdentity(dialog, { method: 'BYE', uri: route.uri, own: route.own, cseq: null });
    const call = this.#makeCall({ ...identity, routes: route.routes }, { session: null, dialog, app });
    if (dialog.owner !== null && this.#parts.apps.isOpen(dialog.owner)) this.#tellUnsolicited(dialog, call);
    const reason = text === sessionExpired ? 'session-expired' : 'system-initiated-termination';
    if (dialog.owner !== null)
      this.#parts.apps.records.ended(dialog, { source: 'application', text: call.text }, reason);
    if (route.to !== null) this.#parts.dispatch.send(call, route.to);
  }

  /** Sends a request of the server itself in the dialog. False when there is no way to the peer. */
  sendOwn(dialog: Dialog, { method, headers, body, answered }: OwnRequest): boolean {
    const route = this.#parts.routing.inDialogOrNone(dialog);
    if (route.to === null) return false;
    const app = { headers: headers.map((each) => ({ ...each, key: each.name.toLowerCase(), start: 0, end: 0 })), body };
    const identity = this.#dialogIdentity(dialog, { method, uri: route.uri, own: route.own, cseq: null });
    const contact = dialog.localContact ?? bareContact(route.own, dialog.secure);
    const call = this.#makeCall({ ...identity, routes: route.routes }, { session: null, dialog, contact, app });
    this.#parts.dispatch.send({ ...call, answered }, route.to);
    return true;
  }

  /** ACKs a 2xx nobody else will ACK (RFC 3261 13.2.2.4), as to a fork or for an application that has gone. */
  acknowledge(dialog: Dialog, cseq: number): void {
    const way = this.#parts.routing.inDialogOrNone(dialog);
    if (way.to !== null) this.#parts.acknowledgements.send({ dialog, cseq, app: null, way });
  }

  #outsideDialog(request: AppRequest): void {
    const { message, method, uri } = request;
    if (!knownMethods.has(method) || method === 'ACK' || method === 'BYE' || method === 'PRACK') {
      throw new Refused(`invalid request-uri: ${message.startLine}`);
    }
    if (lacksContentType(message)) throw new Refused('missing content-type');
    if (this.#parts.calls.count() >= limits.transactionsMax) throw new Refused('too many transactions');
    const route = this.#parts.routing.outside(uri, request.proxy);
    const identity = this.#newIdentity(request, route.own);
    const ours = givenContact(message, route.own);
    const wantsContact = method === 'INVITE' || method === 'SUBSCRIBE';
    const contact = ours ?? (wantsContact ? bareContact(route.own, isSips(uri)) : null);
    const call = this.#makeCall(identity, { session: request.session, dialog: null, contact, app: message });
    const { text } = call;
    this.#launch(request, call, route.to);
    if (method === 'INVITE') this.#parts.apps.records.attempt('application', text);
  }

  #inDialog(request: AppRequest): void {
    const rack = request.method === 'PRACK' ? given(request.message, 'rack') : undefined;
    const dialog = this.#parts.calls.dialogToSendIn(request.dialogId, rack);
    if (request.method === 'ACK') {
      this.#ack(request, dialog);
      return;
    }
    if (dialog === undefined) throw new Refused('Server error: unable to find dialog for dialog id provided');
    this.#parts.orphans.adopt(dialog, request.session);
    const { message, method } = request;
    if (lacksContentType(message)) throw new Refused('Server error: missing content-type');
    if (this.#parts.sessions.holdsBack(dialog, { method, body: message.body }, () => this.#goOn(request))) return;
    const route = this.#parts.routing.inDialog(dialog, request.proxy);
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
    const before = dialog.localContact ?? bareContact(route.own, dialog.secure);
    const contact = ours ?? (wantsContact ? before : null);
    if (contact !== null && wantsContact) dialog.localContact = contact;
    const call = this.#makeCall(
      { ...identity, routes: route.routes },
      { session: request.session, dialog, contact, app: this.#parts.sessions.complete(dialog, method, message) },
    );
    this.#launch(request, call, route.to);
    if (method !== 'BYE') return;
    this.#parts.apps.records.ended(dialog, { source: 'application', text: call.text }, 'normal-release');
  }

  /** What had to wait is sent, if there is still somebody to whom its answers matter. */
  #goOn(request: AppRequest): void {
    if (this.#parts.apps.isOpen(request.session)) this.request(request);
  }

  #launch(request: AppRequest, call: ClientCall, to: Peer | Hop | null): void {
    this.#parts.calls.add(call);
    this.#confirm(request, call.text, { id: call.id, own: call.identity.own, to, held: false });
    // The daemon sends over the connection it remembers, open or not.
    if (to !== null && 'connection' in to && !this.#context.isOpen(to)) this.#parts.calls.failed(call, 410, 'Gone');
    else if (to !== null) this.#send(call, to);
    // `sips:` without a listener: the daemon takes the request and makes up its answer.
    else this.#parts.calls.failed(call, 416, 'Unsupported URI Scheme');
  }

  #send(call: ClientCall, to: Peer | Hop): void {
    const send = (): void => this.#parts.dispatch.send(call, to);
    const ends = call.identity.method === 'BYE' ? call.dialog : null;
    if (ends === null || !this.#parts.unacknowledged.holdsBack(ends, send)) send();
  }

  #makeCall(
    identity: RequestIdentity,
    rest: {
      session: number | null;
      dialog: Dialog | null;
      contact?: string | null;
      app: Pick<AppMessage, 'headers' | 'body'>;
    },
  ): ClientCall {
    const { app, contact = null } = rest;
    return {
      id: this.#context.ids.uuid(),
      session: rest.session,
      identity,
      text: textOf(identity, { contact, app }),
      contact,
      app,
      event: given(app, 'event'),
      endsSubscription: endsSubscription(identity.method, app),
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
    const wished = withOwnHost(given(message, 'from') ?? `<sip:${own.host}:${own.port}>`, own);
    const from = tagOf(wished) === null ? withTag(wished, ids.tag()) : wished;
    const to = withOwnHost(given(message, 'to') ?? `<${uri}>`, own);
    const branch = ids.branch();
    return {
      method,
      uri,
      via: ownVia(own, branch),
      branch,
      own,
      routes: [],
      from,
      fromTag: tagOf(from),
      to,
      toTag: tagOf(to),
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
      fromTag: dialog.localTag,
      to: dialog.remoteAddress,
      toTag: dialog.remoteTag,
      callId: dialog.callId,
      cseq: dialog.localCseq,
    };
  }

  #confirm(
    request: AppRequest,
    text: string,
    sent: { readonly id: string; readonly own: OwnAddress; readonly to: Peer | Hop | null; readonly held: boolean },
  ): void {
    const { own } = sent;
    // The daemon names its own socket for UDP, the peer for a stream.
    const shown = own.protocol === 'udp' || sent.to === null ? own : sent.to;
    const port = shown.port ?? defaultPort(own.protocol);
    const rest = requestSent({
      bytes: sent.held ? 0 : text.length,
      protocol: own.protocol,
      host: shown.host,
      port,
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
    const way = this.#parts.routing.inDialogOrNone(dialog);
    if (way.to === null) {
      // A 2xx without Contact. Neither ACK nor BYE can ever be sent in its dialog, hence nobody would end it.
      this.hangUp(dialog, 'no Contact in the answer');
      throw new Refused(`Server error: unable to find route when sending request inside dialog ${dialog.id}`);
    }
    const text = this.#parts.acknowledgements.send({ dialog, cseq: invite, app: request.message, way });
    this.#parts.sessions.described(dialog, request.message.body);
    const id = this.#context.ids.uuid();
    this.#confirm(request, text, { id, own: way.own, to: way.to, held: false });
    const { endAfterAck } = dialog;
    if (endAfterAck === null) return;
    dialog.endAfterAck = null;
    this.hangUp(dialog, endAfterAck);
  }

  #cancel(request: AppRequest): void {
    const call = this.#parts.calls.byId(request.transactionId);
    if (call === undefined || call.identity.method !== 'INVITE' || call.progress === 'final') {
      throw new Refused(`unable to cancel unknown transaction id: ${request.transactionId}`);
    }
    const text = cancelOf(call.identity, request.message);
    const held = call.progress === 'waiting';
    this.#confirm(request, text, { id: this.#context.ids.uuid(), own: call.identity.own, to: call.peer, held });
    this.#parts.calls.cancel(call, request.message);
  }

  #tellUnsolicited(dialog: Dialog, bye: ClientCall): void {
    const { ids, now } = this.#context;
    const { own } = bye.identity;
    if (dialog.owner === null) return;
    const payload = eventPayload({
      id: ids.uuid(),
      source: 'application',
      bytes: bye.text.length,
      protocol: own.protocol,
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

/** RFC 6665 4.1.2.3, 4.2.2. */
function endsSubscription(method: string, app: Pick<AppMessage, 'headers'>): boolean {
  if (method === 'SUBSCRIBE') return given(app, 'expires')?.trim() === '0';
  return method === 'NOTIFY' && given(app, 'subscription-state')?.toLowerCase().includes('terminated') === true;
}

function givenCSeq(value: string | undefined): number | null {
  if (value === undefined) return null;
  try {
    return readCSeq(value).number;
  } catch {
    return null;
  }
}
