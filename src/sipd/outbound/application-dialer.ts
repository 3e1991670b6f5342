/** Connects to applications that wait for connections (`srf.listen`). */

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ApplicationAddress } from '../handlers/request-handlers.ts';
import { limits } from '../limits.ts';
import { lookupThrough, type OutboundWays, tlsOptions } from './outbound-ways.ts';

export type Dialed =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly reason: string };

/** Knows the connections that are being made; those that are made are the caller's. */
export class ApplicationDialer {
  readonly #ways: OutboundWays;
  readonly #dialing = new Set<Socket>();

  constructor(ways: OutboundWays) {
    this.#ways = ways;
  }

  /** A connection, its TLS handshake done. Never rejects. */
  dial({ host, port, secure }: ApplicationAddress): Promise<Dialed> {
    const to = { host, port, lookup: lookupThrough(this.#ways.names), noDelay: true };
    // RFC 6066 3: the name indicated is never an address.
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = secure ? connectTls({ ...to, ...name, ...tlsOptions(this.#ways) }) : connect(to);
    this.#dialing.add(socket);
    return new Promise((resolve) => {
      let reason = 'closed';
      const timeout = setTimeout(() => socket.destroy(new Error('connect timed out')), limits.controlConnectMs);
      const done = (dialed: Dialed): void => {
        clearTimeout(timeout);
        this.#dialing.delete(socket);
        resolve(dialed);
      };
      socket.on('error', (error) => {
        reason = error.message;
      });
      socket.once(secure ? 'secureConnect' : 'connect', () => done({ kind: 'connected', socket }));
      socket.once('close', () => done({ kind: 'failed', reason }));
    });
  }

  /** Gives up what is being made. */
  close(): void {
    for (const socket of this.#dialing) socket.destroy();
  }
}
