/** Session descriptions (RFC 8866) as far as offer and answer need them, and the MSRP attributes (RFC 4975 8, 6135, 7701 8). */

import { strict as assert } from 'node:assert';
import { type MsrpUri, parseMsrpUri } from './msrp-uri.ts';
import { RemoteError } from './remote-error.ts';

export type SdpAttribute = { readonly name: string; readonly value: string | null };

export type MediaDescription = {
  readonly media: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** Host of its c= line, null when it has none. */
  readonly connection: string | null;
  readonly attributes: readonly SdpAttribute[];
};

export type SessionDescription = {
  readonly origin: {
    readonly username: string;
    readonly sessionId: string;
    readonly version: string;
    readonly address: string;
  };
  /** Host of the session's c= line, null when it has none. */
  readonly connection: string | null;
  readonly media: readonly MediaDescription[];
  /** Attributes of the session, those of media not among them. */
  readonly attributes: readonly SdpAttribute[];
};

/** What an MSRP media line says. Media types in lower case, without parameters; `*` and `type/*` are wildcards. */
export type MsrpMedia = {
  /** The URIs of the peer, the one to connect to first, the one that names the session last. */
  readonly path: readonly string[];
  readonly acceptTypes: readonly string[];
  readonly acceptWrappedTypes: readonly string[];
  readonly setup: 'active' | 'passive' | 'actpass' | null;
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** Tokens of `a=chatroom`, null without the attribute. */
  readonly chatroom: readonly string[] | null;
  /** The media line is one of TCP/TLS/MSRP. */
  readonly tls: boolean;
  /** Of the URI to connect to: `tcp`, `ws` (RFC 7977) or an extension. */
  readonly transport: string;
  /** What the m= and c= lines say; null without any c= line. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** RFC 6714: middleboxes may rewrite that address, and it is what counts. */
  readonly cema: boolean;
  /** RFC 8122 5: one of them is that of the peer's certificate; empty: nothing is said. */
  readonly fingerprints: readonly Fingerprint[];
  /** Octets of a whole message, as a hint. */
  readonly maxSize: number | null;
};

/** RFC 8122 5: the name of a hash function in lower case, octets in upper case hexadecimal with colons. */
export type Fingerprint = { readonly hash: string; readonly value: string };

const mediaMax = 32;
// Above what 64 bit counters need, below what would be a burden to repeat.
const lineCharactersMax = 4_096;

/**
 * Reads a session description; line ends may be CRLF or LF, the last one may lack. Throws RemoteError 400 for malformed
 * lines, 488 when v=, o=, s= or t= is missing, which makes it no description at all.
 */
export function parseSdp(text: string): SessionDescription {
  const lines = text.trimEnd().split('\n').map(readLine);
  const [session = [], ...blocks] = mediaBlocks(lines);
  if (blocks.length > mediaMax) throw new RemoteError(400, 'The session description has too many media lines');
  for (const type of ['v', 'o', 's', 't']) {
    if (!session.some((line) => line.type === type))
      throw new RemoteError(488, `The session description has no ${type}= line`);
  }
  if (session[0]?.type !== 'v' || session[0].value !== '0') throw new RemoteError(400, 'The SDP version is not 0');
  return {
    origin: readOrigin(onlyValue(session, 'o') ?? ''),
    connection: readConnection(session),
    media: blocks.map(readMedia),
    attributes: readAttributes(session),
  };
}

/** The text of a session description, each line ending in CRLF. Values hold no line ends: that would be our mistake. */
export function writeSdp(session: SessionDescription): string {
  const { username, sessionId, version, address } = session.origin;
  const lines = [
    'v=0',
    `o=${username} ${sessionId} ${version} ${writeAddress(address)}`,
    // RFC 8866 5.3: a session without a name says "-".
    's=-',
  ];
  if (session.connection !== null) lines.push(`c=${writeAddress(session.connection)}`);
  lines.push('t=0 0');
  for (const attribute of session.attributes) lines.push(writeAttribute(attribute));
  for (const media of session.media) {
    lines.push(`m=${media.media} ${media.port} ${media.protocol} ${media.formats.join(' ')}`);
    if (media.connection !== null) lines.push(`c=${writeAddress(media.connection)}`);
    for (const attribute of media.attributes) lines.push(writeAttribute(attribute));
  }
  assert(!/[\0\r\n]/.test(lines.join('')), 'a line of a session description is one line');
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * The MSRP session that a media line offers; null when it cannot be used: another kind of line, port 0, no path, no
 * accept-types, or a path whose scheme does not fit the line's protocol.
 */
export function msrpMediaOf(media: MediaDescription, session: SessionDescription): MsrpMedia | null {
  // RFC 4975 8.1: "message", TCP/MSRP or TCP/TLS/MSRP, "*".
  const protocol = media.protocol.toUpperCase();
  const tls = protocol === 'TCP/TLS/MSRP';
  if (media.media !== 'message' || media.port === 0 || media.formats[0] !== '*') return null;
  if (protocol !== 'TCP/MSRP' && !tls) return null;
  const path = words(attributeValue(media.attributes, 'path'));
  const acceptTypes = mediaTypes(attributeValue(media.attributes, 'accept-types'));
  const first = firstOfPath(path);
  if (first === null || !fitsLine(first, { tls, isRelay: path.length > 1 }) || acceptTypes.length === 0) return null;
  const chatroom = attributeValue(media.attributes, 'chatroom');
  const host = media.connection ?? session.connection;
  return {
    path,
    acceptTypes,
    acceptWrappedTypes: mediaTypes(attributeValue(media.attributes, 'accept-wrapped-types')),
    setup: setupOf(media, session),
    direction: directionIn(media, session),
    // RFC 7701 8: a token stands once.
    chatroom: chatroom === undefined ? null : [...new Set(words(chatroom))],
    tls,
    transport: first.transport,
    address: host === null ? null : { host, port: media.port },
    cema: attributeValue(media.attributes, 'msrp-cema') === null,
    fingerprints: fingerprintsOf(media, session),
    maxSize: maxSizeOf(media),
  };
}

/** The direction of a media line: its own, else the session's, else the one of whoever says nothing (RFC 8866 6.7). */
export function directionIn(media: MediaDescription, session: SessionDescription): MsrpMedia['direction'] {
  return directionOf(media) ?? directionOf(session) ?? 'sendrecv';
}

type SdpLine = { readonly type: string; readonly value: string };

/** `ended`: the line may still have the CR of its CRLF. */
function readLine(ended: string, index: number): SdpLine {
  const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
  const type = line.charAt(0);
  const isLine = type >= 'a' && type <= 'z' && line.charAt(1) === '=';
  if (!isLine || line.length > lineCharactersMax || line.includes('\0') || line.includes('\r')) {
    throw new RemoteError(400, `Line ${index + 1} of the session description is malformed`);
  }
  return { type, value: line.slice(2).trim() };
}

/** The lines of the session, then those of each media line. */
function mediaBlocks(lines: readonly SdpLine[]): readonly (readonly SdpLine[])[] {
  let block: SdpLine[] = [];
  const blocks = [block];
  for (const line of lines) {
    if (line.type === 'm') {
      block = [];
      blocks.push(block);
    }
    block.push(line);
  }
  return blocks;
}

function readOrigin(value: string): SessionDescription['origin'] {
  const [username, sessionId, version, nettype, addrtype, address, ...rest] = words(value);
  const isWhole = nettype !== undefined && addrtype !== undefined && rest.length === 0;
  if (username === undefined || sessionId === undefined || version === undefined || address === undefined || !isWhole) {
    throw new RemoteError(400, 'The o= line of the session description is malformed');
  }
  return { username, sessionId, version, address };
}

/** The host of the c= line; a name is as good as an address (QK-36). */
function readConnection(lines: readonly SdpLine[]): string | null {
  const value = lines.find((line) => line.type === 'c')?.value;
  if (value === undefined) return null;
  const match = /^IN IP[46] ([^\s/]+)(?:\/\d+){0,2}$/i.exec(value);
  if (match?.[1] === undefined) throw new RemoteError(400, 'A c= line of the session description is malformed');
  return match[1];
}

function readMedia(block: readonly SdpLine[]): MediaDescription {
  const match = /^(\S+) (\d{1,5})(?:\/\d+)? (\S+) (\S.*)$/.exec(block[0]?.value ?? '');
  const [, media, port, protocol, formats] = match ?? [];
  if (media === undefined || protocol === undefined || formats === undefined || Number(port) > 65_535) {
    throw new RemoteError(400, 'An m= line of the session description is malformed');
  }
  return {
    media,
    port: Number(port),
    protocol,
    formats: words(formats),
    connection: readConnection(block),
    attributes: readAttributes(block),
  };
}

function readAttributes(lines: readonly SdpLine[]): readonly SdpAttribute[] {
  const attributes: SdpAttribute[] = [];
  for (const { type, value } of lines) {
    if (type !== 'a') continue;
    const colon = value.indexOf(':');
    if (colon === -1) attributes.push({ name: value, value: null });
    else attributes.push({ name: value.slice(0, colon), value: value.slice(colon + 1).trim() });
  }
  return attributes;
}

function onlyValue(lines: readonly SdpLine[], type: string): string | undefined {
  const [first, ...others] = lines.filter((line) => line.type === type);
  if (others.length > 0) throw new RemoteError(400, `The session description has several ${type}= lines`);
  return first?.value;
}

function writeAddress(host: string): string {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return `IN ${bare.includes(':') ? 'IP6' : 'IP4'} ${bare}`;
}

function writeAttribute(attribute: SdpAttribute): string {
  return attribute.value === null ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`;
}

/** Value of the first attribute of that name: null when it is a mere flag, undefined when absent. */
function attributeValue(attributes: readonly SdpAttribute[], name: string): string | null | undefined {
  for (const attribute of attributes) if (attribute.name === name) return attribute.value;
  return undefined;
}

function words(text: string | null | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

/** RFC 4975 8.6: in negotiation a type with parameters counts as the type without them. */
function mediaTypes(list: string | null | undefined): readonly string[] {
  return words(list).map((entry) => (entry.split(';', 1)[0] ?? '').toLowerCase());
}

/** The URI to connect to, when all of the path can be read. */
function firstOfPath(path: readonly string[]): MsrpUri | null {
  try {
    return path.map(parseMsrpUri)[0] ?? null;
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

/** RFC 4975 8.1, 9: TLS wants msrps. RFC 4976 9.1: the way to a relay is secured whatever the peers agree on. */
function fitsLine(first: MsrpUri, line: { readonly tls: boolean; readonly isRelay: boolean }): boolean {
  return first.secure === line.tls || (first.secure && line.isRelay);
}

/** RFC 8122 5: what the media line says, else what the session does. What cannot be read matches no certificate. */
function fingerprintsOf(media: MediaDescription, session: SessionDescription): readonly Fingerprint[] {
  const named = (attributes: readonly SdpAttribute[]): readonly SdpAttribute[] =>
    attributes.filter(({ name }) => name === 'fingerprint');
  const own = named(media.attributes);
  return (own.length > 0 ? own : named(session.attributes)).map(({ value }) => {
    const [hash = '', octets = ''] = words(value);
    return { hash: hash.toLowerCase(), value: octets.toUpperCase() };
  });
}

function setupOf(media: MediaDescription, session: SessionDescription): MsrpMedia['setup'] {
  const value = (
    attributeValue(media.attributes, 'setup') ?? attributeValue(session.attributes, 'setup')
  )?.toLowerCase();
  // RFC 6135 4.2.1: holdconn is as if there were no a=setup.
  return value === 'active' || value === 'passive' || value === 'actpass' ? value : null;
}

const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

function directionOf(part: { readonly attributes: readonly SdpAttribute[] }): MsrpMedia['direction'] | undefined {
  for (const direction of directions) if (attributeValue(part.attributes, direction) === null) return direction;
  return undefined;
}

function maxSizeOf(media: MediaDescription): number | null {
  const value = attributeValue(media.attributes, 'max-size') ?? '';
  return /^\d{1,15}$/.test(value) ? Number(value) : null;
}
