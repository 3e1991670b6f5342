/** MSRP requests and responses (RFC 4975 7 and 9): values, header fields, writers. `msrp-reader.ts` reads them from bytes. */

import assert from 'node:assert/strict';
import { ownText } from './own-text.ts';
import { RemoteError } from './remote-error.ts';

/** Name as it came, value trimmed. */
export type MsrpHeader = { readonly name: string; readonly value: string };

/** `$` ends a message, `+` says that more of it follows, `#` aborts it. */
export type MsrpFlag = '$' | '+' | '#';

/** What requests and responses have in common. Paths are URIs as they came, leftmost first, never empty. */
export type MsrpHead = {
  readonly transactionId: string;
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  /** Every other header field, in order. */
  readonly headers: readonly MsrpHeader[];
};

export type MsrpRequest = MsrpHead & {
  readonly kind: 'request';
  readonly method: string;
  /** RFC 4975 7.1: null for a bodiless request, which is not the same as an empty body. */
  readonly body: Buffer | null;
  readonly flag: MsrpFlag;
};

export type MsrpResponse = MsrpHead & {
  readonly kind: 'response';
  readonly status: number;
  readonly comment: string | null;
};

/** A Byte-Range in octets, the first octet being 1; null stands for `*`. */
export type ByteRange = { readonly start: number; readonly end: number | null; readonly total: number | null };

/**
 * A frame in three parts, so that one content serves many receivers without being copied for each: `start` and `end` are
 * ASCII and differ per receiver, `content` is shared. A content in text has an octet in each character.
 */
export type MsrpParts = { readonly start: string; readonly content: Buffer | string | null; readonly end: string };

/** RFC 4975 7.1.1: a chunk with a longer body says by `*` that it may be interrupted. */
const uninterruptibleBytesMax = 2_048;

/** RFC 7701 7.1. */
const nicknameBytesMax = 1_023;

/** Whether a header field has this name, which is given in lower case. */
export function isNamed({ name }: MsrpHeader, wanted: string): boolean {
  return name.length === wanted.length && name.toLowerCase() === wanted;
}

/** The first header field of the name, any case. */
export function msrpHeader(message: MsrpHead, name: string): string | undefined {
  for (const header of message.headers)
    if (header.name === name || (header.name.length === name.length && isNamed(header, name.toLowerCase())))
      return header.value;
  return undefined;
}

/** The media type of a Content-Type value: lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Reads a Byte-Range value. Throws RemoteError 400 when it is none or contradicts itself. */
export function parseByteRange(text: string): ByteRange {
  const match = /^(\d{1,15})-(\d{1,15}|\*)\/(\d{1,15}|\*)$/.exec(text);
  if (match === null) throw new RemoteError(400, 'The Byte-Range is malformed');
  const start = Number(match[1]);
  const [end, total] = [octetNumber(match[2]), octetNumber(match[3])];
  // RFC 4975 7.1.1: the first octet is 1, and content of no length is 1-0/0.
  if (start < 1) throw new RemoteError(400, 'The Byte-Range starts before octet 1');
  if (end !== null && end < start - 1) throw new RemoteError(400, 'The Byte-Range ends before it starts');
  if (total !== null && (end ?? start - 1) > total) throw new RemoteError(400, 'The Byte-Range exceeds its total');
  return { start, end, total };
}

function octetNumber(text: string | undefined): number | null {
  return text === undefined || text === '*' ? null : Number(text);
}

/**
 * What a NICKNAME asks for (RFC 7701 7.1): the name, unquoted; null: the name is given up (RFC 7701 7.3). Throws RemoteError
 * 424 when Use-Nickname is missing or malformed.
 */
export function nicknameOf(request: MsrpHead): string | null {
  const match = /^"((?:[^"\\]|\\["\\])*)"$/.exec(msrpHeader(request, 'Use-Nickname') ?? '');
  const name = match?.[1]?.replace(/\\(.)/g, '$1');
  if (name === undefined || Buffer.byteLength(name) > nicknameBytesMax)
    throw new RemoteError(424, 'The nickname is missing or malformed');
  return name === '' ? null : name;
}

/** The status that a REPORT tells (RFC 4975 7.1.2); null when there is none, or of a namespace other than `000`. */
export function reportedStatus(report: MsrpHead): number | null {
  const match = /^000 +(\d{3})(?: |$)/.exec(msrpHeader(report, 'Status') ?? '');
  return match === null ? null : Number(match[1]);
}

/** Whether a REPORT is about all octets of a message (RFC 4975 7.1.3). */
export function isReportOfWhole(report: MsrpHead): boolean {
  const match = /^1-(\d+)\/(\d+)$/.exec(msrpHeader(report, 'Byte-Range') ?? '');
  return match !== null && match[1] === match[2];
}

/** QK-40: RFC 4975 9 wants 4 to 32 characters, peers write 1 to 64. */
export function isMessageId(text: string): boolean {
  return /^[!-~]{1,64}$/.test(text);
}

/** Whether a SEND asks for a response with this status (RFC 4975 7.2). Values outside the grammar count as absent. */
export function wantsResponse(request: MsrpHead, status: number): boolean {
  const failureReport = msrpHeader(request, 'Failure-Report')?.toLowerCase();
  if (failureReport === 'no') return false;
  return failureReport !== 'partial' || status !== 200;
}

/** The response to `request` (RFC 4975 7.2), to be sent on the connection on which the request came. */
export function responseTo(
  request: MsrpHead & { readonly method: string },
  status: number,
  comment: string | null,
): MsrpResponse {
  return {
    kind: 'response',
    transactionId: request.transactionId,
    status,
    comment,
    // RFC 4975 7.2: a SEND is answered to the previous hop only, any other request along the whole path.
    toPath: request.method === 'SEND' ? request.fromPath.slice(0, 1) : request.fromPath,
    fromPath: request.toPath.slice(0, 1),
    headers: [],
  };
}

/**
 * The REPORT that all `length` octets of a message have come, the last chunk of which was `send` (RFC 4975 7.1.3). It goes
 * along the whole path, and asks for nothing itself.
 */
export function successReport(
  send: MsrpHead,
  { transactionId, length }: { readonly transactionId: string; readonly length: number },
): MsrpRequest {
  const headers = [
    { name: 'Message-ID', value: msrpHeader(send, 'Message-ID') ?? '' },
    { name: 'Byte-Range', value: `1-${length}/${length}` },
    { name: 'Status', value: '000 200 OK' },
  ];
  const [ours = ''] = send.toPath;
  const paths = { toPath: send.fromPath, fromPath: [ours] };
  return { kind: 'request', transactionId, method: 'REPORT', ...paths, headers, body: null, flag: '$' };
}

/** Whether `body` holds the end-line of this transaction, which then cannot carry it (RFC 4975 7.1). */
export function holdsEndLine(body: Buffer | string, transactionId: string): boolean {
  const line = `-------${transactionId}`;
  return typeof body === 'string' ? body.includes(line) : body.includes(line, 0, 'latin1');
}

/** A request as octets. The Content-Type goes last whatever its place in `headers`; a body demands one. */
export function writeMsrpRequest(request: Omit<MsrpRequest, 'kind'>): Buffer {
  const { transactionId, method, toPath, fromPath, headers, body, flag } = request;
  assert(body === null || !holdsEndLine(body, transactionId), 'the body holds the end-line of its transaction');
  const start = `MSRP ${transactionId} ${method}\r\n${pathLines(toPath, fromPath)}`;
  return Buffer.concat([
    Buffer.from(start),
    writeMsrpContent(headers, body),
    Buffer.from(endLine(transactionId, flag)),
  ]);
}

/** A response as octets. */
export function writeMsrpResponse(response: Omit<MsrpResponse, 'kind'>): Buffer {
  const { transactionId, headers } = response;
  return Buffer.from(responseStart(response) + headerLines(headers) + endLine(transactionId, '$'));
}

/** A response of ours, whose comment is ASCII and which has no headers. */
export function responseParts(response: Omit<MsrpResponse, 'kind'>): MsrpParts {
  assert(response.headers.length === 0, 'a response of ours has no headers');
  return { start: responseStart(response), content: null, end: endLine(response.transactionId, '$') };
}

function responseStart({ transactionId, status, comment, toPath, fromPath }: Omit<MsrpResponse, 'kind'>): string {
  return `MSRP ${transactionId} ${status}${comment === null ? '' : ` ${comment}`}\r\n${pathLines(toPath, fromPath)}`;
}

/** What stands between the paths and the end-line: header fields and, unless null, the body, which is copied once. */
export function writeMsrpContent(headers: readonly MsrpHeader[], body: Buffer | null): Buffer {
  const lines = contentLines(headers, body !== null);
  // RFC 4975 7.1: without a body no empty line stands before the end-line.
  if (body === null) return Buffer.from(lines);
  const head = Buffer.byteLength(lines) + 2;
  const content = Buffer.allocUnsafe(head + body.length + 2);
  content.write(`${lines}\r\n`);
  body.copy(content, head);
  content.write('\r\n', head + body.length, 'latin1');
  return content;
}

/** The same as text with an octet in each character, `body` being such text. */
export function msrpContentText(headers: readonly MsrpHeader[], body: string): string {
  const lines = contentLines(headers, true);
  const octets = isAscii(lines) ? lines : Buffer.from(lines).toString('latin1');
  return ownText(`${octets}\r\n${body}\r\n`);
}

/** The Content-Type goes last; a body demands one. */
function contentLines(headers: readonly MsrpHeader[], hasBody: boolean): string {
  let lines = '';
  let typeLine: string | null = null;
  for (const header of headers) {
    const line = `${header.name}: ${header.value}\r\n`;
    if (isNamed(header, 'content-type')) {
      assert(hasBody && typeLine === null, 'a body has one Content-Type, and no body has none');
      typeLine = line;
    } else lines += line;
  }
  assert(!hasBody || typeLine !== null, 'a body has a Content-Type');
  return lines + (typeLine ?? '');
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** The Byte-Range of a whole message of `length` octets in one chunk. */
export function wholeByteRange(length: number): MsrpHeader {
  return byteRangeOf({ start: 1, length, total: length });
}

/** The Byte-Range of a chunk of `length` octets from `start` on, the first octet of a message being 1. */
export function byteRangeOf(of: { start: number; length: number; total: number | null }): MsrpHeader {
  const end = of.length > uninterruptibleBytesMax ? '*' : String(of.start + of.length - 1);
  return { name: 'Byte-Range', value: `${of.start}-${end}/${of.total ?? '*'}` };
}

/** `To-Path` and `From-Path`, in the order RFC 4975 9 demands. */
export function pathLines(toPath: readonly string[], fromPath: readonly string[]): string {
  return ownText(`To-Path: ${toPath.join(' ')}\r\nFrom-Path: ${fromPath.join(' ')}\r\n`);
}

/** A SEND of shared content: `paths` are made by `pathLines`, `content` by `writeMsrpContent`. */
export function sendParts(
  transactionId: string,
  { paths, content, flag }: { readonly paths: string; readonly content: Buffer | string; readonly flag: MsrpFlag },
): MsrpParts {
  return copyParts(sendEnds(transactionId, flag), '', { paths, content });
}

/** What copies of one SEND have at their ends: there is only to add what tells their transactions apart. */
export type SendEnds = { readonly begin: string; readonly end: string; readonly close: string };

/** `transaction` is what their transaction ids begin with. */
export function sendEnds(transaction: string, flag: MsrpFlag): SendEnds {
  return { begin: ownText(`MSRP ${transaction}`), end: ownText(`-------${transaction}`), close: `${flag}\r\n` };
}

/** The copy whose transaction id ends in `suffix`. */
export function copyParts(
  { begin, end, close }: SendEnds,
  suffix: string | number,
  { paths, content }: { readonly paths: string; readonly content: Buffer | string },
): MsrpParts {
  return { start: `${begin}${suffix} SEND\r\n${paths}`, content, end: end + suffix + close };
}

/** Octets of what `sendParts` gives, known before it is made. */
export function sendLength(idLength: number, { paths, content }: { paths: string; content: Buffer | string }): number {
  return 'MSRP  SEND\r\n'.length + paths.length + content.length + '-------$\r\n'.length + 2 * idLength;
}

/** Octets of a frame in parts. */
export function partsLength(parts: MsrpParts): number {
  return parts.start.length + (parts.content?.length ?? 0) + parts.end.length;
}

/** Frames in parts as one piece for one write. `length` is the sum of their `partsLength`. */
export function joinParts(frames: readonly MsrpParts[], length: number): Buffer {
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { start, content, end } of frames) {
    at += joined.write(start, at, 'latin1');
    if (typeof content === 'string') at += joined.write(content, at, 'latin1');
    else if (content !== null) at += content.copy(joined, at);
    at += joined.write(end, at, 'latin1');
  }
  assert(at === length, 'the parts are as long as they were said to be');
  return joined;
}

/**
 * The same as text with an octet in each character, which one write takes for less than its octets cost; null when a content
 * is no text.
 */
export function joinTexts(frames: readonly MsrpParts[]): string | null {
  let joined = '';
  for (const { start, content, end } of frames) {
    if (content === null) joined += start + end;
    else if (typeof content === 'string') joined += start + content + end;
    else return null;
  }
  return joined;
}

function endLine(transactionId: string, flag: MsrpFlag): string {
  return `-------${transactionId}${flag}\r\n`;
}

function headerLines(headers: readonly MsrpHeader[]): string {
  return headers.map((header) => `${header.name}: ${header.value}\r\n`).join('');
}
