/** As much of drachtio's control frames as the gate must see: message ids and confirmations. */

/** `uuid|response|uuid|` of a server's frame is 83 octets; what follows does not matter here. */
const headBytesMax = 128;

/** The message id of a frame `<length>#<id>|…` that is being written; null when the text is no frame. */
export function frameIdOf(text: string): string | null {
  return /^\d+#([^|]*)\|/.exec(text)?.[1] ?? null;
}

/**
 * Reads the server's stream, split anywhere, and tells which of our frames it confirms: the third token of
 * `uuid|response|<message id>|…`. The payloads are skipped, not kept.
 */
export class ConfirmationReader {
  #digits = '';
  #head: number[] = [];
  #left = 0;
  #unreadable = false;

  /** Ids of the frames confirmed within `bytes`, in order. Nothing more comes after a malformed length. */
  push(bytes: Uint8Array): string[] {
    const confirmed: string[] = [];
    let at = 0;
    while (at < bytes.length && !this.#unreadable) {
      if (this.#left === 0) {
        this.#lengthOctet(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      const wanted = Math.max(0, headBytesMax - this.#head.length);
      this.#head.push(...bytes.subarray(at, Math.min(end, at + wanted)));
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#frameEnd(confirmed);
    }
    return confirmed;
  }

  #lengthOctet(octet: number): void {
    const char = String.fromCharCode(octet);
    if (char === '#' && this.#digits !== '') {
      this.#left = Number(this.#digits);
      this.#digits = '';
    } else if (/\d/.test(char) && this.#digits.length < 9) {
      this.#digits += char;
    } else {
      this.#unreadable = true;
    }
  }

  #frameEnd(confirmed: string[]): void {
    const tokens = String.fromCharCode(...this.#head).split('|');
    this.#head = [];
    if (tokens[1] === 'response' && tokens[2] !== undefined) confirmed.push(tokens[2].trim());
  }
}
