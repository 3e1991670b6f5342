import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../src/core/limits.ts';
import { MsrpReader } from '../../src/wire/msrp-reader.ts';
import { authority, certificateFiles } from '../support/certificates.ts';
import { waitFor } from '../support/wait.ts';
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

  test('gets each MSRP message in a WebSocket message of its own, text where it is text', async () => {
    const room = await openWebRoom();
    const bob = await room.join('bob');
    room.offer('alice', { localPath: room.path('alice', 'ws'), remotePath: [clientPath] });
    const { socket, received } = await openWebSocket(room, 'ws');
    socket.send(firstSend(room.path('alice', 'ws')));
    await waitFor('the answer', () => received.length === 1);
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
    room.offer('alice', { localPath: room.path('alice', 'ws'), remotePath: [clientPath] });
    const { socket, received } = await openWebSocket(room, 'ws', { autoPong: false });
    socket.send(firstSend(room.path('alice', 'ws')));
    await waitFor('the answer', () => received.length === 1);
    room.clock.turn(limits.msrpPingMs);
    await waitFor('a ping', () => room.clock.nextDue === room.clock.now() + limits.msrpPingMs);
    expect(room.closed).toEqual([]);
    room.clock.turn(limits.msrpPingMs);
    expect(await room.waitForClosed(1)).toEqual(['alice: the peer closed the connection']);
  });

  test('a WebSocket message over the bound ends the connection', async () => {
    const room = await openWebRoom();
    const { socket } = await openWebSocket(room, 'ws');
    const code = new Promise((resolve) => void socket.once('close', resolve));
    socket.send(Buffer.alloc(limits.msrpWebSocketMessageBytesMax + 1));
    expect(await code).toBe(1009);
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

function firstSend(toPath: string): string {
  return `MSRP tttt SEND\r\nTo-Path: ${toPath}\r\nFrom-Path: ${clientPath}\r\nMessage-ID: abcd\r\n-------tttt$\r\n`;
}
