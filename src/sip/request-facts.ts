/** What every SIP request says about itself, read once (RFC 3261 8.1.1, 8.2). */
import type { Caller, SipRequestFacts } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { RefusalCode } from '../core/refusal.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { isToken, parseCSeq, parseMediaType, parseNameAddr, splitList } from '../wire/sip-headers.ts';
import { headerValues, type SipRequest } from '../wire/sip-message.ts';
import { parseSipUri, type SipUri, withoutHeaders, withoutPasswords } from '../wire/sip-uri.ts';
import { callerOf, claimedCaller, credentialsIn, type IdentityRules } from './identity.ts';

/** A request as it came up from the SIP server. */
export type Arrival = {
  readonly reply: string;
  readonly method: string;
  readonly uri: string;
  readonly raw: string;
  readonly sourceAddress: string;
  /** The SIP server's id of the dialog; empty outside dialogs. */
  readonly dialogId: string;
  /** Methods of the requests of that dialog that came before and are still to be answered. */
  readonly unanswered: readonly string[];
};

/** A value, or why the request is refused. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      readonly code: RefusalCode;
      readonly detail: string;
      /** What is odd in it, where that has a name. */
      readonly quirks?: readonly string[];
    };

/** Runs a parser of `wire`; what it throws becomes a refusal, `code` unless the parser hints at a more exact one. */
export function reading<Value>(code: RefusalCode, parse: () => Value): Read<Value> {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return { ok: false, code: codeByStatus[error.statusHint] ?? code, detail: error.message };
  }
}

const codeByStatus: Readonly<Record<number, RefusalCode>> = {
  413: 'body-too-large',
  415: 'unsupported-body',
  416: 'unsupported-scheme',
  488: 'media-not-acceptable',
  489: 'bad-event',
  513: 'body-too-large',
};

/** RFC 3261 20: headers that may stand once only. Content-Type is judged with the body. */
const singular = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Event', 'Expires', 'Subject'];
const mandatory = ['From', 'To', 'Call-ID', 'CSeq'];

/** Reads the facts of `message`. RemoteError for headers that are missing, doubled or malformed. */
export function factsOf(message: SipRequest, arrival: Arrival, rules: IdentityRules): SipRequestFacts {
  for (const name of mandatory)
    if (headerValues(message, name).length === 0) throw new RemoteError(400, `${name} is missing`);
  for (const name of singular)
    if (headerValues(message, name).length > 1) throw new RemoteError(400, `${name} stands twice`);
  // RFC 3261 8.1.1.5.
  if (parseCSeq(only(message, 'CSeq')).method !== message.method)
    throw new RemoteError(400, 'CSeq names another method');
  const from = parseNameAddr(only(message, 'From'), rules);
  const to = parseNameAddr(only(message, 'To'), rules);
  const target = requestTarget(message.uri, rules.lenient);
  const callId = only(message, 'Call-ID').trim();
  const fromTag = tagOf(from.params) ?? '';
  // They name the dialog in tables and rows.
  if (Math.max(callId.length, fromTag.length) > limits.uriCharactersMax)
    throw new RemoteError(400, `Call-ID or From tag is longer than ${limits.uriCharactersMax} characters`);
  const caller = callerOf(message, arrival.sourceAddress, rules);
  const requires = requiredOptions(message);
  return {
    reply: arrival.reply,
    method: message.method,
    target: target.uri,
    requestUri: message.uri,
    sourceAddress: arrival.sourceAddress,
    caller,
    claimed: caller ?? claimedCaller(message, rules.lenient),
    credentials: caller === null ? credentialsIn(message) : [],
    callId,
    fromTag,
    cseq: parseCSeq(only(message, 'CSeq')).number,
    dialogId: arrival.dialogId === '' ? `${callId};from-tag=${fromTag}` : arrival.dialogId,
    requires,
    supports: [...tokens(message, 'Supported'), ...requires].map((tag) => tag.toLowerCase()),
    accepts: acceptedTypes(message),
    quirks: [...target.quirks, ...addressQuirks([from, to], message)],
    received: excerpt(arrival.raw),
  };
}

/** What is odd in From and To, also in a request that is refused for it. QK-14: there is no From at all. */
export function quirksOfAddresses(message: SipRequest): readonly string[] {
  if (headerValues(message, 'From').length === 0) return ['QK-14'];
  const read = ['From', 'To'].flatMap((name) => {
    const address = reading('bad-request', () => parseNameAddr(only(message, name), { lenient: true }));
    return address.ok ? [address.value] : [];
  });
  return addressQuirks(read, message);
}

type ReadAddress = ReturnType<typeof parseNameAddr>;

/** QK-37: an address without angle brackets before its parameters is legal (RFC 3261 20), told so that it is seen. */
function addressQuirks(addresses: readonly ReadAddress[], message: SipRequest): readonly string[] {
  const isBare = [only(message, 'From'), only(message, 'To')].some((value) => /^[^"<]+;/.test(value));
  const quirks = [...addresses.flatMap((address) => address.quirks), ...(isBare ? ['QK-37'] : [])];
  return quirks.filter((quirk, at, all) => all.indexOf(quirk) === at);
}

/** The only or first value of a header, empty when there is none. */
export function only(message: SipRequest, name: string): string {
  return headerValues(message, name)[0] ?? '';
}

/** Option tags and other tokens of all headers of a name, as they came. */
export function tokens(message: Parameters<typeof headerValues>[0], name: string): readonly string[] {
  return headerValues(message, name).flatMap(splitList);
}

/** The option tags that are required, which an Unsupported must be able to name (RFC 3261 8.2.2.3). RemoteError 400. */
function requiredOptions(message: SipRequest): readonly string[] {
  const options = tokens(message, 'Require');
  if (!options.every(isToken)) throw new RemoteError(400, 'Require holds something else than option tags');
  if (options.join(', ').length > limits.uriCharactersMax)
    throw new RemoteError(400, `Require is longer than ${limits.uriCharactersMax} characters`);
  return options;
}

/** The tag among the parameters of a From or To, or null. */
export function tagOf(params: readonly { readonly name: string; readonly value: string | null }[]): string | null {
  return params.find((param) => param.name === 'tag')?.value ?? null;
}

/** True when To bears a tag: the request means a dialog. An unreadable To is judged elsewhere. */
export function namesDialog(message: SipRequest, lenient: boolean): boolean {
  const to = reading('bad-request', () => parseNameAddr(only(message, 'To'), { lenient }));
  return to.ok && tagOf(to.value.params) !== null;
}

/** The caller for the attempts log: null also when the identity cannot be read. */
export function callerIfReadable(message: SipRequest, sourceAddress: string, rules: IdentityRules): Caller | null {
  const caller = reading('bad-request', () => callerOf(message, sourceAddress, rules));
  return caller.ok ? caller.value : null;
}

// With the lines it is folded into; a dot would stop at line ends that SIP does not know.
const authorization = /(?<=^|\n)((?:Proxy-)?Authorization[ \t]*:)[^\n]*(?:\n[ \t][^\n]*)*/gi;

/** The request's text for the attempts log: bounded, without credentials and the passwords of URIs. */
export function excerpt(raw: string): string {
  // Most requests name none, which is found out at a tenth of the price.
  const kept = /authorization/i.test(raw) ? raw.replace(authorization, '$1 …\r') : raw;
  // What is cut off is read a little further, so that no password loses the @ it is known by.
  const shown = withoutPasswords(kept.slice(0, limits.receivedTextMax + limits.uriCharactersMax));
  return shown.slice(0, limits.receivedTextMax);
}

/** RFC 3261 20.16 and 7.3: a bad value counts as absent, and absent as 70. */
export function maxForwardsOf(message: SipRequest): number {
  const value = only(message, 'Max-Forwards').trim();
  return /^\d{1,3}$/.test(value) ? Number(value) : 70;
}

function requestTarget(text: string, lenient: boolean): { readonly uri: SipUri; readonly quirks: readonly string[] } {
  // QK-1: `INVITE conf-fact@example.com SIP/2.0`; a single @ and no scheme can only mean sip.
  const withoutScheme = lenient && /^[^@\s:;?<>]+@[^@\s<>]+$/.test(text);
  const uri = parseSipUri(withoutScheme ? `sip:${text}` : text);
  // RFC 3261 19.1.1: a Request-URI has no headers; what comes there is ignored.
  return { uri: withoutHeaders(uri), quirks: withoutScheme ? ['QK-1'] : [] };
}

function acceptedTypes(message: SipRequest): readonly string[] | null {
  const values = headerValues(message, 'Accept');
  if (values.length === 0) return null;
  return values.flatMap(splitList).map((value) => parseMediaType(value).type);
}
