/** Which transports may carry a request to a hop, and what each of them means in DNS (RFC 3263 4.1, RFC 7118 5.5). */

import type { Protocol } from '../input.ts';
import type { OwnAddresses } from '../own-addresses.ts';
import type { Hop } from './next-hop.ts';

type Traits = {
  readonly secure: boolean;
  readonly port: number;
  /** RFC 3263 4.1, 4.2: what comes before the domain in SRV; RFC 7118 has none for WebSocket. */
  readonly srvPrefix: string | null;
  /** Service field of NAPTR, upper case. */
  readonly naptr: string;
};

// RFC 3261 19.1.2 and RFC 7118 5.5 for the ports.
const traits: Readonly<Record<Protocol, Traits>> = {
  udp: { secure: false, port: 5060, srvPrefix: '_sip._udp.', naptr: 'SIP+D2U' },
  tcp: { secure: false, port: 5060, srvPrefix: '_sip._tcp.', naptr: 'SIP+D2T' },
  tls: { secure: true, port: 5061, srvPrefix: '_sips._tcp.', naptr: 'SIPS+D2T' },
  ws: { secure: false, port: 80, srvPrefix: null, naptr: 'SIP+D2W' },
  wss: { secure: true, port: 443, srvPrefix: null, naptr: 'SIPS+D2W' },
};

/** Our order of preference. RFC 3263 4.1: UDP is what everybody has. */
const preference: readonly Protocol[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

/** Every transport we have a socket for that the hop allows, preferred ones first; empty: it cannot be reached. */
export function transportsFor(hop: Hop, own: OwnAddresses): readonly Protocol[] {
  return preference.filter((protocol) => allows(hop, own, protocol));
}

/**
 * The transport when nothing says more; null: it cannot be reached. RFC 3263 4.1: UDP for sip, TCP (hence TLS) for sips,
 * or the next we have; `usual` goes before that where it is allowed.
 */
export function defaultTransport(hop: Hop, own: OwnAddresses): Protocol | null {
  if (hop.usual !== null && allows(hop, own, hop.usual)) return hop.usual;
  for (const protocol of preference) {
    if (allows(hop, own, protocol)) return protocol;
  }
  return null;
}

function allows({ scheme, transport, host }: Hop, own: OwnAddresses, protocol: Protocol): boolean {
  return (
    (transport === null || transport === protocol) &&
    // RFC 3263 4.1: with sips what is not secured is discarded; sip takes what is.
    (scheme === 'sip' || traits[protocol].secure) &&
    own.towards(protocol, host) !== null
  );
}

/** The port when neither the URI nor SRV names one. */
export function defaultPort(protocol: Protocol): number {
  return traits[protocol].port;
}

/** The name of SRV records of a domain for a transport; null when there is none. */
export function srvName(protocol: Protocol, domain: string): string | null {
  const { srvPrefix } = traits[protocol];
  return srvPrefix === null ? null : srvPrefix + domain;
}

/** The transport a NAPTR service stands for, of those allowed. */
export function transportOfService(service: string, allowed: readonly Protocol[]): Protocol | null {
  const wanted = service.toUpperCase();
  return allowed.find((protocol) => traits[protocol].naptr === wanted) ?? null;
}

/** Whether nobody on the way can read along. */
export function isSecure(protocol: Protocol): boolean {
  return traits[protocol].secure;
}
