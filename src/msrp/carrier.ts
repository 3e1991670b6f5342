/** What carries the octets of one MSRP connection, whichever transport it is. */

import type { Socket } from 'node:net';
import { joinParts, joinTexts, type MsrpParts } from '../wire/msrp.ts';

/** What a connection hears of its carrier; `onClose` comes last, and once. */
export type CarrierEvents = {
  readonly onOctets: (octets: Buffer) => void;
  /** What was written has left, so far that more may be written. */
  readonly onDrain: () => void;
  /** The peer writes no more. */
  readonly onEnd: () => void;
  readonly onError: (reason: string) => void;
  readonly onClose: () => void;
};

export type Carrier = {
  /** `address:port` of the peer, for the log. */
  readonly peer: string;
  /** Whether more may be written now; if not, `onDrain` follows unless it closes. */
  readonly canWrite: boolean;
  /** Octets that were written and have not left. */
  readonly waitingBytes: number;
  readonly isPaused: boolean;
  /** To be called once, before anything can have come. */
  readonly listen: (events: CarrierEvents) => void;
  /** Writes whole frames; `length` is the sum of their lengths. */
  readonly write: (frames: readonly MsrpParts[], length: number) => void;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Writes no more, once what was written has left. */
  readonly end: () => void;
  readonly destroy: () => void;
};

/** A TCP or TLS socket as a carrier. */
export class SocketCarrier implements Carrier {
  readonly peer: string;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
  }

  get canWrite(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  listen({ onOctets, onDrain, onEnd, onError, onClose }: CarrierEvents): void {
    this.#socket.on('data', onOctets);
    this.#socket.on('drain', onDrain);
    this.#socket.on('end', onEnd);
    this.#socket.on('error', (error) => onError(error.message));
    this.#socket.on('close', onClose);
  }

  write(frames: readonly MsrpParts[], length: number): void {
    const text = joinTexts(frames);
    if (text === null) this.#socket.write(joinParts(frames, length));
    else this.#socket.write(text, 'latin1');
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
