/** One chunk on its way to many receivers: the content is made once, each copy adds its transaction and paths. */

import {
  byteRangeOf,
  copyParts,
  holdsEndLine,
  type MsrpFlag,
  type MsrpHeader,
  type MsrpParts,
  msrpContentText,
  type SendEnds,
  sendEnds,
  sendLength,
  writeMsrpContent,
} from '../wire/msrp.ts';
import type { Frame } from './connection.ts';

/**
 * Chance, handed in: `ident`s of RFC 4975 9. Transaction ids carry at least 64 random bits (RFC 4975 7.1) in at most 24
 * characters, so that the number of a copy still fits behind them.
 */
export type MsrpIds = { readonly transaction: () => string; readonly messageId: () => string };

/** What a chunk belongs to; is told what became of each copy, by the number of its receiver. */
export type ChunkedMessage = {
  readonly messageId: string;
  /** Media type of what message/cpim wraps. */
  readonly wrappedType: string;
  readonly answered: (receiver: number, status: number) => void;
  readonly failed: (receiver: number, status: number | null, reason: string) => void;
};

/** What a chunk holds: octets from `start` on, the first octet of a message being 1. */
export type ChunkContent = {
  /** Content- headers of the message. */
  readonly mime: readonly MsrpHeader[];
  readonly body: Buffer;
  readonly start: number;
  /** Octets of the whole message; null while nobody knows. */
  readonly total: number | null;
  readonly flag: MsrpFlag;
};

/** Bodies up to this length are sent as text: of longer ones each copy would be one more in our memory. */
const textBytesMax = 4 * 1_024;

/** A chunk ready to be sent to any number of receivers. */
export class OutgoingChunk {
  readonly message: ChunkedMessage;
  readonly #transaction: string;
  readonly #content: Buffer | string;
  readonly #ends: SendEnds;

  private constructor(message: ChunkedMessage, transaction: string, { content, flag }: WrittenContent) {
    this.message = message;
    this.#transaction = transaction;
    this.#content = content;
    this.#ends = sendEnds(`${transaction}.`, flag);
  }

  /** The body is copied out of `content` here, once for all copies. Each copy is to be answered, also with 200. */
  static of(message: ChunkedMessage, { mime, body, start, total, flag }: ChunkContent, ids: MsrpIds): OutgoingChunk {
    const range = byteRangeOf({ start, length: body.length, total });
    // RFC 7701 6.1: the content must not be modified; its MIME headers belong to it.
    const headers = [{ name: 'Message-ID', value: message.messageId }, range, ...mime];
    if (body.length > textBytesMax)
      return new OutgoingChunk(message, freeTransaction(body, ids), { content: writeMsrpContent(headers, body), flag });
    const text = body.toString('latin1');
    return new OutgoingChunk(message, freeTransaction(text, ids), { content: msrpContentText(headers, text), flag });
  }

  /** RFC 4975 7.1: says that what came of the message will not be completed. Nobody need answer that. */
  static abort(message: ChunkedMessage, ids: MsrpIds): OutgoingChunk {
    const headers = [
      { name: 'Message-ID', value: message.messageId },
      { name: 'Failure-Report', value: 'no' },
    ];
    return new OutgoingChunk(message, ids.transaction(), { content: writeMsrpContent(headers, null), flag: '#' });
  }

  /** Octets that all copies share. */
  get length(): number {
    return this.#content.length;
  }

  /** RFC 4975 7.1: transactions differ and are random; the chunk's random part and the receiver's number are both. */
  transactionOf(receiver: number): string {
    return `${this.#transaction}.${receiver}`;
  }

  /** Whether that is the id, without it being made. */
  isTransactionOf(receiver: number, id: string): boolean {
    const dot = this.#transaction.length;
    return id[dot] === '.' && id.slice(dot + 1) === String(receiver) && id.slice(0, dot) === this.#transaction;
  }

  /** The copy for one receiver, a SEND. `paths` are made by `pathLines`. */
  parts(receiver: number, paths: string): MsrpParts {
    return copyParts(this.#ends, receiver, { paths, content: this.#content });
  }

  /** The same while it waits. */
  copy(receiver: number, paths: string): ChunkCopy {
    const idLength = this.#transaction.length + 1 + String(receiver).length;
    return new ChunkCopy(this, { receiver, paths, length: sendLength(idLength, { paths, content: this.#content }) });
  }
}

/** What one receiver gets is made when it leaves: while it waits, nothing of it is its own. */
class ChunkCopy implements Frame {
  readonly length: number;
  readonly #chunk: OutgoingChunk;
  readonly #receiver: number;
  readonly #paths: string;

  constructor(chunk: OutgoingChunk, copy: { receiver: number; paths: string; length: number }) {
    this.length = copy.length;
    this.#chunk = chunk;
    this.#receiver = copy.receiver;
    this.#paths = copy.paths;
  }

  parts(): MsrpParts {
    return this.#chunk.parts(this.#receiver, this.#paths);
  }
}

type WrittenContent = { readonly content: Buffer | string; readonly flag: MsrpFlag };

// RFC 4975 7.1: the end-line must not occur in the body; when its beginning does not, no copy's end-line does.
function freeTransaction(body: Buffer | string, ids: MsrpIds): string {
  let transaction = ids.transaction();
  while (holdsEndLine(body, transaction)) transaction = ids.transaction();
  return transaction;
}
