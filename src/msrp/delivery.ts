/** One message on its way to many receivers: the content is made once, each leg adds its transaction and paths. */

import {
  holdsEndLine,
  type MsrpHeader,
  type MsrpParts,
  type MsrpRequest,
  sendParts,
  wholeByteRange,
  writeMsrpContent,
} from '../wire/msrp.ts';

/** Chance, handed in. Transaction ids carry at least 64 random bits (RFC 4975 7.1), both fit `ident` of RFC 4975 9. */
export type MsrpIds = { readonly transaction: () => string; readonly messageId: () => string };

export class Delivery {
  readonly #ids: MsrpIds;
  readonly #content: Buffer;
  /** The content when it might hold an end-line, else null: a search per message, not per leg. */
  readonly #suspect: Buffer | null;

  /** `message` is whole and has a body. The content is copied out of it here, once for all legs. */
  constructor(message: MsrpRequest & { readonly body: Buffer }, ids: MsrpIds) {
    const { body, headers } = message;
    this.#ids = ids;
    this.#suspect = body.includes('-------') ? Buffer.from(body) : null;
    const own: readonly MsrpHeader[] = [
      // One Message-ID for all legs: a new one, as the sender's is meant for its session with us.
      { name: 'Message-ID', value: ids.messageId() },
      // RFC 7701 6.3 leaves the report model of the copies to us. With `partial` a leg costs no 200 per message, yet
      // an error still comes back: a 481 ends the session.
      { name: 'Failure-Report', value: 'partial' },
      wholeByteRange(body.length),
    ];
    // RFC 7701 6.1: the content must not be modified; its MIME headers belong to it.
    const mime = headers.filter((header) => header.name.toLowerCase().startsWith('content-'));
    this.#content = writeMsrpContent([...own, ...mime], body);
  }

  /** The SEND for one receiver. `paths` are made by `pathLines`. */
  leg(paths: string): MsrpParts {
    return sendParts(this.#freeTransaction(), paths, this.#content);
  }

  // RFC 4975 7.1: the end-line must not occur in the body.
  #freeTransaction(): string {
    let transaction = this.#ids.transaction();
    while (this.#suspect !== null && holdsEndLine(this.#suspect, transaction)) transaction = this.#ids.transaction();
    return transaction;
  }
}
