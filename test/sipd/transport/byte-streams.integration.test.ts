import { once } from 'node:events';
import { createServer, connect as dialTcp, type Socket } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { authority } from '../../support/certificates.ts';
import { waitFor, within } from '../../support/wait.ts';
import { OpenSockets, onSockets, peerAt } from './open-sockets.ts';

const message = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi';
const other = 'SIP/2.0 200 OK\r\nl: 0\r\n\r\n';

type Dialed = { readonly socket: Socket; readonly read: () => string };

/** A connection, its handshake done, and all that came over it. */
async function dial(protocol: 'tcp' | 'tls', port: number): Promise<Dialed> {
  const to = { host: '127.0.0.1', port };
  const socket = protocol === 'tcp' ? dialTcp(to) : dialTls({ ...to, ca: authority });
  socket.on('error', () => undefined);
  let text = '';
  socket.setNoDelay(true).setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(socket, protocol === 'tcp' ? 'connect' : 'secureConnect');
  return { socket, read: () => text };
}

/** Waits without timers, which may stand still. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(['tcp', 'tls'] as const)('cutting %s into messages (RFC 3261 18.3)', (protocol) => {
  test('split at any byte two messages and a keep-alive are the same', () =>
    onSockets(async (open) => {
      const { socket, read } = await dial(protocol, open.port(protocol));
      const stream = `${message}\r\n\r\n${other}`;
      for (let at = 0; at <= stream.length; at += 1) {
        socket.write(stream.slice(0, at), 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
        socket.write(stream.slice(at), 'latin1');
        await waitFor('both', () => open.messages.length === 2);
        expect(open.messages.splice(0).map(({ text }) => text)).toEqual([message, other]);
      }
      await waitFor('the last answer', () => read().length === 2 * (stream.length + 1));
      expect(read().replaceAll('\r\n', '')).toBe('');
      socket.destroy();
    }));

  test('many messages in one segment all arrive, in order, from the same peer', () =>
    onSockets(async (open) => {
      const { socket } = await dial(protocol, open.port(protocol));
      const bodies = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
      socket.write(bodies.map((body) => message.replace('hi', body)).join(''), 'latin1');
      await open.message(100);
      expect(open.messages.map(({ text }) => text.slice(-2))).toEqual(bodies);
      const [first] = open.messages;
      expect(first?.from).toEqual({
        protocol,
        host: '127.0.0.1',
        port: socket.localPort,
        connection: 1,
        listener: open.sockets.listening.findIndex((each) => each.protocol === protocol),
      });
      expect(new Set(open.messages.map(({ from }) => from)).size).toBe(1);
      socket.destroy();
    }));
});

describe('keep-alives (RFC 5626 4.4.1, RFC 3261 7.5)', () => {
  test('a double CRLF is answered by a single one, a bare CRLF is ignored', () =>
    onSockets(async (open) => {
      const { socket, read } = await dial('tls', open.port('tls'));
      socket.write(`\r\n${message}`);
      await open.message(1);
      expect(read()).toBe('');
      socket.write('\r\n\r\n');
      await waitFor('the answer', () => read() === '\r\n');
      socket.destroy();
    }));
});

describe('connections used again (RFC 3261 18, RFC 5923)', () => {
  test('an answer and a request go back over the connection that was accepted', () =>
    onSockets(async (open) => {
      const { socket, read } = await dial('tcp', open.port('tcp'));
      socket.write(message);
      const { from } = await open.message(1);
      open.sockets.send(from, 'by its number|', true);
      open.sockets.send({ ...from, connection: null }, 'by its address|', true);
      await waitFor('both', () => read() === 'by its number|by its address|');
      socket.destroy();
      await open.tells('tcp closed');
    }));

  test('two requests to one address share a connection we made, and what comes over it is heard', () =>
    onSockets(async (open) => {
      const accepted: Socket[] = [];
      const server = createServer((socket) => accepted.push(socket.setEncoding('latin1')));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      open.sockets.send(peerAt('tcp', port), message, true);
      open.sockets.send(peerAt('tcp', port), other, true);
      const first = await waitFor('the connection', () => accepted[0]);
      let text = '';
      first.on('data', (chunk) => {
        text += String(chunk);
      });
      await waitFor('both', () => text === message + other);
      first.write(other);
      const { from } = await open.message(1);
      expect(from).toEqual(peerAt('tcp', port, { connection: 1, listener: 1 }));
      open.sockets.closeConnection(1);
      await within('the end', once(first, 'close'));
      expect(accepted).toHaveLength(1);
      expect(await open.tells('tcp closed')).toBe('tcp closed');
      server.close();
    }));

  test('what comes while a connection is being closed goes over another', () =>
    onSockets(async (open) => {
      const texts: string[] = [];
      const server = createServer((socket) => {
        const at = texts.push('') - 1;
        socket.on('data', (chunk) => {
          texts[at] += String(chunk);
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      open.sockets.send(peerAt('tcp', port), 'first', true);
      await waitFor('the first', () => texts[0] === 'first');
      open.sockets.closeConnection(1);
      open.sockets.send(peerAt('tcp', port), 'second', true);
      await waitFor('the second', () => texts[1] === 'second');
      expect(open.told).toEqual(['tcp closed']);
      server.close();
    }));

  test('where nobody listens, and where no socket of ours reaches, a peer is unreachable', () =>
    onSockets(async (open) => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close();
      await once(server, 'close');
      open.sockets.send(peerAt('tcp', port), message, true);
      expect(await open.tells('tcp')).toContain('ECONNREFUSED');
      open.sockets.send(peerAt('tls', port), message, true);
      expect(await open.tells('tls')).toContain('ECONNREFUSED');
      open.sockets.send(peerAt('udp', 5060, { host: '::1' }), message, true);
      expect(await open.tells('udp')).toContain('no socket of ours reaches it');
    }));
});

describe('how many there may be', () => {
  test('one source has so many connections and no more; what it closes it may open again', () =>
    onSockets(
      async (open) => {
        const kept = [await dial('tcp', open.port('tcp')), await dial('tls', open.port('tls'))];
        const { socket: refused } = await dial('tcp', open.port('tcp'));
        await within('the refusal', once(refused, 'close'));
        expect(open.refused).toEqual(['127.0.0.1']);
        kept[0]?.socket.destroy();
        await open.tells('tcp closed');
        const { socket: again } = await dial('tcp', open.port('tcp'));
        again.write(message);
        await open.message(1);
        for (const { socket } of [...kept, { socket: again }]) socket.destroy();
      },
      { admission: { perSourceMax: 2 } },
    ));

  test('a trusted source is bound by the number in all only, which counts those we make', () =>
    onSockets(
      async (open) => {
        const kept = [await dial('tcp', open.port('tcp')), await dial('tcp', open.port('tcp'))];
        const { socket } = await dial('tcp', open.port('tcp'));
        await within('the refusal', once(socket, 'close'));
        open.sockets.send(peerAt('tcp', 5060), message, true);
        expect(await open.tells('tcp unreachable')).toContain('too many connections');
        for (const each of kept) each.socket.destroy();
      },
      { admission: { connectionsMax: 2, perSourceMax: 1, isTrusted: () => true } },
    ));
});

describe.each(['tcp', 'tls'] as const)('the time a %s connection has', (protocol) => {
  let open: OpenSockets;
  let socket: Socket;

  beforeEach(async () => {
    open = await OpenSockets.open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    ({ socket } = await dial(protocol, open.port(protocol)));
  });

  afterEach(async () => {
    vi.useRealTimers();
    socket.destroy();
    await open.close();
  });

  test('a connection that is always within some message lives as long as each comes in time', async () => {
    socket.write(message + message.slice(0, 9));
    for (let count = 1; count <= 4; count += 1) {
      await until(() => open.messages.length === count);
      vi.advanceTimersByTime(limits.streamPartialMs - 1);
      socket.write(message.slice(9) + message.slice(0, 9));
    }
    await until(() => open.messages.length === 5);
  });

  test('a message that does not come to its end closes the connection', async () => {
    const closed = once(socket, 'close');
    socket.write(message + message.slice(0, 9));
    await until(() => open.messages.length === 1);
    vi.advanceTimersByTime(limits.streamPartialMs);
    await closed;
    expect(open.messages.map(({ text }) => text)).toEqual([message]);
  });

  test('a connection that is idle is closed, one that says or hears something is not', async () => {
    let answers = '';
    socket.on('data', (chunk) => {
      answers += String(chunk);
    });
    const closed = once(socket, 'close');
    vi.advanceTimersByTime(limits.streamIdleMs - 1);
    socket.write(message);
    await until(() => open.messages.length === 1);
    vi.advanceTimersByTime(limits.streamIdleMs - 1);
    const [heard] = open.messages;
    if (heard !== undefined) open.sockets.send(heard.from, other, false);
    await until(() => answers === other);
    vi.advanceTimersByTime(limits.streamIdleMs - 1);
    socket.write('\r\n\r\n');
    await until(() => answers === `${other}\r\n`);
    expect(open.told).toEqual([]);
    vi.advanceTimersByTime(limits.streamIdleMs);
    await closed;
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
});
