import { once } from 'node:events';
import { connect as dialTcp, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../../src/sipd/limits.ts';
import { authority } from '../../support/certificates.ts';
import { waitFor, within } from '../../support/wait.ts';
import { OpenSockets, onSockets } from './open-sockets.ts';

const withoutLength = 'OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n';

type Came = { readonly text: string; readonly binary: boolean };

/** An open WebSocket and the messages that came over it. */
async function browse(open: OpenSockets, protocol: 'ws' | 'wss'): Promise<{ socket: WebSocket; came: Came[] }> {
  const socket = new WebSocket(`${protocol}://localhost:${open.port(protocol)}/any/path`, 'sip', {
    ca: authority,
    family: 4,
  });
  const came: Came[] = [];
  socket.on('message', (data: Buffer, binary) => came.push({ text: data.toString('latin1'), binary }));
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return { socket, came };
}

/** An HTTP request by hand and all that is answered before the end. */
async function askHttp(port: number, lines: readonly string[]): Promise<string> {
  const socket = dialTcp(port, '127.0.0.1').setEncoding('latin1');
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await within('the end', once(socket, 'close'));
  return text;
}

const upgrade = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('opening a WebSocket (RFC 7118 4.1)', () => {
  test.each(['ws', 'wss'] as const)('%s: the subprotocol sip is echoed, among others too', (protocol) =>
    onSockets(async (open) => {
      const url = `${protocol}://localhost:${open.port(protocol)}`;
      const socket = new WebSocket(url, ['msrp', 'sip'], { ca: authority, family: 4 });
      await once(socket, 'open');
      expect(socket.protocol).toBe('sip');
      socket.terminate();
    }),
  );

  test.each([
    ['no subprotocol', upgrade],
    ['another one', [...upgrade, 'Sec-WebSocket-Protocol: sips, xsip']],
  ])('%s is refused with 400', (_, lines) =>
    onSockets(async (open) => {
      expect(await askHttp(open.port('ws'), lines)).toMatch(/^HTTP\/1\.1 400 /);
      expect(open.told).toEqual([]);
    }),
  );

  test('what is no WebSocket gets 426, what is no HTTP and a header too long get nothing but the end', () =>
    onSockets(async (open) => {
      const get = ['GET / HTTP/1.1', 'Host: localhost'];
      expect(await askHttp(open.port('ws'), get)).toMatch(/^HTTP\/1\.1 426 /);
      expect(await askHttp(open.port('ws'), [withoutLength])).toBe('');
      const long = `X: ${'x'.repeat(limits.upgradeHeaderBytesMax)}`;
      expect(await askHttp(open.port('ws'), [...get, long])).toBe('');
    }));
});

describe.each(['ws', 'wss'] as const)('messages over %s', (protocol) => {
  test('text and binary, whole or in fragments, each is one SIP message; none needs a Content-Length', () =>
    onSockets(async (open) => {
      const { socket } = await browse(open, protocol);
      socket.send(withoutLength);
      socket.send(Buffer.from(`${withoutLength}\xff`, 'latin1'));
      socket.send(withoutLength.slice(0, 9), { fin: false });
      socket.ping();
      socket.send(withoutLength.slice(9), { fin: true });
      await open.message(3);
      expect(open.messages.map(({ text }) => text)).toEqual([withoutLength, `${withoutLength}\xff`, withoutLength]);
      const [first] = open.messages;
      expect(first?.from).toMatchObject({ protocol, host: '127.0.0.1', connection: 1 });
      socket.terminate();
      await open.tells(`${protocol} closed`);
    }));

  test('what is UTF-8 is sent as text, anything else as binary', () =>
    onSockets(async (open) => {
      const { socket, came } = await browse(open, protocol);
      socket.send(withoutLength);
      const { from } = await open.message(1);
      open.sockets.send(from, '\xc3\xa9', true);
      open.sockets.send({ ...from, connection: null }, '\xe9', true);
      await waitFor('both', () => came.length === 2);
      expect(came).toEqual([
        { text: '\xc3\xa9', binary: false },
        { text: '\xe9', binary: true },
      ]);
      socket.terminate();
    }));

  test('a double CRLF is answered by a single one, a bare CRLF and an empty message are ignored (RFC 5626 3.5.1)', () =>
    onSockets(async (open) => {
      const { socket, came } = await browse(open, protocol);
      for (const text of ['\r\n', '', '\r\n\r\n', withoutLength]) socket.send(text);
      await open.message(1);
      await waitFor('the answer', () => came.length === 1);
      expect(came).toEqual([{ text: '\r\n', binary: false }]);
      expect(open.messages).toHaveLength(1);
      socket.terminate();
    }));

  test('a message at the limit is taken, one beyond closes the connection with 1009', () =>
    onSockets(async (open) => {
      const { socket } = await browse(open, protocol);
      socket.send('x'.repeat(limits.streamMessageBytesMax));
      await open.message(1);
      const closed = once(socket, 'close');
      socket.send('x'.repeat(limits.streamMessageBytesMax + 1));
      expect((await within('the end', closed))[0]).toBe(1009);
      expect(open.messages).toHaveLength(1);
    }));

  test('a message in more fragments than anybody needs closes the connection with 1008', () =>
    onSockets(async (open) => {
      const { socket } = await browse(open, protocol);
      const closed = once(socket, 'close');
      for (let count = 1; count < limits.webSocketFragmentsMax; count += 1) socket.send('x', { fin: false });
      socket.send('x', { fin: true });
      await open.message(1);
      for (let count = 1; count <= limits.webSocketFragmentsMax; count += 1) socket.send('x', { fin: false });
      socket.send('x', { fin: true });
      expect((await within('the end', closed))[0]).toBe(1008);
      expect(open.messages).toHaveLength(1);
    }));

  test('a client that has gone is unreachable: nobody connects to it (RFC 7118 3)', () =>
    onSockets(async (open) => {
      const { socket } = await browse(open, protocol);
      socket.send(withoutLength);
      const { from } = await open.message(1);
      socket.close();
      await open.tells(`${protocol} closed`);
      open.sockets.send(from, withoutLength, true);
      expect(await open.tells(`${protocol} unreachable`)).toContain('WebSocket clients are not connected to');
    }));

  test('a connection closed from here says that the server goes away', () =>
    onSockets(async (open) => {
      const { socket } = await browse(open, protocol);
      const closed = once(socket, 'close');
      open.sockets.closeConnection(1);
      expect((await within('the end', closed))[0]).toBe(1001);
    }));
});

describe('the time a WebSocket has', () => {
  let open: OpenSockets;

  beforeEach(async () => {
    open = await OpenSockets.open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await open.close();
  });

  async function until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A socket that has said `lines` and shakes hands no further. */
  async function rawly(lines: string): Promise<{ socket: Socket; read: () => Buffer; closed: Promise<unknown> }> {
    const socket = dialTcp(open.port('ws'), '127.0.0.1').setNoDelay(true);
    const parts: Buffer[] = [];
    socket.on('data', (chunk) => parts.push(chunk));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    socket.write(lines);
    return { socket, read: () => Buffer.concat(parts), closed };
  }

  const asked = `${[...upgrade, 'Sec-WebSocket-Protocol: sip'].join('\r\n')}\r\n\r\n`;

  test('who does not ask for the upgrade in time is cut off', async () => {
    const { closed, socket } = await rawly(asked.slice(0, -2));
    // Its bytes are there once those of the next one are.
    const other = await rawly(asked);
    await until(() => other.read().includes('101 Switching'));
    vi.advanceTimersByTime(limits.upgradeMs);
    await closed;
    expect(other.socket.destroyed).toBe(false);
    socket.destroy();
    other.socket.destroy();
  });

  test('who stays silent after a ping is cut off at the next; any octet is a sign of life', async () => {
    const { socket, read, closed } = await rawly(asked);
    const pings = (): number => read().toString('latin1').split('\x89\x00').length - 1;
    await until(() => read().includes('101 Switching'));
    for (let count = 1; count <= 3; count += 1) {
      vi.advanceTimersByTime(limits.webSocketPingMs);
      await until(() => pings() === count);
      // A pong with an empty payload, and a text message to see that it has come.
      socket.write(Buffer.from('8a8000000000818100000000', 'hex'));
      socket.write('x');
      await until(() => open.messages.length === count);
    }
    vi.advanceTimersByTime(2 * limits.webSocketPingMs);
    await closed;
    expect(open.told).toEqual(['ws closed']);
  });

  describe('what does not come to its end closes the connection', () => {
    // Pings stand still: what they find dead is not what is looked for here.
    beforeEach(() => {
      vi.useRealTimers();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });

    const whole = Buffer.concat([Buffer.from('818100000000', 'hex'), Buffer.from('x')]);

    test.each([
      ['a frame', '81ff0000000000000100'],
      ['a message in fragments, of which the first has come', '01810000000078'],
    ])('%s, begun together with the message before or later', async (_, octets) => {
      for (const apart of [false, true]) {
        const { socket, read, closed } = await rawly(asked);
        let gone = false;
        void closed.then(() => {
          gone = true;
        });
        await until(() => read().includes('101 Switching'));
        const count = open.messages.length + 1;
        const begun = Buffer.from(octets, 'hex');
        socket.write(apart ? whole : Buffer.concat([whole, begun]));
        await until(() => open.messages.length === count);
        if (apart) socket.write(begun);
        // When it has come cannot be seen; an idle connection would live a hundred times longer.
        for (let rounds = 1; rounds <= 10 && !gone; rounds += 1) {
          for (let turns = 1; turns <= 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
          vi.advanceTimersByTime(limits.streamPartialMs);
        }
        await closed;
        expect(open.messages.map(({ text }) => text)).toEqual(new Array(count).fill('x'));
      }
    });
  });

  test('who pings without end and never reads the pongs is cut off', async () => {
    const { socket, read, closed } = await rawly(asked);
    await until(() => read().includes('101 Switching'));
    socket.pause();
    const ping = Buffer.concat([Buffer.from('89fd00000000', 'hex'), Buffer.alloc(125)]);
    const pings = Buffer.concat(Array.from({ length: 2_048 }, () => ping));
    const flood = (): void => {
      if (!socket.destroyed) socket.write(pings, () => setImmediate(flood));
    };
    flood();
    await closed;
  });
});
