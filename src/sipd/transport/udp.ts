/**
 * SIP over UDP. One socket receives and sends. To hear ICMP errors, which the kernel reports to connected sockets only,
 * requests go out through a second socket on the same port that is connected to their destination; a bounded number of
 * these is kept, for a few seconds after their last use.
 */

import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';

export type UdpOptions = {
  readonly host: string;
  readonly port: number;
  /** What peers heard here name as their `listener`. */
  readonly listener: number;
  readonly onMessage: (from: Peer, text: string) => void;
  readonly onUnreachable: (peer: Peer, reason: string) => void;
};

/** RFC 5389 6. */
const stunCookie = 0x2112a442;

type Probe = { readonly socket: Socket; readonly peer: Peer; waiting: string[] | null; idle: NodeJS.Timeout };

/** The socket that listens and the connected ones that send. */
export class UdpTransport {
  readonly #options: UdpOptions;
  readonly #main: Socket;
  readonly #probes = new Map<string, Probe>();
  #closed = false;

  private constructor(options: UdpOptions, main: Socket) {
    this.#options = options;
    this.#main = main;
  }

  /** Binds; rejects with the system's error (EADDRINUSE …). */
  static async open(options: UdpOptions): Promise<UdpTransport> {
    const main = newSocket(options);
    await new Promise<void>((resolve, reject) => {
      main.once('error', reject);
      main.bind(options.port, options.host, () => {
        main.off('error', reject);
        resolve();
      });
    });
    const transport = new UdpTransport(options, main);
    transport.#listen(main);
    main.on('error', () => undefined);
    return transport;
  }

  get port(): number {
    return this.#main.address().port;
  }

  /** Whether the host, an IP address, is of this socket's family. */
  reaches(host: string): boolean {
    return host.includes(':') === this.#options.host.includes(':');
  }

  /** Sends a datagram; `heed` when the sender wants to hear that nobody is there. */
  send(peer: Peer, text: string, heed: boolean): void {
    if (this.#closed) return;
    // Port 0 is nobody's; the system throws on it.
    if (isIP(peer.host) === 0 || peer.port === 0 || text.length > limits.datagramBytesMax) {
      setImmediate(() => this.#options.onUnreachable(peer, 'cannot be sent over this socket'));
      return;
    }
    const probe = heed ? this.#probe(peer) : null;
    if (probe === null) this.#sendUnheeded(peer, text);
    else if (probe.waiting === null) this.#sendConnected(probe, text);
    else probe.waiting.push(text);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const probe of [...this.#probes.values()]) this.#drop(probe);
    await new Promise<void>((resolve) => this.#main.close(() => resolve()));
  }

  #sendUnheeded(peer: Peer, text: string): void {
    this.#main.send(Buffer.from(text, 'latin1'), peer.port, peer.host, this.#failed(peer));
  }

  #listen(socket: Socket): void {
    const { listener } = this.#options;
    socket.on('message', (data, info) => {
      // A forged source: nothing could ever be answered.
      if (info.port === 0) return;
      if (isKeepAlive(data)) return;
      const from: Peer = { protocol: 'udp', host: info.address, port: info.port, connection: null, listener };
      this.#options.onMessage(from, data.toString('latin1'));
    });
  }

  #probe(peer: Peer): Probe | null {
    const key = `${peer.host} ${peer.port}`;
    const known = this.#probes.get(key);
    if (known !== undefined) {
      known.idle.refresh();
      return known;
    }
    if (this.#probes.size >= limits.probesMax) return null;
    const socket = newSocket(this.#options);
    const idle = setTimeout(() => this.#drop(probe), limits.probeIdleMs).unref();
    const probe: Probe = { socket, peer, waiting: [], idle };
    this.#probes.set(key, probe);
    this.#listen(socket);
    // Without this the socket's errors would end the process; what matters comes back through `send`.
    socket.on('error', (error) => this.#lost(probe, error));
    socket.bind(this.port, this.#options.host, () => {
      // Called with the error, too, when no route leads there; a socket that is not connected must not be sent on.
      const done = (error?: Error): void => (error ? this.#lost(probe, error) : this.#connected(probe));
      socket.connect(peer.port, peer.host, done);
    });
    return probe;
  }

  #connected(probe: Probe): void {
    const waiting = probe.waiting ?? [];
    probe.waiting = null;
    for (const text of waiting) this.#sendConnected(probe, text);
  }

  #sendConnected(probe: Probe, text: string): void {
    probe.socket.send(Buffer.from(text, 'latin1'), (error) => {
      if (error !== null) this.#lost(probe, error);
    });
  }

  #lost(probe: Probe, error: Error): void {
    if (this.#closed || !this.#probes.has(`${probe.peer.host} ${probe.peer.port}`)) return;
    this.#drop(probe);
    if (probe.waiting === null) this.#options.onUnreachable(probe.peer, error.message);
    // It was never connected: no file descriptor was left, for one.
    else for (const text of probe.waiting) this.#sendUnheeded(probe.peer, text);
  }

  #drop(probe: Probe): void {
    const key = `${probe.peer.host} ${probe.peer.port}`;
    if (this.#probes.get(key) !== probe) return;
    this.#probes.delete(key);
    clearTimeout(probe.idle);
    probe.socket.close();
  }

  #failed(peer: Peer): (error: Error | null) => void {
    return (error) => {
      if (error !== null && !this.#closed) this.#options.onUnreachable(peer, error.message);
    };
  }
}

/** Custom: datagrams of a few line ends, blanks or zeros keep a NAT open. RFC 5626 3.5.2: STUN does, with two zero bits. */
function isKeepAlive(data: Buffer): boolean {
  const [first = 0] = data;
  return first < 64 && (data.length < 5 || (data.length >= 20 && data.readUInt32BE(4) === stunCookie));
}

// The port is shared among our own sockets only: the TCP listener on the same number keeps other processes out.
function newSocket(options: UdpOptions): Socket {
  return createSocket({
    type: isIP(options.host) === 6 ? 'udp6' : 'udp4',
    reuseAddr: true,
    ipv6Only: isIP(options.host) === 6,
    recvBufferSize: limits.socketBufferBytes,
    sendBufferSize: limits.socketBufferBytes,
  });
}
