/** SIP over byte streams: TCP and TLS sockets as carriers, accepted or connected (RFC 3261 18, 26.3.1). */

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { Certificate, CertificatePair } from './certificate.ts';
import { certificateProblem } from './certificate-names.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { StreamReader } from './stream.ts';

/** How we meet servers we connect to with TLS. */
export type TlsClientOptions = {
  /** What we show a server that asks who we are. */
  readonly certificate: Certificate | null;
  /** Authorities in place of the well-known ones; null: those. */
  readonly authorities: readonly Buffer[] | null;
  /** Whether a server must show a certificate for the domain we want. */
  readonly verify: boolean;
};

/** Makes a connection of a socket that has come in, its handshake done. */
export function acceptStream(socket: Socket, from: Peer, connections: Connections): void {
  join(socket, from, connections).opened();
}

/** Connects sockets to servers. */
export class StreamDialer {
  readonly #connections: Connections;
  readonly #options: TlsClientOptions;
  #context: { readonly pair: CertificatePair | null; readonly secure: SecureContext } | null = null;

  constructor(connections: Connections, options: TlsClientOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** A connection to `peer` that is still being made, from the local address `bound`; `left` is called when it is gone. */
  dial(peer: Peer, bound: string, left: () => void): Connection {
    const wildcard = bound === '0.0.0.0' || bound === '::';
    const to = { host: peer.host, port: peer.port, ...(wildcard ? {} : { localAddress: bound }) };
    const socket = peer.protocol === 'tls' ? this.#dialSecure(peer, to) : connect(to);
    const connection = join(socket, peer, this.#connections);
    const timeout = setTimeout(() => socket.destroy(new Error('connect timed out')), limits.streamConnectMs);
    socket.once(peer.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timeout);
      connection.opened();
    });
    socket.once('close', () => {
      clearTimeout(timeout);
      left();
    });
    return connection;
  }

  #dialSecure(peer: Peer, to: { readonly host: string; readonly port: number }): Socket {
    const wanted = peer.name ?? peer.host;
    return connectTls({
      ...to,
      secureContext: this.#secureContext(),
      // RFC 6066 3: the name indicated is never an address.
      servername: isIP(wanted) === 0 ? wanted : '',
      rejectUnauthorized: this.#options.verify,
      checkServerIdentity: (_host, certificate) => certificateProblem(wanted, certificate),
    });
  }

  #secureContext(): SecureContext {
    const { certificate, authorities } = this.#options;
    const pair = certificate?.current() ?? null;
    if (this.#context === null || this.#context.pair !== pair) {
      const ca = authorities === null ? {} : { ca: [...authorities] };
      this.#context = { pair, secure: createSecureContext({ ...ca, ...pair }) };
    }
    return this.#context.secure;
  }
}

function join(socket: Socket, peer: Peer, connections: Connections): Connection {
  const reader = new StreamReader();
  const connection = connections.add(peer, {
    write: (text) => {
      socket.write(text, 'latin1');
    },
    queued: () => socket.writableLength,
    held: () => reader.held,
    end: () => socket.destroySoon(),
    destroy: () => {
      socket.destroy();
    },
  });
  let failure = 'closed';
  socket.setNoDelay(true);
  socket.setKeepAlive(true, limits.tcpKeepAliveMs);
  socket.setEncoding('latin1');
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('data', (chunk) => {
    const text = String(chunk);
    const events = reader.push(text);
    connection.take(events, reader.partial, text.length);
  });
  socket.once('close', () => connection.closed(failure));
  return connection;
}
