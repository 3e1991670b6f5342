/** All connections of one server, accepted and made, and which of them leads to a peer (RFC 3261 18). */

import { isIP } from 'node:net';
import type { Peer } from '../input.ts';
import { type Carrier, Connection, type ConnectionUser } from './connection.ts';

export type ConnectionsBound = {
  /** How many octets all connections together may keep, of messages that are not whole or not sent. */
  readonly heldBytesMax: number;
  /** The connection to that address has been cut off, since of too much it kept most. */
  readonly onOverfull: (host: string) => void;
};

/** Finds connections by their number and by where they lead. */
export class Connections {
  readonly #user: ConnectionUser;
  readonly #bound: ConnectionsBound;
  readonly #byId = new Map<number, Connection>();
  readonly #byRoute = new Map<string, Connection>();
  #lastId = 0;
  /** At most so many octets are kept: those found when last looked, and all that have come or were to go since. */
  #heldAtMost = 0;
  #drained = (): void => undefined;

  constructor(user: ConnectionUser, bound: ConnectionsBound) {
    this.#user = user;
    this.#bound = bound;
  }

  /** A connection to `peer`, which gets its number. A `name` says that its certificate was checked for that domain. */
  add(peer: Peer, carrier: Carrier): Connection {
    this.#lastId += 1;
    const id = this.#lastId;
    const connection: Connection = new Connection({ ...peer, connection: id }, carrier, {
      ...this.#user,
      onClosed: (gone) => {
        this.#remove(connection, id);
        this.#user.onClosed(gone);
      },
      onUnreachable: (gone, reason) => {
        this.#remove(connection, id);
        this.#user.onUnreachable(gone, reason);
      },
      onOctets: (count) => {
        this.#heldAtMost += count;
        if (this.#heldAtMost > this.#bound.heldBytesMax) this.#lookAtAll();
      },
    });
    this.#byId.set(id, connection);
    for (const route of routesOf(peer)) this.#byRoute.set(route, connection);
    return connection;
  }

  /**
   * The connection a peer names, else one to its address. RFC 5923: one that was accepted leads to no address but the one
   * it came from, since clients show no certificates; and RFC 5922 7: to a domain leads only what was checked for it.
   */
  find(peer: Peer): Connection | undefined {
    const named = peer.connection === null ? undefined : this.#byId.get(peer.connection);
    if (named !== undefined) return named;
    const routed = this.#byRoute.get(routeOf(peer, peer.name ?? null));
    return routed?.ending === true ? undefined : routed;
  }

  byId(id: number): Connection | undefined {
    return this.#byId.get(id);
  }

  /** Ends all and resolves when they are gone; those that linger longer than `graceMs` are cut off. */
  async close(graceMs: number): Promise<void> {
    if (this.#byId.size === 0) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    for (const connection of [...this.#byId.values()]) connection.end();
    const force = setTimeout(() => {
      for (const connection of [...this.#byId.values()]) connection.destroy();
    }, graceMs);
    await drained;
    clearTimeout(force);
  }

  /** Cuts off those who keep most, until a quarter of what may be kept is free: so much passes before it is due again. */
  #lookAtAll(): void {
    const greediest = [...this.#byId.values()]
      .map((connection) => ({ connection, held: connection.held }))
      .sort((one, other) => other.held - one.held);
    this.#heldAtMost = greediest.reduce((sum, { held }) => sum + held, 0);
    for (const { connection, held } of greediest) {
      if (this.#heldAtMost <= 0.75 * this.#bound.heldBytesMax) return;
      this.#heldAtMost -= held;
      connection.destroy();
      this.#bound.onOverfull(connection.peer.host);
    }
  }

  #remove(connection: Connection, id: number): void {
    this.#byId.delete(id);
    for (const route of routesOf(connection.peer)) {
      if (this.#byRoute.get(route) === connection) this.#byRoute.delete(route);
    }
    if (this.#byId.size === 0) this.#drained();
  }
}

/** By its bare address every connection is found, by a domain only the one that was made for it. */
function routesOf(peer: Peer): readonly string[] {
  const bare = routeOf(peer, null);
  return peer.name === undefined || peer.name === null ? [bare] : [bare, routeOf(peer, peer.name)];
}

function routeOf({ protocol, host, port }: Peer, name: string | null): string {
  // Only certificates speak of domains, and an address is no domain.
  const domain = name === null || protocol === 'tcp' || protocol === 'ws' || isIP(name) !== 0 ? '' : name.toLowerCase();
  return `${protocol} ${host} ${port} ${domain}`;
}
