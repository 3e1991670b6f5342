/** From a URI to where a request goes next, before any name is looked up (RFC 3261 8.1.2, RFC 3263 4). */

import { ipOctets } from '../../wire/ip-address.ts';
import { RemoteError } from '../../wire/remote-error.ts';
import { parseSipUri, type SipUri, uriParam } from '../../wire/sip-uri.ts';
import type { Protocol } from '../input.ts';

export type Hop = {
  readonly scheme: 'sip' | 'sips';
  /** TARGET of RFC 3263 4: an IP address (IPv6 without brackets), or a name in lower case without a dot at its end. */
  readonly host: string;
  /** Whether `host` is an address. */
  readonly numeric: boolean;
  /** As the URI has it; null: none. */
  readonly port: number | null;
  /** What the URI demands; null: nothing. */
  readonly transport: Protocol | null;
  /** The host of the URI itself, which maddr does not change: what a certificate must prove. */
  readonly name: string;
  /** The transport where RFC 3263 4.1 leaves it open; null: as it says there. */
  readonly usual: Protocol | null;
};

export type HopReading =
  | { readonly kind: 'hop'; readonly hop: Hop }
  | { readonly kind: 'refused'; readonly text: string };

/** Reads the next hop out of a URI; `usual` is the transport when neither the URI nor DNS names one. */
export function readHop(uriText: string, usual: Protocol | null = null): HopReading {
  const uri = tryParse(uriText);
  if (uri === null) return { kind: 'refused', text: `invalid request-uri: ${uriText}` };
  const { scheme } = uri;
  if (scheme === 'tel') return { kind: 'refused', text: `no route to tel uri: ${uriText}` };
  const transport = readTransport(uriParam(uri, 'transport'), scheme);
  if (transport === undefined) return { kind: 'refused', text: 'requested protocol/transport not available' };
  // RFC 3263 4: maddr stands in for the host.
  const maddr = uriParam(uri, 'maddr');
  const host = bareHost(maddr === undefined ? uri.host : (maddr ?? ''));
  const octets = addressOctets(host);
  const numeric = octets !== null;
  // The host of a URI has been checked with it; maddr has not.
  if (!numeric && maddr !== undefined && !isName(host)) {
    return { kind: 'refused', text: `invalid request-uri: ${uriText}` };
  }
  // Ours: SIP over multicast is asked for by nobody honest, and answers to it would come from anywhere.
  if (numeric && isMulticast(octets)) return { kind: 'refused', text: `no route to multicast address: ${uriText}` };
  return { kind: 'hop', hop: { scheme, host, numeric, port: uri.port, transport, name: bareHost(uri.host), usual } };
}

/** RFC 3261 12.2.1.1, 26.2.2: the same hop, by nothing but secured transports. */
export function secured(hop: Hop): Hop {
  const over = { udp: null, tcp: 'tls', tls: 'tls', ws: 'wss', wss: 'wss' } as const;
  return { ...hop, scheme: 'sips', transport: hop.transport === null ? null : over[hop.transport] };
}

/** Whether a URI asks for nothing but secured transports. */
export function isSips(uri: string): boolean {
  return uri.charCodeAt(4) === 58 && uri.slice(0, 4).toLowerCase() === 'sips';
}

/** Whether the text is an IP address and needs no lookup. An address with a scope (`fe80::1%eth0`) is none. */
export function isIpAddress(host: string): boolean {
  return addressOctets(host) !== null;
}

function addressOctets(host: string): readonly number[] | null {
  const last = host.charCodeAt(host.length - 1);
  // Most names end in a letter: no more need be read.
  return (last >= 48 && last <= 57) || host.includes(':') ? ipOctets(host) : null;
}

/** undefined: none we know. RFC 3261 26.2.2: with sips every transport is secured, which UDP cannot be. */
function readTransport(value: string | null | undefined, scheme: 'sip' | 'sips'): Protocol | null | undefined {
  if (value === undefined) return null;
  const secure = scheme === 'sips';
  switch (value?.toLowerCase()) {
    case 'udp':
      return secure ? undefined : 'udp';
    case 'tcp':
      return secure ? 'tls' : 'tcp';
    case 'tls':
      return 'tls';
    case 'ws':
      return secure ? 'wss' : 'ws';
    case 'wss':
      return 'wss';
    default:
      return undefined;
  }
}

function bareHost(host: string): string {
  if (host.startsWith('[')) return host.slice(1, -1);
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
}

/** What may be asked of DNS: RFC 1035 2.3.4, and the characters of host names with the common underscore. Lower case. */
export function isName(host: string): boolean {
  return host.length <= 253 && /^[a-z0-9_](?:[a-z0-9_-]|\.(?!\.))*$/.test(host) && !/(?:^|\.)\d+$/.test(host);
}

function isMulticast(octets: readonly number[]): boolean {
  const [first = 0] = octets;
  return octets.length === 16 ? first === 0xff : first >= 224 && first < 240;
}

function tryParse(text: string): SipUri | null {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
