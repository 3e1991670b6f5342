/** A message that comes in several chunks, or in a long one: put together, judged once, passed on while it still comes. */

import { limits } from '../core/limits.ts';
import { Assembly } from '../core/messaging/assembly.ts';
import type { Clock } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import { answers } from './answers.ts';
import type { Answer, Connection } from './connection.ts';
import type { Passage } from './passage.ts';
import type { Chunk } from './screen.ts';
import type { Session } from './session.ts';
import type { Accepted, Switchboard } from './switchboard.ts';

export type IncomingOptions = {
  readonly switchboard: Switchboard;
  readonly clock: Clock;
  /** Octets of a whole message. */
  readonly maxSize: number;
};

const lineFeed = 0x0a;

/** Its octets come by `put`, the ends of its chunks by `endChunk`. What gives an answer is over, refused. */
export class IncomingMessage {
  readonly #session: Session;
  readonly #chunk: Chunk;
  readonly #options: IncomingOptions;
  readonly #assembly: Assembly;
  #passage: Passage | null = null;
  /** Octets that were judged, of which the verdict is true. */
  #judgedBytes = 0;
  /** How much of what is ready holds no line that was not looked at. */
  #lookedAt = 0;
  #awaitsRoute = false;
  /** The sender's connection, not read as long as a receiver has too much before it. */
  #held: Connection | null = null;
  #lastAt: Instant;
  #stopTimer: () => void;

  /** `chunk` is the first to come of it. `onTimeout`: nothing has come of it for too long. */
  constructor(session: Session, chunk: Chunk, options: IncomingOptions & { readonly onTimeout: () => void }) {
    const { clock, maxSize, onTimeout } = options;
    this.#session = session;
    this.#chunk = chunk;
    this.#options = options;
    this.#assembly = new Assembly(maxSize);
    this.#lastAt = clock.now();
    this.#stopTimer = this.#watch(onTimeout);
  }

  get messageId(): string {
    return this.#chunk.messageId;
  }

  /** Whether it cannot be judged before the route names its sender. */
  get awaitsRoute(): boolean {
    return this.#awaitsRoute;
  }

  /** Octets of the whole message, once its end has come. */
  get total(): number | null {
    return this.#assembly.total;
  }

  /** A further chunk begins, which says how long the message is. */
  announce(total: number | null): Answer | null {
    this.#lastAt = this.#options.clock.now();
    return this.#assembly.announce(total);
  }

  /** Octets from `start` on. */
  put(start: number, octets: Buffer): Answer | null {
    this.#lastAt = this.#options.clock.now();
    for (let at = 0; at < octets.length; at += limits.messagePartBytes) {
      const answer = this.#putPart(start + at, octets.subarray(at, at + limits.messagePartBytes)) ?? this.advance();
      if (answer !== null) return answer;
    }
    return null;
  }

  /**
   * A chunk has ended, which was the last of the message if `total` is its length. `done`: the message is whole and passed
   * on; `later`: it is whole and waits for the route.
   */
  endChunk(total: number | null): Answer | 'more' | 'done' | 'later' {
    const answer = (total === null ? null : this.#assembly.end(total)) ?? this.advance();
    if (answer !== null) return answer;
    if (!this.#assembly.isComplete) return 'more';
    if (this.#passage === null) return this.#awaitsRoute ? 'later' : answers.unreadable;
    this.#finish(this.#passage);
    return 'done';
  }

  /** Judges and passes on what can be. */
  advance(): Answer | null {
    if (this.#passage === null) {
      const answer = this.#judge();
      if (answer !== null) return answer;
    }
    while (this.#passage !== null && !this.#mustHold(this.#passage)) this.#sendPart(this.#passage);
    return null;
  }

  /** RFC 4975 7.1: no more of it will come, and who has a part of it must not take that for the whole. */
  abort(reason: string): void {
    this.#stopTimer();
    this.#passage?.abort(reason);
    this.#release();
  }

  /** As long as receivers have too much before them, what was read of it goes out little by little, as they answer. */
  #mustHold(passage: Passage): boolean {
    const { readyLength } = this.#assembly;
    // Something is left for the end, so that the last chunk is not empty.
    if (readyLength <= limits.messagePartBytes) return true;
    return passage.isCongested && readyLength <= limits.messageHeldBytesMax;
  }

  #sendPart(passage: Passage): void {
    this.#send(passage, this.#assembly.next, this.#assembly.take(limits.messagePartBytes));
  }

  #putPart(start: number, octets: Buffer): Answer | null {
    // Ours: whom the message is from and to has been judged, so that what comes again of its headers does not count.
    const judged = Math.max(0, Math.min(octets.length, this.#judgedBytes + 1 - start));
    const [from, part] = [start + judged, octets.subarray(judged)];
    const taken = this.#assembly.next - from;
    const answer = this.#assembly.put(from, part);
    if (answer !== null || taken <= 0) return answer;
    // RFC 4975 7.3.1: the last to come counts, for the receivers, too.
    if (this.#passage !== null) this.#send(this.#passage, from, part.subarray(0, taken));
    return null;
  }

  /** RFC 7701 6.1: once the headers have come it is settled who gets the message. */
  #judge(): Answer | null {
    const { ready, isComplete } = this.#assembly;
    const hasLine = ready.indexOf(lineFeed, this.#lookedAt) !== -1;
    const mustEnd = isComplete || ready.length >= limits.messageHeaderBytesMax;
    if (!mustEnd && !hasLine && !this.#awaitsRoute) return null;
    this.#lookedAt = ready.length;
    const considered = this.#options.switchboard.consider(this.#session, ready);
    this.#awaitsRoute = considered === 'later';
    if (considered === 'later') return null;
    if (considered === 'unfinished') return mustEnd ? answers.unreadable : null;
    if (!('facts' in considered)) return considered;
    this.#accept(considered);
    return null;
  }

  #accept(accepted: Accepted): void {
    const { messageId, mime } = this.#chunk;
    this.#judgedBytes = accepted.facts.headerBytes;
    this.#passage = this.#options.switchboard.pass(accepted, { messageId, mime, onRelieved: () => this.#goOn() });
  }

  #send(passage: Passage, start: number, body: Buffer): void {
    if (body.length > 0) passage.send({ body, start, total: this.#assembly.length, isLast: false });
    const { connection } = this.#session;
    if (!passage.isCongested || this.#held !== null || connection === null) return;
    this.#held = connection;
    connection.pauseReading();
  }

  /** The receivers have caught up: what was read goes out before more is. */
  #goOn(): void {
    this.advance();
    if (!this.#passage?.isCongested) this.#release();
  }

  #finish(passage: Passage): void {
    while (this.#assembly.readyLength > limits.messagePartBytes) this.#sendPart(passage);
    const { next: start, total, readyLength } = this.#assembly;
    passage.send({ body: this.#assembly.take(readyLength), start, total, isLast: true });
    this.#stopTimer();
    this.#release();
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    held?.resumeReading();
  }

  /** RFC 7701 6.1: the chunk timer. It is not set anew for each chunk, but looks when the last one came. */
  #watch(onTimeout: () => void): () => void {
    const { clock } = this.#options;
    return clock.callAt(this.#lastAt + limits.chunkTimeoutMs, () => {
      if (clock.now() >= this.#lastAt + limits.chunkTimeoutMs) onTimeout();
      else this.#stopTimer = this.#watch(onTimeout);
    });
  }
}
