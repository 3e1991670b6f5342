/** The texts a proxy writes: the copy of a request (RFC 3261 16.6), its CANCEL and ACK, the answer on its way back (16.7). */

import type { ScannedHeader } from '../../wire/sip-message.ts';
import { writeRequest } from '../message/compose.ts';
import { spellHeader } from '../message/header-names.ts';
import { allValues, firstValue, type IncomingRequest, type IncomingResponse } from '../message/incoming.ts';
import type { OwnAddress } from '../own-addresses.ts';

/** What every copy of one request has in common. */
export type CopySource = {
  readonly request: IncomingRequest;
  readonly maxForwards: number;
  /** Headers of the application's that take the place of those that came. */
  readonly headers: readonly ScannedHeader[];
};

/** What one copy has of its own. */
export type CopyParts = {
  readonly uri: string;
  readonly routes: readonly string[];
  readonly via: string;
  /** Ours, the top one first. */
  readonly recordRoutes: readonly string[];
  /** RFC 3327 5.2: ours in a REGISTER; null: none. */
  readonly path: string | null;
  readonly maxBreadth: number;
};

/** RFC 3261 16.6: these a proxy writes itself, or must leave as they are; an application cannot set them. */
const proxysOwn: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'path',
  'max-forwards',
  'max-breadth',
  'call-id',
  'cseq',
  'from',
  'to',
  'contact',
  'content-length',
  'content-type',
  'content-encoding',
  'rseq',
]);

/** The part of the copies that is the same in all of them: everything behind what a proxy writes. */
export function commonTail({ request, maxForwards, headers }: CopySource): string {
  const given = headers.filter(({ key }) => !proxysOwn.has(key));
  const replaced = new Set(['route', 'max-forwards', 'max-breadth', 'content-length', ...given.map(({ key }) => key)]);
  let text = `Max-Forwards: ${maxForwards}\r\n`;
  for (const { key, name, value } of request.headers) if (!replaced.has(key)) text += `${name}: ${value}\r\n`;
  for (const { name, value } of given) text += `${spellHeader(name)}: ${value}\r\n`;
  const body = bodyOf(request.text);
  return `${text}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** One copy; `tail` is `commonTail`. Ours come before all that was there of the same name. */
export function writeCopy(request: IncomingRequest, parts: CopyParts, tail: string): string {
  let text = `${request.method} ${parts.uri} SIP/2.0\r\nVia: ${parts.via}\r\n`;
  for (const value of parts.recordRoutes) text += `Record-Route: ${value}\r\n`;
  if (parts.path !== null) text += `Path: ${parts.path}\r\nRequire: path\r\n`;
  for (const value of parts.routes) text += `Route: ${value}\r\n`;
  return `${text}Max-Breadth: ${parts.maxBreadth}\r\n${tail}`;
}

/** What is known of a copy that has been sent: enough to follow it with a CANCEL or an ACK. */
export type SentCopy = {
  readonly request: IncomingRequest;
  readonly uri: string;
  readonly routes: readonly string[];
  readonly via: string;
  readonly own: OwnAddress;
};

/** RFC 3261 9.1: everything of the copy that identifies it; `reason` are Reason values (RFC 3326). */
export function writeCancel(sent: SentCopy, reason: readonly string[]): string {
  const headers = reason.map((value) => ({ name: 'Reason', key: 'reason', value, start: 0, end: 0 }));
  return writeFollowing(sent, { method: 'CANCEL', to: firstValue(sent.request, 'to') ?? '', headers });
}

/** RFC 3261 17.1.1.3: the ACK of an answer of 300 or more, with the To of that answer. */
export function writeAck(sent: SentCopy, to: string): string {
  return writeFollowing(sent, { method: 'ACK', to, headers: [] });
}

function writeFollowing(
  { request, uri, routes, via, own }: SentCopy,
  rest: { readonly method: string; readonly to: string; readonly headers: readonly ScannedHeader[] },
): string {
  const { method, to, headers } = rest;
  const from = firstValue(request, 'from') ?? '';
  const { callId, cseq } = request;
  const app = { headers, body: '' };
  return writeRequest({ method, uri, via, routes, from, to, callId, cseq, contact: null, app, own });
}

export type ReturnParts = {
  /** Another status line than the one that came, with `without` left out; null: none. */
  readonly statusLine: string | null;
  readonly without: string | null;
  /** Further header lines, complete but for their line ends. */
  readonly further: readonly string[];
  /** Record-Routes in place of those that came; null: as they came. */
  readonly recordRoutes: readonly string[] | null;
};

/**
 * The answer as it goes back. RFC 3261 16.7 step 3 takes our Via away; what is left are the Vias of the request, and as
 * they were is how they go back, whatever others made of them.
 */
export function writeReturned(
  response: IncomingResponse,
  request: IncomingRequest,
  parts: Partial<ReturnParts>,
): string {
  const { text } = response;
  let written = `${parts.statusLine ?? text.slice(0, text.indexOf('\r\n'))}\r\n`;
  for (const via of allValues(request, 'via')) written += `Via: ${via}\r\n`;
  const { recordRoutes = null } = parts;
  for (const value of recordRoutes ?? []) written += `Record-Route: ${value}\r\n`;
  for (const { key, name, value } of response.headers) {
    if (key === 'via' || key === 'content-length' || key === parts.without) continue;
    if (key === 'record-route' && recordRoutes !== null) continue;
    written += `${name}: ${value}\r\n`;
  }
  for (const line of parts.further ?? []) written += `${line}\r\n`;
  const body = bodyOf(text);
  return `${written}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Messages are handed on with CRLF at each line end, so the first empty line is behind the headers. */
function bodyOf(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  return end === -1 ? '' : text.slice(end + 4);
}
