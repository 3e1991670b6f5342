/** Responses that differ from the one before in their transaction only, as nearly all of a peer's do. */

import type { MsrpResponse } from './msrp.ts';

const magic = Buffer.from('MSRP ', 'latin1');
const ending = Buffer.from('$\r\n', 'latin1');
const blank = 0x20;
const transactionBytesMax = 32;

/** The response that came last. What comes next and says the same is known by its octets, and not read line by line. */
export class RepeatedResponse {
  #last: MsrpResponse | null = null;
  /** What stands between its two transaction ids. */
  #middle: Buffer = Buffer.alloc(0);

  /** `octets` are those of `response`, from its first to its last. */
  remember(response: MsrpResponse, octets: Buffer): void {
    const before = magic.length + response.transactionId.length;
    const after = response.transactionId.length + ending.length;
    if (!isAt(octets, 0, magic) || !isAt(octets, octets.length - ending.length, ending)) return;
    // What was read belongs to a large piece of memory, which must not be kept.
    this.#middle = Buffer.from(octets.subarray(before, octets.length - after));
    this.#last = response;
  }

  /** The response at `at` when all of it is there and it says the same again, else null. */
  read(octets: Buffer, at: number): { readonly response: MsrpResponse; readonly next: number } | null {
    const last = this.#last;
    const id = at + magic.length;
    if (last === null || !isAt(octets, at, magic)) return null;
    const idLength = idLengthAt(octets, id);
    const idEnd = id + idLength;
    const idAgain = idEnd + this.#middle.length;
    const next = idAgain + idLength + ending.length;
    if (idLength === 0 || next > octets.length) return null;
    if (octets.compare(this.#middle, 0, this.#middle.length, idEnd, idAgain) !== 0) return null;
    for (let i = 0; i < idLength; i += 1) if (octets[id + i] !== octets[idAgain + i]) return null;
    if (!isAt(octets, next - ending.length, ending)) return null;
    const transactionId = octets.toString('latin1', id, idEnd);
    if (!/^[A-Za-z0-9][\w.\-+%=]*$/.test(transactionId)) return null;
    const { status, comment, toPath, fromPath, headers } = last;
    return { response: { kind: 'response', transactionId, toPath, fromPath, headers, status, comment }, next };
  }
}

/** Octets before the next blank; 0 when they are none, or too many. */
function idLengthAt(octets: Buffer, at: number): number {
  for (let length = 0; length <= transactionBytesMax; length += 1) if (octets[at + length] === blank) return length;
  return 0;
}

function isAt(octets: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i += 1) if (octets[at + i] !== wanted[i]) return false;
  return true;
}
