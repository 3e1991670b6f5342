import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { waitFor, within } from '../support/wait.ts';
import { openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };

/** A connection whose first SEND has been answered, which then reads nothing more. */
async function deafPeer(room: SwitchRoom, name: string): Promise<Socket> {
  const socket = connect({ port: room.address.port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(bodiless(room, name));
  await within('the answer to the first SEND', new Promise((resolve) => socket.once('data', resolve)));
  return socket.pause();
}

/** A bodiless SEND to the endpoint's session. */
function bodiless(room: SwitchRoom, name: string, fromPath = 'msrp://c:2/c;tcp'): string {
  return `MSRP tttt SEND\r\nTo-Path: ${room.path(name)}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: abcd\r\n-------tttt$\r\n`;
}

describe('a connection that is being closed', () => {
  test('takes no session any more', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.offer('ted', { remotePath: [alice.path] });
    const gone = `MSRP gone 481\r\nTo-Path: ${room.path('alice')}\r\nFrom-Path: ${alice.path}\r\n-------gone$\r\n`;
    alice.write(gone + bodiless(room, 'ted'));
    await alice.waitForClose();
    expect(room.closed).toEqual(['alice: the peer answered 481']);
    const ted = await room.client();
    await ted.connect(room.path('ted'));
  });

  test('takes no message either: it is counted as dropped', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.offer('bob', { remotePath: ['msrp://b:9/b;tcp'] });
    room.route('alice', 'bob');
    const bob = await deafPeer(room, 'bob');
    bob.write('GET / HTTP/1.1\r\n\r\n');
    await waitFor('the first message that bob does not get', async () => {
      expect(await alice.send(hello)).toBe(200);
      return room.shell.counts().dropped > 0;
    });
  });
});

describe('a peer that does not read', () => {
  test('and closes its own direction loses its session and its connection', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.offer('bob', { remotePath: ['msrp://b:9/b;tcp'] });
    room.route('alice', 'bob');
    const bob = await deafPeer(room, 'bob');
    while (room.shell.counts().dropped === 0) {
      const lines = Array.from({ length: 50 }, () => alice.send({ ...hello, text: 'x'.repeat(8_000) }));
      await Promise.all(lines);
    }
    room.clock.turn(limits.messagesSwitchedIntervalMs);
    bob.end();
    const isClosing = (): boolean => (room.clock.nextDue ?? Infinity) <= room.clock.now() + limits.msrpClosingMs;
    await waitFor('the end of bob’s direction', isClosing);
    room.clock.turn(limits.msrpClosingMs);
    expect(await room.waitForClosed(1)).toEqual(['bob: the peer closed the connection']);
  });

  test('its responses is given up', async () => {
    const room = await openRoom();
    room.offer('bob', { remotePath: ['msrp://b:9/b;tcp'] });
    const bob = await deafPeer(room, 'bob');
    const flood = bodiless(room, 'bob', `msrp://c:2/${'c'.repeat(3_000)};tcp`).repeat(5_000);
    for (let i = 0; i < 3; i += 1) bob.write(flood);
    await waitFor('the loss of bob', () => {
      room.clock.turn(limits.msrpStallMs);
      return room.closed.length > 0;
    });
    expect(room.closed).toEqual(['bob: the peer does not read what it is sent']);
  });
});

test('CC-159 a REPORT that cannot be read is not answered either', async () => {
  const room = await openRoom();
  const alice = await room.join('alice');
  alice.write(bodiless(room, 'alice').replace('SEND', 'REPORT').replace('Message-ID: abcd', 'Message-ID'));
  await alice.waitForClose();
  expect(alice.statusOf('tttt')).toBeUndefined();
});

test('a shell that has been closed connects to nobody', async () => {
  const room = await openRoom();
  const bob = await room.client({ listen: true });
  await room.shell.close();
  room.offer('bob', { remotePath: [bob.path], role: 'active' });
  expect(room.shell.counts().sessions).toBe(0);
  expect(room.clock.nextDue).toBeUndefined();
});

test('a name of several addresses that all refuse gives a reason', async () => {
  const room = await openRoom({
    lookup: (_name, _options, callback) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]),
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  const port = typeof address === 'object' ? address?.port : undefined;
  room.offer('bob', { remotePath: [`msrp://bob.example.com:${port}/b;tcp`], role: 'active' });
  expect(await room.waitForClosed(1)).toEqual([expect.stringContaining('ECONNREFUSED')]);
});

test('a session whose peer turns out not to connect is dialled when it is agreed so', async () => {
  const room = await openRoom();
  const bob = await room.client({ listen: true });
  room.offer('bob', { remotePath: [bob.path] });
  room.offer('bob', { remotePath: [bob.path], role: 'active' });
  await bob.waitForConnection();
  room.clock.turn(limits.msrpConnectTimeoutMs);
  expect(room.closed).toEqual([]);
});
