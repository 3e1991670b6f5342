/**
 * Follows the frames that come over a WebSocket (RFC 6455 5.2) as far as is needed to tell whether a message has begun
 * and is not whole yet. Reads nothing of them and checks nothing: the package `ws` does.
 */

/** Two octets, eight of an extended length, four of the mask. */
const headerBytesMax = 14;

/** Watches one direction of one WebSocket. */
export class FrameWatch {
  readonly #header = new Uint8Array(headerBytesMax);
  #headerBytes = 0;
  /** Octets of the frame's payload still to come. */
  #payloadBytes = 0;
  /** A message in several frames has begun. */
  #fragmented = false;
  #held = 0;

  /** Takes what was read. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadBytes > 0) {
        const taken = Math.min(this.#payloadBytes, chunk.length - at);
        this.#payloadBytes -= taken;
        this.#held += taken;
        at += taken;
      } else {
        this.#header[this.#headerBytes] = chunk[at] ?? 0;
        this.#headerBytes += 1;
        at += 1;
        if (this.#headerBytes === this.#headerLength()) this.#takeHeader();
      }
      if (!this.partial) this.#held = 0;
    }
  }

  /** Octets of payload that have come since the message began that is not whole. */
  get held(): number {
    return this.#held;
  }

  /** Whether a frame, or a message in several frames, has begun and is not whole yet. */
  get partial(): boolean {
    return this.#fragmented || this.#payloadBytes > 0 || this.#headerBytes > 0;
  }

  #headerLength(): number {
    if (this.#headerBytes < 2) return 2;
    const second = this.#header[1] ?? 0;
    return 2 + lengthBytes(second & 127) + ((second & 128) === 0 ? 0 : 4);
  }

  #takeHeader(): void {
    const [first = 0, second = 0] = this.#header;
    let length = second & 127;
    const extended = lengthBytes(length);
    if (extended > 0) {
      length = 0;
      for (const octet of this.#header.subarray(2, 2 + extended)) length = length * 256 + octet;
    }
    // Control frames may stand between the frames of a message and change nothing about it.
    if ((first & 8) === 0) this.#fragmented = (first & 128) === 0;
    this.#payloadBytes = length;
    this.#headerBytes = 0;
  }
}

function lengthBytes(length: number): number {
  if (length === 126) return 2;
  return length === 127 ? 8 : 0;
}
