/**
 * What a received request must satisfy before anybody sees it. Both modes make the daemon's own checks; `free` refuses
 * whatever RFC 4475 wants refused, save what the application is to judge: a Request-URI without scheme (QK-1), two
 * Content-Types (QK-4), blanks in angle brackets (QK-19).
 */

import { RemoteError } from '../../wire/remote-error.ts';
import { isToken, type ScannedHeader, type SipScan } from '../../wire/sip-message.ts';
import type { DaemonWays } from '../daemon-ways.ts';
import { limits } from '../limits.ts';

/** Methods whose meaning the stack knows; another is passed on only to an application that asked for it. */
export const knownMethods: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'PRACK',
  'UPDATE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'MESSAGE',
  'PUBLISH',
]);

/** Nobody knows where the message ends. */
export class WrongLength extends RemoteError {
  constructor(message: string) {
    super(400, message);
    this.name = 'WrongLength';
  }
}

export type CSeq = { readonly number: number; readonly method: string };

/** Reads a CSeq value without blanks around it. RFC 3261 8.1.1.5: the number is below 2**31. Throws RemoteError 400. */
export function readCSeq(value: string): CSeq {
  let end = 0;
  while (isDigit(value.charCodeAt(end))) end += 1;
  let start = end;
  while (value.charCodeAt(start) === 32 || value.charCodeAt(start) === 9) start += 1;
  const number = Number(value.slice(0, end));
  const method = value.slice(start);
  if (end === 0 || start === end || number >= 2 ** 31 || !isToken(method)) throw new RemoteError(400, 'Invalid CSeq');
  return { number, method };
}

/** RFC 3261 8.1.1.5: the method of the CSeq is that of the request. Throws RemoteError 400 or 501. */
export function checkMethod(method: string, cseqMethod: string, ways: DaemonWays): void {
  if (cseqMethod === method) return;
  // RFC 4475 3.1.2.18 (mismatch02): what is unknown is refused as unknown first.
  const status = !ways.has('drops-unknown-methods') && !knownMethods.has(method) ? 501 : 400;
  throw new RemoteError(status, status === 501 ? 'Not Implemented' : 'CSeq method does not match request method');
}

/** A datagram that breaks off within its headers is refused; a blank line nothing could follow is not missed. RemoteError 400. */
export function checkComplete(scan: SipScan, text: string): void {
  if (scan.complete) return;
  const length = scan.headers.find((each) => each.key === 'content-length')?.value;
  if (!text.endsWith('\n') || length === undefined || readLength(length) !== 0) {
    throw new RemoteError(400, 'The header section is not complete');
  }
}

/**
 * Where the body ends in the text. RFC 3261 18.3: octets of a datagram beyond Content-Length are ignored, a datagram
 * that is too short is refused. Throws WrongLength.
 */
export function bodyEnd(scan: SipScan, text: string, ways: DaemonWays): number {
  const lengths = scan.headers.filter((each) => each.key === 'content-length');
  const [first] = lengths;
  if (first === undefined) return text.length;
  // RFC 4475 3.3.9 (mcl01): with two lengths nobody knows where the message ends.
  if (lengths.length > 1 && !ways.has('few-checks')) throw new WrongLength('Two Content-Length headers');
  const length = readLength(first.value);
  if (length === null) throw new WrongLength('Invalid Content-Length');
  const end = scan.bodyStart + length;
  if (end > text.length) throw new WrongLength('Content-Length exceeds the message');
  return end;
}

/** Digits only, at most nine of them; null for anything else. */
export function readLength(value: string): number | null {
  if (value === '' || value.length > 9) return null;
  for (let at = 0; at < value.length; at += 1) if (!isDigit(value.charCodeAt(at))) return null;
  return Number(value);
}

// RFC 3261 7.3.1: of these there is one. Content-Type is left to the application.
const singleHeaders: ReadonlyMap<string, number> = new Map([
  ['from', 1],
  ['to', 2],
  ['call-id', 4],
  ['cseq', 8],
  ['max-forwards', 16],
]);

/** What the daemon does not check. Throws RemoteError 400 or 416. */
export function checkWell(uri: string, headers: readonly ScannedHeader[]): void {
  checkRequestUri(uri);
  let seen = 0;
  for (const { key, value } of headers) {
    const bit = singleHeaders.get(key) ?? 0;
    if ((seen & bit) !== 0) throw new RemoteError(400, `Two ${key} headers`);
    seen |= bit;
    // RFC 4475 3.1.2.13 (regbadct): a URI with headers must stand in angle brackets.
    if (key === 'contact' && value.includes('?') && !value.includes('<')) {
      throw new RemoteError(400, 'Contact with URI headers outside angle brackets');
    }
  }
}

/** The daemon refuses long lines, also in a body. Throws RemoteError 400. */
export function checkLines(text: string): void {
  if (text.length <= limits.lineBytesMax) return;
  let start = 0;
  while (start < text.length) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    if (end - start > limits.lineBytesMax) throw new RemoteError(400, 'A line is too long');
    start = end + 1;
  }
}

function checkRequestUri(uri: string): void {
  // RFC 4475 3.1.2.7 (ltgtruri). RFC 3261 25.1: nor has a URI bars, which would end the tokens of control frames.
  if (uri.startsWith('<') || uri.includes('"') || uri.includes('|'))
    throw new RemoteError(400, 'Malformed Request-URI');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  // QK-1: without a scheme the application decides.
  if (scheme === undefined || scheme === 'tel') return;
  // RFC 3261 8.2.2.1.
  if (scheme !== 'sip' && scheme !== 'sips') throw new RemoteError(416, 'Unsupported URI Scheme');
  // RFC 4475 3.1.2.11 (escruri): a Request-URI has no headers; in the user part the question mark is legal.
  if (uri.includes('?', uri.lastIndexOf('@') + 1)) throw new RemoteError(400, 'Request-URI with headers');
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
