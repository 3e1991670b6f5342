/**
 * MSRP: keeps the sessions that the core opens and closes, each on a connection that it or its peer makes. Messages go from session to
 * session by the routes that the core has published, without asking it per message.
 */

import type { MsrpOpen, Outcome } from '../core/effect.ts';
import type { Input, ReplyTo } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { MsrpEffect } from '../core/ports.ts';
import type { MsrpPresent } from '../core/settings.ts';
import type { Count } from '../core/tally.ts';
import { type MsrpUri, parseMsrpUri } from '../wire/msrp-uri.ts';
import { RemoteError } from '../wire/remote-error.ts';
import { hasFingerprint } from './certificate.ts';
import type { Connection } from './connection.ts';
import { Connections, type MsrpAddress, type TransportOptions } from './connections.ts';
import { type DialTarget, whyNotDial } from './dial.ts';
import { Inboxes } from './inboxes.ts';
import { NicknameDesk } from './nickname-desk.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { Reception } from './reception.ts';
import { Relay, type RelayAccess } from './relay.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { Switchboard } from './switchboard.ts';

export type MsrpShellOptions = TransportOptions & {
  /** Octets of a whole message. */
  readonly maxSize: number;
  /** What of a To-Path must be ours (RFC 4975 6.1): the whole URI, or its session id where middleboxes rewrite hosts. */
  readonly sessionMatch: 'uri' | 'id';
  /** The relay whose client we are; null: peers reach us by themselves. */
  readonly relay: RelayAccess | null;
  readonly submit: (input: Input) => void;
  readonly ids: MsrpIds;
};

type Lost = { readonly conferenceId: string; readonly endpointId: string; readonly sessionId: string };

export type MsrpCounts = {
  readonly sessions: number;
  readonly connections: number;
  /** Copies of messages that were dropped since the start. */
  readonly dropped: number;
  /** Most octets that waited for one peer to read, since the start. */
  readonly waitingBytesMost: number;
};

/** MSRP of the whole process. `listen` before the first effect; what happens comes out through `submit`. */
export class MsrpShell {
  readonly #options: MsrpShellOptions;
  readonly #sessions = new Sessions();
  readonly #switchboard: Switchboard;
  readonly #inboxes: Inboxes;
  readonly #reception: Reception;
  readonly #connections: Connections;
  readonly #relay: Relay | null;
  /** What the core last said of each session. */
  readonly #openings = new WeakMap<Session, MsrpOpen>();
  readonly #nicknames: NicknameDesk;
  #isClosing = false;

  constructor(options: MsrpShellOptions) {
    const { clock, ids, log, submit } = options;
    const sessions = this.#sessions;
    this.#options = options;
    this.#nicknames = new NicknameDesk({ clock, submit });
    this.#connections = new Connections(options, {
      onFrames: (connection, frames) => {
        this.#relay?.hear(connection, frames);
        this.#reception.receive(connection, frames);
      },
      onClose: (connection, reason, cause) => this.#closed(connection, reason, cause),
    });
    const { relay: access } = options;
    this.#relay = access === null ? null : new Relay({ access, connections: this.#connections, clock, log, ids });
    this.#switchboard = new Switchboard({
      sessions,
      clock,
      ids,
      report: (conferenceId, switched) => submit({ type: 'messages-switched', conferenceId, ...switched }),
      onRouted: (session) => this.#inboxes.routed(session),
    });
    this.#inboxes = new Inboxes({ switchboard: this.#switchboard, clock, ids, maxSize: options.maxSize });
    this.#reception = new Reception({
      sessions,
      inboxes: this.#inboxes,
      log,
      sessionMatch: options.sessionMatch,
      bind: (session, connection) => this.#bind(session, connection),
      onNickname: (session, request) => this.#nicknames.ask(session, request),
      onLost: (session, reason) => this.#lose(session, reason),
    });
  }

  /**
   * Resolves to what stands in our paths, once the relay has been tried. Rejects when an address cannot be bound; a relay
   * that cannot be used is tried again.
   */
  async listen(): Promise<MsrpAddress> {
    const address = await this.#connections.listen();
    await this.#relay?.start(address);
    return address;
  }

  /** What may change while the service runs, and stands in our descriptions. */
  present(): MsrpPresent {
    return { fingerprint: this.#connections.fingerprint, relays: this.#relay?.path ?? [] };
  }

  /** Whether the relay can be used, and else why not; null: there is none. */
  relayHealth(): { readonly ok: boolean; readonly detail: string } | null {
    if (this.#relay === null) return null;
    const { failure } = this.#relay;
    return { ok: failure === null, detail: failure ?? 'in use' };
  }

  /** Does what the core asks for. Never throws; what fails comes back as an input. */
  perform(effect: MsrpEffect): void {
    switch (effect.type) {
      case 'msrp.open':
        return this.#open(effect);
      case 'msrp.close':
        for (const session of this.#sessions.ofEndpoint(effect.endpointId))
          if ((effect.sessionId ?? session.sessionId) === session.sessionId) this.#end(session);
        return;
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
    this.#nicknames.answer(to, outcome);
  }

  /** NICKNAMEs that the core was not asked, by the status that they were answered. */
  get nicknamesTurnedAway(): Count {
    return this.#nicknames.turnedAway;
  }

  /** What is held at the moment. */
  counts(): MsrpCounts {
    return {
      sessions: this.#sessions.count,
      connections: this.#connections.count,
      dropped: this.#switchboard.lostCount,
      waitingBytesMost: this.#connections.waitingBytesMost,
    };
  }

  /** Closes the listener and every connection, for good. The last counts are submitted, no `msrp-closed` is. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const session of this.#sessions.all()) this.#end(session);
    this.#switchboard.flush();
    this.#relay?.stop();
    await this.#connections.close();
  }

  #open(asked: MsrpOpen): void {
    if (this.#isClosing) return;
    const effect = throughRelays(asked);
    const isOfFile = effect.file !== undefined;
    const known = isOfFile
      ? this.#sessions.bySessionId(effect.sessionId)
      : this.#sessions.byEndpointId(effect.endpointId);
    if (known?.isSame(effect)) {
      if (!known.isComplete) this.#complete(known, effect);
      // RFC 8122 6.2: who has not connected yet shows what the newest description tells of.
      else if (effect.remotePath.length > 0) this.#openings.set(known, effect);
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
    this.#openings.set(session, open);
    if (remotePath.length === 0) return;
    const target = targetOf(open);
    if (target === null) return this.#lose(session, "the peer's path is malformed");
    // Whoever connected before it could be known who that must be.
    const wrong = session.connection === null ? null : this.#whyNotBind(session, session.connection);
    if (wrong !== null) return this.#lose(session, wrong);
    const mustDial = role === 'active' && session.connection === null;
    const isRelayed = open.relays.length > 0;
    const refusal = mustDial ? whyNotDial(beyondOurs(open) ?? target, this.#options.privateTargets) : null;
    if (refusal !== null) return this.#lose(session, refusal);
    session.complete(open);
    if (session.state === 'open') return;
    if (mustDial) {
      if (isRelayed) this.#greetThroughRelay(session);
      else this.#dial(session, target);
    } else session.setDeadline(this.#loseAfter(session, limits.msrpConnectTimeoutMs, 'the peer did not connect'));
  }

  #loseAfter(session: Session, ms: number, reason: string): () => void {
    const { clock } = this.#options;
    return clock.callAt(clock.now() + ms, () => this.#lose(session, reason));
  }

  /** Connects to the peer, unless that is done, and greets it; both together have their time. */
  #dial(session: Session, target: DialTarget): void {
    const { ids } = this.#options;
    const cancel = this.#connections.reach(target, {
      onFailed: (reason) => this.#lose(session, reason),
      onConnected: (connection) => {
        // The peer may have connected to us meanwhile; RFC 4975 5.4 allows one connection per session.
        if (session.connection !== null) return this.#endUnused(connection);
        this.#sessions.attach(session, connection);
        session.greet(ids.transaction(), ids.messageId());
      },
    });
    const stopWait = this.#loseAfter(session, limits.msrpAnswerTimeoutMs, 'the peer did not answer');
    session.setDeadline(() => {
      stopWait();
      cancel();
    });
  }

  /** RFC 4976 5.1: all goes over the connection on which the relay gave its leave. */
  #greetThroughRelay(session: Session): void {
    const { ids } = this.#options;
    const connection = this.#relay?.connection ?? null;
    if (connection === null) return this.#lose(session, 'our relay is not connected');
    this.#sessions.attach(session, connection);
    session.greet(ids.transaction(), ids.messageId());
    session.setDeadline(this.#loseAfter(session, limits.msrpAnswerTimeoutMs, 'the peer did not answer'));
  }

  /** A request for `session` has come on `connection`: whether that is its connection from now on. */
  #bind(session: Session, connection: Connection): boolean {
    const reason = this.#whyNotBind(session, connection);
    if (reason === null) {
      this.#sessions.attach(session, connection);
      this.#connections.bound(connection);
      return true;
    }
    const { conferenceId, endpointId } = session;
    this.#options.log.warn({ conferenceId, endpointId, peer: connection.peer, reason }, 'MSRP connection not taken');
    return false;
  }

  /** Why `connection` may not be that of `session`; null when it may. */
  #whyNotBind(session: Session, connection: Connection): string | null {
    if (!session.local.secure) return null;
    // RFC 4975 14.2: msrps is TLS on every hop.
    if (!this.#connections.isSecure(connection)) return 'the peer did not connect over TLS';
    const open = this.#openings.get(session);
    const isDirect = open?.remotePath.length === 1 && session.local.transport === 'tcp';
    if (open === undefined || !isDirect || open.fingerprints.length === 0) return null;
    // RFC 8122 6.2: who tells a fingerprint shows the certificate that it is of.
    const certificate = this.#connections.certificateOf(connection);
    return hasFingerprint(certificate, open.fingerprints)
      ? null
      : "the peer's certificate is not the one that its description tells of";
  }

  // RFC 4975 5.4: when a connection fails, every session on it has failed.
  #closed(connection: Connection, reason: string, cause: 'lost' | 'stalled'): void {
    this.#relay?.closed(connection, reason);
    for (const session of this.#sessions.ofConnection(connection)) this.#lose(session, reason, cause);
  }

  // RFC 4975 5.4: a connection may serve several sessions, so only the last one takes it along; the relay's stays.
  #endUnused(connection: Connection): void {
    if (connection === this.#relay?.connection) return;
    if (this.#sessions.ofConnection(connection).length === 0) connection.end('the session has ended');
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
    this.#inboxes.close(session);
    this.#sessions.remove(session);
    session.close(event);
    if (connection !== null) this.#endUnused(connection);
  }
}

/** RFC 4976 5.1: To-Path begins with the relays before us, the nearest first. */
function throughRelays(open: MsrpOpen): MsrpOpen {
  const { relays, remotePath } = open;
  return remotePath.length === 0 ? open : { ...open, remotePath: [...relays.toReversed(), ...remotePath] };
}

/** What our relay, if there is one, would be told to connect to. It resolves names itself, as it is set up to. */
function beyondOurs({ relays, remotePath }: MsrpOpen): DialTarget | null {
  const uri = relays.length === 0 ? null : readPath(remotePath.slice(relays.length));
  return uri === null ? null : { uri, address: null, fingerprints: [] };
}

/** Where the peer is connected to; null when its path cannot be read. */
function targetOf({ relays, remotePath, connectTo, fingerprints }: MsrpOpen): DialTarget | null {
  const uri = readPath(remotePath);
  // RFC 6714 4.1: no relays where middleboxes stand; a fingerprint is of the peer, not of its relay.
  if (relays.length > 0 || remotePath.length > 1) return uri === null ? null : { uri, address: null, fingerprints: [] };
  return uri === null ? null : { uri, address: connectTo, fingerprints };
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
