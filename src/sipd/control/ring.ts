/**
 * The input buffer of the real drachtio daemon, for strict mode.
 *
 * The daemon reads up to 8,192 octets at a time and appends them to a ring of 12,228 octets; then it takes out every
 * frame that is whole. A ring that is full drops its oldest octets, which are the beginning of the frame that is still
 * incomplete: from there on the daemon reads payload as lengths, and closes the connection. It follows that
 *
 * - a frame of more than 12,228 octets can never be whole in the ring;
 * - frames of up to 4,036 octets (12,228 - 8,192) are safe in any burst: an incomplete one leaves room for a full read;
 * - between these, a burst is fatal when more than 4,036 octets of an incomplete frame meet a full read. Whether they do
 *   depends on how reads fall; we cut what arrived into reads of 8,192 octets, one way in which it happens, so
 *   that an application that relies on luck finds out. One that never has more than 12,228 octets unconfirmed is safe.
 */

import { FrameReader, type FrameReading } from './frame.ts';

export const ringBytes = 12_228;
export const readBytes = 8_192;
/** The daemon takes at most five digits. */
const frameBytesMax = 99_999;

/** `FrameReader`, as lossy as the ring above it. */
export class RingReader {
  readonly #reader = new FrameReader(frameBytesMax);

  /** Takes what was read, in the daemon's steps. */
  push(chunk: string): FrameReading {
    const frames: string[] = [];
    for (let at = 0; at < chunk.length; at += readBytes) {
      const read = chunk.slice(at, at + readBytes);
      if (this.#reader.held + read.length > ringBytes) return { frames, broken: 'ring buffer overrun' };
      const reading = this.#reader.push(read);
      frames.push(...reading.frames);
      if (reading.broken !== null) return { frames, broken: reading.broken };
    }
    return { frames, broken: null };
  }
}
