import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startSipd } from '../../src/sipd/sipd.ts';
import { waitFor, within } from '../support/wait.ts';
import { ask, connectApplication } from './application.ts';
import { hosts } from './names/hosts.ts';
import { onStage } from './stage.ts';

/** A bare TCP connection and all that came over it. */
async function dial(port: number): Promise<{ socket: Socket; read: () => string }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, read: () => text };
}

const options = [
  'OPTIONS sip:focus@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bK-1',
  'From: <sip:a@b>;tag=1',
  'To: <sip:c@d>',
  'Call-ID: x',
  'CSeq: 1 OPTIONS',
  'Content-Length: 2',
  '',
  'hi',
].join('\r\n');

describe('SIP over TCP', () => {
  test('a message in many pieces is one message, and a double CRLF is answered by one', () =>
    onStage('free', async (stage) => {
      const { socket, read } = await dial(stage.port);
      socket.setNoDelay(true);
      socket.write('\r\n\r\n');
      await waitFor('the keep-alive', () => read() === '\r\n');
      for (const character of options) {
        socket.write(character);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await waitFor('the answer', () => read().includes('SIP/2.0 503'));
      socket.destroy();
    }));

  test('garbage closes the connection; a message without Content-Length is answered 400 first', () =>
    onStage('free', async (stage) => {
      const garbage = await dial(stage.port);
      garbage.socket.write('GET / HTTP/1.1\r\n\r\n');
      await within('the end', once(garbage.socket, 'close'));
      const { socket, read } = await dial(stage.port);
      socket.write(options.replace('Content-Length: 2\r\n', ''));
      await within('the end', once(socket, 'close'));
      expect(read()).toMatch(/^SIP\/2\.0 400 Missing Content-Length\r\n/);
    }));

  test('a request under way on a connection that closes gets 503', () =>
    onStage('free', async (stage) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'tcp');
      const answered = ask(application, bob.uri, { method: 'OPTIONS' });
      await bob.next('OPTIONS ');
      await bob.close();
      expect((await within('503', answered)).status).toBe(503);
    }));
});

describe('the control port in strict mode', () => {
  test('a burst of big frames kills the connection, as the daemon does', () =>
    onStage('strict', async (stage) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'udp');
      const passed: string[] = [];
      application.on('close', () => passed.push('closed'));
      application.on('connect', () => passed.push('connected'));
      const headers = { 'Content-Type': 'text/plain' };
      for (let count = 0; count < 60; count += 1) {
        application.request(bob.uri, { method: 'MESSAGE', headers, body: 'x\r\n'.repeat(1_600) }, () => undefined);
      }
      // drachtio-srf comes back by itself, with everything lost.
      await waitFor('the connection to close and come again', () => passed.includes('connected'));
      expect(passed).toEqual(['closed', 'connected']);
    }));

  test('in free mode the same burst, and a frame of 200 kB over TCP, pass', () =>
    onStage('free', async (stage) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'tcp');
      const headers = { 'Content-Type': 'text/plain' };
      const bodies = [...Array.from({ length: 60 }, () => 'x'.repeat(5_000)), 'y'.repeat(200_000)];
      const answers = bodies.map((body) => ask(application, bob.uri, { method: 'MESSAGE', headers, body }));
      for (const body of bodies) {
        const message = await bob.next('MESSAGE ');
        expect(message.text.endsWith(`\r\n\r\n${body}`)).toBe(true);
        bob.answer(message, '200 OK');
      }
      expect((await within('the answers', Promise.all(answers))).every(({ status }) => status === 200)).toBe(true);
    }));
});

describe('starting and stopping', () => {
  test('a port that is taken stops the start', () =>
    onStage('free', async (stage) => {
      const silent = (): void => undefined;
      const starting = startSipd({
        host: '127.0.0.1',
        port: stage.port,
        control: { host: '127.0.0.1', port: 0, secret: 'x' },
        mode: 'free',
        log: { debug: silent, info: silent, warn: silent, error: silent },
      });
      await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
    }));

  test('UDP and TCP have the same port, and a host name is found by the resolver given', () =>
    onStage(
      'free',
      async (stage) => {
        expect(new Set(stage.sipd.addresses.map(({ port }) => port)).size).toBe(1);
        const application = await stage.application();
        const bob = await stage.peer('bob', 'udp');
        const answered = ask(application, `sip:bob@bob.example.com:${bob.port}`, { method: 'OPTIONS' });
        bob.answer(await bob.next('OPTIONS '), '200 OK');
        expect((await within('the answer', answered)).status).toBe(200);
        const nowhere = await within('503', ask(application, 'sip:x@nowhere.example.com', { method: 'OPTIONS' }));
        expect(nowhere).toMatchObject({ status: 503, reason: 'DNS Error' });
      },
      { names: hosts({ 'bob.example.com': '127.0.0.1' }) },
    ));

  test('a secret beyond ASCII is taken as drachtio-srf sends it', () =>
    onStage(
      'strict',
      async (stage) => {
        const application = await connectApplication(stage.sipd.controlPort, 'schlüssel €');
        application.disconnect();
      },
      { control: { host: '127.0.0.1', port: 0, secret: 'schlüssel €' } },
    ));
});
