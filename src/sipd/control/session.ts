/**
 * The control port: connections of applications. Frames for one application that arise in one turn of the event loop
 * are written at once, and never from inside a read: drachtio-srf registers what it waits for after its own write.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { DaemonWays } from '../daemon-ways.ts';
import { limits } from '../limits.ts';
import { FrameReader, writeFrame } from './frame.ts';
import { RingReader } from './ring.ts';

export type ControlOptions = {
  readonly host: string;
  readonly port: number;
  readonly ways: DaemonWays;
  readonly onOpened: (session: number) => void;
  readonly onClosed: (session: number) => void;
  readonly onFrame: (session: number, payload: string) => void;
  /** The connection is closed because of what the application sent. */
  readonly onBroken: (session: number, reason: string) => void;
  /** The system lets nobody in: no file descriptors are left, for one. */
  readonly onTrouble: (reason: string) => void;
};

type Session = {
  readonly id: number;
  readonly socket: Socket;
  readonly reader: FrameReader | RingReader;
  outgoing: string;
  ending: boolean;
  /** When the connection is cut off: unless the server says something, since nobody stays who never authenticates. */
  login: NodeJS.Timeout | null;
  /** And when it was closed, and what it does not read cannot be sent. */
  end: NodeJS.Timeout | null;
};

/** The listening port and its connections, each named by a number. */
export class ControlPort {
  readonly #options: ControlOptions;
  readonly #server: Server;
  readonly #sessions = new Map<number, Session>();
  #dirty: Session[] = [];
  #flush: NodeJS.Immediate | null = null;
  #lastId = 0;
  /** Sessions whose connections we have made. */
  #ours = 0;

  private constructor(options: ControlOptions, server: Server) {
    this.#options = options;
    this.#server = server;
  }

  /** Listens; rejects with the system's error (EADDRINUSE …). */
  static async open(options: ControlOptions): Promise<ControlPort> {
    const server = createServer({ noDelay: true });
    const port = new ControlPort(options, server);
    server.on('connection', (socket) => port.accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => options.onTrouble(error.message));
    return port;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#options.port;
  }

  /** Takes a connection that came in here, or by a port with TLS. */
  accept(socket: Socket): void {
    if (this.#sessions.size - this.#ours >= limits.controlSessionsMax) {
      socket.destroy();
      this.#options.onTrouble('there are too many');
    } else this.#options.onOpened(this.#add(socket, { isOurs: false, loginMs: limits.controlLoginMs }));
  }

  /** Takes a connection that we have made; gives its number, which is told nobody else. Null: there are too many. */
  take(socket: Socket): number | null {
    if (this.#ours < limits.controlSessionsOutMax)
      return this.#add(socket, { isOurs: true, loginMs: limits.controlConnectMs });
    socket.destroy();
    return null;
  }

  #add(socket: Socket, { isOurs, loginMs }: { readonly isOurs: boolean; readonly loginMs: number }): number {
    this.#lastId += 1;
    if (isOurs) this.#ours += 1;
    const id = this.#lastId;
    const session: Session = {
      id,
      socket,
      reader: this.#options.ways.has('control-ring') ? new RingReader() : new FrameReader(limits.controlFrameBytesMax),
      outgoing: '',
      ending: false,
      login: setTimeout(() => socket.destroy(), loginMs).unref(),
      end: null,
    };
    this.#sessions.set(id, session);
    socket.setEncoding('latin1');
    socket.setKeepAlive(true, limits.tcpKeepAliveMs);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#read(session, String(chunk)));
    socket.once('close', () => {
      if (session.login !== null) clearTimeout(session.login);
      if (session.end !== null) clearTimeout(session.end);
      this.#sessions.delete(id);
      if (isOurs) this.#ours -= 1;
      this.#options.onClosed(id);
    });
    return id;
  }

  /** Queues a frame for the end of this turn. */
  send(id: number, payload: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined || session.ending) return;
    this.#markDirty(session);
    session.outgoing += writeFrame(payload);
    if (session.login === null) return;
    clearTimeout(session.login);
    session.login = null;
  }

  /** Octets of frames that the application furthest behind has not taken yet. */
  queuedBytes(): number {
    let most = 0;
    for (const { socket, outgoing } of this.#sessions.values()) {
      most = Math.max(most, socket.writableLength + outgoing.length);
    }
    return most;
  }

  /** Closes after what is queued. */
  closeSession(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#markDirty(session);
    session.ending = true;
  }

  async close(): Promise<void> {
    this.#flushAll();
    const gone = [...this.#sessions.values()].map(
      ({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const { socket } of this.#sessions.values()) socket.destroySoon();
    // The server knows only of connections that came in.
    const done = Promise.all([new Promise<void>((resolve) => this.#server.close(() => resolve())), ...gone]);
    const force = setTimeout(() => {
      for (const { socket } of this.#sessions.values()) socket.destroy();
    }, limits.closeGraceMs);
    await done;
    clearTimeout(force);
  }

  #read(session: Session, chunk: string): void {
    if (session.ending) return;
    const { frames, broken } = session.reader.push(chunk);
    for (const payload of frames) if (!session.ending) this.#options.onFrame(session.id, payload);
    if (broken === null || session.ending) return;
    this.#options.onBroken(session.id, broken);
    this.closeSession(session.id);
  }

  #markDirty(session: Session): void {
    if (session.outgoing === '' && !session.ending) this.#dirty.push(session);
    this.#flush ??= setImmediate(() => this.#flushAll());
  }

  #flushAll(): void {
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const session of dirty) {
      const { socket, outgoing } = session;
      session.outgoing = '';
      if (outgoing !== '') socket.write(outgoing, 'latin1');
      if (session.ending) {
        session.end ??= setTimeout(() => socket.destroy(), limits.streamEndMs).unref();
        socket.destroySoon();
      }
      // An application that stopped reading is as good as gone.
      else if (socket.writableLength > limits.controlQueueBytesMax) socket.destroy();
    }
  }
}
