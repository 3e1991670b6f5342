import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../src/core/limits.ts';
import { writeMsrpRequest } from '../../src/wire/msrp.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { authority, certificateFiles } from '../support/certificates.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { waitFor } from '../support/wait.ts';
import { shortOf } from './memory-room.ts';
import { chatLine, openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };
const cpim = 'message/cpim';

/** What a WebSocket client has in its path: nobody can connect to it. */
const clientPath = 'msrp://df7jal23ls0d.invalid:2855/alice;ws';

function openWebRoom(): Promise<SwitchRoom> {
  return openRoom({ wsPort: 0, wssPort: 0, certificate: certificateFiles('server') });
}

describe('a client behind WebSocket (RFC 7977)', () => {
  test.each(['ws', 'wss'] as const)('over %s is heard, and hears the others', async (way) => {
    const room = await openWebRoom();
    const [alice, bob] = [await room.client(), await room.join('bob')];
    room.offer('alice', { localPath: room.path('alice', way), remotePath: [alice.path] });
    await alice.connect(room.path('alice', way));
    room.route('alice', 'bob');
    expect(await alice.send(hello)).toBe(200);
    expect((await bob.waitForMessage()).text).toBe('Hello');
    expect(await bob.send({ ...hello, from: uriOf('bob'), text: 'Hi' })).toBe(200);
    expect((await alice.waitForMessage()).text).toBe('Hi');
  });

  test('RFC 7977 4.1 7 is told that the subprotocol is msrp, and that pages of any origin may come', async () => {
    const room = await openWebRoom();
    const socket = new WebSocket(`ws://127.0.0.1:${room.address.wsPort}/`, ['chat', 'msrp'], {
      origin: 'https://www.example.com',
    });
    onTestFinished(() => socket.terminate());
    const { headers } = await new Promise<IncomingMessage>((resolve) => void socket.once('upgrade', resolve));
    expect(headers['sec-websocket-protocol']).toBe('msrp');
    expect(headers['access-control-allow-origin']).toBe('*');
  });

  test('RFC 7977 4.2 5.1 is heard in text and in binary messages, and also where one holds no whole chunk, or several', async () => {
    const room = await openWebRoom();
    const [alice, bob] = [await openSession(room, 'alice'), await room.join('bob')];
    room.route('alice', 'bob');
    const [one, two, three] = ['one', 'two', 'three'].map((text) => sendOf(room.path('alice', 'ws'), chatLine(text)));
    alice.socket.send(one?.toString() ?? '');
    alice.socket.send(two?.subarray(0, 100) ?? '');
    alice.socket.send(Buffer.concat([two?.subarray(100) ?? Buffer.alloc(0), three ?? Buffer.alloc(0)]));
    await waitFor('three messages', () => bob.messages.length === 3);
    expect(bob.messages.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  test('RFC 7977 6 keeps its connection by bodiless SENDs where it cannot ping', async () => {
    const room = await openWebRoom();
    const { socket, received } = await openSession(room, 'alice');
    socket.send(firstSend(room.path('alice', 'ws')));
    await waitFor('the answer', () => received.length === 2);
    expect(received[1]?.octets.toString()).toMatch(/^MSRP tttt 200 /);
  });

  test('RFC 7977 5.1 gets a large message in chunks, each in a WebSocket message of its own', async () => {
    const room = await openWebRoom();
    const [{ received }, bob] = [await openSession(room, 'alice'), await room.join('bob')];
    room.route('alice', 'bob');
    const content = Buffer.concat([chatLine('', 'bob'), Buffer.alloc(60_000, 97)]);
    expect(await bob.send({ contentType: cpim, content })).toBe(200);
    const frames = await waitFor('all of it', () => {
      const read = received.slice(1).map(({ octets }) => new MsrpReader({ wholeBytesMax: 20_000 }).push(octets));
      return JSON.stringify(read.at(-1)?.at(-1)).includes('"flag":"$"') ? read : undefined;
    });
    expect(frames.every((each) => each.length === 1)).toBe(true);
    expect(frames.length).toBeGreaterThan(4);
  });

  test('gets each MSRP message in a WebSocket message of its own, text where it is text', async () => {
    const room = await openWebRoom();
    const bob = await room.join('bob');
    const { received } = await openSession(room, 'alice');
    room.route('alice', 'bob');
    const binary = Buffer.concat([chatLine('', 'bob'), Buffer.from([0xff, 0xfe])]);
    await Promise.all([
      bob.send({ ...hello, from: uriOf('bob'), text: 'one' }),
      bob.send({ ...hello, from: uriOf('bob'), text: 'two' }),
      bob.send({ contentType: cpim, content: binary }),
    ]);
    await waitFor('three messages', () => received.length === 4);
    expect(received.map(({ isBinary }) => isBinary)).toEqual([false, false, false, true]);
    for (const { octets } of received) {
      const frames = new MsrpReader({ wholeBytesMax: 10_000 }).push(octets);
      expect(frames).toHaveLength(1);
    }
  });

  test('who does not speak the subprotocol msrp is not let in', async () => {
    const room = await openWebRoom();
    const socket = new WebSocket(`ws://127.0.0.1:${room.address.wsPort}/`, 'sip');
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('error', () => undefined);
    });
    expect(status).toBe(400);
  });

  test('who does not ask for the upgrade in time is closed', async () => {
    const room = await openWebRoom();
    const socket = connect(room.address.wsPort ?? 0, '127.0.0.1');
    const ended = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    await waitFor('the connection', () => room.clock.nextDue === room.clock.now() + limits.msrpHandshakeMs);
    room.clock.turn(limits.msrpHandshakeMs);
    await ended;
  });

  test('a client that answers no ping is gone', async () => {
    const room = await openWebRoom();
    await openSession(room, 'alice', { autoPong: false });
    room.clock.turn(limits.msrpPingMs);
    await waitFor('a ping', () => room.clock.nextDue === room.clock.now() + limits.msrpPingMs);
    expect(room.closed).toEqual([]);
    room.clock.turn(limits.msrpPingMs);
    expect(await room.waitForClosed(1)).toEqual(['alice: the peer closed the connection']);
  });

  test('a client that is saying something long meanwhile is not', async () => {
    const room = await openWebRoom();
    const [alice, bob] = [await openSession(room, 'alice', { autoPong: false }), await room.join('bob')];
    room.route('alice', 'bob');
    const octets = sendOf(room.path('alice', 'ws'), chatLine('Hello'));
    let pongs = 0;
    alice.socket.on('pong', () => {
      pongs += 1;
    });
    for (const [part, at] of [0, 100, 200].entries()) {
      alice.socket.send(octets.subarray(at, at === 200 ? undefined : at + 100), { fin: at === 200 });
      alice.socket.ping();
      await waitFor('that it is read', () => pongs > part);
      room.clock.turn(limits.msrpPingMs);
    }
    expect((await bob.waitForMessage()).text).toBe('Hello');
    expect(room.closed).toEqual([]);
  });

  test('a client that does not read its answers is given up, and is gone then', async () => {
    const room = await openWebRoom();
    const { socket } = await openSession(room, 'alice');
    socket.pause();
    const flood = firstSend(room.path('alice', 'ws'), `msrp://c:2/${'c'.repeat(3_000)};ws`).repeat(200);
    for (let i = 0; i < 75; i += 1) socket.send(flood);
    await waitFor('the loss of alice', () => {
      room.clock.turn(limits.msrpStallMs);
      return room.closed.length > 0;
    });
    expect(room.closed).toEqual(['alice: the peer does not read what it is sent']);
    await waitFor('the end of the connection', () => room.shell.counts().connections === 0);
  });

  test('a WebSocket message over the bound ends the connection', async () => {
    const room = await openWebRoom();
    const { socket } = await openWebSocket(room, 'ws');
    const code = new Promise((resolve) => void socket.once('close', resolve));
    socket.send(Buffer.alloc(limits.msrpWebSocketMessageBytesMax + 1));
    expect(await code).toBe(1009);
  });
});

describe('a large message in one WebSocket message', () => {
  const large = { contentType: cpim, content: Buffer.concat([chatLine(''), Buffer.alloc(1_040_000, 97)]) };

  test('goes to those who read no faster than it may: little of it waits for them, and nobody loses it', async () => {
    const room = await openWebRoom();
    const alice = await joinOverWebSocket(room, 'alice');
    const [bob, ted] = [await room.join('bob'), await room.join('ted')];
    room.route('alice', 'bob', 'ted');
    expect(await alice.send(large)).toBe(200);
    for (const each of [bob, ted]) expect(shortOf((await each.waitForMessage()).content)).toBe(shortOf(large.content));
    expect(room.shell.counts().waitingBytesMost).toBeLessThan(4 * limits.msrpWindowBytes);
  });

  test('waits for the route as any other: it is not too long for that', async () => {
    const room = await openWebRoom();
    const alice = await joinOverWebSocket(room, 'alice');
    const bob = await room.join('bob');
    const answer = alice.send(large);
    await waitFor('the wait for the route', () => room.clock.nextDue === room.clock.now() + limits.msrpEarlyMs);
    room.route('alice', 'bob');
    expect(await answer).toBe(200);
    expect(shortOf((await bob.waitForMessage()).content)).toBe(shortOf(large.content));
  });

  test('is heard to its end by a peer that closes behind it', async () => {
    const room = await openWebRoom();
    const bob = await room.join('bob');
    const { socket } = await openSession(room, 'alice');
    room.route('alice', 'bob');
    socket.send(sendOf(room.path('alice', 'ws'), large.content));
    socket.close();
    expect(shortOf((await bob.waitForMessage()).content)).toBe(shortOf(large.content));
    expect(await room.waitForClosed(1)).toEqual(['alice: the peer closed the connection']);
  });
});

type Received = { readonly octets: Buffer; readonly isBinary: boolean };

/** A WebSocket of the subprotocol, and what came on it. */
async function openWebSocket(
  room: SwitchRoom,
  way: 'ws' | 'wss',
  options: { autoPong?: boolean } = {},
): Promise<{ socket: WebSocket; received: readonly Received[] }> {
  const port = way === 'ws' ? room.address.wsPort : room.address.wssPort;
  const socket = new WebSocket(`${way}://127.0.0.1:${port}/`, 'msrp', { ca: authority, ...options });
  onTestFinished(() => socket.terminate());
  socket.on('error', () => undefined);
  const received: Received[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) => received.push({ octets: data, isBinary }));
  await new Promise<void>((resolve) => void socket.once('open', () => resolve()));
  expect(socket.protocol).toBe('msrp');
  return { socket, received };
}

/** A WebSocket on which the session of an endpoint is open. */
async function openSession(
  room: SwitchRoom,
  name: string,
  options: { autoPong?: boolean } = {},
): Promise<{ socket: WebSocket; received: readonly Received[] }> {
  room.offer(name, { localPath: room.path(name, 'ws'), remotePath: [clientPath] });
  const opened = await openWebSocket(room, 'ws', options);
  opened.socket.send(firstSend(room.path(name, 'ws')));
  await waitFor('the answer', () => opened.received.length === 1);
  return opened;
}

/** A client whose session over WebSocket is open. */
async function joinOverWebSocket(room: SwitchRoom, name: string): Promise<MsrpClient> {
  const client = await room.client();
  room.offer(name, { localPath: room.path(name, 'ws'), remotePath: [clientPath] });
  await client.connect(room.path(name, 'ws'));
  return client;
}

/** A whole message in one chunk. */
function sendOf(toPath: string, body: Buffer): Buffer {
  const headers = [
    { name: 'Message-ID', value: randomBytes(8).toString('hex') },
    { name: 'Content-Type', value: cpim },
  ];
  const paths = { toPath: [toPath], fromPath: [clientPath] };
  return writeMsrpRequest({ transactionId: 'uuuu', method: 'SEND', ...paths, headers, body, flag: '$' });
}

function firstSend(toPath: string, fromPath = clientPath): string {
  return `MSRP tttt SEND\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: abcd\r\n-------tttt$\r\n`;
}
