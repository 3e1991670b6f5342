/** The messages of RFC 4475 over real sockets, to an application on unmodified drachtio-srf that asked for everything. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type SipdMode, waysOf } from '../../src/sipd/daemon-ways.ts';
import { referenceData } from '../support/reference-data.ts';
import { waitFor, within } from '../support/wait.ts';
import type { Application } from './application.ts';
import { onStage, type Stage } from './stage.ts';
import { everyVerb, judge, type TortureTransport, tortureRows, tortureVerdict } from './torture-table.ts';

/** Timers so short that what is left is gone in 0.13 s. */
const timers = { t1: 2, t2: 16, t4: 20 };

function judgeEverything(application: Application): void {
  for (const verb of everyVerb) {
    application.use(verb, (request, response) => {
      const { status, headers } = judge(request.method, (name) => request.get(name));
      response.send(status, { headers: { ...headers, 'X-Judge': 'app' } });
    });
  }
}

/** What has come back so far, in the words of the table; 100 is left out, since it depends on time. */
function verdictOf(answers: readonly string[], closed: boolean): string {
  const told = [...new Set(answers)]
    .map((text) => (/^X-Judge: app\r$/m.test(text) ? `app ${text.slice(8, 11)}` : text.slice(8, 11)))
    .filter((status) => status !== '100');
  if (closed) told.push('closes');
  return told.join(', ');
}

type Torment = { readonly verdict: () => string; readonly end: () => Promise<unknown> };

async function overUdp(stage: Stage, message: Buffer): Promise<Torment> {
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (data) => answers.push(data.toString('latin1')));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.send(message, stage.port, '127.0.0.1');
  return {
    verdict: () => verdictOf(answers, false),
    end: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

/** Written in two pieces. */
async function overTcp(stage: Stage, message: Buffer): Promise<Torment> {
  const socket = connect({ port: stage.port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  const gone = once(socket, 'close').then(() => {
    closed = true;
  });
  await once(socket, 'connect');
  const middle = Math.floor(message.length / 2);
  socket.write(message.subarray(0, middle));
  await new Promise((resolve) => setImmediate(resolve));
  socket.write(message.subarray(middle));
  return {
    verdict: () =>
      verdictOf(
        text.split(/(?=^SIP\/2\.0 )/m).filter((each) => each !== ''),
        closed,
      ),
    end: () => {
      socket.destroy();
      return gone;
    },
  };
}

/** What is expected of a torment, without what only the stack alone can be asked. */
function expected(verdict: string): string {
  if (verdict === 'waits' || verdict === 'discarded') return '';
  // The connection has closed before the application says anything.
  if (verdict.includes('app ') && verdict.endsWith('closes')) return 'closes';
  return verdict.replace(/^100, |(?<=, )100, /g, '');
}

describe.each([
  ['free', 'udp'],
  ['free', 'tcp'],
  ['strict', 'udp'],
  ['strict', 'tcp'],
] as const)('%s, %s', (mode: SipdMode, transport: TortureTransport) => {
  test('each message gets its verdict; the service answers afterwards, and forgets', (context) => {
    // The real server keeps what came before its connection closed for 64 s; the stack alone has shown it.
    const rows = tortureRows.filter(({ name }) => !(name === 'dblreq' && mode === 'strict' && transport === 'tcp'));
    const messages = rows.map((row) => ({ row, data: referenceData(context, `data/rfc4475/${row.name}.dat`) }));
    return onStage(
      mode,
      async (stage) => {
        judgeEverything(await stage.application());
        const alice = await stage.peer('alice', 'udp');
        for (const [index, { row, data }] of messages.entries()) {
          const wanted = expected(tortureVerdict(row, mode, transport));
          const torment = await (transport === 'udp' ? overUdp(stage, data) : overTcp(stage, data));
          await waitFor(`${row.name}: ${wanted}`, () => wanted === '' || torment.verdict() === wanted);
          alice.send(alice.request('OPTIONS', { callId: `alive-${index}`, more: [] }));
          await alice.next('SIP/2.0 200');
          expect([row.name, torment.verdict()]).toEqual([row.name, wanted]);
          await torment.end();
          await waitFor('all to be forgotten', () => Object.values(stage.sipd.counts()).every((count) => count === 0));
        }
      },
      // Their Vias name ports that are not ours: the answers must come to where they were sent from.
      { timers, mode: new Set([...waysOf(mode), 'answers-to-source']) },
    );
  });
});

test('65,507 octets in one datagram reach the application, and it answers', () =>
  onStage('free', async (stage) => {
    const application = await stage.application();
    const bodies: number[] = [];
    application.use('message', (request, response) => {
      bodies.push(request.body.length);
      response.send(200);
    });
    const alice = await stage.peer('alice', 'udp');
    const { length } = alice.request('MESSAGE', { body: 'x'.repeat(60_000) });
    const text = alice.request('MESSAGE', { callId: 'call-alice', body: 'x'.repeat(60_000 + 65_507 - length) });
    expect(text.length).toBe(65_507);
    alice.send(text);
    await within('the answer', alice.next('SIP/2.0 200'));
    expect(bodies).toEqual([60_000 + 65_507 - length]);
  }));
