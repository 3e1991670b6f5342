/** One endpoint's MSRP session: its paths, its connection, and what waits until it is open. */

import type { MsrpOpen } from '../core/effect.ts';
import { limits } from '../core/limits.ts';
import { type MsrpSessionEvent, type MsrpSessionState, nextMsrpSessionState } from '../core/messaging/msrp-session.ts';
import { type MsrpRequest, type MsrpResponse, pathLines, sendParts, writeMsrpContent } from '../wire/msrp.ts';
import type { MsrpUri } from '../wire/msrp-uri.ts';
import type { Connection } from './connection.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';

/** A whole message with content, and its connection is the session's. */
export type Message = MsrpRequest & { readonly body: Buffer };

/** The session of one endpoint, by the states of `nextMsrpSessionState`. Several may share one connection. */
export class Session {
  readonly conferenceId: string;
  readonly endpointId: string;
  readonly local: MsrpUri;
  readonly #localPath: string;
  #remotePath: readonly string[] = [];
  #role: MsrpOpen['role'] = 'passive';
  /** To-Path and From-Path of all that is sent. */
  #paths = '';
  #state: MsrpSessionState = 'connecting';
  #connection: Connection | null = null;
  /** A valid request, or the answer to ours, has shown that the connection is the peer's. */
  #confirmed = false;
  #firstTransaction: string | null = null;
  #routed = false;
  #waiting: OutgoingChunk[] = [];
  #early: Message[] = [];
  #droppedCount = 0;
  #stopDeadline: (() => void) | null = null;
  #stopEarlyDeadline: (() => void) | null = null;

  /** `local` is `open.localPath`, read. */
  constructor(open: MsrpOpen, local: MsrpUri) {
    this.conferenceId = open.conferenceId;
    this.endpointId = open.endpointId;
    this.local = local;
    this.#localPath = open.localPath;
  }

  get state(): MsrpSessionState {
    return this.#state;
  }

  /** Of our path. */
  get sessionId(): string {
    return this.local.sessionId;
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  /** Whether the peer's path is known. */
  get isComplete(): boolean {
    return this.#remotePath.length > 0;
  }

  /** Messages not queued for this receiver: too much waited already, or its connection was closing. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /**
   * Whether `open` is about this very session: the same path of ours, no other path of the peer than is known, and, as
   * long as nobody has connected, the same side to do it.
   */
  isSame(open: MsrpOpen): boolean {
    if (open.localPath !== this.#localPath) return false;
    if (!this.isComplete || open.remotePath.length === 0) return true;
    const isSameRole = this.#connection !== null || open.role === this.#role;
    return sameTexts(open.remotePath, this.#remotePath) && isSameRole;
  }

  /** The peer's path has become known, and who connects. */
  complete({ remotePath, role }: Pick<MsrpOpen, 'remotePath' | 'role'>): void {
    this.#remotePath = remotePath;
    this.#role = role;
    this.#paths = pathLines(remotePath, [this.#localPath]);
    this.#openWhenReady();
  }

  /** `connection` is used for this session from now on. */
  attach(connection: Connection): void {
    this.#connection = connection;
  }

  /** What `attach`ed is surely the peer's. */
  confirm(): void {
    this.#confirmed = true;
    this.#openWhenReady();
  }

  /** RFC 4975 5.4: the active side sends a SEND at once; it has nothing to say, hence no body. */
  greet(transactionId: string, messageId: string): void {
    this.#firstTransaction = transactionId;
    const content = writeMsrpContent([{ name: 'Message-ID', value: messageId }], null);
    this.#connection?.send(sendParts(transactionId, { paths: this.#paths, content, flag: '$' }));
  }

  isGreeting(transactionId: string): boolean {
    return this.#firstTransaction === transactionId;
  }

  /** Sends, or keeps for when the session opens; false when the message is dropped. */
  deliver(chunk: OutgoingChunk): boolean {
    const isTaken = this.#state === 'open' ? this.#send(chunk) : this.#keep(chunk);
    if (!isTaken) this.#droppedCount += 1;
    return isTaken;
  }

  /** The peer has answered one of our requests. */
  answered(_response: MsrpResponse): void {
    return;
  }

  /** The peer, or a relay before it, tells what became of one of our messages (RFC 4975 7.1.2). */
  reported(_report: MsrpRequest): void {
    return;
  }

  /** Whether the route has named this endpoint; from then on its absence means that it has been removed. */
  get isRouted(): boolean {
    return this.#routed;
  }

  /** The route names this endpoint: gives the messages that came before it did. */
  markRouted(): readonly Message[] {
    this.#routed = true;
    return this.takeEarly();
  }

  /** Keeps a message until the route names its sender; false when too many wait. The first one starts the `deadline`. */
  keepEarly(message: Message, deadline: () => () => void): boolean {
    if (this.#early.length >= limits.msrpWaitingMessagesMax) return false;
    this.#early.push(message);
    this.#stopEarlyDeadline ??= deadline();
    return true;
  }

  takeEarly(): readonly Message[] {
    const early = this.#early;
    this.#early = [];
    this.#stopEarlyDeadline?.();
    this.#stopEarlyDeadline = null;
    return early;
  }

  /** `stop` ends a timer that runs until the session is open. */
  setDeadline(stop: () => void): void {
    this.#stopDeadline?.();
    this.#stopDeadline = stop;
  }

  /** The session is over; what waited for it is gone. */
  close(event: Extract<MsrpSessionEvent, 'lost' | 'ended'>): void {
    this.#state = nextMsrpSessionState(this.#state, event);
    this.#stopDeadline?.();
    this.#stopEarlyDeadline?.();
    this.#waiting = [];
    this.#early = [];
    this.#connection = null;
  }

  #send(chunk: OutgoingChunk): boolean {
    return this.#connection?.offer(chunk.copy(this.#paths)) ?? false;
  }

  #keep(chunk: OutgoingChunk): boolean {
    if (this.#waiting.length >= limits.msrpWaitingMessagesMax) return false;
    this.#waiting.push(chunk);
    return true;
  }

  #openWhenReady(): void {
    if (this.#state !== 'connecting' || !this.#confirmed || !this.isComplete) return;
    this.#state = nextMsrpSessionState(this.#state, 'bound');
    this.#stopDeadline?.();
    this.#stopDeadline = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) this.deliver(chunk);
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
