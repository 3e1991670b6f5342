/** As much of drachtio's control frames as the gate must see: message ids and confirmations. */

/** `uuid|response|uuid|` of a server's frame is 83 octets; what follows does not matter here. */
const headBytesMax = 128;

const hash = 35;
const digit0 = 48;

/** The message id of a frame `<length>#<id>|…` that is being written; null when the text is no frame. */
export function frameIdOf(text: string): string | null {
  let at = 0;
  while (isDigit(text.charCodeAt(at))) at += 1;
  if (at === 0 || text.charCodeAt(at) !== hash) return null;
  const end = text.indexOf('|', at);
  return end === -1 ? null : text.slice(at + 1, end);
}

/**
 * Reads the server's stream, split anywhere, and tells which of our frames it confirms: the third token of
 * `uuid|response|<message id>|…`. The payloads are skipped, not kept.
 */
export class ConfirmationReader {
  #length = 0;
  #digits = 0;
  #head = '';
  #left = 0;
  #unreadable = false;

  /** Ids of the frames confirmed within `bytes`, in order. Nothing more comes after a malformed length. */
  push(bytes: Buffer): string[] {
    const confirmed: string[] = [];
    let at = 0;
    while (at < bytes.length && !this.#unreadable) {
      if (this.#left === 0) {
        this.#lengthOctet(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      const wanted = headBytesMax - this.#head.length;
      if (wanted > 0) this.#head += bytes.toString('latin1', at, Math.min(end, at + wanted));
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#frameEnd(confirmed);
    }
    return confirmed;
  }

  #lengthOctet(octet: number): void {
    if (octet === hash && this.#digits > 0) {
      this.#left = this.#length;
      this.#length = 0;
      this.#digits = 0;
    } else if (isDigit(octet) && this.#digits < 9) {
      this.#length = this.#length * 10 + octet - digit0;
      this.#digits += 1;
    } else {
      this.#unreadable = true;
    }
  }

  #frameEnd(confirmed: string[]): void {
    const head = this.#head;
    this.#head = '';
    const kind = head.indexOf('|') + 1;
    if (kind === 0 || !head.startsWith('response|', kind)) return;
    const id = kind + 'response|'.length;
    const end = head.indexOf('|', id);
    confirmed.push((end === -1 ? head.slice(id) : head.slice(id, end)).trim());
  }
}

function isDigit(code: number): boolean {
  return code >= digit0 && code < digit0 + 10;
}
