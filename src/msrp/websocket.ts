/** MSRP over WebSocket (RFC 7977): the HTTP upgrade. Nobody connects to a WebSocket client. */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';
import type { Carrier } from './carrier.ts';
import { WebSocketCarrier } from './websocket-carrier.ts';

/** RFC 7977 10: the name of the subprotocol. */
const subprotocol = 'msrp';

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
    // RFC 7977 7: it is said which pages may come. All may: no cookie lets them in, but a path that was told by SIP.
    this.#webSockets.on('headers', (headers) => headers.push('Access-Control-Allow-Origin: *'));
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
    // RFC 7977 4.1: whoever speaks MSRP says so.
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
