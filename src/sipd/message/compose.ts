/** Fills in and rewrites what an application sends, as the daemon does, and writes the message that goes out. */

import { RemoteError } from '../../wire/remote-error.ts';
import {
  parseStartLine,
  type ScannedHeader,
  type SipHeader,
  type SipStartLine,
  scanSipMessage,
} from '../../wire/sip-message.ts';
import type { OwnAddress } from '../own-addresses.ts';
import { spellHeader } from './header-names.ts';

/** A message as an application wrote it. Its Content-Length is not believed: the body is all after the blank line. */
export type AppMessage = {
  readonly start: SipStartLine;
  readonly startLine: string;
  readonly headers: readonly ScannedHeader[];
  readonly body: string;
};

/** Reads it; headers that are none are dropped. Null when the first line is neither request nor response. */
export function readAppMessage(text: string): AppMessage | null {
  const scan = scanSipMessage(text);
  try {
    const start = parseStartLine(scan.startLine);
    // Too many headers: what follows them was not read. Single lines that are no header are dropped, as the daemon does.
    if (scan.problem?.statusHint === 513 || scan.startLine.includes('\r')) return null;
    return { start, startLine: scan.startLine, headers: scan.headers, body: text.slice(scan.bodyStart) };
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

export type RequestParts = {
  readonly method: string;
  readonly uri: string;
  readonly via: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly contact: string | null;
  /** Whose further headers and body go along. */
  readonly app: Pick<AppMessage, 'headers' | 'body'> | null;
  readonly own: OwnAddress;
};

/** The text of a request. */
export function writeRequest(parts: RequestParts): string {
  const { app, own } = parts;
  let text = `${parts.method} ${parts.uri} SIP/2.0\r\nVia: ${parts.via}\r\n`;
  for (const route of parts.routes) text += `Route: ${route}\r\n`;
  text +=
    `Max-Forwards: ${given(app, 'max-forwards') ?? '70'}\r\nFrom: ${parts.from}\r\nTo: ${parts.to}\r\n` +
    `Call-ID: ${parts.callId}\r\nCSeq: ${parts.cseq} ${parts.method}\r\n`;
  if (parts.contact !== null) text += `Contact: ${parts.contact}\r\n`;
  return text + furtherHeaders(app, own) + bodyOf(app);
}

export type ResponseParts = {
  readonly status: number;
  readonly reason: string;
  readonly vias: readonly string[];
  readonly recordRoutes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
  readonly contact: string | null;
  /** Headers the server adds of its own. */
  readonly further: readonly SipHeader[];
  readonly app: AppMessage;
  readonly own: OwnAddress;
};

/** The text of a response. */
export function writeResponse(parts: ResponseParts): string {
  let text = `SIP/2.0 ${parts.status} ${parts.reason}\r\n`;
  for (const via of parts.vias) text += `Via: ${via}\r\n`;
  for (const route of parts.recordRoutes) text += `Record-Route: ${route}\r\n`;
  text += `From: ${parts.from}\r\nTo: ${parts.to}\r\nCall-ID: ${parts.callId}\r\nCSeq: ${parts.cseq}\r\n`;
  if (parts.contact !== null) text += `Contact: ${parts.contact}\r\n`;
  for (const { name, value } of parts.further) text += `${name}: ${value}\r\n`;
  return text + furtherHeaders(parts.app, parts.own) + bodyOf(parts.app);
}

/** The header as the application gave it; undefined when it did not. */
export function given(app: { readonly headers: readonly ScannedHeader[] } | null, key: string): string | undefined {
  if (app !== null) for (const each of app.headers) if (each.key === key) return each.value;
  return undefined;
}

/** The message with a header set anew, or added; `start` and `end` of that header mean nothing. */
export function withHeader(app: AppMessage, name: string, value: string): AppMessage {
  const key = name.toLowerCase();
  const others = app.headers.filter((each) => each.key !== key);
  return { ...app, headers: [...others, { name, key, value, start: 0, end: 0 }] };
}

/** The Contact the application gave, every one of several, with `localhost` replaced; null when it gave none. */
export function givenContact(app: Pick<AppMessage, 'headers'>, own: OwnAddress): string | null {
  let contacts: string | null = null;
  for (const { key, value } of app.headers) {
    if (key === 'contact') contacts = (contacts === null ? '' : `${contacts}, `) + ownContact(value, own);
  }
  return contacts;
}

/** `withOwnHost`, by the transport of its port: there is no UDP behind the port of TLS or of a WebSocket. */
function ownContact(value: string, own: OwnAddress): string {
  const replaced = withOwnHost(value, own);
  if (replaced === value || own.protocol === 'udp' || own.protocol === 'tcp') return replaced;
  const close = replaced.indexOf('>');
  if (/;transport=/i.test(replaced.slice(0, close))) return replaced;
  return `${replaced.slice(0, close)};transport=${own.protocol}${replaced.slice(close)}`;
}

/** Whether a body came without a type that can be told (`v=0` is SDP). */
export function lacksContentType(app: AppMessage): boolean {
  return app.body !== '' && !app.body.startsWith('v=0') && given(app, 'content-type') === undefined;
}

/**
 * Puts our own host and port where an application wrote `@localhost` (with or without a port), and angle brackets
 * around the URI, so that it need not know its own address.
 */
export function withOwnHost(value: string, own: OwnAddress): string {
  const at = value.indexOf('@localhost');
  const start = at === -1 ? value.indexOf('sip:localhost') : at;
  if (start === -1) return value;
  const hostStart = start + (at === -1 ? 4 : 1);
  const hostEnd = hostStart + 'localhost'.length;
  // localhost.example.com and localhosting are other hosts.
  if (/[\w.-]/.test(value.charAt(hostEnd))) return value;
  const port = /^:\d+/.exec(value.slice(hostEnd))?.[0] ?? '';
  const rest = value.slice(hostEnd + port.length);
  const replaced = `${value.slice(0, hostStart)}${own.host}:${own.port}`;
  if (value.includes('<')) return replaced + rest;
  return `<${replaced}>${rest}`;
}

// Never taken from the application, or written by the stack in their own place.
const ownHeaders: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'rseq',
  'content-length',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
]);

function furtherHeaders(app: Pick<AppMessage, 'headers' | 'body'> | null, own: OwnAddress): string {
  let text = '';
  for (const { key, name, value } of app?.headers ?? []) {
    if (ownHeaders.has(key)) continue;
    const written = key === 'p-asserted-identity' ? withOwnHost(value, own) : value;
    text += `${spellHeader(name)}: ${written}\r\n`;
  }
  if (app?.body.startsWith('v=0') && given(app, 'content-type') === undefined) {
    text += 'Content-Type: application/sdp\r\n';
  }
  return text;
}

function bodyOf(app: Pick<AppMessage, 'body'> | null): string {
  const body = app?.body ?? '';
  // One character is one octet here.
  return `Content-Length: ${body.length}\r\n\r\n${body}`;
}
