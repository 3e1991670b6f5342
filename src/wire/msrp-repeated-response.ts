/** Responses that differ from the one before in their transaction only, as nearly all of a peer's do. */

import type { MsrpResponse } from './msrp.ts';

const magic = 'MSRP ';
const dashes = '\r\n-------';
const ending = '$\r\n';
const [blank, digitFirst, digitLast] = [0x20, 0x30, 0x39];
const transactionBytesMax = 32;

/** The response that came last. What comes next and says the same is known at a glance, and not read line by line. */
export class RepeatedResponse {
  #last: MsrpResponse | null = null;
  /** What stands between its two transaction ids. */
  #middle = '';
  /** What is being read from `#from` on, an octet in each character. */
  #text: string | null = null;
  #from = 0;

  /** `octets` are those of `response`, from its first to its last. */
  remember(response: MsrpResponse, octets: Buffer): void {
    const text = octets.toString('latin1');
    const idLength = response.transactionId.length;
    if (!text.startsWith(magic) || !text.endsWith(ending)) return;
    const middle = text.slice(magic.length + idLength, -ending.length - idLength);
    // A header that begins like an end-line would be one to another transaction.
    if (middle.indexOf(dashes) !== middle.length - dashes.length) return;
    this.#middle = middle;
    this.#last = response;
  }

  /** The response at `at` when all of it is there and it says the same again, else null. `octets` are the same until `release`. */
  read(octets: Buffer, at: number): { readonly response: MsrpResponse; readonly next: number } | null {
    const last = this.#last;
    if (last === null || (this.#text === null && !isResponse(octets, at))) return null;
    if (this.#text === null) {
      this.#text = octets.toString('latin1', at);
      this.#from = at;
    }
    const text = this.#text;
    const begin = at - this.#from;
    const id = begin + magic.length;
    const idEnd = text.indexOf(' ', id);
    const idLength = idEnd - id;
    if (idLength < 1 || idLength > transactionBytesMax || !isDigit(text.charCodeAt(idEnd + 1))) return null;
    const idAgain = idEnd + this.#middle.length;
    const idAgainEnd = idAgain + idLength;
    const transactionId = text.slice(id, idEnd);
    // Compared as wholes, which costs less than to look whether one begins with the other.
    if (text.slice(idEnd, idAgain) !== this.#middle || text.slice(idAgain, idAgainEnd) !== transactionId) return null;
    if (text.slice(begin, id) !== magic || text.slice(idAgainEnd, idAgainEnd + ending.length) !== ending) return null;
    if (!/^[A-Za-z0-9][\w.\-+%=]*$/.test(transactionId)) return null;
    const { status, comment, toPath, fromPath, headers } = last;
    const next = this.#from + idAgainEnd + ending.length;
    return { response: { kind: 'response', transactionId, toPath, fromPath, headers, status, comment }, next };
  }

  /** Other octets are read next. */
  release(): void {
    this.#text = null;
  }
}

/** Whether what begins at `at` has a status where a request has its method. */
function isResponse(octets: Buffer, at: number): boolean {
  const id = at + magic.length;
  for (let i = id; i <= id + transactionBytesMax; i += 1) if (octets[i] === blank) return isDigit(octets[i + 1]);
  return false;
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= digitFirst && octet <= digitLast;
}
