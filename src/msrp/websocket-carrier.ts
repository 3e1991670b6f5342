/** A WebSocket as a carrier. A message of it comes whole, however long it is, hence is handed on in pieces, as from a socket. */

import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import { joinParts, type MsrpParts, partsLength } from '../wire/msrp.ts';
import type { Carrier, CarrierEvents } from './carrier.ts';

/** RFC 6455 7.4.1: the purpose is fulfilled. */
const normalClosure = 1000;
/** As much as is handed on in one turn of the event loop, like what one read of a socket gives. */
const pieceBytesMax = 64 * 1024;
/** In the place of how much was read: the peer need not have been heard. */
const unknown = -1;

/** `socket` is what the WebSocket stands on. */
type WebSocketParts = { readonly webSocket: WebSocket; readonly socket: Socket; readonly clock: Clock };

/** One WebSocket, open. */
export class WebSocketCarrier implements Carrier {
  readonly peer: string;
  readonly #parts: WebSocketParts;
  #events: CarrierEvents | null = null;
  /** What has come and was not handed on. While there is any, no more is read. */
  #pieces: Buffer[] = [];
  #isPaused = false;
  /** The next piece has its turn. */
  #stopTurn: (() => void) | null = null;
  #isClosed = false;
  #bytesHeard = unknown;
  #stopPinging: () => void = () => undefined;

  constructor(parts: WebSocketParts) {
    const { remoteAddress, remotePort } = parts.socket;
    this.#parts = parts;
    this.peer = `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`;
  }

  get canWrite(): boolean {
    const { webSocket, socket } = this.#parts;
    return webSocket.readyState === webSocket.OPEN && socket.writable && !socket.writableNeedDrain;
  }

  get waitingBytes(): number {
    return this.#parts.webSocket.bufferedAmount;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  listen(events: CarrierEvents): void {
    const { webSocket, socket } = this.#parts;
    this.#events = events;
    webSocket.on('message', (data) => this.#take(octetsOf(data)));
    socket.on('drain', events.onDrain);
    webSocket.on('error', (error) => events.onError(error.message));
    webSocket.once('close', () => {
      this.#stopPinging();
      this.#isClosed = true;
      this.#goOn();
    });
    this.#ping();
  }

  // RFC 7977 5.1: one message holds one MSRP chunk.
  write(frames: readonly MsrpParts[]): void {
    for (const frame of frames) {
      const octets = joinParts([frame], partsLength(frame));
      // RFC 7977 4.2: either is taken. RFC 6455 5.6: a text message is UTF-8; anything else goes as a binary one.
      this.#parts.webSocket.send(octets, { binary: !isUtf8(octets) });
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.#parts.webSocket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#goOn();
  }

  end(): void {
    this.#parts.webSocket.close(normalClosure);
  }

  destroy(): void {
    this.#pieces = [];
    this.#stopTurn?.();
    this.#stopTurn = null;
    this.#parts.webSocket.terminate();
    if (this.#isClosed) this.#tellClosed();
  }

  // RFC 7977 4.2: what is in text frames means octets, too. What comes in several messages is read as if it had come in one.
  #take(octets: Buffer): void {
    for (let at = 0; at < octets.length; at += pieceBytesMax)
      this.#pieces.push(octets.subarray(at, at + pieceBytesMax));
    if (this.#stopTurn === null && !this.#isPaused) this.#handOn();
  }

  #handOn(): void {
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#events?.onOctets(piece);
    this.#goOn();
  }

  /** The next piece has a turn of its own, in which what follows from the one before it has been done. */
  #goOn(): void {
    const { webSocket } = this.#parts;
    if (this.#stopTurn !== null) return;
    // Nothing is left to be held up by a pause.
    if (this.#isClosed && this.#pieces.length === 0) return this.#tellClosed();
    if (this.#isPaused) return;
    if (this.#pieces.length > 0) this.#takeTurn();
    else if (webSocket.isPaused) webSocket.resume();
  }

  #takeTurn(): void {
    this.#parts.webSocket.pause();
    const turn = setImmediate(() => {
      this.#stopTurn = null;
      if (!this.#isPaused) this.#handOn();
    });
    this.#stopTurn = () => clearImmediate(turn);
  }

  #tellClosed(): void {
    const events = this.#events;
    this.#events = null;
    events?.onClose();
  }

  // RFC 7977 6, RFC 6455 5.5.2, 5.5.3: whoever lives answers a ping, whom we read, or is saying something long meanwhile.
  #ping(): void {
    const { webSocket, socket, clock } = this.#parts;
    this.#stopPinging = clock.callAt(clock.now() + limits.msrpPingMs, () => {
      const { isPaused } = webSocket;
      if (!isPaused && socket.bytesRead === this.#bytesHeard) webSocket.terminate();
      this.#bytesHeard = isPaused ? unknown : socket.bytesRead;
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
      this.#ping();
    });
  }
}

function octetsOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
