/** All MSRP sessions, found by what names them: our session id, the endpoint, the conference, the connection. */

import type { Connection } from './connection.ts';
import type { Session } from './session.ts';

/** The index of the sessions that are not closed. Bounded by the endpoints that the core has let in. */
export class Sessions {
  readonly #bySessionId = new Map<string, Session>();
  readonly #byPath = new Map<string, Session>();
  /** The one that was found by its path last: most often it is asked for again at once. */
  #found: Session | undefined;
  readonly #byEndpointId = new Map<string, Session>();
  readonly #filesByEndpointId = new Map<string, Set<Session>>();
  readonly #byConferenceId = new Map<string, Set<Session>>();
  readonly #byConnection = new Map<Connection, Set<Session>>();

  get count(): number {
    return this.#bySessionId.size;
  }

  add(session: Session): void {
    this.#bySessionId.set(session.local.sessionId, session);
    this.#byPath.set(session.localPath, session);
    if (session.file === null) this.#byEndpointId.set(session.endpointId, session);
    else addTo(this.#filesByEndpointId, session.endpointId, session);
    addTo(this.#byConferenceId, session.conferenceId, session);
  }

  /** Gives a session its connection, which several may share (RFC 4975 5.4). */
  attach(session: Session, connection: Connection): void {
    session.attach(connection);
    addTo(this.#byConnection, connection, session);
    this.#share(connection);
  }

  remove(session: Session): void {
    this.#bySessionId.delete(session.local.sessionId);
    this.#byPath.delete(session.localPath);
    if (this.#found === session) this.#found = undefined;
    if (session.file === null) this.#byEndpointId.delete(session.endpointId);
    else removeFrom(this.#filesByEndpointId, session.endpointId, session);
    removeFrom(this.#byConferenceId, session.conferenceId, session);
    if (session.connection === null) return;
    removeFrom(this.#byConnection, session.connection, session);
    this.#share(session.connection);
  }

  bySessionId(sessionId: string): Session | undefined {
    return this.#bySessionId.get(sessionId);
  }

  /** Of exactly this path of ours; others that are written otherwise may be the same. */
  byPath(localPath: string): Session | undefined {
    if (this.#found?.localPath !== localPath) this.#found = this.#byPath.get(localPath);
    return this.#found;
  }

  /** Of its messages. */
  byEndpointId(endpointId: string): Session | undefined {
    return this.#byEndpointId.get(endpointId);
  }

  /** Of its messages and of its files. */
  ofEndpoint(endpointId: string): readonly Session[] {
    const messages = this.#byEndpointId.get(endpointId);
    const files = this.#filesByEndpointId.get(endpointId) ?? [];
    return messages === undefined ? [...files] : [messages, ...files];
  }

  ofConference(conferenceId: string): readonly Session[] {
    return [...(this.#byConferenceId.get(conferenceId) ?? [])];
  }

  ofConnection(connection: Connection): readonly Session[] {
    return [...(this.#byConnection.get(connection) ?? [])];
  }

  all(): readonly Session[] {
    return [...this.#bySessionId.values()];
  }

  #share(connection: Connection): void {
    connection.serves(this.#byConnection.get(connection)?.size ?? 0);
  }
}

function addTo<Key>(sets: Map<Key, Set<Session>>, key: Key, session: Session): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(session));
}

function removeFrom<Key>(sets: Map<Key, Set<Session>>, key: Key, session: Session): void {
  const set = sets.get(key);
  set?.delete(session);
  if (set?.size === 0) sets.delete(key);
}
