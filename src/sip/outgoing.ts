/**
 * The core's SIP effects -> requests for the SIP server. Via, CSeq and Max-Forwards in dialogs are the server's.
 */
import type { SipInvite, SipNotify, SipNotifyReferral, SipRefer, SipReinvite } from '../core/effect.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { writeNameAddr, writeReplaces } from '../wire/sip-headers.ts';
import { destinationHost, parseSipUri, type SipUri, withoutHeaders, writeSipUri } from '../wire/sip-uri.ts';
import { bounds } from './bounds.ts';
import {
  acceptAt,
  allow,
  allowEvents,
  focusContact,
  focusSessionContact,
  product,
  supportedAt,
} from './capabilities.ts';
import { inviteBody } from './outgoing-body.ts';
import { phrase } from './phrase.ts';
import type { SrfRequestOptions } from './srf.ts';

/** A request as the library takes it. */
export type OutgoingRequest = { readonly uri: string; readonly options: SrfRequestOptions };

export type RoutingRules = {
  /** The SIP/IP core, next hop of every request outside a dialog; null: RFC 3263 decides. */
  readonly sipCore: SipUri | null;
  readonly isTrustedPeer: (address: string) => boolean;
};

/** Reads the URI of the SIP/IP core, once. Throws RemoteError for what is no sip or sips URI: that is no next hop. */
export function parseSipCore(text: string): SipUri {
  const uri = parseSipUri(text);
  if (uri.scheme === 'tel') throw new RemoteError(416, 'A tel URI is no next hop');
  return withoutHeaders(uri);
}

/** Headers that a list entry may add but never replace. */
const combinable = 'accept-contact';

/** The INVITE of the focus to an invitee, or null when its target cannot be reached by SIP: tel without a SIP core. */
export function inviteRequest(effect: SipInvite, rules: RoutingRules): OutgoingRequest | null {
  const target = reachableTarget(parseSipUri(effect.target), rules.sipCore);
  if (target === null) return null;
  const uri = writeSipUri(target);
  const extra = effect.extraHeaders.filter(({ name }) => name.toLowerCase() !== combinable);
  const { contentType, text } = inviteBody(effect);
  const headers = oneLine({
    ...headOutside(effect, { target, displayName: effect.displayName }, rules),
    // Chosen here, so that an INVITE that is sent again can count on (RFC 4028 7.3).
    'CSeq': `${effect.cseq} INVITE`,
    'Contact': focusSessionContact(effect.conferenceUri),
    'Accept-Contact': acceptContact(effect),
    'Subject': effect.subject,
    // RFC 4579 5.13: a focus says in its INVITE what it can do.
    'Allow': allow,
    'Allow-Events': allowEvents,
    'Accept': acceptAt('conference'),
    'Supported': supportedAt('conference'),
    // RFC 4028 7.1: no refresher is named, so the invitee chooses one.
    'Session-Expires': textOf(effect.sessionTimer?.expires),
    'Min-SE': textOf(effect.sessionTimer?.minSe),
    // RFC 3891 6.2: with Require the invitee refuses rather than take the INVITE for a new call.
    'Require': effect.replaces === null ? null : 'replaces',
    'Replaces': effect.replaces === null ? null : writeReplaces(effect.replaces),
    // RFC 3911 7.1: not required, for whoever does not know Join may come in all the same.
    'Join': effect.join,
    'User-Agent': product,
    'Content-Type': contentType,
  });
  const taken = extra.length === 0 ? null : new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  for (const { name, value } of extra) if (!taken?.has(name.toLowerCase())) headers[name] = inOneLine(value);
  return { uri, options: { method: 'INVITE', headers, body: text, ...nextHop(rules) } };
}

/** Who sends a request outside any dialog, to whom, and on whose behalf. */
export function headOutside(
  effect: SipInvite | SipRefer,
  to: { readonly target: SipUri; readonly displayName: string | null },
  rules: RoutingRules,
): WantedHeaders {
  const { conferenceUri, callId, fromTag, maxForwards } = effect;
  return {
    // RFC 3261 8.1.1.2: no tag in To outside a dialog.
    'To': writeNameAddr({ displayName: to.displayName, uri: writeSipUri(to.target), params: [] }),
    'From': writeNameAddr({ displayName: null, uri: conferenceUri, params: [{ name: 'tag', value: fromTag }] }),
    'Call-ID': callId,
    'Max-Forwards': String(maxForwards),
    // RFC 3325 9.1: the focus asserts itself, but only towards those who trust it.
    'P-Asserted-Identity': isTrustedHop(to.target, rules) ? `<${conferenceUri}>` : null,
    'Referred-By': referredBy(effect),
  };
}

/** Where a request outside any dialog goes first, if that is decided. */
export function nextHop({ sipCore }: RoutingRules): Pick<SrfRequestOptions, 'proxy'> {
  return sipCore === null ? {} : { proxy: writeSipUri(sipCore) };
}

/** RFC 3892 2.2: what came in a REFER goes on as it is; else it says who had us invite. */
function referredBy({ referral, referredBy: by }: SipInvite | SipRefer): string | null {
  return referral?.value ?? (by === null ? null : `<${by}>`);
}

function textOf(number: number | null | undefined): string | null {
  return number === null || number === undefined ? null : String(number);
}

/** An INVITE in the dialog, with an offer. */
export function reinviteRequest(effect: SipReinvite): OutgoingRequest {
  return inDialog({
    method: 'INVITE',
    stackDialogId: effect.dialogId,
    headers: oneLine({
      // RFC 3261 14.1: it may refresh the remote target, so it names the same one.
      'Contact': focusSessionContact(effect.conferenceUri),
      // RFC 4579 5.13: a focus says in its INVITE what it can do.
      'Allow': allow,
      'Allow-Events': allowEvents,
      'Accept': acceptAt('conference'),
      'Supported': supportedAt('conference'),
      ...runningTimer(effect),
      'User-Agent': product,
      'Content-Type': 'application/sdp',
    }),
    body: effect.sdp,
  });
}

/** RFC 4028 7.4: an INVITE that says nothing of the session timer would end it. */
function runningTimer({ sessionTimer: running }: SipReinvite): Record<string, string> {
  return running === null ? {} : { 'Session-Expires': `${running.expires};refresher=${running.refresher}` };
}

/** A BYE in the dialog, with its reason (RFC 3326). */
export function byeRequest(dialogId: string, reason: string): OutgoingRequest {
  const headers = { 'Reason': reasonValue(reason), 'User-Agent': product };
  return inDialog({ method: 'BYE', stackDialogId: dialogId, headers: oneLine(headers) });
}

/** A NOTIFY of the conference package (RFC 4575 3). */
export function notifyRequest(effect: SipNotify): OutgoingRequest {
  const { body } = effect;
  const document = body === null ? null : { type: 'application/conference-info+xml', text: body };
  return notifyOf(effect, { event: 'conference', document });
}

/** What a NOTIFY is about: its package, and what it shows. */
export type Told = {
  readonly event: string;
  readonly document: { readonly type: string; readonly text: string } | null;
};

/** A NOTIFY within its subscription (RFC 6665 4.2.2). */
export function notifyOf(effect: SipNotify | SipNotifyReferral, { event, document }: Told): OutgoingRequest {
  const { state } = effect;
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: effect.dialogId,
    headers: oneLine({
      // RFC 6665 4.3: NOTIFY is a target refresh request; the SIP server adds no Contact by itself.
      'Contact': focusContact(effect.conferenceUri),
      'Event': event,
      'Subscription-State':
        state.name === 'terminated' ? `terminated;reason=${state.reason}` : `${state.name};expires=${state.expires}`,
      'Allow-Events': allowEvents,
      'User-Agent': product,
      ...(document === null ? {} : { 'Content-Type': document.type }),
    }),
    ...(document === null ? {} : { body: document.text }),
  });
}

/** The last NOTIFY of a subscription to the conference package, without a document. */
export function farewellRequest(left: Left, reason: string): OutgoingRequest {
  return farewellOf(left, { event: 'conference', document: null, reason });
}

/** A dialog of ours that nobody owns any more. */
type Left = { readonly dialogId: string; readonly contact?: string };

/** The last NOTIFY of a subscription that nobody owns any more. */
export function farewellOf(
  left: Left,
  { event, document, reason }: Told & { readonly reason: string },
): OutgoingRequest {
  const contact = left.contact === undefined ? {} : { 'Contact': focusContact(left.contact) };
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: left.dialogId,
    headers: oneLine({
      ...contact,
      'Event': event,
      'Subscription-State': `terminated;reason=${reason}`,
      'User-Agent': product,
      ...(document === null ? {} : { 'Content-Type': document.type }),
    }),
    ...(document === null ? {} : { body: document.text }),
  });
}

/** Octets of the control frame that carries `request`, rounded up. */
export function requestFrameBytes({ uri, options }: OutgoingRequest): number {
  const routing = `${options.stackDialogId ?? ''}${options.proxy ?? ''}`;
  const head = `${options.method} ${uri} SIP/2.0`;
  return (
    Buffer.byteLength(routing) +
    Buffer.byteLength(head) +
    4 +
    frameBytes(Object.entries(options.headers), options.body ?? '')
  );
}

type Header = readonly [name: string, value: string];

/** Octets of a control frame with these headers. */
export function frameBytes(headers: readonly Header[], body: string): number {
  return bounds.frameOverheadBytes + headerBytes(headers) + Buffer.byteLength(body);
}

/** Octets of these headers; each text is followed by at most a colon, a blank or a line end. */
export function headerBytes(headers: readonly Header[]): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + Buffer.byteLength(value) + 4;
  return bytes;
}

function inDialog(options: SrfRequestOptions): OutgoingRequest {
  // A drachtio server puts the remote target of the dialog in its place.
  return { uri: 'sip:placeholder', options };
}

/**
 * A tel URI crashes a drachtio server, so none reaches it. RFC 3261 19.1.6: towards a SIP core the number becomes the
 * user part of a SIP URI.
 */
export function reachableTarget(target: SipUri, sipCore: SipUri | null): SipUri | null {
  if (target.scheme !== 'tel') return target;
  if (sipCore === null) return null;
  const number = writeSipUri(target).slice('tel:'.length);
  const { host, port } = sipCore;
  return {
    scheme: 'sip',
    user: number,
    password: null,
    host,
    port,
    params: [{ name: 'user', value: 'phone' }],
    headers: [],
  };
}

function isTrustedHop(target: SipUri, rules: RoutingRules): boolean {
  return rules.sipCore !== null || rules.isTrustedPeer(destinationHost(target).replace(/^\[(.*)\]$/, '$1'));
}

/** RFC 3841 9.2: the invitee's own wish stands beside ours. */
function acceptContact(effect: SipInvite): string {
  const wished = effect.extraHeaders.filter(({ name }) => name.toLowerCase() === combinable).map(({ value }) => value);
  return ['*;+g.oma.sip-im', ...wished].join(', ');
}

function reasonValue(reason: string): string {
  if (/^(SIP|Q\.850)\s*;/i.test(reason)) return reason;
  return `SIP;cause=200;text="${phrase(reason)}"`;
}

/** Headers by name; null: not there. */
type WantedHeaders = Readonly<Record<string, string | null>>;

/** The headers that have a value. None may start a new line, whatever it was made from. */
export function oneLine(wanted: WantedHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of Object.keys(wanted)) {
    const value = wanted[name];
    if (value !== null && value !== undefined) headers[name] = inOneLine(value);
  }
  return headers;
}

const controls = /\p{Cc}+/gu;

/** `value` with a blank for its line ends and other control characters. */
export function inOneLine(value: string): string {
  return value.replace(controls, ' ');
}
