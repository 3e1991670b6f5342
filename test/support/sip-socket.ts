/** The sockets of a test's user agent: one UDP port, or one TCP port with its connections. RFC 3261 18. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as openConnection, type Socket } from 'node:net';

export type Transport = 'udp' | 'tcp';

export type Address = { readonly host: string; readonly port: number };

/** What arrived, and the way back to where it came from. */
export type Arrival = { readonly text: string; readonly from: Address; readonly sendBack: (text: string) => void };

export type SipSocket = {
  readonly transport: Transport;
  readonly address: Address;
  /** Sends `text` to `to`; over TCP on a connection that is open to it, or a new one. */
  readonly send: (text: string, to: Address) => void;
  readonly close: () => Promise<void>;
};

const loopback = '127.0.0.1';

/** Opens a socket on a free loopback port; `receive` gets each whole message. */
export function openSipSocket(transport: Transport, receive: (arrival: Arrival) => void): Promise<SipSocket> {
  return transport === 'udp' ? openUdp(receive) : openTcp(receive);
}

async function openUdp(receive: (arrival: Arrival) => void): Promise<SipSocket> {
  const socket = createSocket('udp4');
  socket.bind(0, loopback);
  await once(socket, 'listening');
  const send = (text: string, to: Address): void => socket.send(text, to.port, to.host);
  socket.on('message', (bytes, { address, port }) => {
    const from = { host: address, port };
    receive({ text: bytes.toString('utf8'), from, sendBack: (text) => send(text, from) });
  });
  const close = (): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));
  return { transport: 'udp', address: { host: loopback, port: socket.address().port }, send, close };
}

async function openTcp(receive: (arrival: Arrival) => void): Promise<SipSocket> {
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

  const server = createServer((connection) =>
    adopt(connection, { host: connection.remoteAddress ?? loopback, port: connection.remotePort ?? 0 }),
  );
  server.listen(0, loopback);
  await once(server, 'listening');

  const send = (text: string, to: Address): void => {
    const open = connections.get(`${to.host}:${to.port}`);
    const connection = open ?? openConnection(to.port, to.host);
    if (!open) adopt(connection, to);
    connection.write(text);
  };
  const close = async (): Promise<void> => {
    for (const connection of all) connection.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const { port } = server.address() as AddressInfo;
  return { transport: 'tcp', address: { host: loopback, port }, send, close };
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
