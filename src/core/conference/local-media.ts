/** Our side of a message session: which transports there are, and the URIs and lines that say so (RFC 4975 8). */

import { type MsrpUri, parseMsrpUri, writeMsrpUri } from '../../wire/msrp-uri.ts';
import type { MediaDescription, MsrpMedia } from '../../wire/sdp.ts';
import type { MsrpSelf } from '../settings.ts';

/** What the focus itself says in every description of one endpoint. */
export type LocalMedia = {
  readonly msrp: MsrpSelf;
  /** Of our path. */
  readonly sessionId: string;
  /** RFC 4976 5.1: those that lead to us, as they were when the session began; RFC 4975 8.4: another path is another session. */
  readonly relays: readonly string[];
  readonly originId: string;
  readonly audio: 'off' | 'inactive';
  /** RFC 7701 8: tokens of a=chatroom. */
  readonly chatroom: readonly string[];
  /** RFC 7701 4.1: nobody may exchange messages in the clear. */
  readonly secureOnly: boolean;
  readonly lenient: boolean;
};

/** How octets come to us: msrps or msrp, over TCP or WebSocket. */
export type Way = { readonly secure: boolean; readonly transport: 'tcp' | 'ws' };

/** The way that a line of the peer asks for; null when its transport is none of ours. */
export function wayOf({ tls, transport }: MsrpMedia): Way | null {
  return transport === 'tcp' || transport === 'ws' ? { secure: tls, transport } : null;
}

/** Our path in a=path, the URI to connect to first; null when that way is not open, or in the clear against the policy. */
export function ourPath(local: LocalMedia, way: Way): readonly MsrpUri[] | null {
  const { msrp, sessionId, secureOnly } = local;
  // RFC 7977: a WebSocket client cannot connect to a relay of TCP.
  const relays = way.transport === 'ws' ? [] : local.relays.map(parseMsrpUri);
  // RFC 4976: nobody connects to us where relays stand before us, so that our own port says no more than who we are.
  const port = portOf(msrp, way) ?? (relays.length > 0 ? msrp.port : null);
  if (port === null || (secureOnly && !way.secure)) return null;
  const path = [...relays, { ...way, host: bracketed(msrp.host), port, sessionId }];
  return way.secure && path[0]?.secure === false ? null : path;
}

/** RFC 6135 4.2: whoever offers actpass or active connects; the focus waits where it may, and always for WebSocket clients. */
export function answeredRole({ setup, transport }: MsrpMedia): 'active' | 'passive' {
  return setup === 'passive' && transport !== 'ws' ? 'active' : 'passive';
}

/** What an answer or an offer says of messages beside what is the same in all of them. */
export type MessageManner = {
  readonly protocol: string;
  readonly setup: string;
  readonly direction: MsrpMedia['direction'];
  /** RFC 6714 4.2, 4.3: offered, and answered to those who offer it. */
  readonly cema: boolean;
};

export const chatType = 'message/cpim';

/** The m-line of a message session whose path `ourPath` gave. */
export function messageLine(local: LocalMedia, path: readonly MsrpUri[], manner: MessageManner): MediaDescription {
  const attributes = [
    { name: 'accept-types', value: chatType },
    { name: 'accept-wrapped-types', value: 'text/plain text/html *' },
    { name: 'max-size', value: String(local.msrp.maxSize) },
    { name: 'setup', value: manner.setup },
    // RFC 7701 8: bare chatroom where there are neither nicknames nor private messages.
    { name: 'chatroom', value: local.chatroom.length === 0 ? null : local.chatroom.join(' ') },
    { name: 'path', value: written(path) },
  ];
  if (manner.cema && path.length === 1) attributes.push({ name: 'msrp-cema', value: null });
  if (manner.direction !== 'sendrecv') attributes.push({ name: manner.direction, value: null });
  return { media: 'message', protocol: manner.protocol, formats: ['*'], ...reachedBy(path), attributes };
}

// RFC 4975 8.1: m= and c= name what is to be connected to; where that is us, the session's c= says it.
function reachedBy(path: readonly MsrpUri[]): Pick<MediaDescription, 'port' | 'connection'> {
  const { host = '', port = null } = path[0] ?? {};
  return { port: port ?? 0, connection: path.length === 1 ? null : host };
}

/** The same lines for the session of `local`, which has another path; null when the way of one is not open any more. */
export function withPath(lines: readonly MediaDescription[], local: LocalMedia): readonly MediaDescription[] | null {
  const changed: MediaDescription[] = [];
  for (const line of lines) {
    const own = ownUri(line);
    const path = own === null ? [] : ourPath(local, own);
    if (path === null) return null;
    changed.push(own === null ? line : ledBy(line, path));
  }
  return changed;
}

function ledBy(line: MediaDescription, path: readonly MsrpUri[]): MediaDescription {
  // Behind relays neither holds: the first of them shows its certificate, and is no middlebox (RFC 6714 4.1).
  const isGone = (name: string): boolean => path.length > 1 && (name === 'fingerprint' || name === 'msrp-cema');
  const attributes = line.attributes
    .filter(({ name }) => !isGone(name))
    .map((each) => (each.name === 'path' ? { ...each, value: written(path) } : each));
  return { ...line, ...reachedBy(path), attributes };
}

/** RFC 8122 5: a line of TLS has the fingerprint of our certificate as it is now, unless a relay is who shows one. */
export function withFingerprint(lines: readonly MediaDescription[], local: LocalMedia): readonly MediaDescription[] {
  const { fingerprint } = local.msrp.present();
  return lines.map((line) => {
    const isOurs = line.protocol.toUpperCase() === 'TCP/TLS/MSRP' && pathOf(line).length === 1;
    if (fingerprint === null || !isOurs) return line;
    const others = line.attributes.filter(({ name }) => name !== 'fingerprint');
    return { ...line, attributes: [...others, { name: 'fingerprint', value: fingerprint }] };
  });
}

/** Our own URI, and the relays before it as in a=path, in what we described; null without a message line. */
export function describedPath(
  lines: readonly MediaDescription[],
): { readonly localPath: string; readonly relays: readonly string[] } | null {
  const line = lines.find((each) => ownUri(each) !== null);
  const uris = line === undefined ? [] : pathOf(line);
  const localPath = uris.at(-1);
  return localPath === undefined ? null : { localPath, relays: uris.slice(0, -1) };
}

/** RFC 5547 6: whether a line is about a file, which has a session of its own. */
export function isFileLine(line: MediaDescription): boolean {
  return line.attributes.some(({ name }) => name === 'file-selector');
}

/** The value of the first attribute of that name, null without one. */
export function attributeOf(line: MediaDescription, name: string): string | null {
  return line.attributes.find((attribute) => attribute.name === name)?.value ?? null;
}

/** The way of a line of ours; null when it is not one of messages. */
function ownUri(line: MediaDescription): Way | null {
  const text = line.media === 'message' && !isFileLine(line) ? pathOf(line).at(-1) : undefined;
  if (text === undefined) return null;
  const { secure, transport } = parseMsrpUri(text);
  return { secure, transport: transport === 'ws' ? 'ws' : 'tcp' };
}

function pathOf(line: MediaDescription): readonly string[] {
  return (attributeOf(line, 'path') ?? '').split(' ').filter((uri) => uri !== '');
}

function portOf(msrp: MsrpSelf, { secure, transport }: Way): number | null {
  if (transport === 'ws') return secure ? msrp.wssPort : msrp.wsPort;
  return secure ? msrp.tlsPort : msrp.port;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function written(path: readonly MsrpUri[]): string {
  return path.map(writeMsrpUri).join(' ');
}
