import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ControlPort } from '../../../src/sipd/control/session.ts';
import { limits } from '../../../src/sipd/limits.ts';

let port: ControlPort;
let told: string[];
let sockets: Socket[];

beforeEach(async () => {
  // One for each test: the connections of the last may end late.
  const lines: string[] = [];
  told = lines;
  sockets = [];
  port = await ControlPort.open({
    host: '127.0.0.1',
    port: 0,
    ways: new Set(),
    onOpened: (session) => lines.push(`${session} opened`),
    onClosed: (session) => lines.push(`${session} closed`),
    onFrame: (session, payload) => lines.push(`${session}: ${payload}`),
    onBroken: (session, reason) => lines.push(`${session} broken: ${reason}`),
    onTrouble: (reason) => lines.push(`trouble: ${reason}`),
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets) socket.destroy();
  await port.close();
});

/** A connection that the port has taken. */
async function dial(): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const count = told.length;
  const socket = connect(port.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  await until(() => told.length > count);
  return { socket: socket.resume(), closed };
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

test('connections we have made have a bound of their own, beside those that come', async () => {
  const made = Array.from({ length: limits.controlSessionsOutMax }, () => new Socket());
  expect(made.map((socket) => port.take(socket))).not.toContain(null);
  const one = new Socket();
  expect(port.take(one)).toBe(null);
  expect(one.destroyed).toBe(true);
  await dial();
  expect(told).toEqual([`${limits.controlSessionsOutMax + 1} opened`]);
  made[0]?.destroy();
  await until(() => told.length === 2);
  expect(port.take(new Socket())).toBe(limits.controlSessionsOutMax + 2);
});

test('who says nothing is cut off in time, who has been answered stays', async () => {
  const silent = await dial();
  const { socket } = await dial();
  port.send(2, 'welcome');
  await once(socket, 'data');
  vi.advanceTimersByTime(limits.controlLoginMs);
  await silent.closed;
  await until(() => told.length === 3);
  expect(told).toEqual(['1 opened', '2 opened', '1 closed']);
});

test('one more than there may be is cut off, and told', async () => {
  for (let count = 1; count <= limits.controlSessionsMax; count += 1) await dial();
  const { closed } = await dial();
  await closed;
  expect(told.at(-1)).toBe('trouble: there are too many');
});

test('an application that breaks the protocol and does not read what waits for it is cut off in time', async () => {
  const { socket, closed } = await dial();
  socket.pause();
  const frame = 'x'.repeat(limits.controlFrameBytesMax);
  for (let count = 1; count <= 16; count += 1) port.send(1, frame);
  socket.write('no frame');
  await until(() => told.length === 2);
  // The end is set in motion at the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(limits.streamEndMs);
  await until(() => told.length === 3);
  expect(told).toEqual(['1 opened', '1 broken: frame length is no number', '1 closed']);
  socket.resume();
  await closed;
});
