import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { KeptNames } from '../../../src/sipd/names/kept-names.ts';
import { systemNames } from '../../../src/sipd/names/system-names.ts';
import { InquiryClient } from '../../../src/sipd/outbound/inquiry-client.ts';
import { waitFor } from '../../support/wait.ts';

const opened: (() => void)[] = [];

afterEach(() => {
  for (const close of opened.splice(0)) close();
});

function client(): InquiryClient {
  const names = new KeptNames({ names: systemNames(null), now: () => performance.now() });
  const made = new InquiryClient({ names, authorities: null, verify: true });
  opened.push(() => made.close());
  return made;
}

/** A request handler; gives its URL. */
async function adviserUrl(
  listener: RequestListener,
  prepare: (server: Server) => void = () => undefined,
): Promise<string> {
  // Connections nobody uses stay open, as with many another server.
  const server = createServer({ keepAliveTimeout: 0 }, listener);
  prepare(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a handler that wants another protocol has not answered', async () => {
  const url = await adviserUrl((request) => {
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  expect(await client().ask({ url, body: null })).toMatchObject({ kind: 'failed' });
});

test('connections kept to one handler are not in the way of another', async () => {
  const asking = client();
  let waiting: (() => void)[] = [];
  const busy = await adviserUrl((_, response) => {
    waiting.push(() => response.end('busy'));
    // All at once, so that each has a connection of its own.
    if (waiting.length < limits.handlerConnectionsMax) return;
    for (const answer of waiting) answer();
    waiting = [];
  });
  const other = await adviserUrl((_, response) => response.end('other'));
  const questions = Array.from({ length: limits.handlerConnectionsMax }, () => asking.ask({ url: busy, body: null }));
  expect(new Set((await Promise.all(questions)).map(({ kind }) => kind))).toEqual(new Set(['replied']));
  expect(await asking.ask({ url: other, body: null })).toEqual({ kind: 'replied', body: 'other' });
});

test('questions for which no connection becomes free have no reply in time', async () => {
  const url = await adviserUrl(() => undefined);
  const asking = client();
  const begun = performance.now();
  const questions = Array.from({ length: 3 * limits.handlerConnectionsMax }, () => asking.ask({ url, body: null }));
  expect(new Set((await Promise.all(questions)).map(({ kind }) => kind))).toEqual(new Set(['failed']));
  expect(performance.now() - begun).toBeLessThan(2 * limits.handlerMs);
});

test('those that wait for a connection when the client closes get none', async () => {
  let asked = 0;
  const url = await adviserUrl(() => {
    asked += 1;
  });
  const asking = client();
  const questions = Array.from({ length: 2 * limits.handlerConnectionsMax }, () => asking.ask({ url, body: null }));
  await waitFor('every connection to be in use', () => asked === limits.handlerConnectionsMax);
  asking.close();
  expect(new Set((await Promise.all(questions)).map(({ kind }) => kind))).toEqual(new Set(['failed']));
  expect(asked).toBe(limits.handlerConnectionsMax);
});
