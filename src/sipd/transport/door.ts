/** A listening socket, plain or with TLS: lets connections in as long as there is room. */

import { createServer, isIP, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Admission } from './admission.ts';
import type { Certificate, CertificatePair } from './certificate.ts';

export type DoorOptions = {
  /** An IP address; an IPv6 one hears IPv6 only. */
  readonly host: string;
  readonly port: number;
  /** Null counts nobody. */
  readonly admission: Admission | null;
  /** With it, only what has come through the TLS handshake comes in. */
  readonly certificate: Certificate | null;
  /** How long that may take. */
  readonly handshakeMs: number;
  readonly onSocket: (socket: Socket) => void;
  /** The system lets nobody in: no file descriptors are left, for one. */
  readonly onTrouble: (reason: string) => void;
  /** There is no room for a connection from that address. */
  readonly onRefused: (address: string) => void;
};

/** Closing it closes everybody who came in through it. */
export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: DoorOptions) {
    const { certificate, onSocket } = options;
    this.#options = options;
    if (certificate === null) {
      this.#server = createServer({ noDelay: true });
      this.#server.on('connection', (socket: Socket) => {
        if (this.#letIn(socket)) onSocket(socket);
      });
      return;
    }
    const secure = tlsServer(certificate, options.handshakeMs);
    secure.on('connection', (socket: Socket) => this.#letIn(socket));
    secure.on('secureConnection', (socket: TLSSocket) => onSocket(socket));
    this.#server = secure;
  }

  /** Listens; rejects with the system's error (EADDRINUSE …). */
  static async open(options: DoorOptions): Promise<Door> {
    const door = new Door(options);
    const server = door.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: options.port, host: options.host, ipv6Only: isIP(options.host) === 6 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => options.onTrouble(error.message));
    return door;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Lets nobody in any more and resolves when all have gone; those that linger longer than `graceMs` are cut off. */
  async close(graceMs: number): Promise<void> {
    const done = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const force = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await done;
    clearTimeout(force);
  }

  #letIn(socket: Socket): boolean {
    const { admission, onRefused } = this.#options;
    const { remoteAddress } = socket;
    // Before anybody else listens: an error nobody hears ends the process.
    socket.on('error', () => undefined);
    // It has gone again.
    if (remoteAddress === undefined) {
      socket.destroy();
      return false;
    }
    const leave = admission?.enter(remoteAddress) ?? null;
    if (admission !== null && leave === null) {
      socket.destroy();
      onRefused(remoteAddress);
      return false;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      leave?.();
    });
    return true;
  }
}

/** Every handshake gets the certificate that is in the files then. */
function tlsServer(certificate: Certificate, handshakeTimeout: number): TlsServer {
  let pair: CertificatePair = certificate.current();
  const server = createTlsServer({ noDelay: true, handshakeTimeout, ...pair });
  server.prependListener('connection', () => {
    const current = certificate.current();
    if (current === pair) return;
    pair = current;
    server.setSecureContext(pair);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
