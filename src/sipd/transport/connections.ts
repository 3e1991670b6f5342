/** All connections of one server, accepted and made, and which of them leads to a peer (RFC 3261 18). */

import { isIP } from 'node:net';
import type { Peer } from '../input.ts';
import { type Carrier, Connection, type ConnectionUser } from './connection.ts';

/** Finds connections by their number and by where they lead. */
export class Connections {
  readonly #user: ConnectionUser;
  readonly #byId = new Map<number, Connection>();
  readonly #byRoute = new Map<string, Connection>();
  #lastId = 0;
  #drained = (): void => undefined;

  constructor(user: ConnectionUser) {
    this.#user = user;
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
    return named ?? this.#byRoute.get(routeOf(peer, peer.name ?? null));
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
