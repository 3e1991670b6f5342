/** From a URI to where a request goes next (RFC 3261 8.1.2, RFC 3263 4 as far as addresses and plain host names). */

import { RemoteError } from '../../wire/remote-error.ts';
import { parseSipUri, type SipUri, uriParam } from '../../wire/sip-uri.ts';
import type { Protocol } from '../input.ts';

/** `host` is an IP address (IPv6 without brackets) or a name that must be looked up. */
export type Hop = { readonly protocol: Protocol; readonly host: string; readonly port: number };

export type HopReading =
  | { readonly kind: 'hop'; readonly hop: Hop }
  /** A secure transport nobody listens for: the daemon takes such a request and answers it 416 itself. */
  | { readonly kind: 'no-secure-transport' }
  | { readonly kind: 'refused'; readonly text: string };

/** Reads the next hop out of a URI; `usual` is the transport when the URI names none. */
export function readHop(uriText: string, usual: Protocol = 'udp'): HopReading {
  const uri = tryParse(uriText);
  if (uri === null) return { kind: 'refused', text: `invalid request-uri: ${uriText}` };
  if (uri.scheme === 'tel') return { kind: 'refused', text: `no route to tel uri: ${uriText}` };
  if (uri.scheme === 'sips') return { kind: 'no-secure-transport' };
  const transport = (uriParam(uri, 'transport') ?? usual).toLowerCase();
  if (transport !== 'udp' && transport !== 'tcp') {
    return { kind: 'refused', text: 'requested protocol/transport not available' };
  }
  // RFC 3263 4: maddr stands in for the host.
  const host = uriParam(uri, 'maddr') ?? uri.host;
  return { kind: 'hop', hop: { protocol: transport, host: withoutBrackets(host), port: uri.port ?? 5060 } };
}

/** Whether the text is an IP address and needs no lookup. */
export function isIpAddress(host: string): boolean {
  if (host.includes(':')) return true;
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function tryParse(text: string): SipUri | null {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
