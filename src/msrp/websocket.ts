/** MSRP over WebSocket (RFC 7977): the HTTP upgrade, and WebSockets as carriers. Nobody connects to a WebSocket client. */

import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import { joinParts, type MsrpParts, partsLength } from '../wire/msrp.ts';
import type { Carrier, CarrierEvents } from './carrier.ts';

/** RFC 7977: the name of the subprotocol. */
const subprotocol = 'msrp';
/** RFC 6455 7.4.1: the purpose is fulfilled. */
const normalClosure = 1000;

/** Turns sockets that were let in into WebSockets. */
export class WebSocketEntrance {
  readonly #clock: Clock;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  /** Who has not been upgraded yet, and what follows when that is done. */
  readonly #waiting = new Map<Socket, (carrier: Carrier) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
    // It never listens itself: it is given sockets.
    this.#http = createServer({ maxHeaderSize: limits.msrpUpgradeBytesMax });
    this.#http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#http.on('request', (_request, response) => {
      response.writeHead(426, { 'Connection': 'close', 'Upgrade': 'websocket', 'Content-Length': 0 }).end();
    });
    this.#http.on('clientError', (_error, socket) => socket.destroy());
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.msrpWebSocketMessageBytesMax,
      handleProtocols: () => subprotocol,
    });
  }

  /** Waits for the upgrade on a socket, for as long as a handshake may take. */
  accept(socket: Socket, arrive: (carrier: Carrier) => void): void {
    const stop = this.#clock.callAt(this.#clock.now() + limits.msrpHandshakeMs, () => socket.destroy());
    this.#waiting.set(socket, (carrier) => {
      stop();
      arrive(carrier);
    });
    socket.once('close', () => {
      stop();
      this.#waiting.delete(socket);
    });
    this.#http.emit('connection', socket);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const arrive = this.#waiting.get(socket);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
    // RFC 7977: whoever speaks MSRP says so.
    if (arrive === undefined || !offered.includes(subprotocol)) {
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#waiting.delete(socket);
      arrive(new WebSocketCarrier({ webSocket, socket, clock: this.#clock }));
    });
  }
}

type WebSocketParts = { readonly webSocket: WebSocket; readonly socket: Socket; readonly clock: Clock };

/** A WebSocket as a carrier. `socket` is what it stands on. */
class WebSocketCarrier implements Carrier {
  readonly peer: string;
  readonly #parts: WebSocketParts;
  #heard = true;
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
    return this.#parts.webSocket.isPaused;
  }

  listen({ onOctets, onDrain, onError, onClose }: CarrierEvents): void {
    const { webSocket, socket } = this.#parts;
    webSocket.on('message', (data) => {
      this.#heard = true;
      onOctets(octetsOf(data));
    });
    webSocket.on('pong', () => {
      this.#heard = true;
    });
    socket.on('drain', onDrain);
    webSocket.on('error', (error) => onError(error.message));
    webSocket.once('close', () => {
      this.#stopPinging();
      onClose();
    });
    this.#ping();
  }

  // RFC 7977: one message holds one MSRP message.
  write(frames: readonly MsrpParts[]): void {
    for (const frame of frames) {
      const octets = joinParts([frame], partsLength(frame));
      // RFC 6455 5.6: a text message is UTF-8; anything else goes as a binary one.
      this.#parts.webSocket.send(octets, { binary: !isUtf8(octets) });
    }
  }

  pause(): void {
    this.#parts.webSocket.pause();
  }

  resume(): void {
    this.#parts.webSocket.resume();
  }

  end(): void {
    this.#parts.webSocket.close(normalClosure);
  }

  destroy(): void {
    this.#parts.webSocket.terminate();
  }

  // RFC 6455 5.5.2, 5.5.3: whoever lives answers a ping, whom we read.
  #ping(): void {
    const { webSocket, clock } = this.#parts;
    this.#stopPinging = clock.callAt(clock.now() + limits.msrpPingMs, () => {
      if (!this.#heard && !webSocket.isPaused) webSocket.terminate();
      this.#heard = false;
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
      this.#ping();
    });
  }
}

function octetsOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
