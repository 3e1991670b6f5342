/** MSRP URIs (RFC 4975 6 and 9): parse, write, compare. */

import { canonicalIp, ipOctets } from './ip-address.ts';
import { RemoteError } from './remote-error.ts';

export type MsrpUri = {
  /** msrps: the connection must be TLS. */
  readonly secure: boolean;
  /** Lower case, percent-decoded; IPv6 in brackets. */
  readonly host: string;
  /** RFC 4975 6: there is no default; null only in URIs that name no session. */
  readonly port: number | null;
  /** Case-sensitive; empty when the URI names a host device and no session. */
  readonly sessionId: string;
  /** Lower case, `tcp` or an extension. */
  readonly transport: string;
};

/** Far above any honest path element; keeps what is stored per session small. */
const uriCharactersMax = 1_024;

// RFC 4975 9: scheme "://" [userinfo "@"] host [":" port] ["/" session-id] ";" transport *(";" parameter).
const uriPattern =
  /^(msrps?):\/\/(?:[\w\-.~!$&'()*+,;=%]*@)?(\[[\da-f:.]+\]|[\w\-.~%]+)(?::(\d{1,5}))?(?:\/([\w\-.~+=/]+))?;([\da-z]+)((?:;[^;\s]+)*)$/i;
const paramsPattern = /^(?:;[!#-'*+\-.\w^`{|}~]+(?:=[!#-'*+\-.\w^`{|}~]+)?)*$/;

/** Reads one MSRP URI. User part and parameters mean nothing to us and are not kept. Throws RemoteError 400. */
export function parseMsrpUri(text: string): MsrpUri {
  const match = text.length > uriCharactersMax ? null : uriPattern.exec(text);
  if (match === null) throw new RemoteError(400, 'The MSRP URI is malformed');
  const [, scheme = '', host = '', port, sessionId = '', transport = '', params = ''] = match;
  if (params !== '' && !paramsPattern.test(params))
    throw new RemoteError(400, 'A parameter of the MSRP URI is malformed');
  return {
    secure: scheme.toLowerCase() === 'msrps',
    host: parseHost(host),
    port: port === undefined ? null : parsePort(port),
    sessionId,
    transport: transport.toLowerCase(),
  };
}

/** The text of a URI; the host goes out as it is, so IPv6 must stand in brackets. */
export function writeMsrpUri(uri: MsrpUri): string {
  const port = uri.port === null ? '' : `:${uri.port}`;
  const sessionId = uri.sessionId === '' ? '' : `/${uri.sessionId}`;
  return `${uri.secure ? 'msrps' : 'msrp'}://${uri.host}${port}${sessionId};${uri.transport}`;
}

/** RFC 4975 6.1, all five rules. */
export function sameMsrpUri(a: MsrpUri, b: MsrpUri): boolean {
  return (
    sameMsrpSession(a, b) &&
    canonicalHost(a.host) === canonicalHost(b.host) &&
    // RFC 4975 6.1: an explicit port never equals none.
    a.port === b.port
  );
}

/**
 * Whether two URIs name the same session when the authority is left out of account. A session id is unguessable
 * (RFC 4975 14.1), so it identifies a session of ours also where a middlebox rewrote the host on the way.
 */
export function sameMsrpSession(a: MsrpUri, b: MsrpUri): boolean {
  return a.secure === b.secure && a.sessionId === b.sessionId && a.transport === b.transport;
}

function parseHost(text: string): string {
  const host = decodeHost(text).toLowerCase();
  if (host.startsWith('[')) {
    if (ipOctets(host.slice(1, -1))?.length !== 16) throw new RemoteError(400, 'The host of the MSRP URI is malformed');
    return host;
  }
  if (host.length > 255 || !/^[\w\-.~]+$/.test(host)) {
    throw new RemoteError(400, 'The host of the MSRP URI is malformed');
  }
  return host;
}

// RFC 4975 6.1: percent-encoded characters of the authority are decoded before comparison.
function decodeHost(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RemoteError(400, 'A percent escape of the MSRP URI is malformed');
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (port < 1 || port > 65_535) throw new RemoteError(400, 'The port of the MSRP URI is out of range');
  return port;
}

function canonicalHost(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return canonicalIp(bare) ?? host;
}
