/**
 * MSRP over TCP: listens, connects, and keeps the sessions that the core opens and closes. Messages go from session to
 * session by the routes that the core has published, without asking it per message.
 */

import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import type { MsrpOpen, Outcome } from '../core/effect.ts';
import type { Input, ReplyTo } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { Clock, MsrpEffect } from '../core/ports.ts';
import type { MsrpSelf } from '../core/settings.ts';
import { nicknameOf } from '../wire/msrp.ts';
import { type MsrpUri, parseMsrpUri } from '../wire/msrp-uri.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { SocketCarrier } from './carrier.ts';
import { type Answer, Connection, socketOptions } from './connection.ts';
import { dial, whyNotDial } from './dial.ts';
import type { MsrpLog } from './msrp-log.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { type NicknameRequest, Reception } from './reception.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { Switchboard } from './switchboard.ts';

export type MsrpShellOptions = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What stands in our paths when it differs from `host`. */
  readonly publicHost: string | null;
  /** Whether a peer's path may point at a loopback or private address. */
  readonly privateTargets: 'allow' | 'refuse';
  /** Octets of a whole message. */
  readonly maxSize: number;
  readonly submit: (input: Input) => void;
  readonly log: MsrpLog;
  readonly clock: Clock;
  readonly ids: MsrpIds;
  /** Name resolution for peers' paths; the system's when absent. */
  readonly lookup?: LookupFunction;
  /** Connections at once; `limits.msrpConnectionsMax` when absent. */
  readonly connectionsMax?: number;
};

/** What stands in our paths; a transport that is off has no port. */
export type MsrpAddress = Pick<MsrpSelf, 'host' | 'port' | 'tlsPort' | 'wsPort' | 'wssPort'>;

type Lost = { readonly conferenceId: string; readonly endpointId: string; readonly sessionId: string };

/** MSRP of the whole process. `listen` before the first effect; what happens comes out through `submit`. */
export class MsrpShell {
  readonly #options: MsrpShellOptions;
  readonly #server: Server;
  readonly #sessions = new Sessions();
  readonly #switchboard: Switchboard;
  readonly #reception: Reception;
  /** Every connection, with what stops the wait for its first session. */
  readonly #connections = new Map<Connection, () => void>();
  /** NICKNAMEs that the core is still to answer. */
  readonly #asked = new Map<ReplyTo, (answer: Answer) => void>();
  #askedCount = 0;
  #isClosing = false;

  constructor(options: MsrpShellOptions) {
    const { clock, ids, log, submit } = options;
    const sessions = this.#sessions;
    this.#options = options;
    this.#server = createServer(socketOptions, (socket) => this.#accept(socket));
    const report = (conferenceId: string, count: number): void =>
      submit({ type: 'messages-switched', conferenceId, count, messages: [], losses: [] });
    this.#switchboard = new Switchboard({ sessions, clock, ids, report });
    this.#reception = new Reception({
      sessions,
      log,
      onMessage: (session, message) => this.#switchboard.receive(session, message),
      onNickname: (session, request) => this.#askNickname(session, request),
      onLost: (session, reason) => this.#lose(session, reason),
    });
  }

  /** Resolves to what stands in our paths. Rejects when the address cannot be bound. */
  listen(): Promise<MsrpAddress> {
    const { host, port, publicHost, log } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => log.warn({ reason: error.message }, 'MSRP listener failed'));
        const { port: found } = this.#server.address() as AddressInfo;
        resolve({ host: publicHost ?? host, port: found, tlsPort: null, wsPort: null, wssPort: null });
      });
    });
  }

  /** Does what the core asks for. Never throws; what fails comes back as an input. */
  perform(effect: MsrpEffect): void {
    switch (effect.type) {
      case 'msrp.open':
        return this.#open(effect);
      case 'msrp.close':
        return this.#end(this.#sessions.byEndpointId(effect.endpointId));
      case 'msrp.route':
        return this.#switchboard.route(effect.route);
      case 'msrp.notice':
        return this.#switchboard.notice(effect);
      case 'msrp.unroute':
        for (const session of this.#sessions.ofConference(effect.conferenceId)) this.#end(session);
        return this.#switchboard.unroute(effect.conferenceId);
    }
  }

  /** Answers a NICKNAME as the core decided. */
  reply(to: ReplyTo, outcome: Outcome): void {
    const answer = this.#asked.get(to);
    this.#asked.delete(to);
    if (outcome.kind === 'nickname-answered') answer?.(outcome);
    // RFC 7701 7.1: whatever the reason, the name is not to be had now.
    else answer?.({ status: 403, comment: 'Not possible now' });
  }

  /** What is held at the moment, and copies of messages that were dropped since the start. */
  counts(): { readonly sessions: number; readonly connections: number; readonly dropped: number } {
    return {
      sessions: this.#sessions.count,
      connections: this.#connections.size,
      dropped: this.#switchboard.droppedCount,
    };
  }

  /** Closes the listener and every connection, for good. The last counts are submitted, no `msrp-closed` is. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#switchboard.flush();
    for (const session of this.#sessions.all()) this.#end(session);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections.keys()) connection.destroy('the service stops');
    await closed;
  }

  #askNickname(session: Session, request: NicknameRequest): void {
    const nickname = readNickname(request);
    const { conferenceId, endpointId, connection } = session;
    if (nickname === 'malformed') return connection?.respond(request, { status: 424, comment: 'Malformed nickname' });
    this.#askedCount += 1;
    const reply = `msrp:${this.#askedCount}`;
    this.#asked.set(reply, (answer) => connection?.respond(request, answer));
    this.#options.submit({ type: 'nickname-asked', reply, conferenceId, endpointId, nickname });
  }

  #open(effect: MsrpOpen): void {
    if (this.#isClosing) return;
    const known = this.#sessions.byEndpointId(effect.endpointId);
    if (known?.isSame(effect)) {
      if (!known.isComplete) this.#complete(known, effect);
      return;
    }
    // RFC 4975 8.4: another path is another session. So is one that the other side is to connect now.
    this.#end(known);
    const local = readPath([effect.localPath]);
    if (local === null) return this.#reportLost(effect, 'our own path is malformed');
    const onStalled = (stalled: Session): void => this.#lose(stalled, 'the peer does not answer', 'stalled');
    const session = new Session(effect, local, { clock: this.#options.clock, onStalled });
    this.#sessions.add(session);
    this.#complete(session, effect);
  }

  /** Goes on once the peer's path is known; until then the session waits, and the core ends it when no answer comes. */
  #complete(session: Session, open: MsrpOpen): void {
    const { remotePath, role } = open;
    if (remotePath.length === 0) return;
    const { privateTargets } = this.#options;
    const target = readPath(remotePath);
    if (target === null) return this.#lose(session, "the peer's path is malformed");
    const mustDial = role === 'active' && session.connection === null;
    const refusal = mustDial ? whyNotDial(target, privateTargets) : null;
    if (refusal !== null) return this.#lose(session, refusal);
    session.complete(open);
    if (session.state === 'open') return;
    if (mustDial) this.#dial(session, target);
    else session.setDeadline(this.#loseAfter(session, limits.msrpConnectTimeoutMs, 'the peer did not connect'));
  }

  #loseAfter(session: Session, ms: number, reason: string): () => void {
    const { clock } = this.#options;
    return clock.callAt(clock.now() + ms, () => this.#lose(session, reason));
  }

  /** Connects to the peer and greets it; both together have their time. */
  #dial(session: Session, target: MsrpUri): void {
    const { privateTargets, lookup, ids } = this.#options;
    const cancel = dial(target, {
      privateTargets,
      lookup,
      onFailed: (reason) => this.#lose(session, reason),
      onConnected: (socket) => {
        // The peer may have connected to us meanwhile; RFC 4975 5.4 allows one connection per session.
        if (session.connection !== null) return socket.destroy();
        this.#sessions.attach(session, this.#adopt(socket));
        session.greet(ids.transaction(), ids.messageId());
      },
    });
    const stopWait = this.#loseAfter(session, limits.msrpAnswerTimeoutMs, 'the peer did not answer');
    session.setDeadline(() => {
      stopWait();
      cancel();
    });
  }

  #accept(socket: Socket): void {
    const { clock, log, connectionsMax = limits.msrpConnectionsMax } = this.#options;
    if (this.#isClosing || this.#connections.size >= connectionsMax) {
      log.warn({ peer: socket.remoteAddress, connections: this.#connections.size }, 'MSRP connection refused');
      socket.destroy();
      return;
    }
    const connection = this.#adopt(socket);
    const stopWait = clock.callAt(clock.now() + limits.msrpBindTimeoutMs, () => {
      if (this.#sessions.ofConnection(connection).length === 0) connection.end('no session was named in time');
    });
    this.#connections.set(connection, stopWait);
  }

  #adopt(socket: Socket): Connection {
    const { clock, log } = this.#options;
    const connection = new Connection({
      carrier: new SocketCarrier(socket),
      clock,
      log,
      onFrames: (from, frames) => this.#reception.receive(from, frames),
      onClose: (closed, reason, cause) => this.#closed(closed, reason, cause),
    });
    this.#connections.set(connection, () => undefined);
    return connection;
  }

  // RFC 4975 5.4: when a connection fails, every session on it has failed.
  #closed(connection: Connection, reason: string, cause: 'lost' | 'stalled'): void {
    this.#connections.get(connection)?.();
    this.#connections.delete(connection);
    this.#options.log.debug({ peer: connection.peer, reason }, 'MSRP connection closed');
    for (const session of this.#sessions.ofConnection(connection)) this.#lose(session, reason, cause);
  }

  /** The session failed: the core hears of it, once. */
  #lose(session: Session, reason: string, cause: 'lost' | 'stalled' = 'lost'): void {
    if (session.state === 'closed') return;
    this.#forget(session, 'lost');
    this.#reportLost(session, reason, cause);
  }

  #reportLost(lost: Lost, reason: string, cause: 'lost' | 'stalled' = 'lost'): void {
    const { conferenceId, endpointId, sessionId } = lost;
    this.#options.log.info({ conferenceId, endpointId, reason }, 'MSRP session lost');
    this.#options.submit({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause, reason });
  }

  /** The core ends the session, and knows. */
  #end(session: Session | undefined): void {
    if (session !== undefined) this.#forget(session, 'ended');
  }

  #forget(session: Session, event: 'lost' | 'ended'): void {
    const { connection, conferenceId, endpointId, droppedCount } = session;
    if (droppedCount > 0) this.#options.log.warn({ conferenceId, endpointId, droppedCount }, 'MSRP messages dropped');
    for (const early of session.takeEarly()) connection?.respond(early, { status: 481, comment: 'No such session' });
    this.#sessions.remove(session);
    session.close(event);
    // RFC 4975 5.4: a connection may serve several sessions, so only the last one takes it along.
    if (connection !== null && this.#sessions.ofConnection(connection).length === 0) {
      connection.end('the session has ended');
    }
  }
}

function readNickname(request: NicknameRequest): string | null | 'malformed' {
  try {
    return nicknameOf(request);
  } catch (error) {
    if (error instanceof RemoteError) return 'malformed';
    throw error;
  }
}

/** The URI to connect to when all of a path can be read, else null. */
function readPath(path: readonly string[]): MsrpUri | null {
  try {
    return path.map(parseMsrpUri)[0] ?? null;
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}
