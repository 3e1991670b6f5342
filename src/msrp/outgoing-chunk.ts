/** One chunk on its way to many receivers: the content is made once, each copy adds its transaction and paths. */

import {
  byteRangeOf,
  holdsEndLine,
  type MsrpFlag,
  type MsrpHeader,
  type MsrpParts,
  sendParts,
  writeMsrpContent,
} from '../wire/msrp.ts';

/**
 * Chance, handed in: `ident`s of RFC 4975 9. Transaction ids carry at least 64 random bits (RFC 4975 7.1) in at most 24
 * characters, so that the number of a copy still fits behind them.
 */
export type MsrpIds = { readonly transaction: () => string; readonly messageId: () => string };

/** What a chunk holds: octets from `start` on, the first octet of a message being 1. */
export type ChunkContent = {
  readonly messageId: string;
  /** Content- headers of the message. */
  readonly mime: readonly MsrpHeader[];
  readonly body: Buffer;
  readonly start: number;
  /** Octets of the whole message; null while nobody knows. */
  readonly total: number | null;
  readonly flag: MsrpFlag;
};

/** A chunk ready to be sent to any number of receivers. */
export class OutgoingChunk {
  readonly #transaction: string;
  readonly #content: Buffer;
  readonly #flag: MsrpFlag;
  #copyCount = 0;

  /** The body is copied out of `content` here, once for all copies. */
  constructor({ messageId, mime, body, start, total, flag }: ChunkContent, ids: MsrpIds) {
    this.#transaction = freeTransaction(body, ids);
    this.#flag = flag;
    const own: readonly MsrpHeader[] = [
      { name: 'Message-ID', value: messageId },
      // RFC 7701 6.3 leaves the report model of the copies to us. With `partial` a copy costs no 200 per message, yet
      // an error still comes back: a 481 ends the session.
      { name: 'Failure-Report', value: 'partial' },
      byteRangeOf({ start, length: body.length, total }),
    ];
    // RFC 7701 6.1: the content must not be modified; its MIME headers belong to it.
    this.#content = writeMsrpContent([...own, ...mime], body);
  }

  /** The copy for one receiver, a SEND. `paths` are made by `pathLines`. */
  copy(paths: string): MsrpParts {
    // RFC 4975 7.1: transactions differ and are random; the chunk's random part and the copy's number are both.
    this.#copyCount += 1;
    const transaction = `${this.#transaction}.${this.#copyCount.toString(36)}`;
    return sendParts(transaction, { paths, content: this.#content, flag: this.#flag });
  }
}

// RFC 4975 7.1: the end-line must not occur in the body; when its beginning does not, no copy's end-line does.
function freeTransaction(body: Buffer, ids: MsrpIds): string {
  let transaction = ids.transaction();
  while (holdsEndLine(body, transaction)) transaction = ids.transaction();
  return transaction;
}
