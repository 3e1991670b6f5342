import { type MsrpRequest, msrpHeader, parseByteRange } from '../../src/wire/msrp.ts';

/** Chunks on their way to whole messages (RFC 4975 7.3.1), in the simplest way: all are kept until none is missing. */
export class ArrivingMessages {
  readonly #chunks = new Map<string, MsrpRequest[]>();

  /** Messages of which something has come, and neither the rest nor their end. */
  get unfinishedCount(): number {
    return this.#chunks.size;
  }

  /** The whole content, when this chunk completes it. */
  add(chunk: MsrpRequest): Buffer | null {
    const messageId = msrpHeader(chunk, 'Message-ID') ?? '';
    const chunks = [...(this.#chunks.get(messageId) ?? []), chunk];
    const content = chunk.flag === '#' ? null : wholeContent(chunks);
    if (content !== null || chunk.flag === '#') this.#chunks.delete(messageId);
    else if (chunk.body !== null) this.#chunks.set(messageId, chunks);
    return content;
  }
}

function wholeContent(chunks: readonly MsrpRequest[]): Buffer | null {
  const last = chunks.find(({ flag }) => flag === '$');
  if (last === undefined || last.body === null) return null;
  const content = Buffer.alloc(startOf(last) - 1 + last.body.length);
  const isKnown = new Uint8Array(content.length);
  for (const chunk of chunks) {
    const { body } = chunk;
    if (body === null) continue;
    const at = startOf(chunk) - 1;
    body.copy(content, at);
    isKnown.fill(1, at, at + body.length);
  }
  return isKnown.includes(0) ? null : content;
}

/** The place of the first octet, from 1. RFC 4975 7.3.1: without a Byte-Range it is the first of the message. */
function startOf(chunk: MsrpRequest): number {
  const range = msrpHeader(chunk, 'Byte-Range');
  return range === undefined ? 1 : parseByteRange(range).start;
}
