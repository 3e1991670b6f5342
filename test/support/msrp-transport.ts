/** How the tests' MSRP clients reach others, and are reached: TCP, TLS and WebSocket, as the path says. */

import { connect, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import { authority } from './certificates.ts';

export type KeyPair = { readonly cert: Buffer; readonly key: Buffer };

/** Connects to the first URI of a path; with a `pair`, which TLS shows. Rejects when that fails. */
export async function reachPath(path: string, pair: KeyPair | null): Promise<Duplex> {
  const [, scheme = '', bracketed = '', port = '', transport = ''] =
    /^(msrps?):\/\/(\[[^\]]+\]|[^:/]+):(\d+)(?:\/[^;]*)?;(\w+)/.exec(path) ?? [];
  const host = bracketed.replace(/^\[(.*)\]$/, '$1');
  if (transport === 'ws') return reachWebSocket(`${scheme === 'msrps' ? 'wss' : 'ws'}://${bracketed}:${port}/`);
  const secure = scheme === 'msrps';
  const how = { host, port: Number(port), noDelay: true };
  const socket = secure ? connectTls({ ...how, ca: authority, ...pair }) : connect(how);
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

async function reachWebSocket(url: string): Promise<Duplex> {
  const webSocket = new WebSocket(url, 'msrp', { ca: authority });
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', () => resolve());
    webSocket.once('error', reject);
  });
  // Each write is a message, and each message is read at once.
  return createWebSocketStream(webSocket, { readableObjectMode: false });
}

/** A server for whoever connects; with a `pair`, by TLS, asking for the peer's certificate. */
export function listener(pair: KeyPair | null, onConnection: (stream: Duplex) => void): Server {
  if (pair === null) return createServer({ noDelay: true }, onConnection);
  return createTlsServer({ ...pair, requestCert: true, rejectUnauthorized: false, noDelay: true }, onConnection);
}
