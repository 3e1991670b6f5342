/**
 * A message on its way in (RFC 4975 7.3.1): its chunks may come in any order and overlap, and what came last counts. Only a
 * window of it is held, which begins with the first octet that was not taken yet.
 */

import { limits } from '../limits.ts';

/** Why a chunk, and with it the message, is not taken: an MSRP status and its comment. */
export type AssemblyFault = { readonly status: 400 | 413; readonly comment: string };

/** Octets from `from` on, up to but without `to`. */
type Span = { readonly from: number; readonly to: number };

const malformed = (comment: string): AssemblyFault => ({ status: 400, comment });
const tooFarAhead: AssemblyFault = { status: 413, comment: 'Too much before it is missing' };

/** RFC 4975 10.5: the sender is to stop. */
export function tooLong(maxSize: number): AssemblyFault {
  return { status: 413, comment: `At most ${maxSize} octets are taken` };
}

/** Chunks to octets in their order. Places count from 1, as in Byte-Range. */
export class Assembly {
  readonly #maxSize: number;
  /** The octets from `#next` on stand in here from `#at` on; what has been taken is never written to again. */
  #buffer = Buffer.alloc(0);
  #at = 0;
  /** The first octet that was not taken. */
  #next = 1;
  /** What of the window has come: in order, with a gap between each and the next. */
  #spans: readonly Span[] = [];
  /** The last octet that has come. */
  #furthest = 0;
  /** As the chunks say in their Byte-Ranges. */
  #announced: number | null = null;
  #total: number | null = null;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The first octet that was not taken. */
  get next(): number {
    return this.#next;
  }

  /** Octets of the whole message, once its end has come. */
  get total(): number | null {
    return this.#total;
  }

  /** The same, or what the chunks say that it will be; null while nobody has said. */
  get length(): number | null {
    return this.#total ?? this.#announced;
  }

  /** How many octets from `next` on are there without a gap. */
  get readyLength(): number {
    const [first] = this.#spans;
    return first?.from === this.#next ? first.to - first.from : 0;
  }

  /** Those octets: they may change as long as they are not taken. */
  get ready(): Buffer {
    return this.#buffer.subarray(this.#at, this.#at + this.readyLength);
  }

  /** Whether all that was not taken is ready, up to the end. */
  get isComplete(): boolean {
    return this.#total !== null && this.#next + this.readyLength === this.#total + 1;
  }

  /** A chunk says how long the message is; null: it does not. */
  announce(total: number | null): AssemblyFault | null {
    if (total === null || total === this.length) return null;
    if (total > this.#maxSize) return tooLong(this.#maxSize);
    if (this.length !== null || this.#furthest > total) return malformed('The chunks disagree on the length');
    this.#announced = total;
    return null;
  }

  /** Octets from `start` on. What of them was taken before is not kept: it is the caller's to say again. */
  put(start: number, octets: Buffer): AssemblyFault | null {
    const to = start + octets.length;
    if (to - 1 > this.#maxSize) return tooLong(this.#maxSize);
    if (this.length !== null && to - 1 > this.length) return malformed('There are octets after the last one');
    if (to - this.#next > limits.messageWindowBytes) return tooFarAhead;
    if (octets.length === 0) return null;
    this.#furthest = Math.max(this.#furthest, to - 1);
    const from = Math.max(start, this.#next);
    if (from >= to) return null;
    this.#spans = withSpan(this.#spans, { from, to });
    if (this.#spans.length > limits.messageGapsMax) return tooFarAhead;
    this.#makeRoom(to - this.#next);
    octets.copy(this.#buffer, this.#at + from - this.#next, from - start);
    return null;
  }

  /** RFC 4975 7.3.1: the last octet of the chunk that ends the message is the last one of the message. */
  end(total: number): AssemblyFault | null {
    if (total > this.#maxSize) return tooLong(this.#maxSize);
    if (this.length !== null && this.length !== total) return malformed('The chunks disagree on the length');
    if (this.#furthest > total) return malformed('There are octets after the last one');
    this.#total = total;
    return null;
  }

  /** The next octets, as many as asked for and ready; they do not change any more. */
  take(length: number): Buffer {
    const taken = this.ready.subarray(0, length);
    this.#next += taken.length;
    this.#at += taken.length;
    this.#spans = this.#spans.flatMap(({ from, to }) =>
      to <= this.#next ? [] : [{ from: Math.max(from, this.#next), to }],
    );
    return taken;
  }

  /** Room for so many octets from `#next` on. */
  #makeRoom(length: number): void {
    if (this.#at + length <= this.#buffer.length) return;
    const kept = this.#buffer.length - this.#at;
    const larger = Buffer.allocUnsafe(Math.min(Math.max(length, 2 * kept), limits.messageWindowBytes));
    this.#buffer.copy(larger, 0, this.#at, this.#at + kept);
    this.#buffer = larger;
    this.#at = 0;
  }
}

/** `spans` and one more, in order; those that touch are one. */
function withSpan(spans: readonly Span[], added: Span): readonly Span[] {
  const touches = (span: Span): boolean => span.from <= added.to && added.from <= span.to;
  const touching = spans.filter(touches);
  const from = Math.min(added.from, ...touching.map((span) => span.from));
  const to = Math.max(added.to, ...touching.map((span) => span.to));
  const before = spans.filter((span) => !touches(span) && span.to < from);
  const after = spans.filter((span) => !touches(span) && span.from > to);
  return [...before, { from, to }, ...after];
}
