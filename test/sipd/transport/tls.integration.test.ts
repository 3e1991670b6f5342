import { once } from 'node:events';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect as dialTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, connect as dialTls, type Server, type TLSSocket } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { Certificate, readAuthorities } from '../../../src/sipd/transport/certificate.ts';
import { Door } from '../../../src/sipd/transport/door.ts';
import {
  authority,
  authorityFile,
  certificateFiles,
  certificatePair,
  type TestCertificate,
} from '../../support/certificates.ts';
import { waitFor, within } from '../../support/wait.ts';
import { type OpenSockets, onSockets, peerAt } from './open-sockets.ts';

const message = 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi';

async function dial(open: OpenSockets): Promise<TLSSocket> {
  const socket = dialTls({ host: '127.0.0.1', port: open.port('tls'), ca: authority });
  socket.on('error', () => undefined);
  await within('the handshake', once(socket, 'secureConnect'));
  return socket;
}

/** The server a handshake shows. */
async function shownName(open: OpenSockets): Promise<string> {
  const socket = await dial(open);
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/** Copies of a certificate and its key that a test may change. */
async function withFiles(
  play: (files: { certFile: string; keyFile: string; put: (name: TestCertificate) => Promise<void> }) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const put = async (name: TestCertificate): Promise<void> => {
    const from = certificateFiles(name);
    await copyFile(from.certFile, `${certFile}.new`);
    await copyFile(from.keyFile, `${keyFile}.new`);
    await rename(`${certFile}.new`, certFile);
    await rename(`${keyFile}.new`, keyFile);
  };
  try {
    await put('server');
    await play({ certFile, keyFile, put });
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a certificate that changes', () => {
  test('under load every handshake succeeds, the new one shows soon, and a running connection stays', () =>
    withFiles(({ put, ...files }) =>
      onSockets(
        async (open) => {
          const old = await dial(open);
          const shown: string[] = [];
          await put('second');
          await waitFor('the new certificate', async () => {
            const names = await Promise.all([shownName(open), shownName(open), shownName(open)]);
            shown.push(...names);
            return names.includes('second server');
          });
          expect(new Set(shown)).toEqual(new Set(['first server', 'second server']));
          expect(await shownName(open)).toBe('second server');
          old.write(message);
          expect((await open.message(1)).text).toBe(message);
          expect(old.getPeerCertificate().subject.CN).toBe('first server');
          expect(open.troubles).toEqual([]);
          old.destroy();
        },
        { files },
      ),
    ));

  test('one that is broken is told once, and the old one goes on until a good one comes', () =>
    withFiles(({ put, certFile, keyFile }) =>
      onSockets(
        async (open) => {
          await writeFile(certFile, 'no certificate');
          await waitFor('the trouble', async () => {
            expect(await shownName(open)).toBe('first server');
            return open.troubles.length > 0;
          });
          expect(open.troubles).toEqual([
            expect.stringMatching(`^The certificate ${certFile} with the key ${keyFile} cannot be used: .+\\.$`),
          ]);
          await put('second');
          await waitFor('the good one', async () => (await shownName(open)) === 'second server');
        },
        { files: { certFile, keyFile } },
      ),
    ));

  test('one that is missing is told once, however often it is looked for', () =>
    withFiles(async ({ put: _, ...files }) => {
      const troubles: string[] = [];
      vi.useFakeTimers({ toFake: ['performance'] });
      try {
        const certificate = Certificate.read(files, (sentence) => troubles.push(sentence));
        const pair = certificate.current();
        await rm(files.keyFile);
        for (let look = 1; look <= 3; look += 1) {
          vi.advanceTimersByTime(limits.certificateLookMs);
          expect(certificate.current()).toBe(pair);
        }
        expect(troubles).toEqual([expect.stringContaining('ENOENT')]);
      } finally {
        vi.useRealTimers();
      }
    }));

  test('one that cannot be used at the start is told in one sentence', () => {
    const { certFile } = certificateFiles('server');
    const { keyFile } = certificateFiles('second');
    const silent = (): void => undefined;
    const sentence = `^The certificate ${certFile} with the key .+ cannot be used: .+\\.$`;
    expect(() => Certificate.read({ certFile, keyFile }, silent)).toThrow(new RegExp(sentence));
    expect(() => Certificate.read({ certFile, keyFile: '/nowhere.pem' }, silent)).toThrow(/nowhere.+ENOENT/);
    expect(() => readAuthorities('/nowhere.pem')).toThrow(/^The authorities in \/nowhere\.pem cannot be used: ENOENT/);
    expect(readAuthorities(authorityFile)).toEqual(authority);
  });
});

describe('a handshake that does not come', () => {
  test('what is no handshake is cut off at once, and nobody is told', () =>
    onSockets(async (open) => {
      const garbage = dialTcp(open.port('tls'), '127.0.0.1');
      garbage.on('error', () => undefined);
      garbage.resume().write(message);
      await within('the end', new Promise((resolve) => garbage.once('close', resolve)));
      expect(open.told).toEqual([]);
    }));

  test('who says nothing is cut off in time', async () => {
    const door = await Door.open({
      host: '127.0.0.1',
      port: 0,
      admission: null,
      certificate: Certificate.read(certificateFiles('server'), () => undefined),
      handshakeMs: 50,
      onSocket: () => undefined,
      onTrouble: () => undefined,
      onRefused: () => undefined,
    });
    const silent = dialTcp(door.port, '127.0.0.1').resume();
    await within('the end', once(silent, 'close'));
    await door.close(0);
  });
});

type Asked = { readonly sni: string | false; readonly text: string };

/** A TLS server of somebody else, which notes what was asked for and answers nothing. */
async function elsewhere(name: TestCertificate): Promise<{ server: Server; port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(certificatePair(name), (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => asked.push({ sni: nameAskedFor(socket), text: String(data) }));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: address !== null && typeof address === 'object' ? address.port : 0, asked };
}

/** What the types of Node do not know of. */
function nameAskedFor(socket: TLSSocket): string | false {
  return 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : false;
}

describe('connecting with TLS (RFC 3261 26.3.1, RFC 5922)', () => {
  test.each([
    { of: 'a DNS name', certificate: 'server', name: { name: 'sip.example.com' }, sni: 'sip.example.com' },
    { of: 'a SIP domain', certificate: 'domain', name: { name: 'example.com' }, sni: 'example.com' },
    { of: 'an address, which is not indicated', certificate: 'server', name: {}, sni: false },
  ] as const)('the server is asked for by name, and proves it: $of', ({ certificate, name, sni }) =>
    onSockets(async (open) => {
      const { server, port, asked } = await elsewhere(certificate);
      open.sockets.send(peerAt('tls', port, name), message, true);
      await waitFor('the message', () => asked.length > 0);
      expect(asked).toEqual([{ sni, text: message }]);
      expect(open.told).toEqual([]);
      server.close();
    }),
  );

  test.each([
    {
      of: 'another domain',
      certificate: 'server',
      name: 'example.com',
      why: 'the certificate is for .*, not for example.com',
    },
    {
      of: 'a name a wildcard would stand for',
      certificate: 'server',
      name: 'a.wild.example.com',
      why: 'not for a.wild.example.com',
    },
    {
      of: 'a DNS name beside a SIP domain',
      certificate: 'domain',
      name: 'host.example.com',
      why: 'is for example.com, not for host.example.com',
    },
    {
      of: 'an address not in it',
      certificate: 'domain',
      name: '127.0.0.1',
      why: "does not match certificate's altnames",
    },
  ] as const)(
    'a server that proves something else gets nothing and is unreachable: $of',
    ({ certificate, name, why }) =>
      onSockets(async (open) => {
        const { server, port, asked } = await elsewhere(certificate);
        open.sockets.send(peerAt('tls', port, { name }), message, true);
        expect(await open.tells('tls unreachable')).toMatch(new RegExp(why));
        expect(asked).toEqual([]);
        server.close();
      }),
  );

  test('an unknown authority is not trusted, unless nothing is to be verified', async () => {
    for (const verify of [true, false]) {
      await onSockets(
        async (open) => {
          const { server, port, asked } = await elsewhere('server');
          open.sockets.send(peerAt('tls', port, { name: 'example.com' }), message, true);
          if (verify) expect(await open.tells('tls unreachable')).toContain('unable to verify the first certificate');
          else await waitFor('the message', () => asked.length > 0);
          server.close();
        },
        { verify, authorities: [] },
      );
    }
  });

  test('a connection checked for one domain serves no other; by its bare address each does', () =>
    onSockets(async (open) => {
      const { server, port, asked } = await elsewhere('server');
      const ask = async (name: string | undefined, text: string): Promise<void> => {
        const count = asked.length;
        open.sockets.send(peerAt('tls', port, name === undefined ? {} : { name }), text, true);
        await waitFor(text, () => asked.length > count);
      };
      await ask('sip.example.com', '1');
      await ask('SIP.example.com', '2');
      await ask(undefined, '3');
      await ask('localhost', '4');
      expect(asked.map(({ sni, text }) => `${text} ${sni}`)).toEqual([
        '1 sip.example.com',
        '2 sip.example.com',
        '3 sip.example.com',
        '4 localhost',
      ]);
      server.close();
    }));

  test('a connection that was accepted leads to its own address, to no domain', () =>
    onSockets(async (open) => {
      const client = await dial(open);
      let came = '';
      client.on('data', (chunk) => {
        came += String(chunk);
      });
      client.write(message);
      const { from } = await open.message(1);
      open.sockets.send({ ...from, connection: null }, 'to the address', true);
      await waitFor('the text', () => came === 'to the address');
      // Nobody listens where the client dials from.
      open.sockets.send({ ...from, connection: null, name: 'localhost' }, 'to the domain', true);
      expect(await open.tells('tls unreachable')).toContain('ECONNREFUSED');
      expect(came).toBe('to the address');
      client.destroy();
    }));
});
