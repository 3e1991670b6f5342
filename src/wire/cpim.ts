/**
 * message/cpim (RFC 3862): two header blocks, the message's own and the MIME headers of what it wraps, then the wrapped
 * octets. Blocks are text, the wrapped octets are never touched.
 */

import { hasControls, isPlain } from './control-characters.ts';
import { isNamed, mediaTypeOf } from './msrp.ts';
import { ownText } from './own-text.ts';
import { RemoteError } from './remote-error.ts';

/** `name` with its namespace prefix as it came (`imdn.Message-ID`); `value` still escaped as on the wire. */
export type CpimHeader = {
  readonly name: string;
  /** Parameters between colon and value, e.g. `lang=fr`. */
  readonly params: readonly { readonly name: string; readonly value: string }[];
  readonly value: string;
};

/** A MIME header of the wrapped entity; names are case-insensitive. */
export type ContentHeader = { readonly name: string; readonly value: string };

export type CpimMessage = {
  readonly headers: readonly CpimHeader[];
  readonly contentHeaders: readonly ContentHeader[];
  readonly body: Buffer;
};

/** From, To or cc: an optional formal name, unescaped, and a URI as it came. */
export type CpimAddress = { readonly displayName: string | null; readonly uri: string };

/** RFC 3862 4: what the headers defined there belong to. */
const cpimNamespace = 'urn:ietf:params:cpim-headers:';

/** Both header blocks together, in lines; a bound, as honest messages have about ten. */
const headerLinesMax = 100;
const lineBytesMax = 4 * 1_024;

const CR = 0x0d;

/** The header blocks go on where the content ends, which may be the beginning of a message whose rest still comes. */
export class CpimUnfinished extends RemoteError {}

/**
 * Reads a message/cpim. Throws RemoteError 400 when a header is malformed, CpimUnfinished when the blocks do not end.
 * `body` is a view.
 * RFC 3862 2 wants an empty line between the blocks; RFC 4975 11.4 and RFC 7701 9.3 have none, so a Content-Type among
 * the message's own headers begins the MIME headers.
 */
export function parseCpim(content: Buffer): CpimMessage {
  const lines = new BlockLines(content);
  const headers: CpimHeader[] = [];
  const contentHeaders: ContentHeader[] = [];
  for (let line = lines.next(); line !== ''; line = lines.next()) {
    if (contentHeaders.length === 0 && !beginsMime(line)) headers.push(parseHeader(line));
    else addContentHeader(contentHeaders, line);
  }
  if (contentHeaders.length === 0) {
    for (let line = lines.next(); line !== ''; line = lines.next()) addContentHeader(contentHeaders, line);
  }
  return { headers, contentHeaders, body: content.subarray(lines.at) };
}

/** The octets of a message, always with the empty line between the two header blocks. */
export function writeCpim(message: CpimMessage): Buffer {
  const own = message.headers.map((header) => {
    const params = header.params.map((param) => `;${param.name}=${param.value}`).join('');
    return `${header.name}:${params} ${header.value}\r\n`;
  });
  const mime = message.contentHeaders.map((header) => `${header.name}: ${header.value}\r\n`);
  return Buffer.concat([Buffer.from(`${own.join('')}\r\n${mime.join('')}\r\n`), message.body]);
}

/**
 * Values of every header `name` of the namespace, in order, still escaped. RFC 3862 3: names are case-sensitive; 3.4: a
 * prefix declared by NS names the same header as another prefix of the same namespace, so `c.To` may well be a To.
 */
export function cpimValues(message: CpimMessage, name: string, namespace = cpimNamespace): readonly string[] {
  return headersOf(message, name, namespace).map(({ value }) => value);
}

function headersOf(message: CpimMessage, name: string, namespace: string): readonly CpimHeader[] {
  const found: CpimHeader[] = [];
  if (namespace === cpimNamespace && !hasNamespaces(message)) {
    for (const header of message.headers) if (header.name === name) found.push(header);
    return found;
  }
  const namespaces = new Map([['', cpimNamespace]]);
  for (const header of message.headers) {
    const dot = header.name.indexOf('.');
    const prefix = dot === -1 ? '' : header.name.slice(0, dot);
    if (header.name === 'NS') declareNamespace(namespaces, header.value);
    if (header.name.slice(dot + 1) === name && namespaces.get(prefix) === namespace) found.push(header);
  }
  return found;
}

/**
 * Whether readers may disagree on whom the message is from or to: many know neither case nor namespaces, and to those who
 * keep to RFC 3862 2 a header after Content-Type is one of the message's own until the empty line. Honest ones never are.
 */
export function isCpimAmbiguous(message: CpimMessage): boolean {
  for (const { name } of message.contentHeaders)
    if (looksLikeAddress(name.slice(name.lastIndexOf('.') + 1))) return true;
  if (!hasNamespaces(message)) {
    for (const { name } of message.headers) if (looksLikeAddress(name) && !addressNames.includes(name)) return true;
    return false;
  }
  const likely = message.headers.filter(({ name }) => looksLikeAddress(name));
  const sure = new Set(addressNames.flatMap((name) => headersOf(message, name, cpimNamespace)));
  return likely.some((header) => !sure.has(header));
}

const addressNames: readonly string[] = ['From', 'To', 'cc'];

/** Few messages declare any, or use what they would have to declare. */
function hasNamespaces({ headers }: CpimMessage): boolean {
  for (const { name } of headers) if (name === 'NS' || name.includes('.')) return true;
  return false;
}

function looksLikeAddress(name: string): boolean {
  return name.length <= 'from'.length && /^(?:from|to|cc)$/i.test(name);
}

function declareNamespace(namespaces: Map<string, string>, value: string): void {
  const match = /^([^<\s]*)[ \t]*<([^<>\s]+)>$/.exec(value);
  if (match === null) throw new RemoteError(400, 'A CPIM namespace is malformed');
  namespaces.set(match[1] ?? '', match[2] ?? '');
}

/** From whom and to whom a message is, as URIs, and what it demands to be understood (RFC 3862 3.5). */
export type CpimParties = Readonly<Record<'from' | 'to' | 'cc' | 'requires', readonly string[]>>;

/** Throws RemoteError 400 when an address has no URI in angle brackets, or readers may disagree (`isCpimAmbiguous`). */
export function cpimParties(message: CpimMessage): CpimParties {
  if (isCpimAmbiguous(message)) throw new RemoteError(400, 'Whom the message is from or to is ambiguous');
  if (!hasNamespaces(message)) return plainParties(message);
  const uris = (name: 'From' | 'To' | 'cc'): readonly string[] => cpimAddresses(message, name).map(({ uri }) => uri);
  return { from: uris('From'), to: uris('To'), cc: uris('cc'), requires: cpimRequires(message) };
}

/** The same in one pass, where names are what they seem. */
function plainParties({ headers }: CpimMessage): CpimParties {
  const parties: Record<keyof CpimParties, string[]> = { from: [], to: [], cc: [], requires: [] };
  for (const { name, value } of headers) {
    if (name === 'From') parties.from.push(parseCpimAddress(value).uri);
    else if (name === 'To') parties.to.push(parseCpimAddress(value).uri);
    else if (name === 'cc') parties.cc.push(parseCpimAddress(value).uri);
    else if (name === 'Require') parties.requires.push(...namesIn(value));
  }
  return parties;
}

/** All From, To or cc of a message, in order. Throws RemoteError 400 when one has no URI in angle brackets. */
export function cpimAddresses(message: CpimMessage, name: 'From' | 'To' | 'cc'): readonly CpimAddress[] {
  return cpimValues(message, name).map(parseCpimAddress);
}

/** Reads `[formal name] <uri>` (RFC 3862 4.1). Throws RemoteError 400. */
export function parseCpimAddress(value: string): CpimAddress {
  if (/^<[^<>\s]+>$/.test(value)) return { displayName: null, uri: value.slice(1, -1) };
  const match = /^(?:"((?:[^"\\]|\\.)*)"[ \t]*|([^<"]*))<([^<>\s]+)>$/.exec(value);
  if (match === null) throw new RemoteError(400, 'A CPIM address is malformed');
  const [, quoted, plain = '', uri = ''] = match;
  const displayName = unescapeCpim(quoted ?? plain.trim());
  return { displayName: displayName === '' ? null : displayName, uri };
}

/** The value of a From, To or cc. The formal name is quoted. */
export function writeCpimAddress(address: CpimAddress): string {
  if (address.displayName === null) return `<${address.uri}>`;
  return `"${escapeCpim(address.displayName).replaceAll('"', '\\"')}" <${address.uri}>`;
}

/** Names that the message demands to be understood (RFC 3862 3.5). */
export function cpimRequires(message: CpimMessage): readonly string[] {
  return cpimValues(message, 'Require').flatMap(namesIn);
}

function namesIn(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The wrapped media type: lower case, no parameters. RFC 2045 5.2: text/plain when nothing is said. */
export function wrappedTypeOf(message: CpimMessage): string {
  const header = message.contentHeaders.find((each) => isNamed(each, 'content-type'));
  const type = mediaTypeOf(header?.value ?? '');
  return type === '' ? 'text/plain' : ownText(type);
}

/** RFC 3862 2.3.1: an unknown escape stands for the character after the backslash, a last lone backslash for nothing. */
export function unescapeCpim(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:u([\da-f]{4})|(.)|$)/gi, (_, code: string | undefined, character: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return shortEscapes.get(character ?? '') ?? character ?? '';
  });
}

/** Escapes backslash and control characters for a header value; nothing else may be escaped outside quotes. */
export function escapeCpim(text: string): string {
  return text.replace(/[\\]|(?![\u0080-\u009f])\p{Cc}/gu, (character) => {
    const letter = [...shortEscapes].find(([, meaning]) => meaning === character)?.[0];
    if (letter !== undefined) return `\\${letter}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
]);

/** As much as most header blocks need is looked at in one piece. */
const blocksBytes = 1_024;

/** Lines of the header blocks; `at` is where the next begins. */
class BlockLines {
  readonly #content: Buffer;
  /** The beginning of the content, an octet in each character. */
  #text: string;
  #at = 0;
  #count = 0;
  #endsInCrLf: boolean | null = null;

  constructor(content: Buffer) {
    this.#content = content;
    this.#text = content.toString('latin1', 0, blocksBytes);
  }

  get at(): number {
    return this.#at;
  }

  /** The next line without its CRLF, or bare LF as some clients write it; throws RemoteError 400 when there is none. */
  next(): string {
    const at = this.#at;
    const lf = this.#lineEnd(at);
    const length = (lf === -1 ? this.#content.length : lf) - at;
    if (length > lineBytesMax) throw new RemoteError(400, 'A CPIM header is too long', at);
    if (lf === -1) throw new CpimUnfinished(400, 'The CPIM headers do not end', at);
    this.#count += 1;
    if (this.#count > headerLinesMax) throw new RemoteError(400, 'There are too many CPIM headers', at);
    this.#at = lf + 1;
    const hasCr = lf > at && this.#text.charCodeAt(lf - 1) === CR;
    this.#endsInCrLf ??= hasCr;
    // Who ends lines at CRLF only would see other headers than who does not.
    if (this.#endsInCrLf !== hasCr) throw new RemoteError(400, 'The lines of the CPIM headers do not end alike', at);
    const end = hasCr ? lf - 1 : lf;
    const line = this.#text.slice(at, end);
    return isPlain(line) ? line : this.#content.toString('utf8', at, end);
  }

  /** Where the line at `at` ends; -1 when that is not there, or beyond what a line may have. */
  #lineEnd(at: number): number {
    const lf = this.#text.indexOf('\n', at);
    if (lf !== -1 || this.#text.length === this.#content.length) return lf;
    this.#text = this.#content.toString('latin1', 0, at + lineBytesMax + 1);
    return this.#text.indexOf('\n', at);
  }
}

// RFC 3862 3.6: NAMECHAR, with "." between prefix and name.
const namePattern = "[!#-'*+\\-.\\w^`|~]+";
const headerPattern = new RegExp(
  `^(${namePattern}):((?:;${namePattern}=(?:"(?:[^"\\\\]|\\\\.)*"|[^";\\s]*))*)[ \\t]*(.*)$`,
);

/** Most headers are one of these, without parameters. */
const usualNames: ReadonlySet<string> = new Set(['From', 'To', 'cc', 'DateTime', 'Subject', 'NS', 'Require']);

function parseHeader(line: string): CpimHeader {
  const colon = line.indexOf(':');
  const usual = line.slice(0, Math.max(colon, 0));
  if (usualNames.has(usual) && line[colon + 1] !== ';' && isPlain(line))
    return { name: usual, params: [], value: line.slice(colon + 1).trim() };
  const match = headerPattern.exec(line);
  // RFC 3862 2.3: control characters stand escaped in a header; folding is unknown to it.
  if (match === null || hasControls(line)) throw new RemoteError(400, 'A CPIM header is malformed');
  const [, name = '', params = '', value = ''] = match;
  return { name, params: parseParams(params), value: value.trimEnd() };
}

function parseParams(text: string): CpimHeader['params'] {
  if (text === '') return [];
  const params = [...text.matchAll(/;([^=]+)=("(?:[^"\\]|\\.)*"|[^";]*)/g)];
  return params.map(([, name = '', value = '']) => ({ name, value }));
}

/** A content-type among the message's own headers. */
function beginsMime(line: string): boolean {
  return (line[0] === 'C' || line[0] === 'c') && /^content-type[ \t]*:/i.test(line);
}

function addContentHeader(headers: ContentHeader[], line: string): void {
  if (line.startsWith('Content-Type: ') && isPlain(line)) {
    headers.push({ name: 'Content-Type', value: line.slice('Content-Type: '.length).trim() });
    return;
  }
  if (hasControls(line)) throw malformedMime();
  const last = headers.at(-1);
  // RFC 2045 by RFC 5322 2.2.3: MIME headers may be folded.
  if (last !== undefined && (line[0] === ' ' || line[0] === '\t')) {
    headers[headers.length - 1] = { name: last.name, value: `${last.value} ${line.trim()}` };
    return;
  }
  const match = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/.exec(line);
  if (match === null) throw malformedMime();
  headers.push({ name: match[1] ?? '', value: (match[2] ?? '').trimEnd() });
}

function malformedMime(): RemoteError {
  return new RemoteError(400, 'A MIME header in the CPIM is malformed');
}
