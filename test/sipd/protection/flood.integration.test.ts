/** One address floods the server with all its might; another makes a call. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import type { Application } from '../application.ts';
import { headerOf } from '../stack-world.ts';
import { onStage, type Stage } from '../stage.ts';

const floodSize = 20_000;
const sources = {
  requests: { perSecond: 50, burst: 100 },
  refusals: { perSecond: 10, burst: 20 },
  unacknowledgedFinals: 20,
};

/** A UDP socket on an address of this machine’s own, and what came to it. */
async function open(host: string): Promise<{ readonly socket: Socket; readonly port: number; readonly got: string[] }> {
  const socket = createSocket('udp4');
  const got: string[] = [];
  socket.on('message', (data) => got.push(data.toString('latin1')));
  socket.bind(0, host);
  await once(socket, 'listening');
  return { socket, port: socket.address().port, got };
}

type Words = {
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly call: string;
  readonly to?: string;
};

function request({ method, host, port, call, to = '<sip:focus@127.0.0.1>' }: Words): string {
  return [
    `${method} sip:focus@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:${port};rport;branch=z9hG4bK-${call}-${method}`,
    `From: <sip:${host}@127.0.0.1>;tag=${call}`,
    `To: ${to}`,
    `Call-ID: ${call}`,
    `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`,
    `Contact: <sip:${host}:${port}>`,
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n');
}

/** Sends half of it malformed, half of it INVITEs, as fast as the socket takes them. */
async function flood(stage: Stage, { socket, port }: { socket: Socket; port: number }): Promise<void> {
  for (let count = 0; count < floodSize; count += 1) {
    const invite = request({ method: 'INVITE', host: '127.0.0.3', port, call: `flood${count}` });
    const text = count % 2 === 0 ? invite : invite.replace('CSeq: 1', 'CSeq: x');
    socket.send(text, stage.port, '127.0.0.1');
    if (count % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Sends it until an answer is there that begins so, as RFC 3261 17.1 has it. */
function asks(
  stage: Stage,
  caller: { socket: Socket; got: string[] },
  words: { text: string; until: RegExp },
): Promise<string> {
  let tries = 0;
  return waitFor(`an answer like ${words.until}`, () => {
    if (tries++ % 25 === 0) caller.socket.send(words.text, stage.port, '127.0.0.1');
    return caller.got.find((each) => words.until.test(each));
  });
}

function answerCalls(application: Application): { readonly flooded: () => number } {
  let flooded = 0;
  application.use('invite', (received, response) => {
    if (received.get('Call-ID') === 'good') response.send(200, { headers: { Contact: '<sip:focus@localhost>' } });
    else {
      flooded += 1;
      response.send(486);
    }
  });
  application.use('bye', (_, response) => response.send(200));
  return { flooded: () => flooded };
}

test('while 127.0.0.3 floods, 127.0.0.2 gets its call through, and the flood brings about few packets', () =>
  onStage(
    'free',
    async (stage) => {
      const calls = answerCalls(await stage.application());
      const mallory = await open('127.0.0.3');
      const alice = await open('127.0.0.2');
      const before = performance.now();
      const flooding = flood(stage, mallory);
      const at = { host: '127.0.0.2', port: alice.port, call: 'good' };
      const answer = await asks(stage, alice, { text: request({ ...at, method: 'INVITE' }), until: /^SIP\/2\.0 200/ });
      const to = headerOf(answer, 'To');
      alice.socket.send(request({ ...at, method: 'ACK', to }), stage.port, '127.0.0.1');
      await asks(stage, alice, { text: request({ ...at, method: 'BYE', to }), until: /^SIP\/2\.0 200.*CSeq: 2 BYE/s });
      await flooding;
      await waitFor('all to be forgotten', () => Object.values(stage.sipd.counts()).every((count) => count === 0));
      const seconds = (performance.now() - before) / 1_000;
      const allowed = sources.requests.burst + sources.requests.perSecond * seconds;
      const { limitedRequests: limited, droppedMessages: dropped } = stage.sipd.counters();
      expect(calls.flooded()).toBeLessThanOrEqual(allowed);
      expect(limited).toBeLessThanOrEqual(sources.refusals.burst + sources.refusals.perSecond * seconds);
      expect(dropped).toBeGreaterThan(0);
      // One answer for each that was let in, and the repetitions of twenty.
      const { unacknowledgedFinals, refusals } = sources;
      const most = allowed + limited + refusals.burst + unacknowledgedFinals * 11 * Math.ceil(seconds);
      expect(mallory.got.length).toBeLessThanOrEqual(most);
      await Promise.all(
        [mallory, alice].map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      );
    },
    { trustedPeers: [], protection: { sources }, timers: { t1: 20, t2: 160, t4: 200 } },
  ));
