/** MSRP from a byte stream (RFC 4975 9). Frames may be split at any octet, and many may come in one piece. */

import { hasControls } from './control-characters.ts';
import { isNamed, type MsrpFlag, type MsrpHead, type MsrpHeader, type MsrpRequest, type MsrpResponse } from './msrp.ts';
import { RepeatedResponse } from './msrp-repeated-response.ts';
import { RemoteError } from './remote-error.ts';

/**
 * A SEND with a long body, which comes in `piece`s, then an `end`: nobody needs to hold it whole. No other frame comes
 * in between.
 */
export type MsrpBegin = MsrpHead & { readonly kind: 'begin'; readonly method: 'SEND' };
export type MsrpPiece = { readonly kind: 'piece'; readonly octets: Buffer };
export type MsrpEnd = { readonly kind: 'end'; readonly flag: MsrpFlag };

/** A request other than SEND whose body passes the bound. Given as soon as that is known; the rest of it is skipped. */
export type MsrpOversize = MsrpHead & { readonly kind: 'oversize'; readonly method: string };

/**
 * No MSRP, or malformed beyond the point where the next frame could be found. The last thing a reader gives.
 * `request` is what a 400 can be addressed to, when so much could be read.
 */
export type MsrpUnreadable = {
  readonly kind: 'unreadable';
  readonly error: RemoteError;
  readonly request: (MsrpHead & { readonly method: string }) | null;
};

export type MsrpFrame = MsrpRequest | MsrpResponse | MsrpBegin | MsrpPiece | MsrpEnd | MsrpOversize | MsrpUnreadable;

/** One header line, and the header section, in octets: ours, far above what a long path of relays needs. */
const lineBytesMax = 4 * 1_024;
const headBytesMax = 8 * 1_024;
/** One that is looked at as a whole. */
const plainHeadBytesMax = 1_024;

/** RFC 4975 7.1: bodies of requests other than SEND are no longer. */
const otherBodyBytesMax = 10_240;

type StartLine =
  | { readonly kind: 'request'; readonly transactionId: string; readonly method: string }
  | {
      readonly kind: 'response';
      readonly transactionId: string;
      readonly status: number;
      readonly comment: string | null;
    };

/** A header section that has been read: what follows it, and where. */
type Head = {
  readonly start: StartLine;
  readonly head: MsrpHead;
  /** `CRLF -------transact-id`, which ends the body when a flag and CRLF follow. */
  readonly mark: string;
  /** Set when the end-line followed at once: a frame without body. */
  readonly flag: MsrpFlag | null;
};

const LF = 0x0a;
const CR = 0x0d;
const empty = Buffer.alloc(0);
const magic = Buffer.from('MSRP ', 'latin1');

/** What becomes of the body of `#open`: waited for, given in pieces, or skipped. */
type BodyState = 'gathered' | 'streamed' | 'skipped';

/** Reads one connection’s octets. What cannot be read is given as a frame too; nothing is thrown. */
export class MsrpReader {
  readonly #wholeBytesMax: number;
  /** Octets not yet used up; at `#at` stands the next frame or, when `#open` is set, the empty line before its body. */
  #rest: Buffer = empty;
  #at = 0;
  #open: Head | null = null;
  /** How far the body of `#open` has been searched for its end. */
  #searched = 0;
  #bodyState: BodyState = 'gathered';
  #broken = false;
  readonly #repeated = new RepeatedResponse();

  /** A SEND with a body of up to `wholeBytesMax` octets is one frame; a longer one is a `begin` and what follows it. */
  constructor(options: { readonly wholeBytesMax: number }) {
    this.#wholeBytesMax = options.wholeBytesMax;
  }

  /** Whether a frame has begun to come and not ended. */
  get isInFrame(): boolean {
    return this.#open !== null || this.#rest.length > 0;
  }

  /**
   * The frames that `chunk` completes, in order. Bodies are views of what was pushed, not copies. After an `unreadable`
   * frame the stream has no meaning any more and nothing further is given.
   */
  push(chunk: Buffer): MsrpFrame[] {
    if (this.#broken) return [];
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: MsrpFrame[] = [];
    while (!this.#broken) {
      const frame = this.#next();
      if (frame === null) break;
      frames.push(frame);
      this.#broken = frame.kind === 'unreadable';
    }
    this.#compact();
    return frames;
  }

  #next(): MsrpFrame | null {
    if (this.#open === null) {
      const repeated = this.#repeated.read(this.#rest, this.#at);
      if (repeated !== null) return this.#pass(repeated);
      const from = this.#at;
      const head = this.#readHead();
      if (head === null || 'kind' in head) return head;
      if (head.flag !== null) return this.#bodiless(head, { flag: head.flag, from });
      this.#open = head;
      this.#searched = this.#at;
    }
    if (this.#bodyState === 'gathered') return this.#readBody(this.#open);
    if (this.#bodyState === 'streamed') return this.#readPiece(this.#open);
    return this.#skip(this.#open) ? this.#next() : null;
  }

  #pass({ response, next }: { readonly response: MsrpResponse; readonly next: number }): MsrpResponse {
    this.#at = next;
    return response;
  }

  #bodiless(head: Head, { flag, from }: { readonly flag: MsrpFlag; readonly from: number }): MsrpFrame {
    const frame = frameOf(head, null, flag);
    if (frame.kind === 'response') this.#repeated.remember(frame, this.#rest.subarray(from, this.#at));
    return frame;
  }

  /** The header section at `#at`, up to the empty line or the end-line; null while it is incomplete. */
  #readHead(): Head | MsrpUnreadable | null {
    // Blank lines between frames are keep-alives of some clients.
    while (this.#rest[this.#at] === CR && this.#rest[this.#at + 1] === LF) this.#at += 2;
    if (!this.#beginsLikeMsrp()) return unreadable('This is not MSRP');
    const plain = this.#readPlainHead();
    if (plain !== null) return plain;
    const first = this.#line(this.#at);
    if (first === null) return this.#tooLong(this.#at);
    const start = parseStartLine(first.text);
    if (start === null) return unreadable('The start line is malformed');
    const ending = `-------${start.transactionId}`;
    const lines: string[] = [];
    for (let at = first.next; ; ) {
      const line = this.#line(at);
      if (line === null || line.next - this.#at > headBytesMax) return this.#tooLong(at);
      const { text, next } = line;
      at = next;
      const isEnd = text.startsWith(ending);
      if (text !== '' && !isEnd) lines.push(text);
      else {
        const rest = isEnd ? text.slice(ending.length) : null;
        return this.#finishHead({ start, lines, isPlain: false, ending: rest, next });
      }
    }
  }

  /** The same of a header section before a body that is all there, short and printable ASCII, as most are; else null. */
  #readPlainHead(): Head | MsrpUnreadable | null {
    const text = this.#rest.toString('latin1', this.#at, this.#at + plainHeadBytesMax);
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const section = text.slice(0, end);
    if (!/^[ -~]+(?:\r\n[ -~]+)*$/.test(section) || section.includes('\r\n-------')) return null;
    const lines = linesOf(section);
    const start = parseStartLine(lines.shift() ?? '');
    const next = this.#at + end + 4;
    return start === null ? null : this.#finishHead({ start, lines, isPlain: true, ending: null, next });
  }

  #finishHead(read: {
    readonly start: StartLine;
    readonly lines: readonly string[];
    /** It is printable ASCII. */
    readonly isPlain: boolean;
    /** What follows `-------transact-id` in the end-line; null after the empty line. */
    readonly ending: string | null;
    readonly next: number;
  }): Head | MsrpUnreadable {
    const { start, ending, next } = read;
    const { head, problem } = parseHeaderLines(start.transactionId, read);
    if (head === null || problem !== null) return unreadable(problem ?? 'A path is missing', requestOf(start, head));
    const flag = ending === null ? null : flagOf(ending);
    if (ending !== null && flag === null) return unreadable('The end-line has no flag', requestOf(start, head));
    this.#at = flag === null ? next - 2 : next;
    return { start, head, flag, mark: `\r\n-------${start.transactionId}` };
  }

  #readBody(open: Head): MsrpFrame | null {
    const end = this.#findEnd(open);
    const bodyStart = this.#at + 2;
    const isSend = open.start.kind === 'request' && open.start.method === 'SEND';
    if (this.#searched - bodyStart > (isSend ? this.#wholeBytesMax : otherBodyBytesMax)) {
      this.#at = bodyStart;
      this.#bodyState = isSend ? 'streamed' : 'skipped';
      return longBodied(open);
    }
    if (end === null) return null;
    // An empty line and then the end-line at once: some clients write bodiless requests so.
    const body = end.at < bodyStart ? emptyBody(open.head) : this.#rest.subarray(bodyStart, end.at);
    this.#close(end.next);
    return frameOf(open, body, end.flag);
  }

  #readPiece(open: Head): MsrpPiece | MsrpEnd | null {
    const end = this.#findEnd(open);
    const octets = this.#rest.subarray(this.#at, this.#searched);
    this.#at = this.#searched;
    if (octets.length > 0) return { kind: 'piece', octets };
    if (end === null) return null;
    this.#close(end.next);
    return { kind: 'end', flag: end.flag };
  }

  /** Whether the rest of a body that nobody wants has passed. */
  #skip(open: Head): boolean {
    const end = this.#findEnd(open);
    // What has been searched is not needed any more, so that a body without end takes no memory.
    this.#at = this.#searched;
    if (end !== null) this.#close(end.next);
    return end !== null;
  }

  #close(next: number): void {
    this.#open = null;
    this.#bodyState = 'gathered';
    this.#at = next;
  }

  /**
   * RFC 4975 7.1: the end-line is preceded by a CRLF that is not part of the body, and ended by a flag and CRLF. All
   * before `#searched` is body afterwards, whether the end is found or not.
   */
  #findEnd({ mark }: Head): { readonly at: number; readonly next: number; readonly flag: MsrpFlag } | null {
    for (;;) {
      const at = this.#rest.indexOf(mark, this.#searched, 'latin1');
      this.#searched = at === -1 ? this.#bodyUntil(mark) : at;
      if (at === -1) return null;
      const after = at + mark.length;
      if (this.#rest.length < after + 3) return null;
      const flag = flagAt(this.#rest[after]);
      if (flag !== null && this.#rest[after + 1] === CR && this.#rest[after + 2] === LF) {
        return { at, next: after + 3, flag };
      }
      this.#searched = at + 1;
    }
  }

  /** Where `mark` may have begun that goes on in the next chunk; most often nowhere, and no octet has to be kept. */
  #bodyUntil(mark: string): number {
    const { length } = this.#rest;
    for (let at = Math.max(this.#searched, length - mark.length + 1); ; at += 1) {
      at = this.#rest.indexOf(CR, at);
      if (at === -1) return length;
      if (mark.startsWith(this.#rest.toString('latin1', at))) return at;
    }
  }

  #beginsLikeMsrp(): boolean {
    const length = this.#rest.length - this.#at;
    if (length === 1 && this.#rest[this.#at] === CR) return true;
    for (let i = 0; i < magic.length && i < length; i += 1) if (this.#rest[this.#at + i] !== magic[i]) return false;
    return true;
  }

  /** The line at `at` without its CRLF, and where the next begins; null when it is not complete. */
  #line(at: number): { readonly text: string; readonly next: number } | null {
    const lf = this.#rest.indexOf(LF, at);
    if (lf === -1 || lf + 1 - at > lineBytesMax) return null;
    // RFC 4975 9: only CRLF ends a line; a bare LF stays in the text and is refused with it.
    const hasCr = lf > at && this.#rest[lf - 1] === CR;
    return { text: this.#rest.toString('utf8', at, hasCr ? lf - 1 : lf + 1), next: lf + 1 };
  }

  /** What it means that no line within the bounds ends after `at`: unreadable when a bound is passed, else null: wait. */
  #tooLong(at: number): MsrpUnreadable | null {
    const lf = this.#rest.indexOf(LF, at);
    const end = lf === -1 ? this.#rest.length : lf + 1;
    if (end - at > lineBytesMax) return unreadable('A header line is too long');
    if (end - this.#at > headBytesMax) return unreadable('The header section is too long');
    return null;
  }

  #compact(): void {
    this.#repeated.release();
    if (this.#broken) this.#at = this.#rest.length;
    const rest = this.#rest.subarray(this.#at);
    // A small rest must not keep a large chunk in memory.
    this.#rest = rest.length * 2 < this.#rest.length ? Buffer.from(rest) : rest;
    this.#searched -= this.#at;
    this.#at = 0;
  }
}

/** Split is made for patterns, and costs several times as much. */
function linesOf(section: string): string[] {
  const lines: string[] = [];
  let at = 0;
  for (let cr = section.indexOf('\r'); cr !== -1; cr = section.indexOf('\r', at)) {
    lines.push(section.slice(at, cr));
    at = cr + 2;
  }
  lines.push(section.slice(at));
  return lines;
}

function parseStartLine(text: string): StartLine | null {
  // RFC 4975 9 wants idents of 4 to 32 characters; shorter ones do no harm.
  const match = /^MSRP ([A-Za-z0-9][\w.\-+%=]{0,31}) (?:(\d{3})(?: (.*))?|([A-Za-z][\w-]{0,31}))$/.exec(text);
  if (match === null) return null;
  const [, transactionId = '', status, comment = null, method = ''] = match;
  if (status === undefined) return { kind: 'request', transactionId, method };
  return { kind: 'response', transactionId, status: Number(status), comment };
}

/** `head` is null when a path is missing or malformed; `problem` says what else is wrong. */
function parseHeaderLines(
  transactionId: string,
  { lines, isPlain }: { readonly lines: readonly string[]; readonly isPlain: boolean },
): { readonly head: MsrpHead | null; readonly problem: string | null } {
  const headers: MsrpHeader[] = [];
  let toPath: string | null = null;
  let fromPath: string | null = null;
  let problem: string | null = null;
  for (const line of lines) {
    const header = isPlain || !hasControls(line) ? parseHeaderLine(line) : null;
    if (header === null) problem ??= 'A header line is malformed';
    else if (isNamed(header, 'to-path')) {
      if (toPath === null) toPath = header.value;
      else problem ??= 'A path is given twice';
    } else if (isNamed(header, 'from-path')) {
      if (fromPath === null) fromPath = header.value;
      else problem ??= 'A path is given twice';
    } else headers.push(header);
  }
  const paths = { toPath: parsePath(toPath, isPlain), fromPath: parsePath(fromPath, isPlain) };
  if (paths.toPath === null || paths.fromPath === null) return { head: null, problem };
  return { head: { transactionId, toPath: paths.toPath, fromPath: paths.fromPath, headers }, problem };
}

/** Names that need not be looked at. */
const usualNames: ReadonlySet<string> = new Set([
  ...['To-Path', 'From-Path', 'Message-ID', 'Byte-Range', 'Content-Type'],
  ...['Success-Report', 'Failure-Report', 'Status'],
]);

function parseHeaderLine(line: string): MsrpHeader | null {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!usualNames.has(name) && !/^[!#-'*+\-.\w^`{|}~]+$/.test(name)) return null;
  return { name, value: line.slice(colon + 1).trim() };
}

function parsePath(value: string | null, isPlain: boolean): readonly string[] | null {
  if (value === null || value === '') return null;
  if (isPlain && !value.includes(' ')) return [value];
  const uris = value.split(/ +/);
  return uris.every((uri) => /^[!-~]+$/.test(uri)) ? uris : null;
}

function flagOf(text: string): MsrpFlag | null {
  return text === '$' || text === '+' || text === '#' ? text : null;
}

function flagAt(octet: number | undefined): MsrpFlag | null {
  return octet === undefined ? null : flagOf(String.fromCharCode(octet));
}

// Written out, since spreading costs more than all else here.
function frameOf({ start, head }: Head, body: Buffer | null, flag: MsrpFlag): MsrpFrame {
  const { transactionId, toPath, fromPath, headers } = head;
  if (start.kind === 'request')
    return { kind: 'request', transactionId, toPath, fromPath, headers, method: start.method, body, flag };
  const { status, comment } = start;
  return { kind: 'response', transactionId, toPath, fromPath, headers, status, comment };
}

function requestOf(start: StartLine, head: MsrpHead | null): MsrpUnreadable['request'] {
  return start.kind === 'request' && head !== null ? { ...head, method: start.method } : null;
}

function longBodied({ start, head }: Head): MsrpBegin | MsrpOversize | MsrpUnreadable {
  // RFC 4975 9: a response has no body at all.
  if (start.kind === 'response') return unreadable('A response carries a body');
  if (start.method !== 'SEND') return { ...head, kind: 'oversize', method: start.method };
  return { ...head, kind: 'begin', method: start.method };
}

function emptyBody(head: MsrpHead): Buffer | null {
  return head.headers.some((header) => isNamed(header, 'content-type')) ? empty : null;
}

function unreadable(message: string, request: MsrpUnreadable['request'] = null): MsrpUnreadable {
  return { kind: 'unreadable', error: new RemoteError(400, message), request };
}
