/** From a URI to where a request goes next, before any name is looked up (RFC 3261 8.1.2, RFC 3263 4). */

import { canonicalIp, ipOctets } from '../../wire/ip-address.ts';
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
  /** Whether what a name leads to must be a public address; it may be any when absent. */
  readonly publicOnly?: boolean;
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
  const written = bareHost(maddr === undefined ? uri.host : (maddr ?? ''));
  const literal = readLiteral(written);
  // The host of a URI has been checked with it; maddr has not.
  if (literal === null && maddr !== undefined && !isName(written)) {
    return { kind: 'refused', text: `invalid request-uri: ${uriText}` };
  }
  const wrong = literal === null ? null : uselessKind(literal.octets);
  if (wrong !== null) return { kind: 'refused', text: `no route to ${wrong} address: ${uriText}` };
  const host = literal === null ? written : literal.text;
  const name = maddr === undefined ? written : bareHost(uri.host);
  return { kind: 'hop', hop: { scheme, host, numeric: literal !== null, port: uri.port, transport, name, usual } };
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

/**
 * The address a text is, so written that equal addresses are equal texts; null when it is none, or none that anything may
 * be sent to. An address with a scope (`fe80::1%eth0`) is none.
 */
export function usableAddress(host: string): string | null {
  const literal = readLiteral(host);
  return literal === null || uselessKind(literal.octets) !== null ? null : literal.text;
}

type Literal = { readonly text: string; readonly octets: readonly number[] };

function readLiteral(host: string): Literal | null {
  const last = host.charCodeAt(host.length - 1);
  const colon = host.includes(':');
  // Most names end in a letter: no more need be read.
  if (!colon && (last < 48 || last > 57)) return null;
  const octets = ipOctets(host);
  if (octets === null) return null;
  // Decimal numbers without zeros before them are spelt in one way only.
  if (!colon) return { text: host, octets };
  if (!isMapped(octets)) return { text: canonicalIp(host) ?? host, octets };
  const ipv4 = octets.slice(12);
  return { text: ipv4.join('.'), octets: ipv4 };
}

/** RFC 4291 2.5.5.2: an IPv4 address as a socket for both families writes it. */
function isMapped(octets: readonly number[]): boolean {
  return octets[10] === 0xff && octets[11] === 0xff && octets.slice(0, 10).every((each) => each === 0);
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

/** What kind of address nothing is sent to; null: any other. */
function uselessKind(octets: readonly number[]): 'multicast' | 'unspecified' | 'reserved' | null {
  const [first = 0] = octets;
  const six = octets.length === 16;
  // Ours: SIP over multicast is asked for by nobody honest, and answers to it would come from anywhere.
  if (six ? first === 0xff : first >= 224 && first < 240) return 'multicast';
  // RFC 1122 3.2.1.3, RFC 4291 2.5.2: no destination; systems take it for this machine, which others may not name so.
  if (first === 0 && (!six || octets.every((each) => each === 0))) return 'unspecified';
  // RFC 1112 4, and the broadcast address.
  return !six && first >= 240 ? 'reserved' : null;
}

function tryParse(text: string): SipUri | null {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
