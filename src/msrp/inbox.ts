/** What comes in one session: its chunks are answered and made messages, which are passed on in the order of their ends. */

import { limits } from '../core/limits.ts';
import { tooLong } from '../core/messaging/assembly.ts';
import { type MsrpFlag, type MsrpRequest, msrpHeader, successReport, writeMsrpRequest } from '../wire/msrp.ts';
import type { MsrpBegin } from '../wire/msrp-reader.ts';
import { answers } from './answers.ts';
import { type Answer, type Connection, written } from './connection.ts';
import { IncomingMessage, type IncomingOptions } from './incoming-message.ts';
import type { MsrpIds } from './outgoing-chunk.ts';
import { type Chunk, isCpim, screenChunk } from './screen.ts';
import type { Session } from './session.ts';

export type InboxOptions = IncomingOptions & { readonly ids: MsrpIds };

/** A SEND with content, all of it or its beginning. */
type Send = MsrpBegin | MsrpRequest;

/** The chunk that is being read. */
type Current = {
  readonly send: Send;
  readonly chunk: Chunk;
  /** Null: all of it has come before. */
  readonly message: IncomingMessage | null;
  /** Octets of the chunk so far. */
  length: number;
};

/** A whole message that waits for the route to name its sender, and what is answered then. */
type Early = { readonly send: Send; readonly chunk: Chunk; readonly message: IncomingMessage };

/** The messages of one session on their way in. */
export class Inbox {
  readonly #session: Session;
  readonly #options: InboxOptions;
  readonly #unfinished = new Map<string, IncomingMessage>();
  /** What is answered to further chunks of messages that were refused, the latest last. */
  readonly #refused = new Map<string, Answer>();
  #current: Current | null = null;
  #early: Early[] = [];
  #stopEarly: (() => void) | null = null;
  /** Not read before the route names this session. */
  #held: Connection | null = null;

  constructor(session: Session, options: InboxOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** A SEND that has come whole. */
  receive(send: MsrpRequest): void {
    const { flag } = send;
    // RFC 4975 7.1: a bodiless SEND is traffic, unless a message has begun of which it is a chunk: its last one, or its abort.
    if (send.body === null && !this.#unfinished.has(messageIdOf(send))) return this.#respond(send, answers.ok);
    const body = send.body ?? noOctets;
    const chunk = screenChunk(send);
    if ('status' in chunk) return this.#respond(send, chunk);
    const isWhole = flag === '$' && chunk.start === 1 && !this.#unfinished.has(chunk.messageId);
    if (isWhole && this.#receiveWhole(send, chunk, body)) return;
    this.#beginChunk(send, chunk);
    this.#put(body);
    this.end(flag);
  }

  /** A SEND has begun whose content comes by `piece`, until `end`. */
  begin(send: MsrpBegin): void {
    const chunk = screenChunk(send);
    if ('status' in chunk) this.#respond(send, chunk);
    else this.#beginChunk(send, chunk);
  }

  piece(octets: Buffer): void {
    this.#put(octets);
    if (this.#current?.message?.awaitsRoute) this.#awaitRoute();
  }

  end(flag: MsrpFlag): void {
    const current = this.#current;
    if (current === null) return;
    const { send, chunk, message, length } = current;
    if (message === null) return this.#endAgain(send, chunk, flag);
    if (flag === '#') return this.#abort(send, message);
    const state = message.endChunk(flag === '$' ? chunk.start - 1 + length : null);
    if (typeof state !== 'string') return this.#refuse(message, state);
    this.#current = null;
    if (state === 'later') return this.#keepEarly({ send, chunk, message });
    if (state === 'done') return this.#done({ send, chunk, message });
    this.#respond(send, answers.ok);
    if (message.awaitsRoute) this.#awaitRoute();
  }

  /** The route names this session: what waited for that goes on. */
  routed(): void {
    for (const early of this.#endWait()) this.#switchEarly(early);
    for (const message of this.#unfinished.values()) {
      const answer = message.advance();
      if (answer !== null) this.#refuse(message, answer);
    }
  }

  /** The session is over. */
  close(): void {
    for (const each of this.#endWait()) this.#turnAway(each, answers.noSession);
    if (this.#current !== null) this.#respond(this.#current.send, answers.noSession);
    this.#current = null;
    for (const message of this.#unfinished.values()) message.abort('its sender has gone');
    this.#unfinished.clear();
  }

  /** A message in one chunk needs no putting together; false when it must wait for the route, though. */
  #receiveWhole(send: MsrpRequest, chunk: Chunk, body: Buffer): boolean {
    const { switchboard } = this.#options;
    const { messageId, mime } = chunk;
    const refusal = this.#whyNotWhole(chunk, body);
    if (refusal !== null) return this.#answered(send, refusal);
    if (switchboard.hasCompleted(this.#session, messageId)) return this.#acknowledged(send, chunk);
    const considered = switchboard.consider(this.#session, body);
    if (considered === 'later') return false;
    if (considered === 'unfinished') return this.#answered(send, answers.unreadable);
    if (!('facts' in considered)) return this.#answered(send, considered);
    switchboard.completed(this.#session, messageId, body.length);
    this.#acknowledged(send, chunk);
    const passage = switchboard.pass(considered, { messageId, mime, onRelieved: null });
    passage.send({ body, start: 1, total: body.length, isLast: true });
    return true;
  }

  #whyNotWhole(chunk: Chunk, { length }: Buffer): Answer | null {
    const { maxSize } = this.#options;
    if (!this.#takes(chunk)) return answers.wrongType;
    if (length > maxSize) return tooLong(maxSize);
    // RFC 4975 7.3.1: the last octet of the chunk that ends the message is the last one of the message.
    return chunk.total === null || chunk.total === length ? null : answers.wrongLength;
  }

  #beginChunk(send: Send, chunk: Chunk): void {
    const { messageId } = chunk;
    const refused = this.#refused.get(messageId);
    if (refused !== undefined) return this.#respond(send, refused);
    // RFC 4975 5.4: it is acknowledged, and not shown twice.
    if (this.#options.switchboard.hasCompleted(this.#session, messageId)) {
      this.#current = { send, chunk, message: null, length: 0 };
      return;
    }
    const known = this.#unfinished.get(messageId);
    const refusal = known === undefined ? this.#whyNotBegin(chunk) : null;
    if (refusal !== null) {
      this.#remember(messageId, refusal);
      return this.#respond(send, refusal);
    }
    const message = known ?? this.#open(chunk);
    this.#current = { send, chunk, message, length: 0 };
    const answer = message.announce(chunk.total);
    if (answer !== null) this.#refuse(message, answer);
  }

  #put(octets: Buffer): void {
    const current = this.#current;
    if (current === null || current.message === null) return;
    const { message, chunk } = current;
    const answer = message.put(chunk.start + current.length, octets);
    current.length += octets.length;
    if (answer !== null) this.#refuse(message, answer);
  }

  /** A file comes as it is. */
  #takes({ contentType }: Chunk): boolean {
    return this.#session.file !== null || isCpim(contentType);
  }

  #whyNotBegin(chunk: Chunk): Answer | null {
    if (!this.#takes(chunk)) return answers.wrongType;
    return this.#unfinished.size >= limits.unfinishedMessagesMax ? answers.tooMany : null;
  }

  #open(chunk: Chunk): IncomingMessage {
    const message: IncomingMessage = new IncomingMessage(this.#session, chunk, {
      ...this.#options,
      // RFC 7701 6.1: whoever has a part of it is told that the rest will not come.
      onTimeout: () => this.#refuse(message, answers.tooSlow),
    });
    this.#unfinished.set(chunk.messageId, message);
    return message;
  }

  #abort(send: Send, message: IncomingMessage): void {
    if (this.#current?.message === message) this.#current = null;
    this.#unfinished.delete(message.messageId);
    message.abort('its sender has given it up');
    this.#respond(send, answers.ok);
  }

  #done({ send, chunk, message }: Early): void {
    this.#unfinished.delete(message.messageId);
    this.#options.switchboard.completed(this.#session, message.messageId, message.total ?? 0);
    this.#acknowledged(send, chunk);
  }

  /** A chunk of a message that was switched: whoever sends it again may have missed the report, too, which is due at its end. */
  #endAgain(send: Send, chunk: Chunk, flag: MsrpFlag): void {
    this.#current = null;
    if (flag === '$') this.#acknowledged(send, chunk);
    else this.#respond(send, answers.ok);
  }

  /**
   * All of the message has come. RFC 4975 7.1.3: the report comes after the answer, whatever Failure-Report says of that.
   */
  #acknowledged(send: Send, { messageId, wantsSuccessReport }: Chunk): true {
    this.#respond(send, answers.ok);
    const length = this.#options.switchboard.completedLength(this.#session, messageId);
    if (!wantsSuccessReport || length === null) return true;
    const report = successReport(send, { transactionId: this.#options.ids.transaction(), length });
    this.#session.connection?.send(written({ start: '', content: writeMsrpRequest(report), end: '' }));
    return true;
  }

  /** The message is over; what still comes of it gets the same answer. */
  #refuse(message: IncomingMessage, answer: Answer): void {
    if (this.#current?.message === message) {
      this.#respond(this.#current.send, answer);
      this.#current = null;
    }
    this.#unfinished.delete(message.messageId);
    message.abort(`it was refused: ${answer.comment}`);
    this.#remember(message.messageId, answer);
  }

  #remember(messageId: string, answer: Answer): void {
    this.#refused.set(messageId, answer);
    const [oldest] = this.#refused.keys();
    if (oldest !== undefined && this.#refused.size > limits.refusedMessagesMax) this.#refused.delete(oldest);
  }

  #keepEarly(early: Early): void {
    this.#unfinished.delete(early.message.messageId);
    if (this.#early.length >= limits.msrpWaitingMessagesMax) return this.#turnAway(early, answers.notInConference);
    this.#early.push(early);
    this.#awaitRoute();
  }

  #switchEarly(early: Early): void {
    const { send, chunk, message } = early;
    // The same one may have waited twice.
    const isRepeated = this.#options.switchboard.hasCompleted(this.#session, message.messageId);
    const state = isRepeated ? 'again' : message.endChunk(null);
    if (state === 'done') this.#done(early);
    else if (state === 'again') {
      message.abort('it has come before');
      this.#acknowledged(send, chunk);
    } else this.#turnAway(early, typeof state === 'string' ? answers.notInConference : state);
  }

  #turnAway({ send, message }: Early, answer: Answer): void {
    message.abort(answer.comment);
    this.#respond(send, answer);
  }

  /** Starts the wait for the route, which is not long. Of large messages no more is read meanwhile. */
  #awaitRoute(): void {
    const { clock } = this.#options;
    this.#stopEarly ??= clock.callAt(clock.now() + limits.msrpEarlyMs, () => this.#giveUpWait());
    const { connection } = this.#session;
    if (this.#unfinished.size === 0 || this.#held !== null || connection === null) return;
    this.#held = connection;
    connection.pauseReading();
  }

  #giveUpWait(): void {
    for (const early of this.#endWait()) this.#turnAway(early, answers.notInConference);
    for (const message of this.#unfinished.values())
      if (message.awaitsRoute) this.#refuse(message, answers.notInConference);
  }

  #endWait(): readonly Early[] {
    const early = this.#early;
    this.#early = [];
    this.#stopEarly?.();
    this.#stopEarly = null;
    const held = this.#held;
    this.#held = null;
    held?.resumeReading();
    return early;
  }

  #respond(send: Send, answer: Answer): void {
    this.#session.connection?.respond(send, answer);
  }

  #answered(send: Send, answer: Answer): true {
    this.#respond(send, answer);
    return true;
  }
}

const noOctets = Buffer.alloc(0);

function messageIdOf(send: Send): string {
  return msrpHeader(send, 'Message-ID') ?? '';
}
