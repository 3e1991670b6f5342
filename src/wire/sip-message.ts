/**
 * SIP messages (RFC 3261 7): one header scan without regular expressions, a parser for those who want plain values,
 * and a writer. Text is a JS string; where it is latin1 (inside sipd) one character is one octet.
 */

import { strict as assert } from 'node:assert';
import { RemoteError } from './remote-error.ts';

/** Name as it came, compact forms expanded; value unfolded and trimmed. */
export type SipHeader = { readonly name: string; readonly value: string };

export type SipRequest = {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
};

export type SipResponse = {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
};

export type SipMessage = SipRequest | SipResponse;

export type SipStartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

/** A header with its place in the text: `key` is the full name in lower case, [start, end) covers its lines. */
export type ScannedHeader = SipHeader & { readonly key: string; readonly start: number; readonly end: number };

export type SipScan = {
  readonly startLine: string;
  readonly headers: readonly ScannedHeader[];
  /** Index of the first character after the blank line; the text's length when there is no blank line. */
  readonly bodyStart: number;
  /** Whether there is a blank line. */
  readonly complete: boolean;
  /** Whether every header has its full name and every line ends with CRLF. */
  readonly tidy: boolean;
  /** What is wrong with the header section, if anything: 400 for a line that is no header, 513 for too much. */
  readonly problem: RemoteError | null;
};

/** Largest header section in characters and in header fields; more is answered 513. */
export const sipHeaderLimits = { charactersMax: 65_536, fieldsMax: 512 } as const;

// RFC 3261 20 and the registry of compact forms (3515, 3841, 3892, 4028, 6665, 8224).
const compactNames: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

/** Reads a whole message; the body is everything after the first blank line. Throws RemoteError 400, 505 or 513. */
export function parseSipMessage(text: string): SipMessage {
  const scan = scanSipMessage(text);
  const start = parseStartLine(scan.startLine);
  if (scan.problem !== null) throw scan.problem;
  const headers = scan.headers.map(({ name, value }) => ({ name, value }));
  return { ...start, headers, body: text.slice(scan.bodyStart) };
}

/**
 * The text of a message with CRLF line ends and a fresh Content-Length. `encoding` says how characters become octets.
 * No name or value may hold a line end: that would be header injection, and is our own mistake (assert).
 */
export function writeSipMessage(message: SipMessage, encoding: 'utf-8' | 'latin1' = 'utf-8'): string {
  const first =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  assert(isOneLine(first), 'a start line is one line');
  let text = `${first}\r\n`;
  for (const { name, value } of message.headers) {
    if (name.toLowerCase() === 'content-length') continue;
    assert(isToken(name) && isOneLine(value), 'a header is a token, a colon and one line');
    text += `${name}: ${value}\r\n`;
  }
  const bytes = encoding === 'latin1' ? message.body.length : utf8Length(message.body);
  return `${text}Content-Length: ${bytes}\r\n\r\n${message.body}`;
}

/** Values of every header of that name (any case), in order, not split at commas. */
export function headerValues(message: { readonly headers: readonly SipHeader[] }, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (const each of message.headers) if (isNamed(each, wanted)) values.push(each.value);
  return values;
}

/** Value of the first header of that name (any case). */
export function header(message: { readonly headers: readonly SipHeader[] }, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return message.headers.find((each) => isNamed(each, wanted))?.value;
}

/** `wanted` is in lower case. Lengths first: making lower case of every name is what asking for one would cost. */
function isNamed({ name }: SipHeader, wanted: string): boolean {
  return name.length === wanted.length && name.toLowerCase() === wanted;
}

/** Reads `METHOD uri SIP/2.0` or `SIP/2.0 200 OK`. Throws RemoteError 400, or 505 for another version. */
export function parseStartLine(line: string): SipStartLine {
  if (line.slice(0, 4).toUpperCase() === 'SIP/') return parseStatusLine(line);
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  const method = line.slice(0, first);
  const uri = line.slice(first + 1, last);
  // RFC 3261 7.1: exactly one SP between the elements and none elsewhere.
  if (first <= 0 || last <= first + 1 || uri.includes(' ') || uri.includes('\t') || !isToken(method)) {
    throw new RemoteError(400, 'Malformed request line');
  }
  checkVersion(line.slice(last + 1));
  return { kind: 'request', method, uri };
}

/** Finds the start line, the headers and the body of a message. Never throws; what is wrong stands in `problem`. */
export function scanSipMessage(text: string): SipScan {
  // RFC 3261 7.5: CRLFs before the start line are ignored.
  let at = 0;
  while (text.charCodeAt(at) === 13 || text.charCodeAt(at) === 10) at += 1;
  const first = lineAt(text, at);
  const headers: ScannedHeader[] = [];
  const startLine = text.slice(at, first.end);
  let problem: RemoteError | null = startLine.includes('\r') ? new RemoteError(400, 'Malformed start line') : null;
  let tidy = first.crlf;
  at = first.next;
  let bodyStart = text.length;
  let complete = false;
  while (at < text.length) {
    const line = lineAt(text, at);
    if (line.end === at) {
      bodyStart = line.next;
      complete = true;
      tidy &&= line.crlf;
      break;
    }
    if (line.next > sipHeaderLimits.charactersMax || headers.length >= sipHeaderLimits.fieldsMax) {
      problem = new RemoteError(513, 'Message Too Large', at);
      break;
    }
    const found = headerAt(text, at, line);
    if (found.header === null) problem ??= new RemoteError(400, 'A line is no header field', at);
    else headers.push(found.header);
    tidy &&= found.tidy;
    at = found.next;
  }
  return { startLine, headers, bodyStart, complete, tidy, problem };
}

/** Whether the text is a token (RFC 3261 25.1), as header names and methods are. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (tokenCharacters[text.charCodeAt(at)] !== 1) return false;
  }
  return text.length > 0;
}

type Line = { readonly end: number; readonly next: number; readonly crlf: boolean };

/** The line that starts at `at`: `end` is before its line end, `next` after it. A bare LF ends a line too. */
function lineAt(text: string, at: number): Line {
  const feed = text.indexOf('\n', at);
  if (feed === -1) return { end: text.length, next: text.length, crlf: true };
  const crlf = feed > at && text.charCodeAt(feed - 1) === 13;
  return { end: crlf ? feed - 1 : feed, next: feed + 1, crlf };
}

type FoundHeader = { readonly header: ScannedHeader | null; readonly next: number; readonly tidy: boolean };

function headerAt(text: string, start: number, firstLine: Line): FoundHeader {
  let line = firstLine;
  let tidy = line.crlf;
  // RFC 3261 7.3.1: a line that begins with a blank goes on with the header before it.
  while (isBlank(text.charCodeAt(line.next))) {
    line = lineAt(text, line.next);
    tidy &&= line.crlf;
  }
  // Never beyond the name: looking for a colon that is not there would read the whole rest, line after line.
  let nameEnd = start;
  while (tokenCharacters[text.charCodeAt(nameEnd)] === 1) nameEnd += 1;
  let colon = nameEnd;
  while (isBlank(text.charCodeAt(colon))) colon += 1;
  if (nameEnd === start || text.charCodeAt(colon) !== 58) return { header: null, next: line.next, tidy };
  const raw = text.slice(start, nameEnd);
  const value = line === firstLine ? oneLine(text, colon + 1, line.end) : unfold(text.slice(colon + 1, line.end));
  if (value === null) return { header: null, next: line.next, tidy };
  const compact = raw.length === 1 ? compactNames[raw.toLowerCase()] : undefined;
  const name = compact ?? raw;
  const header = { name, key: name.toLowerCase(), value, start, end: line.next };
  return { header, next: line.next, tidy: tidy && compact === undefined };
}

/** The text from `start` to `end` without the blanks around it; null when a CR stands in it that ends no line. */
function oneLine(text: string, start: number, end: number): string | null {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  const line = text.slice(from, to);
  return line.includes('\r') ? null : line;
}

/** RFC 3261 7.3.1: folded lines are one, a blank between each two. Null when a CR stands in them that ends no line. */
function unfold(value: string): string | null {
  const parts: string[] = [];
  for (let start = 0; start <= value.length; ) {
    const line = lineAt(value, start);
    const part = oneLine(value, start, line.end);
    if (part === null) return null;
    if (part !== '') parts.push(part);
    // The last line has no end.
    start = line.end === value.length ? value.length + 1 : line.next;
  }
  return parts.join(' ');
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function isOneLine(text: string): boolean {
  return !text.includes('\r') && !text.includes('\n');
}

function parseStatusLine(line: string): SipStartLine {
  const first = line.indexOf(' ');
  if (first === -1) throw new RemoteError(400, 'Malformed status line');
  checkVersion(line.slice(0, first));
  const digits = line.slice(first + 1, first + 4);
  const status = Number(digits);
  const separator = line.charAt(first + 4);
  // RFC 4475 3.1.2.19: a status of more than three digits is no status; 3.1.1.13: the reason may be empty.
  if (digits.length !== 3 || !(status >= 100 && status <= 699) || (separator !== ' ' && separator !== '')) {
    throw new RemoteError(400, 'Malformed status line');
  }
  return { kind: 'response', status, reason: line.slice(first + 5) };
}

function checkVersion(version: string): void {
  const upper = version.toUpperCase();
  if (upper === 'SIP/2.0') return;
  const dot = upper.indexOf('.');
  const wellFormed =
    upper.startsWith('SIP/') && dot > 4 && isDigits(upper.slice(4, dot)) && isDigits(upper.slice(dot + 1));
  throw new RemoteError(wellFormed ? 505 : 400, wellFormed ? 'Version Not Supported' : 'Malformed SIP version');
}

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return text.length > 0;
}

/** Octets of the text in UTF-8; half a surrogate pair counts as U+FFFD, as encoders write it. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    const pairs = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    bytes += code < 0x800 ? 1 : 2;
    if (pairs) at += 1;
  }
  return bytes;
}

const tokenCharacters = new Uint8Array(65_536);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~") {
  tokenCharacters[character.charCodeAt(0)] = 1;
}
