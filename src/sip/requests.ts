/**
 * SIP request -> input of the core, one small function per method. The text is read with our own parser: the library
 * joins repeated headers and knows few compact names. What cannot be read becomes `request-refused`, so that the
 * core answers it and keeps the attempt.
 */
import type { InviteReceived, RequestInput, RequestRefused, SipRequestFacts } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { RefusalCode } from '../core/refusal.ts';
import { type InviteBody, readInviteBody } from '../wire/invite-body.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { parseResourceList, type RecipientEntry } from '../wire/resource-lists.ts';
import { parseSdp, type SessionDescription } from '../wire/sdp.ts';
import { parseEvent, parseExpires, parseNameAddr, splitList } from '../wire/sip-headers.ts';
import { headerValues, parseSipMessage, type SipMessage, type SipRequest } from '../wire/sip-message.ts';
import { parseSipUri } from '../wire/sip-uri.ts';
import type { Dialog } from './dialogs.ts';
import type { IdentityRules } from './identity.ts';
import {
  type Arrival,
  callerIfReadable,
  excerpt,
  factsOf,
  maxForwardsOf,
  namesDialog,
  only,
  type Read,
  reading,
} from './request-facts.ts';

type Asked = {
  readonly message: SipRequest;
  readonly facts: SipRequestFacts;
  /** The dialog it belongs to, if it is one of ours. */
  readonly dialog: Dialog | null;
  readonly lenient: boolean;
};

type Reader = (asked: Asked) => Read<RequestInput>;

const listTag = 'recipient-list-invite';
/** QK-2: the source document's name for it, which is the one of RFC 5367. */
const listTagOfQuirk = 'recipient-list-subscribe';

const readers: Readonly<Record<string, Reader>> = {
  INVITE: (asked) => (asked.dialog === null ? invite(asked) : reinvite(asked, asked.dialog)),
  SUBSCRIBE: subscribe,
  OPTIONS: ({ facts }) => ok({ ...facts, type: 'options-received' }),
  // RFC 3261 15.1.2: a BYE that matches no session of ours; those that do are answered by the shell itself.
  BYE: () => no('no-such-dialog', 'No such dialog'),
};

/** The input that a request means; `dialog` is the one of ours it belongs to. Never throws for what the peer sent. */
export function inputFor(arrival: Arrival, dialog: Dialog | null, rules: IdentityRules): RequestInput {
  const message = reading('bad-request', () => asRequest(parseSipMessage(arrival.raw)));
  if (!message.ok) return refused(arrival, null, { ...message, rules });
  const input = readRequest(arrival, { message: message.value, dialog, rules });
  return input.ok ? input.value : refused(arrival, message.value, { ...input, rules });
}

function readRequest(
  arrival: Arrival,
  given: { readonly message: SipRequest; readonly dialog: Dialog | null; readonly rules: IdentityRules },
): Read<RequestInput> {
  const { message, dialog, rules } = given;
  // RFC 3261 12.2.2: a request for a dialog that is not there.
  if (dialog === null && namesDialog(message, rules.lenient)) return no('no-such-dialog', 'No such dialog');
  const reader = Object.hasOwn(readers, message.method) ? readers[message.method] : undefined;
  if (reader === undefined) return no('method-not-allowed', `${message.method} is not served here`);
  if (Buffer.byteLength(message.body) > limits.bodyBytesMax) {
    return no('body-too-large', `The body is longer than ${limits.bodyBytesMax} octets`);
  }
  const facts = reading('bad-request', () => factsOf(message, arrival, rules));
  return facts.ok ? reader({ message, facts: facts.value, dialog, lenient: rules.lenient }) : facts;
}

function invite(asked: Asked): Read<InviteReceived> {
  const { message, facts, lenient } = asked;
  const contact = reading('bad-request', () => contactOf(message, lenient));
  if (!contact.ok) return contact;
  const body = bodyOf(asked);
  if (!body.ok) return body;
  const offer = descriptionIn(body.value);
  if (!offer.ok) return offer;
  const list = reading('bad-list', () => entriesOf(body.value.lists, lenient));
  if (!list.ok) return list;
  const subject = only(message, 'Subject').trim();
  return ok({
    ...facts,
    type: 'invite-received',
    quirks: [...facts.quirks, ...contact.value.quirks, ...body.value.quirks, ...(list.value?.quirks ?? [])].filter(
      once,
    ),
    contact: contact.value.uri,
    subject: subject === '' ? null : subject,
    maxForwards: maxForwardsOf(message),
    offer: offer.value,
    list: list.value?.entries ?? null,
  });
}

function reinvite(asked: Asked, dialog: Dialog): Read<RequestInput> {
  if (dialog.session === null || dialog.session.ending) return no('no-such-dialog', 'No session in this dialog');
  const body = bodyOf(asked);
  if (!body.ok) return body;
  const offer = descriptionIn(body.value);
  if (!offer.ok) return offer;
  return ok({
    ...asked.facts,
    type: 'reinvite-received',
    endpointId: dialog.session.endpointId,
    offer: offer.value,
    // RFC 5366 5.1: lists belong to the factory; what becomes of one here is for the core to say.
    carriesList: body.value.lists.length > 0 || asked.facts.requires.includes(listTag),
  });
}

function subscribe({ message, facts, dialog, lenient }: Asked): Read<RequestInput> {
  const contact = reading('bad-request', () => contactOf(message, lenient));
  if (!contact.ok) return contact;
  // RFC 4575 3.2 defines no body for SUBSCRIBE.
  if (message.body !== '') return no('unsupported-body', 'A SUBSCRIBE has no body here');
  const header = headerValues(message, 'Event')[0];
  const event = reading('bad-event', () => (header === undefined ? null : parseEvent(header).type));
  if (!event.ok) return event;
  const expiry = headerValues(message, 'Expires')[0];
  const asks = { event: event.value, expires: expiry === undefined ? null : parseExpires(expiry) };
  const subscription = dialog?.subscription ?? null;
  if (subscription === null) {
    // RFC 6665 4.5.2: to share the dialog of an INVITE is an old form of subscribing, taken all the same.
    return ok({ ...facts, ...asks, type: 'subscribe-received' });
  }
  if (subscription.ending) return no('no-such-dialog', 'The subscription has ended');
  return ok({ ...facts, ...asks, type: 'subscription-refreshed', subscriptionId: subscription.subscriptionId });
}

/** The description in an ACK or a response: null without a body, `unreadable` when it makes no sense. */
export function answerIn(message: SipMessage, lenient: boolean): SessionDescription | null | 'unreadable' {
  if (message.body === '') return null;
  const answer = reading('bad-sdp', () => {
    const { sdp } = readInviteBody(message, { ...bodyLimits, lenient, expectList: false });
    return sdp === null ? ('unreadable' as const) : parseSdp(sdp);
  });
  return answer.ok ? answer.value : 'unreadable';
}

const bodyLimits = { partsMax: limits.multipartPartsMax, depthMax: limits.multipartDepthMax };

function bodyOf({ message, facts, lenient }: Asked): Read<InviteBody> {
  const expectList = facts.requires.includes(listTag) || (lenient && facts.requires.includes(listTagOfQuirk));
  const body = reading('bad-body', () => readInviteBody(message, { ...bodyLimits, lenient, expectList }));
  const encoded = /^Content-Encoding[ \t]*:[ \t]*(?!identity\b)/im.test(`${contentEncodings(message)}${message.body}`);
  return !body.ok && body.code === 'unsupported-body' && encoded ? { ...body, code: 'unsupported-encoding' } : body;
}

function contentEncodings(message: SipMessage): string {
  return headerValues(message, 'Content-Encoding')
    .map((value) => `Content-Encoding: ${value}\n`)
    .join('');
}

function descriptionIn(body: InviteBody): Read<SessionDescription | null> {
  const { sdp } = body;
  return reading('bad-sdp', () => (sdp === null ? null : parseSdp(sdp)));
}

/** RFC 5363 4.1: several lists are one, their union in order. null when there is none. */
function entriesOf(
  lists: readonly string[],
  lenient: boolean,
): { readonly entries: readonly RecipientEntry[]; readonly quirks: readonly string[] } | null {
  if (lists.length === 0) return null;
  const read = lists.map((text) =>
    parseResourceList(text, {
      lenient,
      bytesMax: limits.bodyBytesMax,
      elementsMax: limits.listElementsMax,
      depthMax: limits.listDepthMax,
    }),
  );
  const entries = read.flatMap((list) => list.entries).map((entry, position) => ({ ...entry, position }));
  return { entries, quirks: read.flatMap((list) => list.quirks) };
}

/** RFC 3261 8.1.1.8: exactly one URI, and one that SIP can reach. RemoteError 400. */
function contactOf(
  message: SipRequest,
  lenient: boolean,
): { readonly uri: string; readonly quirks: readonly string[] } {
  const [value] = headerValues(message, 'Contact').flatMap(splitList);
  if (value === undefined) throw new RemoteError(400, 'Contact is missing');
  const { uri, quirks } = parseNameAddr(value, { lenient });
  if (!/^sips?:/i.test(uri)) throw new RemoteError(400, 'Contact is no SIP URI');
  parseSipUri(uri);
  return { uri, quirks };
}

function refused(
  arrival: Arrival,
  message: SipRequest | null,
  why: { readonly code: RefusalCode; readonly detail: string; readonly rules: IdentityRules },
): RequestRefused {
  return {
    type: 'request-refused',
    reply: arrival.reply,
    method: arrival.method,
    target: arrival.uri,
    caller: message === null ? null : callerIfReadable(message, arrival.sourceAddress, why.rules),
    callId: message === null ? null : only(message, 'Call-ID') || null,
    code: why.code,
    detail: why.detail,
    quirks: [],
    received: excerpt(arrival.raw),
  };
}

function asRequest(message: SipMessage): SipRequest {
  if (message.kind !== 'request') throw new RemoteError(400, 'A response where a request belongs');
  return message;
}

function once(quirk: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(quirk) === at;
}

function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

function no(
  code: RefusalCode,
  detail: string,
): { readonly ok: false; readonly code: RefusalCode; readonly detail: string } {
  return { ok: false, code, detail };
}
