/** Frames of drachtio’s control protocol: `<decimal octets>#<payload>`. Pure; text is latin1, so length is octets. */

export type FrameReading = {
  readonly frames: readonly string[];
  /** What makes the rest of the stream unreadable, or null. */
  readonly broken: string | null;
};

/** Cuts what was read from one connection into payloads. */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #digitsMax: number;
  #buffer = '';

  /** `bytesMax` bounds one payload; the number before `#` may have as many digits as that needs. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#digitsMax = String(bytesMax).length;
  }

  /** How many octets are held of a frame that is not whole. */
  get held(): number {
    return this.#buffer.length;
  }

  /** Takes what was read; gives the payloads that are complete with it. */
  push(chunk: string): FrameReading {
    this.#buffer = this.#buffer === '' ? chunk : this.#buffer + chunk;
    const frames: string[] = [];
    let at = 0;
    while (at < this.#buffer.length) {
      const mark = this.#mark(at);
      if (typeof mark === 'string') return { frames, broken: mark };
      if (mark === null) break;
      const length = Number(this.#buffer.slice(at, mark));
      if (length > this.#bytesMax) return { frames, broken: 'frame too long' };
      const end = mark + 1 + length;
      if (end > this.#buffer.length) break;
      frames.push(this.#buffer.slice(mark + 1, end));
      at = end;
    }
    this.#buffer = this.#buffer.slice(at);
    return { frames, broken: null };
  }

  /** Index of the `#` of the frame that begins at `at`; null when it is not there yet; text when it cannot come. */
  #mark(at: number): number | null | string {
    for (let index = at; index < this.#buffer.length; index += 1) {
      const code = this.#buffer.charCodeAt(index);
      if (code === 35) return index > at ? index : 'frame without length';
      if (code < 48 || code > 57) return 'frame length is no number';
      if (index - at >= this.#digitsMax) return 'frame length has too many digits';
    }
    return null;
  }
}

/** The frame of a latin1 payload. */
export function writeFrame(payload: string): string {
  return `${payload.length}#${payload}`;
}
