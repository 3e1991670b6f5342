/** Watchers of a conference, each with a UDP socket and a subscription of its own. They look for a text, and parse nothing. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { acceptanceOf, headOf, renderingOf, sequenceOf } from './notify-message.ts';
import { type Await, type Seen, sharedNow, type Watch } from './watching.ts';

type Watcher = {
  readonly socket: Socket;
  lastSequence: number;
  /** Since we were asked to wait; and those of them that tell how many are in. */
  notifies: number;
  told: number;
  hasSeen: boolean;
};

/** An address of their own: a NOTIFY too long for a datagram is tried over TCP, and here no port is anybody's. */
const host = '127.0.0.2';
/** SUBSCRIBEs under way at once. */
const subscribing = 20;
/** RFC 3261 17.1.2.1: T1. */
const againMs = 500;

const watchers: Watcher[] = [];
let wanted: Buffer | null = null;
let left = 0;
let repeated = 0;
/** What each of them saw it in. */
let documents: Buffer[] = [];

process.once('disconnect', () => process.exit(0));
process.on('message', (message: Watch | Await) => {
  if (message.ask === 'await') waitFor(message.text);
  else void watch(message).then(() => process.send?.(true));
});
process.send?.(true);

function waitFor(text: string): void {
  wanted = Buffer.from(text);
  left = watchers.length;
  repeated = 0;
  documents = [];
  for (const watcher of watchers) {
    watcher.notifies = 0;
    watcher.told = 0;
    watcher.hasSeen = false;
  }
  process.send?.(true);
}

async function watch({ port, target, subscribers }: Watch): Promise<void> {
  const waiting = subscribers.entries();
  const one = async (): Promise<void> => {
    for (const [index, subscriber] of waiting) await subscribe({ index, subscriber, target, port });
  };
  await Promise.all(Array.from({ length: subscribing }, one));
}

type Subscribe = {
  readonly index: number;
  readonly subscriber: string;
  readonly target: string;
  readonly port: number;
};

/** Resolves with the first NOTIFY. */
async function subscribe({ index, subscriber, target, port }: Subscribe): Promise<void> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  const watcher: Watcher = { socket, lastSequence: 0, notifies: 0, told: 0, hasSeen: false };
  watchers.push(watcher);
  const notified = new Promise<void>((resolve) => {
    socket.on('message', (datagram, from) => {
      const head = headOf(datagram);
      clearInterval(again);
      if (head.startsWith('NOTIFY ')) {
        socket.send(acceptanceOf(head), from.port, from.address);
        take(watcher, head, datagram);
        resolve();
      } else if (!head.startsWith('SIP/2.0 2') && !head.startsWith('SIP/2.0 1')) {
        throw new Error(`a watcher was answered:\n${head}`);
      }
    });
  });
  const here = `${host}:${socket.address().port}`;
  const lines = [
    `SUBSCRIBE ${target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${here};branch=z9hG4bK${index}-${here}`,
    'Max-Forwards: 70',
    `From: <${subscriber}>;tag=w${index}`,
    `To: <${target}>`,
    `Call-ID: ${index}-${here}`,
    'CSeq: 1 SUBSCRIBE',
    `Contact: <sip:watcher${index}@${here}>`,
    'Event: conference',
    'Accept: application/conference-info+xml',
    'Expires: 3600',
    'Content-Length: 0',
  ];
  const send = (): void => socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
  const again = setInterval(send, againMs);
  send();
  await notified;
}

function take(watcher: Watcher, head: string, datagram: Buffer): void {
  const sequence = sequenceOf(head);
  if (sequence <= watcher.lastSequence) {
    repeated += 1;
    return;
  }
  watcher.lastSequence = sequence;
  watcher.notifies += 1;
  if (datagram.includes('<user-count>')) watcher.told += 1;
  if (wanted === null || watcher.hasSeen || !datagram.includes(wanted)) return;
  watcher.hasSeen = true;
  documents.push(datagram);
  left -= 1;
  if (left === 0) tell();
}

function tell(): void {
  const at = sharedNow();
  const counts = watchers.map(({ notifies }) => notifies);
  const seen: Seen = {
    at,
    most: Math.max(...counts),
    mostTold: Math.max(...watchers.map(({ told }) => told)),
    notifies: counts.reduce((sum, count) => sum + count, 0),
    repeated,
    renderings: new Set(documents.map(renderingOf)).size,
  };
  wanted = null;
  process.send?.(seen);
}
