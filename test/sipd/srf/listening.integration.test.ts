/** Unmodified drachtio-srf that waits for connections (`srf.listen`), and a request handler that sends requests there. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import Srf from 'drachtio-srf';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import type { SipdOptions } from '../../../src/sipd/sipd.ts';
import { authorityFile, serverPair } from '../../support/certificates.ts';
import { waitFor } from '../../support/wait.ts';
import type { AppRequest } from '../application.ts';
import { type Peer, tag } from '../peer.ts';
import { onStage, type Stage } from '../stage.ts';
import { askedFor, type Dialog, described, type Library, Mailbox, modes, ofSdp, toldBy } from './library.ts';

type Listening = Library & {
  listen: (options: object) => Server;
  endSession: (request: AppRequest) => void;
};

type Scene = { readonly stage: Stage; readonly alice: Peer };

/** Servers of one test, closed at its end whatever happens. */
class Servers {
  readonly #servers: Server[] = [];
  /** Connections there are to an application. */
  connections = 0;

  /** An application that waits; gives it and its port. */
  async listening(options: object = {}): Promise<{ application: Listening; port: number }> {
    const application = new Srf() as unknown as Listening;
    application.on('error', () => undefined);
    const server = application.listen({ host: '127.0.0.1', port: 0, secret: 'cymru', ...options });
    server.on('connection', (socket) => {
      this.connections += 1;
      socket.once('close', () => (this.connections -= 1));
    });
    return { application, port: await this.#opened(server) };
  }

  /** An HTTP server; gives its URL. */
  async http(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    return `http://127.0.0.1:${await this.#opened(server)}/calls`;
  }

  async https(answer: RequestListener): Promise<string> {
    const server = createSecureServer(serverPair, answer).listen(0, '127.0.0.1');
    return `https://localhost:${await this.#opened(server)}/calls`;
  }

  /** Something that listens and says nothing. */
  async silent(): Promise<number> {
    const server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
    return await this.#opened(server.listen(0, '127.0.0.1'));
  }

  /** A port nobody listens on. */
  async closed(): Promise<number> {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async #opened(server: Server): Promise<number> {
    this.#servers.push(server);
    if (!server.listening) await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
}

/** Runs `play` on a stage whose server asks this handler about INVITEs. */
async function whileAsking(
  asked: { url: string; verb?: 'GET' | 'POST'; mode?: 'free' | 'strict'; options?: Partial<SipdOptions> },
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { url, verb, mode = 'free', options } = asked;
  const handlers = [{ method: 'invite', url, verb }];
  await onStage(mode, async (stage) => play({ stage, alice: await stage.peer('alice', 'udp') }), {
    handlers,
    ...options,
  });
}

async function withServers(play: (servers: Servers) => Promise<void>): Promise<void> {
  const servers = new Servers();
  try {
    await play(servers);
  } finally {
    servers.close();
  }
}

/** Answers every question alike. */
function always(action: string, data: unknown): RequestListener {
  return (_, response) => response.end(JSON.stringify({ action, data }));
}

let invites = 0;

/** Status of the final answer to a new INVITE. */
async function statusOf(alice: Peer, uri?: string): Promise<string> {
  invites += 1;
  const callId = `invite-${invites}`;
  alice.send(alice.request('INVITE', { ...(uri === undefined ? {} : { uri }), callId }));
  return await waitFor('a final answer', () => {
    const final = alice.received.find((text) => text.includes(callId) && /^SIP\/2\.0 [2-6]/.test(text));
    return final?.slice(8, 11);
  });
}

describe.each(modes)('an application on srf.listen (%s)', (mode) => {
  test('is connected to for each call, takes it with createUAS, and ends the session with it', () =>
    withServers(async (servers) => {
      const { application, port } = await servers.listening();
      const url = await servers.http(always('route', { uri: `127.0.0.1:${port}` }));
      const dialogs = new Mailbox<{ dialog: Dialog; request: AppRequest }>('a dialog');
      application.use('invite', (request, response) => {
        const answered = application.createUAS(request, response, { localSdp: described() });
        void answered.then((dialog) => dialogs.put({ dialog, request }));
      });
      await whileAsking({ url, mode }, async ({ stage, alice }) => {
        const tags: string[] = [];
        for (const callId of ['first', 'second']) {
          alice.send(alice.request('INVITE', { callId, body: described(), more: ofSdp }));
          const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
          alice.send(alice.request('ACK', { callId, toTag }));
          tags.push(toTag);
        }
        const first = await dialogs.next();
        const second = await dialogs.next();
        expect(servers.connections).toBe(2);
        // A request of ours in the first call, and the end of it, which leaves the second alone.
        const info = first.dialog.request({ method: 'INFO' });
        alice.answer(await alice.next('INFO '), '200 OK');
        expect((await info).status).toBe(200);
        const hungUp = toldBy(first.dialog, 'destroy');
        alice.send(alice.request('BYE', { callId: 'first', toTag: tags[0] ?? '', cseq: 2 }));
        await alice.next('SIP/2.0 200 OK');
        await hungUp.next();
        application.endSession(first.request);
        await waitFor('the connection to end', () => servers.connections === 1);
        const ended = second.dialog.destroy();
        alice.answer(await alice.next('BYE '), '200 OK');
        await ended;
        application.endSession(second.request);
        await waitFor('the other to end', () => servers.connections === 0);
        await waitFor('nothing to be left', () => stage.sipd.counts().dialogs === 0);
        expect(stage.sipd.counts()).toMatchObject({ pendingRequests: 0, lookups: 0, calls: 0 });
      });
    }));

  test('hears of the CANCEL of its INVITE', () =>
    withServers(async (servers) => {
      const { application, port } = await servers.listening();
      const asked = askedFor(application, 'invite');
      await whileAsking({ url: `tcp://127.0.0.1:${port}`, mode }, async ({ alice }) => {
        alice.send(alice.request('INVITE', { branch: 'z9hG4bK-i' }));
        const { request, response } = await asked.next();
        const cancelled = new Mailbox<void>('the event cancel');
        request.on('cancel', () => cancelled.put());
        response.send(180);
        await alice.next('SIP/2.0 180');
        alice.send(alice.request('CANCEL', { branch: 'z9hG4bK-i' }));
        await cancelled.next();
        await alice.next('SIP/2.0 487');
      });
    }));

  test('whom nothing in it wants gets the library’s 404, and the library ends the session', () =>
    withServers(async (servers) => {
      const { port } = await servers.listening();
      await whileAsking({ url: `tcp://localhost:${port}`, mode }, async ({ alice }) => {
        expect(await statusOf(alice)).toBe('404');
        await waitFor('the connection to end', () => servers.connections === 0);
      });
    }));
});

test('over TLS, with a certificate of an authority that is trusted, and not with another', () =>
  withServers(async (servers) => {
    const { application, port } = await servers.listening({ tls: serverPair });
    application.use('invite', (_, response) => response.send(486));
    const url = `tls://localhost:${port}`;
    const options = { tls: { caFiles: [authorityFile] } };
    await whileAsking({ url, options }, async ({ alice }) => expect(await statusOf(alice)).toBe('486'));
    await whileAsking({ url }, async ({ alice }) => expect(await statusOf(alice)).toBe('480'));
  }));

test('an application that is connected gets what its tag calls for', () =>
  withServers(async (servers) => {
    const url = await servers.http(always('route', { tag: 'blue' }));
    await whileAsking({ url }, async ({ stage, alice }) => {
      expect(await statusOf(alice)).toBe('480');
      const application = new Srf('blue') as unknown as Library;
      application.use('invite', (_, response) => response.send(603));
      application.on('error', () => undefined);
      application.connect({ host: '127.0.0.1', port: stage.sipd.controlPort, secret: 'cymru' });
      await waitFor('the application to take calls', async () => (await statusOf(alice)) === '603');
      application.disconnect();
    });
  }));

describe('the question', () => {
  test('by GET tells of the request in its query, and accepts JSON', () =>
    withServers(async (servers) => {
      const asked = new Mailbox<IncomingMessage>('a question');
      const url = await servers.http((request, response) => {
        asked.put(request);
        always('redirect', { contact: 'sip:elsewhere.example.com' })(request, response);
      });
      await whileAsking({ url }, async ({ alice, stage }) => {
        expect(await statusOf(alice, 'sip:room%201@127.0.0.1')).toBe('302');
        const { method, url: path = '', headers } = await asked.next();
        expect([method, headers.accept]).toEqual(['GET', 'application/json']);
        const { pathname, searchParams } = new URL(path, 'http://host');
        expect(pathname).toBe('/calls');
        expect(Object.fromEntries(searchParams)).toEqual({
          method: 'INVITE',
          domain: '127.0.0.1',
          protocol: 'udp',
          source_address: '127.0.0.1',
          fromUser: 'alice',
          toUser: 'focus',
          uriUser: 'room%201',
          contentType: '',
          uri: 'sip:room%201@127.0.0.1',
        });
        expect(stage.sipd.counts().lookups).toBe(0);
      });
    }));

  test('by POST brings the request, octet for octet; https asks whom we trust only', () =>
    withServers(async (servers) => {
      const bodies = new Mailbox<string>('a question');
      const url = await servers.https((request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        request.on('end', () => {
          bodies.put(`${request.method} ${request.headers['content-type']}\n${body}`);
          always('reject', { status: 486 })(request, response);
        });
      });
      const options = { tls: { caFiles: [authorityFile] } };
      await whileAsking({ url, verb: 'POST', options }, async ({ alice }) => {
        alice.send(alice.request('INVITE', { body: 'grüße', more: ['Content-Type: text/plain'] }));
        await alice.next('SIP/2.0 486');
        const body = await bodies.next();
        expect(body).toMatch(/^POST text\/plain; charset=UTF-8\nINVITE sip:/);
        expect(body.endsWith('\r\n\r\ngrüße')).toBe(true);
      });
      await whileAsking({ url }, async ({ alice }) => expect(await statusOf(alice)).toBe('500'));
    }));
});

test('a connection that the handler closes just as it is used again is no failure', () =>
  withServers(async (servers) => {
    const used = new WeakSet<object>();
    const url = await servers.http((request, response) => {
      if (used.has(request.socket)) request.socket.destroy();
      else always('reject', { status: 486 })(request, response);
      used.add(request.socket);
    });
    await whileAsking({ url }, async ({ alice }) => {
      expect([await statusOf(alice), await statusOf(alice), await statusOf(alice)]).toEqual(['486', '486', '486']);
    });
  }));

test('the longest redirection a handler may ask for fits into a datagram', () =>
  withServers(async (servers) => {
    const contact = `sip:${'a'.repeat(limits.handlerReplyBytesMax - 100)}@example.com`;
    const url = await servers.http(always('redirect', { contact }));
    await whileAsking({ url }, async ({ alice }) => expect(await statusOf(alice)).toBe('302'));
  }));

describe('what goes wrong', () => {
  test('a handler nobody runs, that redirects, that says too much, or that breaks off: 500', () =>
    withServers(async (servers) => {
      const other = await servers.http(always('reject', { status: 486 }));
      const urls = [
        `http://127.0.0.1:${await servers.closed()}`,
        'http://nowhere.invalid/',
        await servers.http((_, response) => response.writeHead(302, { location: other }).end()),
        await servers.http((_, response) =>
          response.end(JSON.stringify({ x: 'x'.repeat(limits.handlerReplyBytesMax) })),
        ),
        await servers.http((_, response) => {
          response.write('{"action":');
          response.destroy();
        }),
      ];
      for (const url of urls)
        await whileAsking({ url }, async ({ alice }) => expect(await statusOf(alice)).toBe('500'));
    }));

  test('a handler that says nothing or never ends, in time: 500; an application that does not log in: 480', () =>
    withServers(async (servers) => {
      const port = await servers.silent();
      const half = await servers.http((_, response) => void response.write('{"action":'));
      const begun = performance.now();
      await Promise.all([
        whileAsking({ url: `http://127.0.0.1:${port}` }, async ({ alice }) =>
          expect(await statusOf(alice)).toBe('500'),
        ),
        whileAsking({ url: half }, async ({ alice }) => expect(await statusOf(alice)).toBe('500')),
        whileAsking({ url: `tcp://127.0.0.1:${port}` }, async ({ alice }) => expect(await statusOf(alice)).toBe('480')),
      ]);
      expect(performance.now() - begun).toBeGreaterThan(limits.controlConnectMs);
    }));

  test('an application nobody runs, or with another secret: 480', () =>
    withServers(async (servers) => {
      const { port } = await servers.listening({ secret: 'other' });
      for (const to of [await servers.closed(), port]) {
        await whileAsking({ url: `tcp://127.0.0.1:${to}` }, async ({ alice }) =>
          expect(await statusOf(alice)).toBe('480'),
        );
      }
    }));

  test('the server closes while it asks, and while it waits for a login', () =>
    withServers(async (servers) => {
      const port = await servers.silent();
      for (const url of [`http://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`]) {
        await whileAsking({ url }, async ({ alice, stage }) => {
          alice.send(alice.request('INVITE'));
          await waitFor('the INVITE to be held', () => stage.sipd.counts().lookups === 1);
        });
      }
    }));
});

test('a start with a handler that cannot be used ends with one sentence', async () => {
  const opening = whileAsking({ url: 'ftp://127.0.0.1' }, () => Promise.resolve());
  await expect(opening).rejects.toThrow('A request handler has an http, https, tcp or tls URL, not "ftp://127.0.0.1".');
});
