/** Responses that differ from the one before in their transaction only, as nearly all of a peer's do. */

import type { MsrpResponse } from './msrp.ts';

const magic = Buffer.from('MSRP ', 'latin1');
const hyphens = Buffer.from('-------', 'latin1');
const ending = Buffer.from('$\r\n', 'latin1');
const blank = 0x20;
const transactionBytesMax = 32;

/** The response that came last. What comes next and says the same is known by its octets, and not read line by line. */
export class RepeatedResponse {
  #last: MsrpResponse | null = null;
  /** What stands between its two transaction ids, without the hyphens. */
  #middle: Buffer = Buffer.alloc(0);

  /** `octets` are those of `response`, from its first to its last. */
  remember(response: MsrpResponse, octets: Buffer): void {
    const before = magic.length + response.transactionId.length;
    const after = hyphens.length + response.transactionId.length + ending.length;
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
    const idEnd = octets.indexOf(blank, id);
    const idLength = idEnd - id;
    const endLine = idEnd + this.#middle.length;
    const next = endLine + hyphens.length + idLength + ending.length;
    if (idLength < 1 || idLength > transactionBytesMax || next > octets.length) return null;
    if (octets.compare(this.#middle, 0, this.#middle.length, idEnd, endLine) !== 0) return null;
    const repeatedId = endLine + hyphens.length;
    for (let i = 0; i < idLength; i += 1) if (octets[id + i] !== octets[repeatedId + i]) return null;
    if (!isAt(octets, endLine, hyphens) || !isAt(octets, next - ending.length, ending)) return null;
    const transactionId = octets.toString('latin1', id, idEnd);
    if (!/^[A-Za-z0-9][\w.\-+%=]*$/.test(transactionId)) return null;
    const { status, comment, toPath, fromPath, headers } = last;
    return { response: { kind: 'response', transactionId, toPath, fromPath, headers, status, comment }, next };
  }
}

function isAt(octets: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i += 1) if (octets[at + i] !== wanted[i]) return false;
  return true;
}
