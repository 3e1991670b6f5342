import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import { onSockets, peerAt } from './open-sockets.ts';

test.each([true, false])('a peer without port is unreachable and nothing throws (heeded: %s)', (heed) =>
  onSockets(async (open) => {
    open.sockets.send(peerAt('udp', 0), 'x', heed);
    expect(await open.tells('udp')).toBe('udp unreachable: cannot be sent over this socket');
  }),
);

test.each([true, false])('a peer that no route leads to is unreachable and nothing throws (heeded: %s)', (heed) =>
  onSockets(async (open) => {
    // From a loopback address nothing leaves this machine.
    open.sockets.send({ ...peerAt('udp', 5060), host: '192.0.2.17' }, 'x', heed);
    expect(await open.tells('udp')).toMatch(/^udp unreachable: send E(INVAL|NETUNREACH) 192\.0\.2\.17:5060$/);
  }),
);

test.each([true, false])('65,507 octets go both ways, one more is unreachable (heeded: %s)', (heed) =>
  onSockets(async (open) => {
    const bob = createSocket({ type: 'udp4', recvBufferSize: 1_048_576, sendBufferSize: 1_048_576 });
    bob.bind(0, '127.0.0.1');
    await once(bob, 'listening');
    const text = `MESSAGE sip:a@b SIP/2.0\r\n\r\n${'x'.repeat(65_507 - 27)}`;
    bob.send(text, open.port('udp'), '127.0.0.1');
    const heard = await open.message(1);
    expect(heard.text === text).toBe(true);
    const arrived = once(bob, 'message');
    open.sockets.send(heard.from, text, heed);
    const [back] = await arrived;
    expect(String(back) === text).toBe(true);
    open.sockets.send(heard.from, `${text}x`, heed);
    expect(await open.tells('udp')).toBe('udp unreachable: cannot be sent over this socket');
    bob.close();
  }),
);

test('line ends, zeros and STUN keep a NAT open and are no messages; a message may begin with a line end', () =>
  onSockets(async (open) => {
    const bob = createSocket('udp4');
    const send = (data: string | Buffer): void => bob.send(data, open.port('udp'), '127.0.0.1');
    const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    for (const data of ['\r\n', '\r\n\r\n', '', Buffer.alloc(4), binding]) send(data);
    send('\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n');
    await open.message(1);
    expect(open.messages.map(({ text }) => text)).toEqual(['\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n']);
    bob.close();
  }));

test('an answer leaves from the socket that heard the request, of several (RFC 3581 4)', () =>
  onSockets(
    async (open) => {
      const bob = createSocket('udp4');
      bob.bind(0, '0.0.0.0');
      const sources: string[] = [];
      bob.on('message', (data, { address, port }) => sources.push(`${String(data)} ${address}:${port}`));
      const expected: string[] = [];
      for (const host of ['127.0.0.2', '127.0.0.1']) {
        const port = open.port('udp', host);
        bob.send(host, port, host);
        await waitFor('the message', () => open.messages.some(({ text }) => text === host));
        const from = open.messages.find(({ text }) => text === host)?.from;
        if (from !== undefined) open.sockets.send(from, `to ${host}`, false);
        expected.push(`to ${host} ${host}:${port}`);
      }
      await waitFor('both', () => sources.length === 2);
      expect(sources).toEqual(expected);
      expect(new Set(open.sockets.listening.map(({ port }) => port)).size).toBe(4);
      bob.close();
    },
    { hosts: ['127.0.0.1', '127.0.0.2'] },
  ));

test('where no file descriptors are left a request goes out all the same', async () => {
  const bob = createSocket('udp4');
  bob.bind(0, '127.0.0.1');
  await once(bob, 'listening');
  bob.on('message', (data, { port }) => bob.send(`answer to ${String(data)}`, port, '127.0.0.1'));
  const file = fileURLToPath(new URL('few-descriptors-process.ts', import.meta.url));
  const command = `ulimit -n 64 && exec "${process.execPath}" --import tsx "${file}" ${bob.address().port}`;
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await within('the line', once(child.stdout, 'data'));
    expect(String(line)).toBe('answer to request\n');
  } finally {
    child.kill('SIGKILL');
    bob.close();
  }
});
