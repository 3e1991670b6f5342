/** One message on its way to many receivers: the content is made once, each copy adds its transaction and paths. */

import {
  holdsEndLine,
  type MsrpHeader,
  type MsrpParts,
  type MsrpRequest,
  sendParts,
  wholeByteRange,
  writeMsrpContent,
} from '../wire/msrp.ts';

/**
 * Chance, handed in: `ident`s of RFC 4975 9. Transaction ids carry at least 64 random bits (RFC 4975 7.1) in at most 24
 * characters, so that the number of a copy still fits behind them.
 */
export type MsrpIds = { readonly transaction: () => string; readonly messageId: () => string };

/** A message ready to be sent to any number of receivers. */
export class Delivery {
  readonly #transaction: string;
  readonly #content: Buffer;
  #copyCount = 0;

  /** `message` is whole and has a body. The content is copied out of it here, once for all copies. */
  constructor(message: MsrpRequest & { readonly body: Buffer }, ids: MsrpIds) {
    const { body, headers } = message;
    this.#transaction = freeTransaction(body, ids);
    const own: readonly MsrpHeader[] = [
      // One Message-ID for all copies: a new one, as the sender's is meant for its session with us.
      { name: 'Message-ID', value: ids.messageId() },
      // RFC 7701 6.3 leaves the report model of the copies to us. With `partial` a copy costs no 200 per message, yet
      // an error still comes back: a 481 ends the session.
      { name: 'Failure-Report', value: 'partial' },
      wholeByteRange(body.length),
    ];
    // RFC 7701 6.1: the content must not be modified; its MIME headers belong to it.
    const mime = headers.filter((header) => header.name.toLowerCase().startsWith('content-'));
    this.#content = writeMsrpContent([...own, ...mime], body);
  }

  /** The copy for one receiver, a SEND. `paths` are made by `pathLines`. */
  copy(paths: string): MsrpParts {
    // RFC 4975 7.1: transactions differ and are random; the message's random part and the copy's number are both.
    this.#copyCount += 1;
    return sendParts(`${this.#transaction}.${this.#copyCount.toString(36)}`, paths, this.#content);
  }
}

// RFC 4975 7.1: the end-line must not occur in the body; when its beginning does not, no copy's end-line does.
function freeTransaction(body: Buffer, ids: MsrpIds): string {
  let transaction = ids.transaction();
  while (holdsEndLine(body, transaction)) transaction = ids.transaction();
  return transaction;
}
