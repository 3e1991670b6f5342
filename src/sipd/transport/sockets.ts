/** Every socket SIP goes through: opens them on their addresses and ports, sends through the right one, closes them. */

import { isIP, type Socket } from 'node:net';
import type { Peer, Protocol } from '../input.ts';
import { limits } from '../limits.ts';
import type { Admission } from './admission.ts';
import { acceptStream, StreamDialer, type TlsClientOptions } from './byte-streams.ts';
import type { Certificate } from './certificate.ts';
import type { ConnectionUser } from './connection.ts';
import { Connections } from './connections.ts';
import { Door } from './door.ts';
import { UdpTransport } from './udp.ts';
import { WebSocketEntrance } from './websocket.ts';

/** A port of each protocol: 0 takes a free one, null opens none. */
export type Ports = {
  /** UDP and TCP together. */
  readonly plain: number;
  readonly tls: number | null;
  readonly ws: number | null;
  readonly wss: number | null;
};

export type SocketsOptions = {
  /** IP addresses; each gets every protocol, at the same ports. */
  readonly hosts: readonly string[];
  readonly ports: Ports;
  /** Not null where there is a port for TLS or secure WebSocket. */
  readonly certificate: Certificate | null;
  readonly tlsClient: Omit<TlsClientOptions, 'certificate'>;
  readonly admission: Admission;
  readonly user: ConnectionUser;
  /** The system lets nobody in. */
  readonly onTrouble: (reason: string) => void;
  /** There is no room for a connection from that address. */
  readonly onRefused: (address: string) => void;
  /** A connection has been cut off, since of too much that all keep it kept most. */
  readonly onOverfull: (address: string) => void;
};

/** A socket that listens. `listener` is what peers that were heard through it name. */
export type Listening = {
  readonly listener: number;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
};

type Planned = Omit<Listening, 'port'>;
type Opened = Listening & { readonly close: () => Promise<void> };

/** How often a free port is sought that every socket of a group can have. */
const portAttemptsMax = 20;

/** All sockets of one server. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #connections: Connections;
  readonly #dialer: StreamDialer;
  readonly #udp = new Map<number, UdpTransport>();
  #opened: readonly Opened[] = [];
  #closing = false;

  private constructor(options: SocketsOptions) {
    this.#options = options;
    const { onOverfull } = options;
    this.#connections = new Connections(options.user, { heldBytesMax: limits.streamHeldBytesMax, onOverfull });
    this.#dialer = new StreamDialer(this.#connections, {
      ...options.tlsClient,
      certificate: options.certificate,
    });
  }

  /** Opens all; rejects with the system's error (EADDRINUSE …) when one cannot be had, and leaves none. */
  static async open(options: SocketsOptions): Promise<Sockets> {
    const sockets = new Sockets(options);
    try {
      for (const group of groupsOf(options)) {
        const opened = await sockets.#openGroup(group.planned, group.port);
        sockets.#opened = [...sockets.#opened, ...opened];
      }
    } catch (error) {
      await sockets.close();
      throw error;
    }
    return sockets;
  }

  /** In the order of their numbers. */
  get listening(): readonly Listening[] {
    const byNumber = (one: Listening, other: Listening): number => one.listener - other.listener;
    return this.#opened.map(({ close: _, ...listening }) => listening).sort(byNumber);
  }

  /**
   * Sends a message: a datagram, or over the connection the peer names, else over one to the same address, else over a new
   * one. `heed` when the sender of a datagram wants to hear that nobody is there; of a connection it is always told.
   */
  send(to: Peer, text: string, heed: boolean): void {
    if (this.#closing) return;
    if (to.protocol === 'udp') {
      const udp = this.#udpFor(to);
      if (udp === undefined) this.#unreachable(to, 'no socket of ours reaches it');
      else udp.send(to, text, heed);
      return;
    }
    const connection = this.#connections.find(to);
    if (connection !== undefined) connection.send(text);
    // RFC 7118 3, 5.2: a WebSocket is opened by its client only.
    else if (to.protocol === 'ws' || to.protocol === 'wss')
      this.#unreachable(to, 'WebSocket clients are not connected to');
    else this.#dial(to, text);
  }

  /** Closes once what was written is sent. */
  closeConnection(id: number): void {
    this.#connections.byId(id)?.end();
  }

  /** Resolves when no handle is left. What was written is sent first, if it takes no longer than a moment. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([this.#connections.close(limits.closeGraceMs), ...this.#opened.map(({ close }) => close())]);
  }

  #dial(to: Peer, text: string): void {
    const own = this.#ownFor(to);
    if (own === undefined) {
      this.#unreachable(to, 'no socket of ours reaches it');
      return;
    }
    const leave = this.#options.admission.enter(null);
    if (leave === null) this.#unreachable(to, 'too many connections');
    else this.#dialer.dial({ ...to, listener: own.listener }, own.host, leave).send(text);
  }

  /** The socket that heard the peer (RFC 3581 4: an answer leaves from there), else the first of its family. */
  #udpFor({ host, listener }: Peer): UdpTransport | undefined {
    const heard = listener === null ? undefined : this.#udp.get(listener);
    if (heard?.reaches(host) === true) return heard;
    for (const udp of this.#udp.values()) if (udp.reaches(host)) return udp;
    return undefined;
  }

  /** Where a connection to the peer begins: at the socket that heard it, else at the first of its protocol and family. */
  #ownFor({ protocol, host, listener }: Peer): Listening | undefined {
    const family = isIP(host);
    const fitting = this.#opened.filter((own) => own.protocol === protocol && isIP(own.host) === family);
    return fitting.find((own) => own.listener === listener) ?? fitting[0];
  }

  // Later, since whoever sends is at work.
  #unreachable(peer: Peer, reason: string): void {
    setImmediate(() => {
      if (!this.#closing) this.#options.user.onUnreachable(peer, reason);
    });
  }

  /** Opens sockets that shall have the same port. */
  async #openGroup(group: readonly Planned[], port: number): Promise<readonly Opened[]> {
    for (let attempt = 1; ; attempt += 1) {
      const opened: Opened[] = [];
      try {
        for (const planned of group) opened.push(await this.#openOne(planned, opened[0]?.port ?? port));
        return opened.sort((one, other) => one.listener - other.listener);
      } catch (error) {
        await Promise.all(opened.map(({ close }) => close()));
        if (port !== 0 || attempt >= portAttemptsMax || !isInUse(error)) throw error;
      }
    }
  }

  async #openOne(planned: Planned, port: number): Promise<Opened> {
    const { listener, host, protocol } = planned;
    const { user } = this.#options;
    if (protocol === 'udp') {
      const { onMessage, onUnreachable } = user;
      const udp = await UdpTransport.open({ host, port, listener, onMessage, onUnreachable });
      this.#udp.set(listener, udp);
      return { ...planned, port: udp.port, close: () => udp.close() };
    }
    const { admission, certificate, onTrouble, onRefused } = this.#options;
    const secure = protocol === 'tls' || protocol === 'wss';
    const onSocket = this.#entrance(planned);
    const door = await Door.open({
      host,
      port,
      admission,
      certificate: secure ? certificate : null,
      handshakeMs: limits.tlsHandshakeMs,
      onSocket,
      onTrouble,
      onRefused,
    });
    return { ...planned, port: door.port, close: () => door.close(limits.closeGraceMs) };
  }

  #entrance({ protocol, listener }: Planned): (socket: Socket) => void {
    const enter: (socket: Socket, from: Peer) => void =
      protocol === 'ws' || protocol === 'wss'
        ? webSocketEntrance(this.#connections)
        : (socket, from) => acceptStream(socket, from, this.#connections);
    return (socket) => {
      const { remoteAddress: host, remotePort: port } = socket;
      // It has gone again.
      if (this.#closing || host === undefined || port === undefined) socket.destroy();
      else enter(socket, { protocol, host, port, connection: null, listener });
    };
  }
}

function webSocketEntrance(connections: Connections): (socket: Socket, from: Peer) => void {
  const entrance = new WebSocketEntrance(connections);
  return (socket, from) => entrance.accept(socket, from);
}

/** Who shares a port with whom. */
function groupsOf({ hosts, ports }: SocketsOptions): readonly { planned: readonly Planned[]; port: number }[] {
  let listeners = 0;
  const plan = (protocol: Protocol, host: string): Planned => ({ listener: listeners++, protocol, host });
  const plain = hosts.flatMap((host) => [plan('udp', host), plan('tcp', host)]);
  // TCP first: its port keeps other processes out, which a shared UDP port does not.
  const tcpFirst = [...plain].sort((one, other) => one.protocol.localeCompare(other.protocol));
  const others = (['tls', 'ws', 'wss'] as const).flatMap((protocol) => {
    const port = ports[protocol];
    return port === null ? [] : [{ planned: hosts.map((host) => plan(protocol, host)), port }];
  });
  return [{ planned: tcpFirst, port: ports.plain }, ...others];
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
