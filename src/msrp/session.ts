/** One endpoint's MSRP session: its paths, its connection, and what waits until it is open. */

import type { MsrpOpen } from '../core/effect.ts';
import { limits } from '../core/limits.ts';
import { type MsrpSessionEvent, type MsrpSessionState, nextMsrpSessionState } from '../core/messaging/msrp-session.ts';
import type { Clock } from '../core/ports.ts';
import {
  isReportOfWhole,
  type MsrpRequest,
  type MsrpResponse,
  msrpHeader,
  pathLines,
  reportedStatus,
  sendParts,
  writeMsrpContent,
} from '../wire/msrp.ts';
import type { MsrpUri } from '../wire/msrp-uri.ts';
import { ownText } from '../wire/own-text.ts';
import { AwaitedReports, reported } from './awaited-reports.ts';
import { type Connection, written } from './connection.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import { type Copy, Transactions } from './transactions.ts';

export type SessionOptions = {
  readonly clock: Clock;
  /** The peer has not answered in time: the session has failed (RFC 4975 7.1.1). */
  readonly onStalled: (session: Session) => void;
};

/** The session of one endpoint, by the states of `nextMsrpSessionState`. Several may share one connection. */
export class Session {
  readonly conferenceId: string;
  readonly endpointId: string;
  readonly local: MsrpUri;
  /** Our path, as it was told to the peer. */
  readonly localPath: string;
  /** What file comes in it; null: it is for messages. */
  readonly file: NonNullable<MsrpOpen['file']> | null;
  #remotePath: readonly string[] = [];
  #role: MsrpOpen['role'] = 'passive';
  /** To-Path and From-Path of all that is sent. */
  #paths = '';
  /** The same and, where a relay answers, that the peer is to say that it has the message. */
  #sendPaths = '';
  #state: MsrpSessionState = 'connecting';
  #connection: Connection | null = null;
  /** A valid request, or the answer to ours, has shown that the connection is the peer's. */
  #confirmed = false;
  #firstTransaction: string | null = null;
  readonly #transactions: Transactions;
  readonly #awaitedReports: AwaitedReports;
  /** Media types that the peer has refused, of what message/cpim wraps. */
  readonly #refusedTypes = new Set<string>();
  #kept: Copy[] = [];
  /** Who wants to know when the peer has less before it. */
  #relievers: (() => void)[] = [];
  /** Set while its connection will tell when answers do not come through. */
  #stopHearing: (() => void) | null = null;
  #droppedCount = 0;
  #stopDeadline: (() => void) | null = null;

  /** `local` is `open.localPath`, read. */
  constructor(open: MsrpOpen, local: MsrpUri, { clock, onStalled }: SessionOptions) {
    this.conferenceId = open.conferenceId;
    this.endpointId = open.endpointId;
    this.local = local;
    this.localPath = open.localPath;
    this.file = open.file ?? null;
    this.#transactions = new Transactions(clock, () => onStalled(this));
    this.#awaitedReports = new AwaitedReports(clock);
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

  /** Whether nothing can be sent in it any more. */
  get isOver(): boolean {
    return this.#state === 'closed' || this.#connection?.isOpen === false;
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
    if (open.localPath !== this.localPath) return false;
    if (!this.isComplete || open.remotePath.length === 0) return true;
    const isSameRole = this.#connection !== null || open.role === this.#role;
    return sameTexts(open.remotePath, this.#remotePath) && isSameRole;
  }

  /** The peer's path has become known, and who connects. */
  complete({ remotePath, role }: Pick<MsrpOpen, 'remotePath' | 'role'>): void {
    this.#remotePath = remotePath;
    this.#role = role;
    this.#paths = pathLines(remotePath, [this.localPath]);
    this.#sendPaths = this.#isRelayed ? ownText(`${this.#paths}Success-Report: yes\r\n`) : this.#paths;
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
    this.#connection?.send(written(sendParts(transactionId, { paths: this.#paths, content, flag: '$' })));
  }

  isGreeting(transactionId: string): boolean {
    return this.#firstTransaction === transactionId;
  }

  /**
   * Sends a chunk to this receiver of its message, or keeps it for when the session opens; false when it is dropped, of which
   * nobody hears any more.
   */
  deliver(chunk: OutgoingChunk, receiver: number): boolean {
    const isTaken = this.#state === 'open' ? this.#send(chunk, receiver) : this.#keep(chunk, receiver);
    if (!isTaken) this.#droppedCount += 1;
    return isTaken;
  }

  /** What of a message was delivered will not be completed, says `abort`; that always fits. */
  abandon(abort: OutgoingChunk, receiver: number): void {
    const others = this.#kept.filter(({ chunk }) => chunk.message !== abort.message);
    const isKept = others.length < this.#kept.length;
    this.#kept = others;
    if (!isKept && this.#state === 'open') this.#connection?.send(abort.copy(receiver, this.#paths));
  }

  /**
   * Whether the peer has more before it than a large message may add to. What the network holds counts, too: a chat would
   * have to wait behind it.
   */
  get isCongested(): boolean {
    const keptBytes = this.#kept.reduce((sum, { chunk }) => sum + chunk.length, 0);
    // Two who send each other large messages would wait for each other's answers, which come behind what is not read.
    const unansweredBytes = (this.#connection?.hearsAnswers ?? true) ? this.#transactions.waitingBytes : 0;
    return keptBytes + unansweredBytes > limits.msrpWindowBytes || (this.#connection?.isCongested ?? false);
  }

  /** Calls back once the session, congested now, is no longer; never when it ends before. */
  whenRelieved(callback: () => void): void {
    this.#relievers.push(callback);
    this.#relieve();
    this.#hear();
  }

  /** RFC 4975 10.6: what was answered 415 is not sent again in the session. */
  hasRefused(wrappedType: string): boolean {
    return this.#refusedTypes.has(wrappedType);
  }

  /** The peer, or the relay before it, has answered one of our requests; what nobody waits for is ignored. */
  answered({ transactionId, status }: MsrpResponse): void {
    const copy = this.#transactions.take(transactionId);
    if (copy === undefined) return;
    if (this.#relievers.length > 0) this.#relieve();
    if (status === 200 && this.#isRelayed) return this.#awaitedReports.add(copy);
    const { message } = copy.chunk;
    if (status === 415) this.#noteRefused(message.wrappedType);
    message.answered(copy.receiver, status);
  }

  /** The peer, or a relay before it, tells what became of one of our messages (RFC 4975 7.1.2). */
  reported(report: MsrpRequest): void {
    const status = reportedStatus(report);
    const messageId = msrpHeader(report, 'Message-ID') ?? '';
    if (status === null) return;
    if (status === 200) {
      if (isReportOfWhole(report)) this.#awaitedReports.delivered(messageId);
      return;
    }
    // RFC 4975 7.1.2: a REPORT about no message of ours is ignored.
    const copy = this.#transactions.ofMessage(messageId);
    copy?.chunk.message.failed(copy.receiver, status, reported(status));
    this.#awaitedReports.failed(messageId, status);
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
    // A connection that others share outlives it.
    this.#stopHearing?.();
    this.#connection = null;
    const kept = this.#kept;
    this.#kept = [];
    for (const { chunk, receiver } of kept) chunk.message.failed(receiver, null, over);
    this.#awaitedReports.close();
    this.#transactions.close(over);
  }

  /** Whether others stand between us and the peer. */
  get #isRelayed(): boolean {
    return this.#remotePath.length > 1;
  }

  #send(chunk: OutgoingChunk, receiver: number): boolean {
    if (this.#transactions.count >= limits.msrpUnansweredMax) return false;
    if (!(this.#connection?.offer(chunk.copy(receiver, this.#sendPaths)) ?? false)) return false;
    this.#transactions.add(chunk, receiver);
    return true;
  }

  #keep(chunk: OutgoingChunk, receiver: number): boolean {
    if (this.#state === 'closed' || this.#kept.length >= limits.msrpWaitingMessagesMax) return false;
    this.#kept.push({ chunk, receiver });
    return true;
  }

  #noteRefused(type: string): void {
    if (this.#refusedTypes.size < limits.msrpRefusedTypesMax) this.#refusedTypes.add(type);
  }

  #openWhenReady(): void {
    if (this.#state !== 'connecting' || !this.#confirmed || !this.isComplete) return;
    this.#state = nextMsrpSessionState(this.#state, 'bound');
    this.#stopDeadline?.();
    this.#stopDeadline = null;
    const kept = this.#kept;
    this.#kept = [];
    for (const { chunk, receiver } of kept)
      if (!this.deliver(chunk, receiver)) chunk.message.failed(receiver, null, 'congested');
    this.#relieve();
  }

  /** Answers that come behind what is not read, on a connection shared with its sender, are not waited for either. */
  #hear(): void {
    if (this.#stopHearing !== null || this.#connection === null) return;
    this.#stopHearing = this.#connection.whenUnheard(() => {
      this.#stopHearing = null;
      this.#relieve();
    });
  }

  #relieve(): void {
    if (this.#relievers.length === 0) return;
    if (this.#connection?.isCongested) return this.#connection.whenRelieved(() => this.#relieve());
    if (this.isCongested) return;
    const relievers = this.#relievers;
    this.#relievers = [];
    for (const callback of relievers) callback();
  }
}

const over = 'its session has ended';

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
