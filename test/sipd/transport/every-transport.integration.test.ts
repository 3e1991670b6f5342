import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { startSipd } from '../../../src/sipd/sipd.ts';
import { authority, certificateFiles } from '../../support/certificates.ts';
import { waitFor, within } from '../../support/wait.ts';
import { type AppDialog, ask, connectApplication } from '../application.ts';
import { tag, value } from '../peer.ts';
import { everyTransport, onStage, type Stage } from '../stage.ts';

const noIpv6 = Object.values(networkInterfaces()).every((all) => all?.every(({ address }) => address !== '::1'));
const families = [
  { family: 'IPv4', host: '127.0.0.1', absent: false },
  { family: noIpv6 ? 'IPv6 (no ::1 on this machine)' : 'IPv6', host: '::1', absent: noIpv6 },
] as const;

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

/** The dialog of the first INVITE, which the application answers. */
async function answeringApplication(stage: Stage) {
  const application = await stage.application();
  const dialogs: AppDialog[] = [];
  application.use('invite', (request, response) => {
    void application.createUAS(request, response, { localSdp: sdp }).then((dialog) => dialogs.push(dialog));
  });
  return { application, dialog: () => waitFor('the dialog', () => dialogs[0]) };
}

describe.each(families)('over $family', ({ host, absent }) => {
  const options = { ...everyTransport, host };

  test.skipIf(absent).each(['udp', 'tcp', 'tls', 'ws', 'wss'] as const)(
    '%s: a caller is answered, and what the application asks in the dialog comes the same way',
    (transport) =>
      onStage(
        'free',
        async (stage) => {
          const { dialog } = await answeringApplication(stage);
          const alice = await stage.peer('alice', transport, host);
          alice.send(alice.request('INVITE', { body: sdp, more: ['Content-Type: application/sdp'] }));
          const ok = await alice.next('SIP/2.0 200');
          const own = `${host.includes(':') ? `[${host}]` : host}:${stage.portOf(transport)}`;
          const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
          expect(value(ok.text, 'Contact')).toBe(`<sip:${own}${parameter}>`);
          alice.send(alice.request('ACK', { toTag: tag(ok.text, 'To') }));
          const ended = (await dialog()).destroy();
          const bye = await alice.next('BYE ');
          expect(bye.text.startsWith(`BYE ${alice.uri} SIP/2.0`)).toBe(true);
          expect(value(bye.text, 'Via')).toContain(`SIP/2.0/${transport.toUpperCase()} ${own};branch=`);
          alice.answer(bye, '200 OK');
          await within('the end', ended);
        },
        options,
      ),
  );

  test.skipIf(absent).each(['udp', 'tcp', 'tls'] as const)('%s: an application calls out', (transport) =>
    onStage(
      'free',
      async (stage) => {
        const application = await stage.application();
        const bob = await stage.peer('bob', transport, host);
        const answered = ask(application, bob.uri, { method: 'OPTIONS' });
        const asked = await bob.next('OPTIONS ');
        if (transport === 'udp') expect(asked.from).toEqual({ host, port: stage.port });
        bob.answer(asked, '200 OK');
        expect((await within('the answer', answered)).status).toBe(200);
      },
      options,
    ),
  );

  test.skipIf(absent).each(['tcp', 'tls', 'ws', 'wss'] as const)(
    '%s: a request under way on a connection that closes gets 503',
    (transport) =>
      onStage(
        'free',
        async (stage) => {
          const { dialog } = await answeringApplication(stage);
          const alice = await stage.peer('alice', transport, host);
          alice.send(alice.request('INVITE', { body: sdp, more: ['Content-Type: application/sdp'] }));
          const ok = await alice.next('SIP/2.0 200');
          alice.send(alice.request('ACK', { toTag: tag(ok.text, 'To') }));
          const answered = (await dialog()).request({ method: 'INFO' });
          await alice.next('INFO ');
          await alice.close();
          expect((await within('the answer', answered)).status).toBe(503);
        },
        options,
      ),
  );
});

describe('several addresses', () => {
  test.skipIf(noIpv6)(
    `each gets every transport, at ports they share${noIpv6 ? ' (no ::1 on this machine)' : ''}`,
    () =>
      onStage(
        'free',
        async (stage) => {
          const { addresses } = stage.sipd;
          expect(addresses.map(({ protocol, host }) => `${protocol} ${host}`)).toEqual([
            'udp 127.0.0.1',
            'tcp 127.0.0.1',
            'udp ::1',
            'tcp ::1',
            'tls 127.0.0.1',
            'tls ::1',
            'ws 127.0.0.1',
            'ws ::1',
            'wss 127.0.0.1',
            'wss ::1',
          ]);
          expect(new Set(addresses.map(({ port }) => port)).size).toBe(4);
          const application = await stage.application();
          for (const host of ['127.0.0.1', '::1']) {
            const bob = await stage.peer('bob', 'udp', host);
            const answered = ask(application, bob.uri, { method: 'OPTIONS' });
            const asked = await bob.next('OPTIONS ');
            expect(asked.from).toEqual({ host, port: stage.port });
            bob.answer(asked, '200 OK');
            expect((await within('the answer', answered)).status).toBe(200);
          }
        },
        { ...everyTransport, host: ['127.0.0.1', '::1'] },
      ),
  );

  test('a public address stands for those of its family', () =>
    onStage(
      'free',
      async (stage) => {
        const application = await stage.application();
        const bob = await stage.peer('bob', 'udp');
        const answered = ask(application, bob.uri, { method: 'OPTIONS' });
        const asked = await bob.next('OPTIONS ');
        expect(value(asked.text, 'Via')).toContain(`UDP 192.0.2.1:${stage.port};`);
        bob.answer(asked, '200 OK');
        await within('the answer', answered);
      },
      { publicHost: '192.0.2.1' },
    ));
});

describe('what stops the start', () => {
  const silent = (): void => undefined;
  const base = {
    host: '127.0.0.1',
    port: 0,
    control: { host: '127.0.0.1', port: 0, secret: 'x' },
    mode: 'free',
    log: { debug: silent, info: silent, warn: silent, error: silent },
  } as const;

  test.each([
    [{ tlsPort: 0 }, /^A port for TLS or secure WebSocket needs a certificate\.$/],
    [{ wssPort: 0 }, /needs a certificate/],
    [{ control: { ...base.control, tlsPort: 0 } }, /needs a certificate/],
    [{ certificate: { ...certificateFiles('server'), keyFile: '/nowhere' } }, /^The certificate .+ cannot be used: .+/],
    [{ tls: { caFiles: ['/nowhere'] } }, /^The authorities in \/nowhere cannot be used: .+/],
    [{ trustedPeers: ['10.0.0.0/33'] }, /^A trusted peer is an IP address or a CIDR block, not "10\.0\.0\.0\/33"\.$/],
    [{ host: [] }, /^sipd needs an IP address to listen on\.$/],
    [{ host: ['127.0.0.1', 'example.com'] }, /"example\.com" is none\.$/],
  ])('%j is refused in one sentence', async (options, sentence) => {
    await expect(startSipd({ ...base, ...options })).rejects.toThrow(sentence);
  });
});

describe('the control port with TLS', () => {
  test('an application on it is as good as one beside it', () =>
    onStage(
      'free',
      async (stage) => {
        const { controlTlsPort } = stage.sipd;
        const application = await connectApplication(controlTlsPort ?? 0, 'cymru', { ca: authority });
        const bob = await stage.peer('bob', 'udp');
        const answered = ask(application, bob.uri, { method: 'OPTIONS' });
        bob.answer(await bob.next('OPTIONS '), '200 OK');
        expect((await within('the answer', answered)).status).toBe(200);
        application.disconnect();
      },
      { ...everyTransport, control: { host: '127.0.0.1', port: 0, secret: 'cymru', tlsPort: 0 } },
    ));
});

describe('how many connections one source may have', () => {
  test.each([
    { who: 'a stranger', trustedPeers: [], last: 'closed', refused: 1 },
    { who: 'a trusted peer', trustedPeers: ['127.0.0.0/8'], last: '\r\n', refused: 0 },
  ])('$who beyond the limit for single sources', ({ trustedPeers, last, refused }) =>
    onStage(
      'free',
      async (stage) => {
        const sockets: Socket[] = [];
        let heard = '';
        for (let count = 0; count <= limits.streamConnectionsPerSourceMax; count += 1) {
          const socket = connect(stage.portOf('tcp'), '127.0.0.1');
          socket.on('error', () => undefined);
          sockets.push(socket);
          await once(socket, 'connect');
        }
        const beyond = sockets.at(-1);
        beyond?.on('data', (data) => {
          heard = String(data);
        });
        beyond?.on('close', () => {
          heard ||= 'closed';
        });
        beyond?.write('\r\n\r\n');
        await waitFor('an answer or the end', () => heard !== '');
        expect(heard).toBe(last);
        expect(stage.sipd.counters().refusedConnections).toBe(refused);
        for (const socket of sockets) socket.destroy();
      },
      { trustedPeers },
    ),
  );
});

test('after its close nothing holds the process', async () => {
  const script = fileURLToPath(new URL('../../support/sipd-to-the-end-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
  });
  const [code] = await within('the end', once(child, 'exit'));
  expect({ code, printed }).toEqual({ code: 0, printed: 'closed\n' });
});
