/** From received text to what the stack works with: checked, the top Via marked, ready to be handed to an application. */

import { RemoteError } from '../../wire/remote-error.ts';
import {
  parseStartLine,
  type ScannedHeader,
  type SipScan,
  type SipStartLine,
  scanSipMessage,
} from '../../wire/sip-message.ts';
import { firstVia, markVia, parseVia, type Via, writeVia } from '../../wire/via.ts';
import type { CounterName } from '../counters.ts';
import type { DaemonWays } from '../daemon-ways.ts';
import type { Peer } from '../input.ts';
import { addressList, contactUri, tagOf, usableUri } from './address.ts';
import { bodyEnd, checkComplete, checkLines, checkMethod, checkWell, readCSeq, WrongLength } from './checks.ts';

type Incoming = {
  /** The message as it goes to the application: as received, but for its top Via. */
  readonly text: string;
  /** Its size on the wire. */
  readonly bytes: number;
  readonly from: Peer;
  readonly headers: readonly ScannedHeader[];
  readonly via: Via;
  readonly callId: string;
  readonly fromTag: string | null;
  readonly toTag: string | null;
  readonly cseq: number;
  readonly method: string;
  /** URI of the first Contact, null without one. */
  readonly target: string | null;
  /** Every Record-Route, in order. */
  readonly recordRoutes: readonly string[];
  /** What is to be counted of it. */
  readonly oddities: readonly CounterName[];
};

export type IncomingRequest = Incoming & { readonly kind: 'request'; readonly uri: string };
export type IncomingResponse = Incoming & {
  readonly kind: 'response';
  readonly status: number;
  /** Whether there are Vias behind the top one: then it is an answer to somebody whose request we forwarded. */
  readonly travelsOn: boolean;
};

export type Reading =
  | IncomingRequest
  | IncomingResponse
  /** A request that is refused without anybody having seen it. `scan` holds what the answer must repeat. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly complaint: 'malformedRequests' | 'wrongLengths' }
  | { readonly kind: 'ignored'; readonly why: string; readonly complaint: 'ignoredMessages' | 'wrongLengths' };

export type Refusal = {
  readonly status: number;
  readonly reason: string;
  readonly scan: SipScan;
  readonly topVia: Via | null;
};

/** Reads one whole message. Never throws on what a peer may send. */
export function readMessage(from: Peer, text: string, ways: DaemonWays): Reading {
  if (!mayBeSip(text)) return ignored('not SIP');
  const scan = scanSipMessage(text);
  try {
    if (ways.has('line-limit')) checkLines(text);
    const start = parseStartLine(scan.startLine);
    if (scan.problem !== null) throw scan.problem;
    checkComplete(scan, text);
    return build({ from, text, ways, scan, start });
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return refuse(scan, error);
  }
}

/** Whether the first line names SIP at all: what does not is neither read nor answered. */
function mayBeSip(text: string): boolean {
  const feed = text.indexOf('\n');
  // As good as every message.
  if (feed > 8 && text.startsWith('SIP/2.0\r', feed - 8)) return true;
  if (text.startsWith('SIP/')) return true;
  let start = 0;
  while (text.charCodeAt(start) === 13 || text.charCodeAt(start) === 10) start += 1;
  const end = text.indexOf('\n', start);
  return text
    .slice(start, end === -1 ? text.length : end)
    .toUpperCase()
    .includes('SIP/');
}

/** First value of the header, undefined without one; `key` is the full name in lower case. */
export function firstValue(message: { readonly headers: readonly ScannedHeader[] }, key: string): string | undefined {
  for (const each of message.headers) if (each.key === key) return each.value;
  return undefined;
}

/** Values of all headers of that name. */
export function allValues(message: { readonly headers: readonly ScannedHeader[] }, key: string): readonly string[] {
  const values: string[] = [];
  for (const each of message.headers) if (each.key === key) values.push(each.value);
  return values;
}

type Parts = {
  readonly from: Peer;
  readonly text: string;
  readonly ways: DaemonWays;
  readonly scan: SipScan;
  readonly start: SipStartLine;
};

function build({ from, text, ways, scan, start }: Parts): Reading {
  const end = bodyEnd(scan, text, ways);
  const basic = basicHeaders(scan.headers);
  const { via: viaHeader } = basic;
  if (viaHeader === null) return ignored('no Via');
  const { first, rest } = firstVia(viaHeader.value);
  const topVia = parseVia(first);
  const callId = identifier(need(basic.callId, 'Call-ID'), 'Call-ID');
  const fromTag = optionalIdentifier(tagOf(need(basic.from, 'From')), 'From tag');
  const toTag = optionalIdentifier(tagOf(need(basic.to, 'To')), 'To tag');
  const { number: cseq, method } = readCSeq(need(basic.cseq, 'CSeq'));
  const { headers } = scan;
  const recordRoutes = basic.recordRoutes.flatMap(addressList);
  // What a dialog will be built from is read here, so that nothing malformed can surface later.
  for (const route of recordRoutes) usableUri(route);
  const target = basic.contact === null ? null : contactUri(basic.contact.value);
  // Where there is no Contact, a BYE of ours goes to the peer's own address.
  if (target === null && opensDialogs.has(method))
    usableUri((start.kind === 'request' ? basic.from : basic.to)?.value ?? '');
  const oddities = odditiesOf(basic, start, end < text.length);
  const names = { callId, fromTag, toTag, cseq, method };
  const common = { from, bytes: text.length, via: topVia, ...names, target, recordRoutes, oddities };
  if (start.kind === 'response') {
    return {
      kind: 'response',
      status: start.status,
      travelsOn: rest !== '' || basic.viaCount > 1,
      text: handOn({ text, scan, end, ways, via: null }),
      headers,
      ...common,
    };
  }
  checkMethod(start.method, method, ways);
  if (!ways.has('few-checks')) checkWell(start.uri, headers);
  const marked = writeVia(markVia(topVia, from));
  const via = { ...viaHeader, value: rest === '' ? marked : `${marked}, ${rest}` };
  const noted = headers.slice();
  noted[headers.indexOf(viaHeader)] = via;
  const handedOn = handOn({ text, scan: { ...scan, headers: noted }, end, ways, via });
  // `via` stays as received: the answer's port depends on whether rport was asked for.
  return { kind: 'request', uri: start.uri, text: handedOn, headers: noted, ...common };
}

const none: readonly CounterName[] = [];

/** What is taken all the same and counted. `isCut`: not all of it is read. */
function odditiesOf({ from, replaces }: BasicHeaders, { kind }: SipStartLine, isCut: boolean): readonly CounterName[] {
  // QK-37, QK-10: RFC 3261 20.20 and 25.1 allow both.
  const isBare = kind === 'request' && from?.value.includes('<') === false;
  const isSpaced = kind === 'request' && replaces !== null && /\s=|=\s/.test(replaces.value);
  if (!isCut && !isBare && !isSpaced) return none;
  const oddities: CounterName[] = isCut ? ['cutMessages'] : [];
  if (isBare) oddities.push('bareFroms');
  if (isSpaced) oddities.push('spacedReplaces');
  return oddities;
}

const opensDialogs: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

type BasicHeaders = {
  via: ScannedHeader | null;
  viaCount: number;
  from: ScannedHeader | null;
  to: ScannedHeader | null;
  callId: ScannedHeader | null;
  cseq: ScannedHeader | null;
  contact: ScannedHeader | null;
  replaces: ScannedHeader | null;
  recordRoutes: string[];
};

/** The first of each header every message needs, and what dialogs are made of, in one pass. */
function basicHeaders(headers: readonly ScannedHeader[]): BasicHeaders {
  const basic: BasicHeaders = {
    via: null,
    viaCount: 0,
    from: null,
    to: null,
    callId: null,
    cseq: null,
    contact: null,
    replaces: null,
    recordRoutes: [],
  };
  for (const each of headers) {
    switch (each.key) {
      case 'via':
        basic.via ??= each;
        basic.viaCount += 1;
        break;
      case 'from':
        basic.from ??= each;
        break;
      case 'to':
        basic.to ??= each;
        break;
      case 'call-id':
        basic.callId ??= each;
        break;
      case 'cseq':
        basic.cseq ??= each;
        break;
      case 'contact':
        basic.contact ??= each;
        break;
      case 'replaces':
        basic.replaces ??= each;
        break;
      case 'record-route':
        basic.recordRoutes.push(each.value);
    }
  }
  return basic;
}

/** RFC 3261 25.1: neither a Call-ID nor a tag has blanks or bars. They become tokens of control frames. */
function identifier(value: string, name: string): string {
  if (value === '' || value.includes('|') || value.includes(' ') || value.includes('\t')) {
    throw new RemoteError(400, `Invalid ${name}`);
  }
  return value;
}

function optionalIdentifier(value: string | null, name: string): string | null {
  return value === null ? null : identifier(value, name);
}

type HandOn = {
  readonly text: string;
  readonly scan: SipScan;
  readonly end: number;
  readonly ways: DaemonWays;
  /** The top Via header with its new value; null leaves it. */
  readonly via: ScannedHeader | null;
};

/**
 * The text for the application. It is left as received; only bare LFs are made CRLF, and compact names full ones where
 * asked (drachtio-srf does not know all of them).
 */
function handOn({ text, scan, end, ways, via }: HandOn): string {
  if (!scan.tidy && (!ways.has('compact-names') || hasBareFeed(text, scan.bodyStart))) {
    const lines = scan.headers.map((each) => `${each.name}: ${each.value}\r\n`);
    return `${scan.startLine}\r\n${lines.join('')}\r\n${text.slice(scan.bodyStart, end)}`;
  }
  const whole = end === text.length ? text + (scan.complete ? '' : '\r\n') : text.slice(0, end);
  const first = whole.startsWith('\r') || whole.startsWith('\n') ? whole.indexOf(scan.startLine) : 0;
  if (via === null) return whole.slice(first);
  return `${whole.slice(first, via.start)}Via: ${via.value}\r\n${whole.slice(via.end)}`;
}

function hasBareFeed(text: string, end: number): boolean {
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) !== 13) return true;
  }
  return false;
}

function need(header: ScannedHeader | null, name: string): string {
  if (header === null) throw new RemoteError(400, `Missing ${name}`);
  return header.value;
}

/** Reads what can be read of a message that breaks its stream: nothing but an answer can come of it. */
export function readBroken(text: string, reason: string): Reading {
  // RFC 3261 21.5.14.
  return refuse(scanSipMessage(text), new RemoteError(reason === 'Message Too Large' ? 513 : 400, reason));
}

function refuse(scan: SipScan, error: RemoteError): Reading {
  const via = scan.headers.find((each) => each.key === 'via');
  const line = scan.startLine.toUpperCase();
  // RFC 3261 17.1.1.3, 18.1.2: neither an ACK nor a response is ever answered.
  if (via === undefined || line.startsWith('SIP/') || line.startsWith('ACK ')) {
    return ignored(error.message, error instanceof WrongLength ? 'wrongLengths' : undefined);
  }
  return {
    kind: 'refused',
    refusal: { status: error.statusHint, reason: error.message, scan, topVia: topViaOf(via.value) },
    complaint: error instanceof WrongLength ? 'wrongLengths' : 'malformedRequests',
  };
}

function ignored(why: string, complaint: 'ignoredMessages' | 'wrongLengths' = 'ignoredMessages'): Reading {
  return { kind: 'ignored', why, complaint };
}

function topViaOf(value: string): Via | null {
  try {
    return parseVia(firstVia(value).first);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
