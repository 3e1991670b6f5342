/**
 * Which control frames may go to the SIP server now, since a drachtio server breaks down when more comes than its ring
 * holds. Theory of operation: frames leave in the order they were offered. While no large frame is unconfirmed, small
 * ones flow up to a number; a large one waits until it and everything unconfirmed fit the server's ring together, and
 * from then until it is confirmed every further frame must fit there too. Pure: no socket, no clock.
 */
export type PacingBounds = {
  readonly smallBytesMax: number;
  readonly unconfirmedBytesMax: number;
  readonly unconfirmedFramesMax: number;
  readonly queuedFramesMax: number;
};

/** `bytes` is the length on the wire, its length prefix included. */
export type PacedFrame = { readonly id: string; readonly bytes: number };

export type Offered = 'queued' | 'too-large' | 'full';

/** The queue of one control connection and what of it is unconfirmed. */
export class Pacing<Frame extends PacedFrame> {
  readonly #bounds: PacingBounds;
  readonly #queue: Frame[] = [];
  readonly #unconfirmed = new Map<string, { readonly bytes: number; readonly sentAt: number }>();
  #unconfirmedBytes = 0;
  #unconfirmedLarge = 0;

  constructor(bounds: PacingBounds) {
    this.#bounds = bounds;
  }

  get unconfirmedFrames(): number {
    return this.#unconfirmed.size;
  }

  get unconfirmedBytes(): number {
    return this.#unconfirmedBytes;
  }

  get queuedFrames(): number {
    return this.#queue.length;
  }

  /** Puts a frame at the end of the queue, unless it could never go or the queue is full. */
  offer(frame: Frame): Offered {
    if (frame.bytes > this.#bounds.unconfirmedBytesMax) return 'too-large';
    if (this.#queue.length >= this.#bounds.queuedFramesMax) return 'full';
    this.#queue.push(frame);
    return 'queued';
  }

  /** The frames that go now, in order; from here on they count as unconfirmed. */
  take(now: number): Frame[] {
    let count = 0;
    for (const frame of this.#queue) {
      if (!this.#mayGo(frame)) break;
      this.#count(frame, now);
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** The server has read the frame. False for an id that is not outstanding. */
  confirm(id: string): boolean {
    const sent = this.#unconfirmed.get(id);
    if (sent === undefined) return false;
    this.#unconfirmed.delete(id);
    this.#unconfirmedBytes -= sent.bytes;
    if (sent.bytes > this.#bounds.smallBytesMax) this.#unconfirmedLarge -= 1;
    return true;
  }

  /** Gives up waiting for the confirmation of frames sent at or before `instant`; returns how many there were. */
  release(instant: number): number {
    const late = [...this.#unconfirmed].filter(([, sent]) => sent.sentAt <= instant);
    for (const [id] of late) this.confirm(id);
    return late.length;
  }

  #mayGo(frame: Frame): boolean {
    if (this.#unconfirmed.size >= this.#bounds.unconfirmedFramesMax) return false;
    const free = this.#unconfirmedLarge === 0 && frame.bytes <= this.#bounds.smallBytesMax;
    return free || this.#unconfirmedBytes + frame.bytes <= this.#bounds.unconfirmedBytesMax;
  }

  #count(frame: Frame, now: number): void {
    this.#unconfirmed.set(frame.id, { bytes: frame.bytes, sentAt: now });
    this.#unconfirmedBytes += frame.bytes;
    if (frame.bytes > this.#bounds.smallBytesMax) this.#unconfirmedLarge += 1;
  }
}
