/** A listening socket of one transport: what has come through its handshakes comes in as a carrier. */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Admission, Entry } from './admission.ts';
import { type Carrier, SocketCarrier } from './carrier.ts';
import type { Certificate } from './certificate.ts';
import { socketOptions } from './connection.ts';
import type { MsrpLog } from './msrp-log.ts';
import { WebSocketEntrance } from './websocket.ts';

/** Somebody who has come in. */
export type Arrival = {
  readonly carrier: Carrier;
  readonly entry: Entry;
  readonly secure: boolean;
  /** In DER, as the peer has shown it. */
  readonly certificate: Buffer | null;
};

export type DoorOptions = {
  readonly host: string;
  readonly port: number;
  /** With it, TLS. */
  readonly certificate: Certificate | null;
  readonly webSocket: boolean;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly log: MsrpLog;
  readonly onArrival: (arrival: Arrival) => void;
};

/** Hands over each who has arrived, and knows nothing of it afterwards. */
export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #entrance: WebSocketEntrance | null;
  /** Those who are still in a handshake; who has arrived belongs to others. */
  readonly #arriving = new Map<Socket, Entry>();

  private constructor(options: DoorOptions) {
    const { certificate, webSocket, clock } = options;
    this.#options = options;
    this.#entrance = webSocket ? new WebSocketEntrance(clock) : null;
    if (certificate === null) {
      this.#server = createServer(socketOptions);
      this.#server.on('connection', (socket) => {
        if (this.#letIn(socket)) this.#welcome(socket, socket);
      });
      return;
    }
    const secure = tlsServer(certificate, !webSocket);
    // TLS gives the socket below first, and itself once the handshake is done; both have the same addresses.
    const below = new Map<string, Socket>();
    secure.on('connection', (socket: Socket) => {
      const key = addressOf(socket);
      if (!this.#letIn(socket)) return;
      below.set(key, socket);
      socket.once('close', () => below.delete(key));
    });
    secure.on('secureConnection', (socket: TLSSocket) => {
      const raw = below.get(addressOf(socket));
      if (raw === undefined) socket.destroy();
      else this.#welcome(raw, socket);
    });
    this.#server = secure;
  }

  /** Listens; rejects with the system's error (EADDRINUSE …). */
  static async open(options: DoorOptions): Promise<Door> {
    const door = new Door(options);
    const { host, port, log } = options;
    const server = door.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => log.warn({ reason: error.message }, 'MSRP listener failed'));
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets nobody in any more; those who have arrived are to be closed by others before this resolves. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#arriving.keys()) socket.destroy();
    await closed;
  }

  #letIn(socket: Socket): boolean {
    const { admission, log } = this.#options;
    const { remoteAddress: address } = socket;
    // Before anybody else listens: an error nobody hears ends the process.
    socket.on('error', () => undefined);
    const entry = address === undefined ? null : admission.enter(address);
    if (entry === null) {
      log.warn({ peer: address }, 'MSRP connection refused');
      socket.destroy();
      return false;
    }
    this.#arriving.set(socket, entry);
    socket.once('close', () => {
      this.#arriving.delete(socket);
      entry.left();
    });
    return true;
  }

  /** `socket` is what carries octets: `raw` itself, or TLS over it. */
  #welcome(raw: Socket, socket: Socket | TLSSocket): void {
    const entry = this.#arriving.get(raw);
    if (entry === undefined) return;
    const arrive = (carrier: Carrier): void => {
      this.#arriving.delete(raw);
      const { certificate, onArrival } = this.#options;
      onArrival({ carrier, entry, secure: certificate !== null, certificate: shownBy(socket) });
    };
    if (this.#entrance === null) arrive(new SocketCarrier(socket));
    else this.#entrance.accept(socket, arrive);
  }
}

/** The peer's certificate, whoever has signed it; null: it has shown none. */
function shownBy(socket: Socket | TLSSocket): Buffer | null {
  if (!('getPeerCertificate' in socket)) return null;
  return socket.getPeerCertificate().raw ?? null;
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
}

/**
 * Every handshake gets the certificate that is in the files then. RFC 8122 6.2: peers are asked for theirs, which their
 * description vouches for; browsers are not, since they would ask their users.
 */
function tlsServer(certificate: Certificate, requestCert: boolean): TlsServer {
  let pair = certificate.current();
  const how = { handshakeTimeout: limits.msrpHandshakeMs, requestCert, rejectUnauthorized: false };
  const server = createTlsServer({ ...socketOptions, ...how, cert: pair.cert, key: pair.key });
  server.prependListener('connection', () => {
    const current = certificate.current();
    if (current === pair) return;
    pair = current;
    server.setSecureContext(pair);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
