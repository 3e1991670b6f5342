/** SIP over TCP: listens, connects, uses connections again in both directions (RFC 3261 18), and bounds them. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { type StreamEvent, StreamReader } from './stream.ts';

export type TcpOptions = {
  readonly host: string;
  readonly port: number;
  readonly onMessage: (from: Peer, text: string) => void;
  readonly onBroken: (from: Peer, text: string, reason: string) => void;
  readonly onClosed: (peer: Peer) => void;
  readonly onUnreachable: (peer: Peer, reason: string) => void;
};

type Connection = {
  readonly id: number;
  readonly socket: Socket;
  readonly peer: Peer;
  readonly reader: StreamReader;
  /** Runs while a message is being received. */
  partial: NodeJS.Timeout | null;
  established: boolean;
};

/** The listening socket and all connections, made or accepted. */
export class TcpTransport {
  readonly #options: TcpOptions;
  readonly #server: Server;
  readonly #byId = new Map<number, Connection>();
  readonly #byAddress = new Map<string, Connection>();
  #lastId = 0;
  #closed = false;

  private constructor(options: TcpOptions, server: Server) {
    this.#options = options;
    this.#server = server;
  }

  /** Listens; rejects with the system's error (EADDRINUSE …). */
  static async open(options: TcpOptions): Promise<TcpTransport> {
    const server = createServer({ noDelay: true });
    const transport = new TcpTransport(options, server);
    server.on('connection', (socket) => transport.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return transport;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#options.port;
  }

  /** Sends over the connection named, else over one to the same address, else over a new one. */
  send(peer: Peer, text: string): void {
    if (this.#closed) return;
    const connection = this.#find(peer) ?? this.#connect(peer);
    if (connection === null) {
      setImmediate(() => this.#options.onUnreachable(peer, 'too many connections'));
      return;
    }
    write(connection.socket, text);
  }

  /** Closes once what was written is sent. */
  closeConnection(id: number): void {
    this.#byId.get(id)?.socket.destroySoon();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { socket } of this.#byId.values()) socket.destroySoon();
    const done = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A peer that never finishes its side shall not hold the process.
    const force = setTimeout(() => {
      for (const { socket } of this.#byId.values()) socket.destroy();
    }, 200);
    await done;
    clearTimeout(force);
  }

  #find(peer: Peer): Connection | undefined {
    const named = peer.connection === null ? undefined : this.#byId.get(peer.connection);
    return named ?? this.#byAddress.get(addressKey(peer));
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined || this.#byId.size >= limits.streamConnectionsMax) {
      socket.destroy();
      return;
    }
    const connection = this.#add(socket, { host: remoteAddress, port: remotePort });
    connection.established = true;
  }

  #connect(peer: Peer): Connection | null {
    if (this.#byId.size >= limits.streamConnectionsMax) return null;
    const socket = connect({ host: peer.host, port: peer.port, noDelay: true });
    const connection = this.#add(socket, peer);
    const timeout = setTimeout(() => socket.destroy(new Error('connect timed out')), limits.streamConnectMs);
    socket.once('connect', () => {
      clearTimeout(timeout);
      connection.established = true;
    });
    socket.once('close', () => clearTimeout(timeout));
    return connection;
  }

  #add(socket: Socket, address: { readonly host: string; readonly port: number }): Connection {
    this.#lastId += 1;
    const peer: Peer = {
      protocol: 'tcp',
      host: address.host,
      port: address.port,
      connection: this.#lastId,
      listener: null,
    };
    const connection: Connection = {
      id: this.#lastId,
      socket,
      peer,
      reader: new StreamReader(),
      partial: null,
      established: false,
    };
    this.#byId.set(connection.id, connection);
    this.#byAddress.set(addressKey(peer), connection);
    this.#listen(connection);
    return connection;
  }

  #listen(connection: Connection): void {
    const { socket, peer } = connection;
    socket.setEncoding('latin1');
    socket.setKeepAlive(true, 45_000);
    socket.setTimeout(limits.streamIdleMs, () => socket.destroySoon());
    let failure = 'closed';
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('data', (chunk) => this.#read(connection, String(chunk)));
    socket.once('close', () => {
      if (connection.partial !== null) clearTimeout(connection.partial);
      this.#byId.delete(connection.id);
      if (this.#byAddress.get(addressKey(peer)) === connection) this.#byAddress.delete(addressKey(peer));
      if (this.#closed) return;
      if (connection.established) this.#options.onClosed(peer);
      else this.#options.onUnreachable(peer, failure);
    });
  }

  #read(connection: Connection, chunk: string): void {
    const events = connection.reader.push(chunk);
    for (const event of events) this.#take(connection, event);
    // RFC 5626 4.4.1, all of one read at once.
    const pings = events.filter(({ kind }) => kind === 'ping').length;
    if (pings > 0) write(connection.socket, '\r\n'.repeat(pings));
    // Every message has its own time: a busy connection ends many a read within one.
    if (connection.partial !== null && (events.length > 0 || !connection.reader.partial)) {
      clearTimeout(connection.partial);
      connection.partial = null;
    }
    if (!connection.reader.partial) return;
    connection.partial ??= setTimeout(() => connection.socket.destroy(), limits.streamPartialMs).unref();
  }

  #take({ socket, peer }: Connection, event: StreamEvent): void {
    if (event.kind === 'ping') return;
    if (event.kind === 'message') this.#options.onMessage(peer, event.text);
    else if (event.text === '') socket.destroySoon();
    else this.#options.onBroken(peer, event.text, event.reason);
  }
}

function write(socket: Socket, text: string): void {
  socket.write(text, 'latin1');
  // A peer that does not read must not fill our memory.
  if (socket.writableLength > limits.streamQueueBytesMax) socket.destroy();
}

function addressKey(peer: { readonly host: string; readonly port: number }): string {
  return `${peer.host} ${peer.port}`;
}
