/**
 * The gate below drachtio-srf. A drachtio server reads its control connection into a ring of 12,228 octets and loses
 * the whole connection, hence every conference, when more than that arrives unread; the library writes as fast as it is
 * called, and answers some requests by itself. So the one place that sees everything is the socket: the gate replaces
 * the `write` of each control socket by one that queues, and listens to what comes back for the confirmations. Neither
 * the library nor its prototypes are changed: `write` is an own property of a socket handed out by the library, the
 * frames stay whole and in order, and the callback still runs when the frame has been written. Nothing else of the
 * library's behaviour is touched.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../core/ports.ts';
import { pacingBounds } from './bounds.ts';
import { ConfirmationReader, frameIdOf } from './control-frames.ts';
import { Pacing } from './pacing.ts';
import type { Log } from './sip-log.ts';

type Written = ((error?: Error | null) => void) | undefined;

type QueuedFrame = { readonly id: string; readonly bytes: number; readonly text: string; readonly written: Written };

/** The gate of one control socket, in force from `install` until the socket closes. */
export class Gate {
  readonly #socket: Socket;
  /** The socket's own `write`. */
  readonly #write: (text: string, written: Written) => boolean;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pacing = new Pacing<QueuedFrame>(pacingBounds);
  readonly #confirmations = new ConfirmationReader();
  #stopTimer: (() => void) | null = null;

  constructor(socket: Socket, parts: { readonly clock: Clock; readonly log: Log }) {
    this.#socket = socket;
    this.#clock = parts.clock;
    this.#log = parts.log;
    const write = socket.write.bind(socket);
    this.#write = (text, written) => {
      this.#gather();
      return written === undefined ? write(text) : write(text, written);
    };
  }

  /** Takes over the writing of the socket until it closes. */
  install(): void {
    const socket = this.#socket;
    socket.write = (chunk: string | Uint8Array, second?: BufferEncoding | Written, third?: Written): boolean =>
      this.#offer(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'), {
        written: typeof second === 'function' ? second : third,
      });
    // Before the library's own listener: what it writes while reading finds the room that was just made.
    socket.prependListener('data', (bytes: Buffer) => this.#read(bytes));
    socket.once('close', () => this.#stopTimer?.());
  }

  #offer(text: string, options: { readonly written: Written }): boolean {
    const id = frameIdOf(text);
    if (id === null) return this.#write(text, options.written);
    const bytes = Buffer.byteLength(text);
    const offered = this.#pacing.offer({ id, bytes, text, written: options.written });
    if (offered === 'too-large') this.#log.error({ bytes }, 'control frame too large for the SIP server, not sent');
    if (offered === 'full') {
      this.#log.error({ queued: this.#pacing.queuedFrames }, 'SIP server confirms nothing, connection given up');
      this.#socket.destroy();
    }
    this.#flush();
    return true;
  }

  #read(bytes: Buffer): void {
    const confirmed = this.#confirmations.push(bytes).filter((id) => this.#pacing.confirm(id));
    if (confirmed.length > 0) this.#flush();
  }

  #flush(): void {
    for (const frame of this.#pacing.take(this.#clock.now())) this.#write(frame.text, frame.written);
    if (this.#pacing.unconfirmedFrames > 0 && this.#stopTimer === null) this.#startTimer();
  }

  /** What one save lets go is one write: each costs the kernel, and wakes the SIP server, as much as all of them. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  /** A server that forgets one confirmation must not stop us for good. */
  #startTimer(): void {
    const timeoutMs = pacingBounds.confirmationTimeoutMs;
    this.#stopTimer = this.#clock.callAt(this.#clock.now() + timeoutMs, () => {
      this.#stopTimer = null;
      const frames = this.#pacing.release(this.#clock.now() - timeoutMs);
      if (frames > 0) this.#log.warn({ frames }, 'control frames never confirmed by the SIP server');
      this.#flush();
    });
  }
}
