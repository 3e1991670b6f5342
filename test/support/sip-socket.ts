/**
 * The sockets of a test's user agent: one UDP port, one TCP or TLS port with its connections, or WebSockets it opens itself.
 * RFC 3261 18, RFC 7118.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as openConnection, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as openTlsConnection } from 'node:tls';
import { WebSocket } from 'ws';
import { authority, serverPair } from './certificates.ts';

/** What the service is reached by in its own tests. */
export type Transport = 'udp' | 'tcp';
export type AnyTransport = Transport | 'tls' | 'ws' | 'wss';

export type Address = { readonly host: string; readonly port: number };

/** What arrived, and the way back to where it came from. */
export type Arrival = { readonly text: string; readonly from: Address; readonly sendBack: (text: string) => void };

export type SipSocket = {
  readonly transport: AnyTransport;
  /** Where it listens; a WebSocket client has no port. */
  readonly address: Address;
  /** Sends `text` to `to`; but for UDP on a connection that is open to it, or a new one. */
  readonly send: (text: string, to: Address) => void;
  readonly close: () => Promise<void>;
};

const loopback = '127.0.0.1';

/** Opens a socket on a free port of `host`; `receive` gets each whole message. */
export function openSipSocket(
  transport: AnyTransport,
  receive: (arrival: Arrival) => void,
  host: string = loopback,
): Promise<SipSocket> {
  if (transport === 'udp') return openUdp(receive, host);
  if (transport === 'tcp') return openStreams('tcp', receive, host);
  if (transport === 'tls') return openStreams('tls', receive, host);
  return Promise.resolve(openWebSockets(transport, receive));
}

async function openUdp(receive: (arrival: Arrival) => void, host: string): Promise<SipSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const send = (text: string, to: Address): void => socket.send(text, to.port, to.host);
  socket.on('message', (bytes, { address, port }) => {
    const from = { host: address, port };
    receive({ text: bytes.toString('utf8'), from, sendBack: (text) => send(text, from) });
  });
  const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  return { transport: 'udp', address: { host, port: socket.address().port }, send, close };
}

async function openStreams(
  transport: 'tcp' | 'tls',
  receive: (arrival: Arrival) => void,
  host: string,
): Promise<SipSocket> {
  const connections = new Map<string, Socket>();
  const all = new Set<Socket>();

  const adopt = (connection: Socket, peer: Address): void => {
    const key = `${peer.host}:${peer.port}`;
    connections.set(key, connection);
    all.add(connection);
    const framer = new SipFramer();
    const sendBack = (text: string): void => {
      connection.write(text);
    };
    connection.on('data', (bytes) => {
      for (const text of framer.push(bytes)) receive({ text, from: peer, sendBack });
    });
    connection.on('error', () => connection.destroy());
    connection.on('close', () => {
      all.delete(connection);
      if (connections.get(key) === connection) connections.delete(key);
    });
  };

  const server = streamServer(transport, (connection) =>
    adopt(connection, { host: connection.remoteAddress ?? host, port: connection.remotePort ?? 0 }),
  );
  server.listen(0, host);
  await once(server, 'listening');

  const send = (text: string, to: Address): void => {
    const open = connections.get(`${to.host}:${to.port}`);
    const connection = open ?? dial(transport, to);
    if (!open) adopt(connection, to);
    connection.write(text);
  };
  const close = async (): Promise<void> => {
    for (const connection of all) connection.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const { port } = server.address() as AddressInfo;
  return { transport, address: { host, port }, send, close };
}

function streamServer(transport: 'tcp' | 'tls', accept: (connection: Socket) => void): Server {
  if (transport === 'tcp') return createServer(accept);
  return createTlsServer(serverPair, accept).on('tlsClientError', () => undefined);
}

function dial(transport: 'tcp' | 'tls', { host, port }: Address): Socket {
  return transport === 'tcp' ? openConnection(port, host) : openTlsConnection({ host, port, ca: authority });
}

/** A browser, as far as SIP can tell: it opens WebSockets and cannot be connected to. */
function openWebSockets(transport: 'ws' | 'wss', receive: (arrival: Arrival) => void): SipSocket {
  const sockets = new Map<string, WebSocket>();
  const open = (to: Address): WebSocket => {
    const host = to.host.includes(':') ? `[${to.host}]` : to.host;
    const socket = new WebSocket(`${transport}://${host}:${to.port}/`, 'sip', { ca: authority });
    socket.on('error', () => undefined);
    socket.on('message', (bytes: Buffer) => {
      const sendBack = (text: string): void => socket.send(text);
      receive({ text: bytes.toString('utf8'), from: to, sendBack });
    });
    return socket;
  };
  const send = (text: string, to: Address): void => {
    const key = `${to.host}:${to.port}`;
    const known = sockets.get(key);
    const socket = known ?? open(to);
    sockets.set(key, socket);
    if (socket.readyState === WebSocket.CONNECTING) socket.once('open', () => socket.send(text));
    else socket.send(text);
  };
  const close = async (): Promise<void> => {
    const closed = [...sockets.values()].map(async (socket) => {
      if (socket.readyState === WebSocket.CLOSED) return;
      const end = once(socket, 'close');
      socket.terminate();
      await end;
    });
    await Promise.all(closed);
  };
  // RFC 7118 5.1: a client that cannot be reached names a host that does not exist.
  return { transport, address: { host: 'browser.invalid', port: 0 }, send, close };
}

/** Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 18.3); CRLF between messages is keep-alive. */
export class SipFramer {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: string[] = [];
    for (let text = this.#next(); text !== undefined; text = this.#next()) messages.push(text);
    return messages;
  }

  #next(): string | undefined {
    while (this.#rest.subarray(0, 2).toString('latin1') === '\r\n') this.#rest = this.#rest.subarray(2);
    const headEnd = this.#rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const head = this.#rest.subarray(0, headEnd).toString('utf8');
    const length = /^(?:Content-Length|l)[ \t]*:[ \t]*(\d+)/im.exec(head)?.[1];
    if (length === undefined) throw new Error(`a SIP message over TCP has no Content-Length:\n${head}`);
    const end = headEnd + 4 + Number(length);
    if (this.#rest.length < end) return undefined;
    const text = this.#rest.subarray(0, end).toString('utf8');
    this.#rest = this.#rest.subarray(end);
    return text;
  }
}
