import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { HttpWorld } from './http-world.ts';

/** Sends `text` as it is; gives all that comes back until the server closes. */
function sent(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (bytes) => {
      answer += bytes.toString();
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

test.each([
  ['GARBAGE\r\n\r\n', 400, 'bad-request'],
  [`GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
  ['POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-request'],
])('what is no request of HTTP is answered by a problem, too: %.20s', async (text, status, code) => {
  const world = new HttpWorld();
  const { port } = await world.shell.listen('127.0.0.1', 0);
  const answer = await sent(port, text);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nContent-Type: application/problem\\+json\r\n`, 's'));
  expect(head).toContain(`\r\nContent-Length: ${body.length}`);
  expect(JSON.parse(body)).toMatchObject({ status, code, type: `urn:isfocus:problem:${code}`, request_id: 'req-1' });
  await world.shell.close();
});

test('a request that has begun when the server closes is told so by a problem', async () => {
  const world = new HttpWorld();
  const { port } = await world.shell.listen('127.0.0.1', 0);
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /v1/conferences/conf-1/end HTTP/1.1\r\nHost: x\r\n');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString();
  });
  await once(socket, 'ready');
  // An answer on a later connection shows that the first one has been taken.
  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  const closed = world.shell.close();
  const live = () =>
    fetch(`http://127.0.0.1:${port}/health/live`).then(
      () => 'open',
      () => 'closed',
    );
  await expect.poll(live).toBe('closed');
  const ended = once(socket, 'close');
  socket.write(`Authorization: Bearer ${world.key}\r\nContent-Length: 0\r\n\r\n`);
  await Promise.all([closed, ended]);
  expect(answer).toMatch(/^HTTP\/1.1 503 .*application\/problem\+json.*"code":"stopping"/s);
});

test('port 0 listens on a free port and tells which', async () => {
  const world = new HttpWorld();
  const bound = await world.shell.listen('127.0.0.1', 0);
  expect(bound).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
  const response = await fetch(`http://127.0.0.1:${bound.port}/health/live`);
  expect([response.status, await response.json()]).toEqual([200, { status: 'live' }]);
  await world.shell.close();
});

test('a taken port is an error of listen', async () => {
  const [first, second] = [new HttpWorld(), new HttpWorld()];
  const { port } = await first.shell.listen('127.0.0.1', 0);
  await expect(second.shell.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await first.shell.close();
  await second.shell.close();
});

test('closing answers a waiting command, then leaves nothing listening', async () => {
  const world = new HttpWorld();
  const { port } = await world.shell.listen('127.0.0.1', 0);
  const waiting = fetch(`http://127.0.0.1:${port}/v1/conferences/conf-1/end`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}` },
  });
  await expect.poll(() => world.submitted.length).toBe(1);
  await world.shell.close();
  const response = await waiting;
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([503, 'stopping']);
  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
});
