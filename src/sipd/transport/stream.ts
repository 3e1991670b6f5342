/** Cuts a byte stream into SIP messages (RFC 3261 18.3), wherever the reads happen to end. Pure; text is latin1. */

import { scanSipMessage, sipHeaderLimits } from '../../wire/sip-message.ts';
import { limits } from '../limits.ts';
import { readLength } from '../message/checks.ts';

export type StreamEvent =
  | { readonly kind: 'message'; readonly text: string }
  /** A double CRLF between messages, to be answered by a single one (RFC 5626 4.4.1). */
  | { readonly kind: 'ping' }
  /** The stream cannot be read on. `text` is what may still be answered, empty when it is no SIP at all. */
  | { readonly kind: 'broken'; readonly text: string; readonly reason: string };

/** The reader of one connection; holds at most one message that is not whole. */
export class StreamReader {
  #buffer = '';
  /** Length of the message being read, once its header section is there. */
  #length: number | null = null;
  /** Up to where the end of the header section has been looked for. */
  #searched = 0;
  #broken = false;

  /** Takes what was read; gives what is complete with it. After `broken` nothing more comes. */
  push(chunk: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.#broken) return events;
    this.#buffer += chunk;
    for (let event = this.#next(); event !== null; event = this.#next()) {
      events.push(event);
      if (event.kind === 'broken') {
        this.#broken = true;
        this.#buffer = '';
        break;
      }
    }
    return events;
  }

  /** How many octets are kept of a message that is not whole. */
  get held(): number {
    return this.#buffer.length;
  }

  /** Whether a message has begun and is not whole yet. */
  get partial(): boolean {
    return !(this.#buffer.length < 4 && '\r\n\r\n'.startsWith(this.#buffer));
  }

  #next(): StreamEvent | null {
    if (this.#length === null) {
      if (this.#betweenMessages()) return { kind: 'ping' };
      // The second half of a keep-alive may be on its way.
      if (!this.partial) return null;
      const found = this.#findLength();
      if (found !== null) return found;
    }
    if (this.#length === null || this.#buffer.length < this.#length) return null;
    const text = this.#take(this.#length);
    this.#length = null;
    return { kind: 'message', text };
  }

  /** Takes the line ends before a start line (RFC 3261 7.5: to be ignored). True when they were a keep-alive. */
  #betweenMessages(): boolean {
    while (this.partial && (this.#buffer.startsWith('\r\n') || this.#buffer.startsWith('\n'))) {
      if (this.#buffer.startsWith('\r\n\r\n')) {
        this.#take(4);
        return true;
      }
      this.#take(this.#buffer.startsWith('\n') ? 1 : 2);
    }
    return false;
  }

  #findLength(): StreamEvent | null {
    const end = this.#headerEnd();
    if (end === null) return this.#tooLong();
    const head = this.#buffer.slice(0, end);
    const scan = scanSipMessage(head);
    const lengths = scan.headers.filter((each) => each.key === 'content-length');
    const [only] = lengths;
    if (!looksLikeSip(scan.startLine)) return { kind: 'broken', text: '', reason: 'not SIP' };
    if (scan.problem?.statusHint === 513) return { kind: 'broken', text: head, reason: 'Message Too Large' };
    // RFC 3261 18.3, 20.14: on a stream Content-Length is mandatory; without one, or with two, its end is unknown.
    if (only === undefined) return { kind: 'broken', text: head, reason: 'Missing Content-Length' };
    const length = readLength(only.value);
    if (lengths.length > 1 || length === null) return { kind: 'broken', text: head, reason: 'Invalid Content-Length' };
    if (end + length > limits.streamMessageBytesMax) return { kind: 'broken', text: head, reason: 'Message Too Large' };
    this.#length = end + length;
    return null;
  }

  /** Index after the blank line, null while it is not there. Bare LFs are taken too. */
  #headerEnd(): number | null {
    const from = Math.max(0, this.#searched - 3);
    const crlf = this.#buffer.indexOf('\r\n\r\n', from);
    const feeds = this.#buffer.indexOf('\n\n', from);
    if (crlf === -1 && feeds === -1) {
      this.#searched = this.#buffer.length;
      return null;
    }
    if (feeds === -1 || (crlf !== -1 && crlf < feeds)) return crlf + 4;
    return feeds + 2;
  }

  #tooLong(): StreamEvent | null {
    const firstLine = this.#buffer.indexOf('\n');
    if (firstLine !== -1 && !looksLikeSip(this.#buffer.slice(0, firstLine))) {
      return { kind: 'broken', text: '', reason: 'not SIP' };
    }
    if (this.#buffer.length <= sipHeaderLimits.charactersMax) return null;
    return { kind: 'broken', text: firstLine === -1 ? '' : this.#buffer, reason: 'Message Too Large' };
  }

  #take(length: number): string {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    this.#searched = 0;
    return taken;
  }
}

function looksLikeSip(line: string): boolean {
  return line.toUpperCase().includes('SIP/');
}
