/** Every connection, whoever made it: doors that let peers in, and ways out that serve all sessions of one peer. */

import type { LookupFunction } from 'node:net';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { MsrpSelf } from '../core/settings.ts';
import type { MsrpFrame } from '../wire/msrp-reader.ts';
import { Admission } from './admission.ts';
import { type Carrier, SocketCarrier } from './carrier.ts';
import { Certificate, type CertificateFiles } from './certificate.ts';
import { Connection } from './connection.ts';
import { type DialManner, type DialTarget, dial } from './dial.ts';
import { type Arrival, Door } from './door.ts';
import type { MsrpLog } from './msrp-log.ts';

/** What is listened on, and who is connected to. */
export type TransportOptions = {
  readonly host: string;
  /** 0 picks a free one; null: that transport is off. */
  readonly port: number;
  readonly tlsPort: number | null;
  readonly wsPort: number | null;
  readonly wssPort: number | null;
  /** Demanded with a port of TLS. */
  readonly certificate: CertificateFiles | null;
  /** What stands in our paths when it differs from `host`. */
  readonly publicHost: string | null;
  /** Whether a peer's path may point at a loopback or private address. */
  readonly privateTargets: 'allow' | 'refuse';
  readonly log: MsrpLog;
  readonly clock: Clock;
  /** Name resolution for peers' paths; the system's when absent. */
  readonly lookup?: LookupFunction;
  /** PEM of the authorities that are believed; those of the system when absent. */
  readonly authorities?: Buffer;
  /** Connections at once that peers make; `limits.msrpConnectionsMax` when absent. */
  readonly connectionsMax?: number;
  /** Of them, those of one address that serve no session; `limits.msrpUnboundPerAddressMax` when absent. */
  readonly unboundPerAddressMax?: number;
};

/** What stands in our paths; a transport that is off has no port. */
export type MsrpAddress = Pick<MsrpSelf, 'host' | 'port' | 'tlsPort' | 'wsPort' | 'wssPort'>;

export type ConnectionEvents = {
  readonly onFrames: (connection: Connection, frames: readonly MsrpFrame[]) => void;
  readonly onClose: (connection: Connection, reason: string, cause: 'lost' | 'stalled') => void;
};

/** What is known of a connection beside what it carries. */
type Line = {
  readonly secure: boolean;
  /** The peer's, in DER. */
  readonly certificate: Buffer | null;
  /** It serves a session: nothing need make it prove that. */
  readonly bound: () => void;
};

/** A way out, made or being made, and who waits for it. */
type WayOut = {
  connection: Connection | null;
  readonly waiting: Set<ReachEvents>;
  cancel: () => void;
};

type ReachEvents = {
  readonly onConnected: (connection: Connection) => void;
  readonly onFailed: (reason: string) => void;
};

/** Connections by the events they give; `listen` before anything else, `close` for good. */
export class Connections {
  readonly #options: TransportOptions;
  readonly #events: ConnectionEvents;
  readonly #certificate: Certificate | null;
  readonly #lines = new Map<Connection, Line>();
  /** By where they lead to, and by what it is judged who is there. */
  readonly #waysOut = new Map<string, WayOut>();
  readonly #doors: Door[] = [];
  /** Of those that are closed. */
  #waitingBytesMost = 0;
  #isClosing = false;

  /** Throws one sentence when the certificate cannot be used. */
  constructor(options: TransportOptions, events: ConnectionEvents) {
    const { certificate: files, clock, log } = options;
    this.#options = options;
    this.#events = events;
    const onTrouble = (sentence: string): void => log.warn({ reason: sentence }, 'MSRP certificate not taken');
    this.#certificate = files === null ? null : new Certificate({ files, clock, onTrouble });
  }

  /** Resolves to what stands in our paths. Rejects when an address cannot be bound. */
  async listen(): Promise<MsrpAddress> {
    const { host, publicHost, port, tlsPort, wsPort, wssPort } = this.#options;
    const { connectionsMax = limits.msrpConnectionsMax, unboundPerAddressMax } = this.#options;
    const admission = new Admission(connectionsMax, unboundPerAddressMax ?? limits.msrpUnboundPerAddressMax);
    const open = async (at: number, certificate: Certificate | null, webSocket: boolean): Promise<number> => {
      const onArrival = (arrival: Arrival): void => this.#arrive(arrival);
      const door = await Door.open({ ...this.#options, port: at, certificate, webSocket, admission, onArrival });
      this.#doors.push(door);
      return door.port;
    };
    try {
      return {
        host: publicHost ?? host,
        port: await open(port, null, false),
        tlsPort: tlsPort === null ? null : await open(tlsPort, this.#certificate, false),
        wsPort: wsPort === null ? null : await open(wsPort, null, true),
        wssPort: wssPort === null ? null : await open(wssPort, this.#certificate, true),
      };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get count(): number {
    return this.#lines.size;
  }

  /** Most octets that ever waited for one peer to read. */
  get waitingBytesMost(): number {
    let most = this.#waitingBytesMost;
    for (const { waitingBytesMost } of this.#lines.keys()) most = Math.max(most, waitingBytesMost);
    return most;
  }

  /** Of our certificate, as in a=fingerprint; null without one. */
  get fingerprint(): string | null {
    return this.#certificate?.current().fingerprint ?? null;
  }

  /** Whether what came over it was encrypted on the way. */
  isSecure(connection: Connection): boolean {
    return this.#lines.get(connection)?.secure ?? false;
  }

  /** The certificate that its peer has shown, in DER. */
  certificateOf(connection: Connection): Buffer | null {
    return this.#lines.get(connection)?.certificate ?? null;
  }

  /** It serves a session from now on. */
  bound(connection: Connection): void {
    this.#lines.get(connection)?.bound();
  }

  /**
   * Calls back with a connection to `target`. RFC 4975 5.4: one that we made to the same host and port serves this
   * session too, if what was told of the certificate is the same. The function given back ends the wait.
   */
  reach(target: DialTarget, events: ReachEvents): () => void {
    const key = keyOf(target);
    const known = this.#waysOut.get(key);
    const connection = known?.connection ?? null;
    if (connection?.isOpen === true) {
      events.onConnected(connection);
      return () => undefined;
    }
    const way = known !== undefined && connection === null ? known : this.#newWay(key, target);
    way.waiting.add(events);
    return () => {
      if (!way.waiting.delete(events) || way.waiting.size > 0) return;
      way.cancel();
      if (this.#waysOut.get(key) === way && way.connection === null) this.#waysOut.delete(key);
    };
  }

  /** Closes the doors and every connection, for good. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = Promise.all(this.#doors.map((door) => door.close()));
    for (const way of this.#waysOut.values()) way.cancel();
    for (const connection of this.#lines.keys()) connection.destroy('the service stops');
    await closed;
  }

  #newWay(key: string, target: DialTarget): WayOut {
    const way: WayOut = { connection: null, waiting: new Set(), cancel: () => undefined };
    this.#waysOut.set(key, way);
    const { privateTargets, lookup, authorities } = this.#options;
    const manner: DialManner = { privateTargets, lookup, authorities, certificate: this.#certificate };
    way.cancel = dial(target, manner, {
      onFailed: (reason) => {
        if (this.#waysOut.get(key) === way) this.#waysOut.delete(key);
        for (const { onFailed } of takeAll(way.waiting)) onFailed(reason);
      },
      onConnected: (socket, certificate) => {
        const { secure } = target.uri;
        way.connection = this.#adopt(new SocketCarrier(socket), { secure, certificate, bound: () => undefined });
        for (const { onConnected } of takeAll(way.waiting)) onConnected(way.connection);
      },
    });
    return way;
  }

  #arrive({ carrier, entry, secure, certificate }: Arrival): void {
    const { clock } = this.#options;
    if (this.#isClosing) return carrier.destroy();
    const stopWait = clock.callAt(clock.now() + limits.msrpBindTimeoutMs, () =>
      connection.end('no session was named in time'),
    );
    const bound = (): void => {
      stopWait();
      entry.bound();
    };
    const connection = this.#adopt(carrier, { secure, certificate, bound });
  }

  #adopt(carrier: Carrier, line: Line): Connection {
    const { clock, log } = this.#options;
    const connection = new Connection({
      carrier,
      clock,
      log,
      onFrames: this.#events.onFrames,
      onClose: (closed, reason, cause) => {
        this.#lines.get(closed)?.bound();
        this.#lines.delete(closed);
        this.#waitingBytesMost = Math.max(this.#waitingBytesMost, closed.waitingBytesMost);
        for (const [key, way] of this.#waysOut) if (way.connection === closed) this.#waysOut.delete(key);
        log.debug({ peer: closed.peer, reason }, 'MSRP connection closed');
        this.#events.onClose(closed, reason, cause);
      },
    });
    this.#lines.set(connection, line);
    return connection;
  }
}

/** RFC 8122 6: who is there was judged by fingerprints, or by authorities and the address, which for others says nothing. */
function keyOf({ uri, address, fingerprints, isOurs = false }: DialTarget): string {
  const { host, port } = address ?? uri;
  const told = fingerprints.map(({ hash, value }) => `${hash} ${value}`);
  const judged = uri.secure ? told.toSorted().join() : '';
  return `${uri.secure ? 'tls' : 'tcp'} ${uri.host} ${host}:${port} ${isOurs} ${judged}`;
}

function takeAll<Item>(items: Set<Item>): readonly Item[] {
  const all = [...items];
  items.clear();
  return all;
}
