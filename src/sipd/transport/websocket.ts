/** SIP over WebSocket (RFC 7118): the HTTP upgrade, and WebSockets as carriers. Nothing connects to a WebSocket client. */

import { isUtf8 } from 'node:buffer';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { Connections } from './connections.ts';
import type { StreamEvent } from './stream.ts';
import { FrameWatch } from './websocket-frames.ts';

/** RFC 7118 4.1. */
const subprotocol = 'sip';
/** RFC 6455 7.4.1: the server goes away, or the connection has been idle. */
const goingAway = 1001;

/** Turns sockets that were let in into WebSocket connections. */
export class WebSocketEntrance {
  readonly #connections: Connections;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  /** Who has not asked for the upgrade yet, and how long it may take. */
  readonly #waiting = new Map<Duplex, { readonly from: Peer; readonly timeout: NodeJS.Timeout }>();

  constructor(connections: Connections) {
    this.#connections = connections;
    // It never listens itself: it is given sockets.
    this.#http = createServer({ maxHeaderSize: limits.upgradeHeaderBytesMax });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on('request', (_request, response) => {
      response.writeHead(426, { 'Connection': 'close', 'Upgrade': 'websocket', 'Content-Length': 0 }).end();
    });
    this.#http.on('clientError', (_error, socket) => socket.destroy());
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.streamMessageBytesMax,
      maxFragments: limits.webSocketFragmentsMax,
      maxBufferedChunks: limits.webSocketReadsMax,
      handleProtocols: () => subprotocol,
    });
  }

  /** Waits for the upgrade on a socket. */
  accept(socket: Socket, from: Peer): void {
    const timeout = setTimeout(() => socket.destroy(), limits.upgradeMs);
    this.#waiting.set(socket, { from, timeout });
    socket.once('close', () => this.#forget(socket));
    this.#http.emit('connection', socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const waiting = this.#waiting.get(socket);
    socket.on('error', () => undefined);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
    // RFC 7118 4.1: whoever speaks SIP says so.
    if (waiting === undefined || !offered.includes(subprotocol)) {
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#forget(socket);
      join(webSocket, { socket, from: waiting.from, connections: this.#connections });
    });
  }

  #forget(socket: Duplex): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    clearTimeout(waiting.timeout);
    this.#waiting.delete(socket);
  }
}

type Below = { readonly socket: Duplex; readonly from: Peer; readonly connections: Connections };

function join(webSocket: WebSocket, { socket, from, connections }: Below): void {
  const watch = new FrameWatch();
  const connection = connections.add(from, {
    write: (text) => {
      const octets = Buffer.from(text, 'latin1');
      // RFC 6455 5.6: a text message is UTF-8; anything else goes as a binary one.
      webSocket.send(octets, { binary: !isUtf8(octets) });
    },
    queued: () => socket.writableLength,
    held: () => watch.held,
    end: () => webSocket.close(goingAway),
    destroy: () => webSocket.terminate(),
  });
  let heard = true;
  // Before `ws` has read them, so that the messages it finds in them are judged by what follows them.
  socket.prependListener('data', (chunk: Buffer) => {
    watch.push(chunk);
    heard = true;
    connection.take([], watch.partial, chunk.length);
  });
  const pinging = setInterval(() => {
    // RFC 6455 5.5.2, 5.5.3: whoever lives answers a ping.
    if (!heard) webSocket.terminate();
    heard = false;
    webSocket.ping();
  }, limits.webSocketPingMs).unref();
  webSocket.on('message', (data: Buffer) => connection.take(eventsOf(data.toString('latin1')), watch.partial, 0));
  let failure = 'closed';
  webSocket.on('error', (error) => {
    failure = error.message;
  });
  webSocket.once('close', () => {
    clearInterval(pinging);
    connection.closed(failure);
  });
  connection.opened();
}

/** RFC 7118 5: one message holds one SIP message, or nothing but the line ends of a keep-alive (RFC 5626 3.5.1). */
function eventsOf(text: string): readonly StreamEvent[] {
  if (text === '\r\n\r\n') return [{ kind: 'ping' }];
  return text.length <= 2 && '\r\n'.startsWith(text) ? [] : [{ kind: 'message', text }];
}
