/**
 * The core's SIP effects -> requests for the SIP server. Via, CSeq and Max-Forwards in dialogs are the server's.
 */
import type { SipInvite, SipNotify, SipReinvite } from '../core/effect.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { writeNameAddr, writeReplaces } from '../wire/sip-headers.ts';
import { parseSipUri, type SipUri, withoutHeaders, writeSipUri } from '../wire/sip-uri.ts';
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
  const own: Record<string, string> = {
    // RFC 3261 8.1.1.2: no tag in To outside a dialog.
    'To': writeNameAddr({ displayName: effect.displayName, uri, params: [] }),
    'From': writeNameAddr({
      displayName: null,
      uri: effect.conferenceUri,
      params: [{ name: 'tag', value: effect.fromTag }],
    }),
    'Call-ID': effect.callId,
    // Chosen here, so that an INVITE that is sent again can count on (RFC 4028 7.3).
    'CSeq': `${effect.cseq} INVITE`,
    'Max-Forwards': String(effect.maxForwards),
    'Contact': focusSessionContact(effect.conferenceUri),
    'Accept-Contact': acceptContact(effect),
    // RFC 3325 9.1: the focus asserts itself, but only towards those who trust it.
    ...(isTrustedHop(target, rules) ? { 'P-Asserted-Identity': `<${effect.conferenceUri}>` } : {}),
    ...referredBy(effect),
    ...(effect.subject === null ? {} : { 'Subject': effect.subject }),
    // RFC 4579 5.13: a focus says in its INVITE what it can do.
    'Allow': allow,
    'Allow-Events': allowEvents,
    'Accept': acceptAt('conference'),
    'Supported': supportedAt('conference'),
    ...sessionTimer(effect),
    // RFC 3891 6.2: with Require the invitee refuses rather than take the INVITE for a new call.
    ...(effect.replaces === null ? {} : { 'Require': 'replaces', 'Replaces': writeReplaces(effect.replaces) }),
    // RFC 3911 7.1: not required, for whoever does not know Join may come in all the same.
    ...(effect.join === null ? {} : { 'Join': effect.join }),
    'User-Agent': product,
    'Content-Type': contentType,
  };
  const taken = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const added = Object.fromEntries(
    extra.filter(({ name }) => !taken.has(name.toLowerCase())).map(({ name, value }) => [name, value]),
  );
  const proxy = rules.sipCore === null ? {} : { proxy: writeSipUri(rules.sipCore) };
  return { uri, options: { method: 'INVITE', headers: oneLine({ ...own, ...added }), body: text, ...proxy } };
}

/** RFC 4028 7.1: no refresher is named, so the invitee chooses one. */
function sessionTimer({ sessionTimer: asked }: SipInvite): Record<string, string> {
  if (asked === null) return {};
  const least = asked.minSe === null ? {} : { 'Min-SE': String(asked.minSe) };
  return { 'Session-Expires': String(asked.expires), ...least };
}

/** RFC 3892 2.2: what came in a REFER goes on as it is; else it says who had us invite. */
function referredBy({ referral, referredBy: by }: SipInvite): Record<string, string> {
  const value = referral?.value ?? (by === null ? null : `<${by}>`);
  return value === null ? {} : { 'Referred-By': value };
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

/** A NOTIFY of the conference package (RFC 4575 3, RFC 6665 4.2.2). */
export function notifyRequest(effect: SipNotify): OutgoingRequest {
  const { state } = effect;
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: effect.dialogId,
    headers: oneLine({
      // RFC 6665 4.3: NOTIFY is a target refresh request; the SIP server adds no Contact by itself.
      'Contact': focusContact(effect.conferenceUri),
      'Event': 'conference',
      'Subscription-State':
        state.name === 'terminated' ? `terminated;reason=${state.reason}` : `${state.name};expires=${state.expires}`,
      'Allow-Events': allowEvents,
      'User-Agent': product,
      ...(effect.body === null ? {} : { 'Content-Type': 'application/conference-info+xml' }),
    }),
    ...(effect.body === null ? {} : { body: effect.body }),
  });
}

/** The last NOTIFY of a subscription, without a document. */
export function farewellRequest(
  left: { readonly dialogId: string; readonly contact?: string },
  reason: string,
): OutgoingRequest {
  const contact = left.contact === undefined ? {} : { 'Contact': focusContact(left.contact) };
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: left.dialogId,
    headers: oneLine({
      ...contact,
      'Event': 'conference',
      'Subscription-State': `terminated;reason=${reason}`,
      'User-Agent': product,
    }),
  });
}

/** Octets of the control frame that carries `request`, rounded up. */
export function requestFrameBytes({ uri, options }: OutgoingRequest): number {
  const routing = `${options.stackDialogId ?? ''}${options.proxy ?? ''}`;
  const head = `${options.method} ${uri} SIP/2.0`;
  return frameBytes([routing, head, ...Object.entries(options.headers).flat()], options.body ?? '');
}

/** Octets of a control frame with these texts; each is followed by at most a colon, a blank or a line end. */
export function frameBytes(texts: readonly string[], body: string): number {
  const head = texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 2, 0);
  return bounds.frameOverheadBytes + head + Buffer.byteLength(body);
}

/** A request within a dialog. */
export function inDialog(options: SrfRequestOptions): OutgoingRequest {
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

/** Whether a request to `target` goes to somebody who is trusted. */
export function isTrustedHop(target: SipUri, rules: RoutingRules): boolean {
  return rules.sipCore !== null || rules.isTrustedPeer(target.host.replace(/^\[(.*)\]$/, '$1'));
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

/** No header value may start a new line, whatever it was made from. */
export function oneLine(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/\p{Cc}+/gu, ' ')]));
}
