/** sipd in both its placements: the same story on the thread of the tests and on one of its own. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as dialTls } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Counters, type CounterValues } from '../../../src/sipd/counters.ts';
import type { LogLevel } from '../../../src/sipd/output.ts';
import { SipdThread, startSipdThread } from '../../../src/sipd/process/sipd-thread.ts';
import { type SipdLog, type SipdOptions, startSipd } from '../../../src/sipd/sipd.ts';
import type { StackCounts } from '../../../src/sipd/stack.ts';
import { authority, certificateFiles } from '../../support/certificates.ts';
import { waitFor, within } from '../../support/wait.ts';
import { connectApplication } from '../application.ts';
import { Peer, tag } from '../peer.ts';

const silent = (): void => undefined;
const silentLog: SipdLog = { debug: silent, info: silent, warn: silent, error: silent };
const options: SipdOptions = {
  host: '127.0.0.1',
  port: 0,
  control: { host: '127.0.0.1', port: 0, secret: 'cymru' },
  mode: 'free',
  log: silentLog,
};

/** What both placements give. */
type Placed = {
  readonly addresses: readonly { readonly port: number }[];
  readonly controlPort: number;
  readonly controlTlsPort: number | null;
  readonly counts: () => StackCounts | Promise<StackCounts>;
  readonly counters: () => CounterValues;
  readonly close: () => Promise<void>;
};

type Start = (more?: Partial<SipdOptions>) => Promise<Placed>;

const placements: Readonly<Record<string, Start>> = {
  'on the thread of the application': (more) => startSipd({ ...options, ...more }),
  'on a thread of its own': (more) =>
    startSipdThread({
      ...options,
      ...more,
      leastLevel: 'warn',
      onLost: (reason) => {
        throw new Error(`lost: ${reason}`);
      },
    }),
};

describe.each(Object.entries(placements))('sipd %s', (_, start) => {
  test('an INVITE is answered by drachtio-srf, ACK and BYE follow, and close leaves nothing', async () => {
    const sipd = await start();
    const [address] = sipd.addresses;
    const port = address?.port ?? 0;
    const application = await connectApplication(sipd.controlPort);
    const ended: unknown[] = [];
    application.use('invite', (request, response) => {
      void application.createUAS(request, response, { localSdp: 'v=0\r\n' }).then((dialog) => {
        dialog.on('destroy', () => ended.push(dialog.id));
      });
    });
    const alice = await Peer.open('alice', 'udp', { host: '127.0.0.1', port });
    alice.send(alice.request('INVITE'));
    const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
    alice.send(alice.request('ACK', { toTag }));
    expect(await sipd.counts()).toMatchObject({ dialogs: 1 });
    alice.send(alice.request('BYE', { toTag, cseq: 2 }));
    await alice.next('SIP/2.0 200');
    await waitFor('the end of the dialog', () => ended.length === 1);
    expect(await sipd.counts()).toMatchObject({ dialogs: 0, pendingRequests: 0 });

    application.disconnect();
    await Promise.all([sipd.close(), alice.close()]);
    // Whoever wants them has the ports again.
    for (const free of [port, sipd.controlPort]) {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(free, '127.0.0.1', () => server.close(() => resolve()));
      });
    }
    await sipd.close();
  });

  test('what it has refused is counted, and can be read at any time, once it is closed too', async () => {
    const sipd = await start();
    const alice = await Peer.open('alice', 'udp', { host: '127.0.0.1', port: sipd.addresses[0]?.port ?? 0 });
    expect(Object.values(sipd.counters()).every((count) => count === 0)).toBe(true);
    for (const cseq of [1, 2]) {
      alice.send(alice.request('OPTIONS', { cseq, cseqMethod: 'INVITE' }));
      await alice.next('SIP/2.0 400');
      expect(sipd.counters()).toMatchObject({ malformedRequests: cseq, strayResponses: 0 });
    }
    await Promise.all([sipd.close(), alice.close()]);
    expect(sipd.counters().malformedRequests).toBe(2);
  });

  test('the control port over TLS is told, if there is one', async () => {
    const control = { ...options.control, tlsPort: 0 };
    const sipd = await start({ control, certificate: certificateFiles('server') });
    const socket = dialTls({ host: '127.0.0.1', port: sipd.controlTlsPort ?? 0, ca: authority });
    await within('the handshake', once(socket, 'secureConnect'));
    socket.destroy();
    await sipd.close();
    const plain = await start();
    expect(plain.controlTlsPort).toBeNull();
    await plain.close();
  });

  test('a port that is taken is refused with the system’s code and the address', async () => {
    const first = await start();
    const [address] = first.addresses;
    const port = address?.port ?? 0;
    const taken = { ...options, port };
    const second =
      first instanceof SipdThread
        ? startSipdThread({ ...taken, leastLevel: 'warn', onLost: silent })
        : startSipd(taken);
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.1', port });
    await first.close();
  });
});

test('log lines come over from the level asked for', async () => {
  const heard = async (leastLevel: LogLevel): Promise<readonly LogLevel[]> => {
    const lines: LogLevel[] = [];
    const line = (level: LogLevel) => (): void => void lines.push(level);
    const log: SipdLog = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    const sipd = await startSipdThread({ ...options, log, leastLevel, onLost: silent });
    const alice = await Peer.open('alice', 'udp', { host: '127.0.0.1', port: sipd.addresses[0]?.port ?? 0 });
    alice.send(alice.request('OPTIONS', { cseqMethod: 'INVITE' }));
    await alice.next('SIP/2.0 400');
    await Promise.all([sipd.close(), alice.close()]);
    return lines;
  };
  expect(await heard('debug')).not.toEqual([]);
  expect(await heard('error')).toEqual([]);
});

test('a thread that dies is told once, with its reason, and nobody waits for it', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    parentPort.postMessage({ type: 'started', addresses: [], controlPort: 1, controlTlsPort: null });
    parentPort.on('message', () => { throw new Error('a mistake of ours'); });`;
  const lost: string[] = [];
  const worker = new Worker(code, { eval: true });
  const counters = new Counters();
  const sipd = await SipdThread.over(worker, { log: silentLog, onLost: (reason) => lost.push(reason), counters });
  await expect(within('the count', sipd.counts())).rejects.toThrow('sipd is closed: a mistake of ours');
  await within('the close', sipd.close());
  await expect(sipd.counts()).rejects.toThrow('sipd is closed: a mistake of ours');
  expect(lost).toEqual(['a mistake of ours']);
});

test('a thread that ends before it has started is a start that failed', async () => {
  const worker = new Worker('process.exit(3)', { eval: true });
  const ear = { log: silentLog, onLost: silent, counters: new Counters() };
  await expect(SipdThread.over(worker, ear)).rejects.toThrow('its thread ended with code 3');
});
