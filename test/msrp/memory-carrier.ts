import type { Carrier, CarrierEvents } from '../../src/msrp/carrier.ts';
import { joinParts, type MsrpParts } from '../../src/wire/msrp.ts';

/** As much as may wait before more is kept back, like in a socket. */
const highWaterMark = 16 * 1024;

/** Two ends of a connection without a socket: nothing takes time, and what the peer does not read waits. */
export class MemoryCarrier implements Carrier {
  readonly peer: string;
  readonly #onWritten: (octets: Buffer) => void;
  #events: CarrierEvents | null = null;
  #isPaused = false;
  #isClosed = false;
  /** What the peer has said and we have not read. */
  #unread: Buffer[] = [];
  #isPeerReading = true;
  /** What we have written and the peer has not read. */
  #unwritten: Buffer[] = [];
  #mostWaitingBytes = 0;

  /** `onWritten` is what the peer reads. */
  constructor(peer: string, onWritten: (octets: Buffer) => void) {
    this.peer = peer;
    this.#onWritten = onWritten;
  }

  get canWrite(): boolean {
    return !this.#isClosed && this.waitingBytes < highWaterMark;
  }

  get waitingBytes(): number {
    return this.#unwritten.reduce((sum, { length }) => sum + length, 0);
  }

  get mostWaitingBytes(): number {
    return this.#mostWaitingBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What was said and is not read yet, in octets. */
  get unreadBytes(): number {
    return this.#unread.reduce((sum, { length }) => sum + length, 0);
  }

  listen(events: CarrierEvents): void {
    this.#events = events;
  }

  write(frames: readonly MsrpParts[], length: number): void {
    if (this.#isClosed) return;
    const octets = joinParts(frames, length);
    if (this.#isPeerReading) return this.#onWritten(octets);
    this.#unwritten.push(octets);
    this.#mostWaitingBytes = Math.max(this.#mostWaitingBytes, this.waitingBytes);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => this.#read());
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    queueMicrotask(() => this.#events?.onClose());
  }

  /** The peer says something. */
  say(octets: Buffer): void {
    this.#unread.push(octets);
    this.#read();
  }

  /** The peer reads nothing more. */
  stopReading(): void {
    this.#isPeerReading = false;
  }

  /** The peer reads all that waits, and what comes. */
  readOn(): void {
    this.#isPeerReading = true;
    const octets = this.#unwritten;
    this.#unwritten = [];
    for (const each of octets) this.#onWritten(each);
    this.#events?.onDrain();
  }

  #read(): void {
    while (!this.#isPaused && !this.#isClosed) {
      const octets = this.#unread.shift();
      if (octets === undefined) return;
      this.#events?.onOctets(octets);
    }
  }
}

/** Until all that follows from what was said has been done, as long as no clock has to turn. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}
