/**
 * One connection. What is to be sent in one turn of the event loop leaves in one write, so that a burst costs one
 * system call per receiver. What the peer does not read waits in a bounded queue of shared contents.
 */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import { type MsrpHead, type MsrpParts, partsLength, responseParts, responseTo, wantsResponse } from '../wire/msrp.ts';
import { type MsrpFrame, MsrpReader } from '../wire/msrp-reader.ts';
import type { Carrier } from './carrier.ts';
import type { MsrpLog } from './msrp-log.ts';

/** As much as is copied for one write; the rest of the queue stays shared. */
const writeBytesMax = 64 * 1024;

/**
 * Of every socket, whoever connects. A chat is silent for long, so a peer that vanished without a word is noticed by
 * probes after this silence; until then a second connection of the same peer would get 506.
 */
export const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

const closedByPeer = 'the peer closed the connection';

/** Status and comment of a response. */
export type Answer = { readonly status: number; readonly comment: string };

/** What is to be sent, whose octets are made when they leave. */
export type Frame = { readonly length: number; readonly parts: () => MsrpParts };

export type ConnectionOptions = {
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly log: MsrpLog;
  /** All frames of one read, in order. */
  readonly onFrames: (connection: Connection, frames: readonly MsrpFrame[]) => void;
  /** Once, whoever closed. `stalled`: we did, since the peer does not read. */
  readonly onClose: (connection: Connection, reason: string, cause: 'lost' | 'stalled') => void;
};

/** A connection, whoever made it: its frames go to `onFrames`, responses and messages come by its methods. */
export class Connection {
  /** `address:port` of the peer, for the log. */
  readonly peer: string;
  readonly #options: ConnectionOptions;
  readonly #carrier: Carrier;
  readonly #reader = new MsrpReader({ wholeBytesMax: limits.messagePartBytes });
  #queue: Frame[] = [];
  /** First of the queue that is not written yet. */
  #first = 0;
  #queuedBytes = 0;
  /** How many times what one session may have before it. */
  #shares = 1;
  /** What of the queue the last flush has left. */
  #leftBytes = 0;
  #flushIsDue = false;
  /** Who wants it not to be read. */
  #holds = 0;
  /** Nothing has been read since somebody wanted that. */
  #isUnheard = false;
  /** The peer does not read what it is answered, hence is not read either. */
  #isBehind = false;
  #state: 'open' | 'ending' | 'closed' = 'open';
  #closeReason: string | null = null;
  #isStalled = false;
  /** Who waits for the peer to have read most of what it is sent. */
  #relievers: (() => void)[] = [];
  /** Who waits for answers that may not come through for a while. */
  readonly #listeners = new Set<() => void>();
  #waitingBytesMost = 0;
  #stopStall: (() => void) | null = null;
  #stopClosing: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#carrier = options.carrier;
    this.peer = options.carrier.peer;
    this.#carrier.listen({
      onOctets: (octets) => this.#read(octets),
      onDrain: () => this.#flush(),
      // Whoever has ended its direction and does not read ours would otherwise hold the connection for good.
      onEnd: () => this.end(closedByPeer),
      onError: (reason) => this.#note(reason),
      onClose: () => this.#closed(),
    });
  }

  /** Whether anything can still be sent, and what comes still counts. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Whether more waits for the peer than a large message may add to. What has come in this very turn does not count yet. */
  get isCongested(): boolean {
    return this.#leftBytes + this.#carrier.waitingBytes > this.#shares * limits.msrpWindowBytes;
  }

  /** Whether the peer's answers come through: not while it is not read, nor before a chunk of its own has ended. */
  get hearsAnswers(): boolean {
    return !this.#isUnheard && !this.#isBehind && !this.#reader.isInFrame;
  }

  /** Most octets that ever waited for the peer to read. */
  get waitingBytesMost(): number {
    return this.#waitingBytesMost;
  }

  /** Calls back once the peer, congested now, is no longer; never when the connection closes before. */
  whenRelieved(callback: () => void): void {
    this.#relievers.push(callback);
  }

  /**
   * Calls back once what the peer answers is not read for a while, since others could not take what else would come; not
   * after what this gives was called.
   */
  whenUnheard(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => void this.#listeners.delete(callback);
  }

  /** RFC 4975 5.4: it serves so many sessions. Each adds what a connection of its own could hold: contents are shared anyway. */
  serves(sessionCount: number): void {
    this.#shares = Math.max(1, sessionCount);
  }

  /** Queues what must not be lost. A peer that does not read its responses is not read from either, which bounds them. */
  send(frame: Frame): void {
    if (this.#state !== 'open') return;
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    // All frames of one read are handled before microtasks run.
    queueMicrotask(() => this.#flush());
  }

  /** Answers a request that came on this connection, if its Failure-Report lets us (RFC 4975 7.2). */
  respond(request: MsrpHead & { readonly method: string }, answer: Answer): void {
    if (request.method === 'SEND' && !wantsResponse(request, answer.status)) return;
    const response = responseTo(request, answer.status, answer.comment);
    this.send(written(responseParts(response)));
  }

  /**
   * Queues a message unless the queue is full or the connection is closing; false when it is dropped. Nobody but this
   * peer is the slower for it.
   */
  offer(frame: Frame): boolean {
    if (this.#state !== 'open') return false;
    if (this.#waitingBytes() + frame.length <= this.#queueBytesMax) {
      this.send(frame);
      return true;
    }
    this.#beginStall();
    return false;
  }

  /** Nothing more is read until as many `resumeReading` as this was called: others could not take what would come. */
  pauseReading(): void {
    this.#holds += 1;
    this.#isUnheard = true;
    this.#carrier.pause();
    // Those who are told may go on with what is being done here.
    if (this.#listeners.size > 0) queueMicrotask(() => this.#tellUnheard());
  }

  resumeReading(): void {
    this.#holds -= 1;
    this.#resumeWhenFree();
  }

  /** Writes what is queued, then closes; `reason` is what `onClose` will say. */
  end(reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#note(reason);
    const { clock } = this.#options;
    this.#stopClosing = clock.callAt(clock.now() + limits.msrpClosingMs, () => this.#carrier.destroy());
    this.#flush();
  }

  /** Closes at once. */
  destroy(reason: string): void {
    this.#note(reason);
    this.#carrier.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#isUnheard = this.#holds > 0;
    this.#options.onFrames(this, this.#reader.push(chunk));
    if (this.#waitingBytes() <= this.#queueBytesMax) return;
    this.#isBehind = true;
    this.#carrier.pause();
    this.#beginStall();
  }

  #flush(): void {
    this.#flushIsDue = false;
    this.#waitingBytesMost = Math.max(this.#waitingBytesMost, this.#waitingBytes());
    while (this.#first < this.#queue.length && this.#carrier.canWrite) {
      this.#writeSome();
    }
    this.#leftBytes = this.#queuedBytes;
    if (this.#relievers.length > 0 && !this.isCongested) this.#relieve();
    if (this.#first < this.#queue.length) return;
    this.#queue = [];
    this.#first = 0;
    if (this.#state === 'ending') this.#carrier.end();
    if (this.#state !== 'open' || !this.#carrier.canWrite) return;
    this.#stopStall?.();
    this.#stopStall = null;
    this.#isBehind = false;
    this.#resumeWhenFree();
  }

  #resumeWhenFree(): void {
    if (this.#holds === 0 && !this.#isBehind && this.#carrier.isPaused) this.#carrier.resume();
  }

  #writeSome(): void {
    const parts: MsrpParts[] = [];
    let length = 0;
    while (this.#first < this.#queue.length && length < writeBytesMax) {
      const frame = this.#queue[this.#first];
      this.#first += 1;
      if (frame === undefined) continue;
      length += frame.length;
      parts.push(frame.parts());
    }
    this.#queuedBytes -= length;
    this.#carrier.write(parts, length);
  }

  #tellUnheard(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const callback of listeners) callback();
  }

  #relieve(): void {
    const relievers = this.#relievers;
    this.#relievers = [];
    for (const callback of relievers) callback();
  }

  get #queueBytesMax(): number {
    return this.#shares * limits.msrpQueueBytesMax;
  }

  #waitingBytes(): number {
    return this.#queuedBytes + this.#carrier.waitingBytes;
  }

  // RFC 7701 6.4: who stays congested for long loses the session; until then messages are dropped, requests not read.
  #beginStall(): void {
    if (this.#stopStall !== null || this.#state !== 'open') return;
    const { clock, log } = this.#options;
    log.warn({ peer: this.peer, waitingBytes: this.#waitingBytes() }, 'MSRP receiver does not keep up');
    this.#stopStall = clock.callAt(clock.now() + limits.msrpStallMs, () => {
      this.#isStalled = true;
      this.destroy('the peer does not read what it is sent');
    });
  }

  #note(reason: string): void {
    this.#closeReason ??= reason;
  }

  #closed(): void {
    this.#state = 'closed';
    this.#queue = [];
    this.#first = 0;
    this.#relievers = [];
    this.#listeners.clear();
    this.#stopStall?.();
    this.#stopClosing?.();
    this.#options.onClose(this, this.#closeReason ?? closedByPeer, this.#isStalled ? 'stalled' : 'lost');
  }
}

/** A frame whose octets are known. */
export function written(parts: MsrpParts): Frame {
  return new WrittenFrame(parts);
}

class WrittenFrame implements Frame {
  readonly length: number;
  readonly #parts: MsrpParts;

  constructor(parts: MsrpParts) {
    this.length = partsLength(parts);
    this.#parts = parts;
  }

  parts(): MsrpParts {
    return this.#parts;
  }
}
