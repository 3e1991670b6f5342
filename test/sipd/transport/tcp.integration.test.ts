import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { TcpTransport } from '../../../src/sipd/transport/tcp.ts';

const message = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi';

let transport: TcpTransport;
let socket: Socket;
const received: string[] = [];

beforeEach(async () => {
  received.length = 0;
  transport = await TcpTransport.open({
    host: '127.0.0.1',
    port: 0,
    onMessage: (_from, text) => {
      received.push(text);
    },
    onBroken: () => undefined,
    onClosed: () => undefined,
    onUnreachable: () => undefined,
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  socket = connect(transport.port, '127.0.0.1').setNoDelay(true);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
});

afterEach(async () => {
  vi.useRealTimers();
  socket.destroy();
  await transport.close();
});

/** Waits without timers, which stand still here. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

test('a connection that is always within some message lives as long as each comes in time', async () => {
  socket.write(message + message.slice(0, 9));
  for (let count = 1; count <= 4; count += 1) {
    await until(() => received.length === count);
    vi.advanceTimersByTime(limits.streamPartialMs - 1);
    socket.write(message.slice(9) + message.slice(0, 9));
  }
  await until(() => received.length === 5);
});

test('a message that does not come to its end closes the connection', async () => {
  const closed = once(socket, 'close');
  socket.write(message + message.slice(0, 9));
  await until(() => received.length === 1);
  vi.advanceTimersByTime(limits.streamPartialMs);
  await closed;
  expect(received).toEqual([message]);
});

test('a peer that sends keep-alives and never reads their answers is cut off', async () => {
  // `once` would fail on the reset.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.pause();
  const pings = '\r\n\r\n'.repeat(65_536);
  const flood = (): void => {
    if (!socket.destroyed) socket.write(pings, () => setImmediate(flood));
  };
  flood();
  await closed;
});
