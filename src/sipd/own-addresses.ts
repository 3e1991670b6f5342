/** Our own addresses: one for each socket that listens, as it goes into Via, Contact and Record-Route. */

import type { Peer, Protocol } from './input.ts';

export type OwnAddress = {
  /** Which socket; peers that were heard through it name it. */
  readonly listener: number;
  readonly protocol: Protocol;
  readonly family: 4 | 6;
  /** What others are told: an IP address (IPv6 in brackets) or a name. */
  readonly host: string;
  readonly port: number;
  /** The address that is bound; IPv6 without brackets. */
  readonly bound: string;
};

/** All of them, at least one. `aliases` are further hosts by which others may name this server (any of the ports). */
export class OwnAddresses {
  readonly all: readonly OwnAddress[];
  readonly first: OwnAddress;
  readonly #hosts: ReadonlySet<string>;
  readonly #ports: ReadonlySet<number>;

  constructor(all: readonly OwnAddress[], aliases: readonly string[]) {
    const [first] = all;
    if (first === undefined) throw new Error('a SIP server has an address');
    this.all = all;
    this.first = first;
    const hosts = [...all.flatMap(({ host, bound }) => [host, bound]), ...aliases];
    this.#hosts = new Set(hosts.map(withoutBrackets));
    this.#ports = new Set(all.map(({ port }) => port));
  }

  /** The address to speak from to a host by a protocol; a name counts as of any family. Null: no socket can. */
  towards(protocol: Protocol, host: string): OwnAddress | null {
    const family = familyOf(host);
    for (const own of this.all) {
      if (own.protocol === protocol && (family === null || own.family === family)) return own;
    }
    return null;
  }

  /** The address a peer has been heard through, or the one to speak to it from. */
  of(peer: Pick<Peer, 'protocol' | 'host' | 'listener'>): OwnAddress {
    if (peer.listener !== null) for (const own of this.all) if (own.listener === peer.listener) return own;
    return this.towards(peer.protocol, peer.host) ?? this.first;
  }

  /** Whether host and port name this server. */
  isOwn(host: string, port: number): boolean {
    return this.#ports.has(port) && this.#hosts.has(withoutBrackets(host));
  }
}

/**
 * `<sip:host:port>` of the transport, with `;transport=` when it is not UDP: what a Contact is when nobody gave one. With
 * `secure`, and a transport that is, `<sips:host:port>`.
 */
export function bareContact(own: OwnAddress, secure = false): string {
  // RFC 3261 8.1.1.8, 12.1.1: what is sent to or received by a sips URI has a sips Contact.
  if (secure && own.protocol === 'tls') return `<sips:${own.host}:${own.port}>`;
  if (secure && own.protocol === 'wss') return `<sips:${own.host}:${own.port};transport=ws>`;
  // RFC 3261 26.2.2, RFC 7118 5.5: what is secure says so by its transport; sips is left to those who want it.
  return `<sip:${own.host}:${own.port}${own.protocol === 'udp' ? '' : `;transport=${own.protocol}`}>`;
}

/** Of an IP address; null: a name. No name ends in a label of digits (RFC 3261 25.1), and few in a digit. */
function familyOf(host: string): 4 | 6 | null {
  if (host.includes(':')) return 6;
  for (let at = host.length - 1; at >= 0; at -= 1) {
    const code = host.charCodeAt(at);
    if ((code < 48 || code > 57) && code !== 46) return null;
  }
  return host === '' ? null : 4;
}

function withoutBrackets(host: string): string {
  return (host.startsWith('[') ? host.slice(1, -1) : host).toLowerCase();
}
