import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { writeMsrpRequest } from '../../src/wire/msrp.ts';
import { waitFor } from '../support/wait.ts';
import { openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };

describe('a peer that connects (RFC 4975 5.4)', () => {
  test('CC-161 a session that does not exist: 481; one that another connection has: 506', async () => {
    const room = await openRoom();
    const [alice, stranger] = [await room.join('alice'), await room.client()];
    expect(await stranger.tryConnect(room.path('nobody'))).toBe(481);
    expect(await stranger.tryConnect(`${room.path('alice')} ${room.path('alice')}`)).toBe(481);
    stranger.sendFirst('tttt', room.path('alice').replace('msrp:', 'msrps:'));
    expect(await stranger.waitForStatus('tttt')).toBe(481);
    expect(await stranger.tryConnect(room.path('alice'))).toBe(506);
    room.route('alice');
    expect(await alice.send(hello)).toBe(200);
    expect(room.closed).toEqual([]);
  });

  test('CC-162 the session id is compared case-sensitively, the host is not compared', async () => {
    const room = await openRoom();
    const client = await room.client();
    room.offer('Alice', { remotePath: [client.path] });
    const named = (path: string): string =>
      `MSRP ${path.length}abcd SEND\r\nTo-Path: ${path}\r\nFrom-Path: ${client.path}\r\n-------${path.length}abcd$\r\n`;
    const [wrong, right] = [room.path('alice'), room.path('Alice').replace('127.0.0.1', 'Some.Other.HOST')];
    expect(await client.tryConnect(wrong)).toBe(481);
    client.write(named(right));
    expect(await client.waitForStatus(`${right.length}abcd`)).toBe(200);
  });

  test('several sessions may share one connection, and it lives while one of them does', async () => {
    const room = await openRoom();
    const [client, bob] = [await room.client(), await room.join('bob')];
    room.offer('alice', { remotePath: [client.path] });
    room.offer('ted', { remotePath: [client.path] });
    await client.connect(room.path('alice'));
    const first = { transactionId: 'tttt', method: 'SEND', toPath: [room.path('ted')], fromPath: [client.path] };
    client.write(writeMsrpRequest({ ...first, headers: [], body: null, flag: '$' }));
    expect(await client.waitForStatus('tttt')).toBe(200);
    room.route('alice', 'bob', 'ted');
    await bob.send({ ...hello, from: uriOf('bob') });
    await waitFor('both copies', () => client.messages.length === 2);
    room.shell.perform({ type: 'msrp.close', endpointId: 'alice' });
    await bob.send({ ...hello, from: uriOf('bob') });
    await waitFor('the copy of the session that is left', () => client.messages.length === 3);
    room.shell.perform({ type: 'msrp.close', endpointId: 'ted' });
    await client.waitForClose();
    expect(room.closed).toEqual([]);
  });

  test('it may connect before its own path is known to us, and gets what was said meanwhile', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.client()];
    room.offer('bob');
    room.route('alice', 'bob');
    await bob.connect(room.path('bob'));
    expect(await alice.send(hello)).toBe(200);
    room.offer('bob', { remotePath: [bob.path] });
    expect((await bob.waitForMessage()).request.toPath).toEqual([bob.path]);
    room.clock.turn(limits.msrpConnectTimeoutMs * 2);
    expect(room.closed).toEqual([]);
  });

  test('a session that is only offered waits as long as the core does; a completed one for a minute', async () => {
    const room = await openRoom();
    room.offer('bob');
    room.clock.turn(limits.msrpConnectTimeoutMs * 5);
    expect(room.closed).toEqual([]);
    room.offer('bob', { remotePath: ['msrp://192.0.2.1:9/b;tcp'] });
    room.clock.turn(limits.msrpConnectTimeoutMs - 1);
    expect(room.closed).toEqual([]);
    room.clock.turn(1);
    expect(room.closed).toEqual(['bob: the peer did not connect']);
    room.clock.turn(limits.msrpConnectTimeoutMs);
    expect(room.closed).toHaveLength(1);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('a connection that names no session in time is closed, others are not', async () => {
    const room = await openRoom();
    const [alice, silent, lost] = [await room.join('alice'), await room.client(), await room.client()];
    expect(await lost.tryConnect(room.path('nobody'))).toBe(481);
    await silent.dial(room.path('alice'));
    await waitFor('three connections', () => room.shell.counts().connections === 3);
    room.clock.turn(limits.msrpBindTimeoutMs);
    await Promise.all([silent.waitForClose(), lost.waitForClose()]);
    room.route('alice');
    expect(await alice.send(hello)).toBe(200);
  });

  test('connections beyond the bound are refused', async () => {
    const room = await openRoom({ connectionsMax: 1 });
    const [alice, late] = [await room.join('alice'), await room.client()];
    await late.dial(room.path('alice'));
    await late.waitForClose();
    room.route('alice');
    expect(await alice.send(hello)).toBe(200);
  });

  test('a path of the peer that cannot be read loses the session', async () => {
    const room = await openRoom();
    room.offer('bob', { remotePath: ['msrp://b:1/b;tcp\r\nX: y'] });
    expect(room.closed).toEqual(["bob: the peer's path is malformed"]);
  });
});

test('a path of our own that cannot be read loses the session', async () => {
  const room = await openRoom();
  room.offer('bob', { localPath: 'msrp://::1:2855/b;tcp' });
  expect(room.closed).toEqual(['bob: our own path is malformed']);
});

describe('a message before its sender is in the route', () => {
  test('waits for the route and is then switched, in order', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    const answers = [alice.send(hello), alice.send({ ...hello, text: 'again' })];
    room.route('bob');
    await waitForEarly(room);
    room.route('alice', 'bob');
    expect(await Promise.all(answers)).toEqual([200, 200]);
    expect([(await bob.waitForMessage()).text, (await bob.waitForMessage()).text]).toEqual(['Hello', 'again']);
  });

  test('is refused when the route does not come in time', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    const answer = alice.send(hello);
    await waitForEarly(room);
    room.clock.turn(limits.msrpEarlyMs);
    expect(await answer).toBe(403);
  });

  test('is refused when the session ends', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    const answer = alice.send(hello);
    await waitForEarly(room);
    room.shell.perform({ type: 'msrp.close', endpointId: 'alice' });
    expect(await answer).toBe(481);
  });

  test('is refused when too many wait', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    const answers = Array.from({ length: limits.msrpWaitingMessagesMax + 1 }, () => alice.send(hello));
    expect(await answers.at(-1)).toBe(403);
    room.route('alice');
    expect(new Set(await Promise.all(answers.slice(0, -1)))).toEqual(new Set([200]));
  });
});

/** Until a message waits for its route. */
async function waitForEarly(room: SwitchRoom): Promise<void> {
  await waitFor('an early message', () => room.clock.nextDue === room.clock.now() + limits.msrpEarlyMs);
}

describe('a peer we connect to (RFC 6135 4.2.2)', () => {
  test('CC-170 gets a bodiless SEND at once, and messages after its answer', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.client({ listen: true })];
    room.offer('bob');
    room.route('alice', 'bob');
    expect(await alice.send(hello)).toBe(200);
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    await bob.waitForConnection();
    const [first] = bob.requests;
    expect(first).toMatchObject({ method: 'SEND', body: null, toPath: [bob.path], fromPath: [room.path('bob')] });
    expect((await bob.waitForMessage()).text).toBe('Hello');
    expect(await bob.send({ ...hello, from: uriOf('bob'), text: 'Hi' })).toBe(200);
    expect((await alice.waitForMessage()).text).toBe('Hi');
    room.clock.turn(limits.msrpAnswerTimeoutMs * 2);
    expect(room.closed).toEqual([]);
  });

  test('is reached through its relay: To-Path is its whole path', async () => {
    const room = await openRoom();
    const relay = await room.client({ listen: true });
    const path = [relay.path, 'msrp://bob.example.com:7000/b;tcp'];
    room.offer('bob', { remotePath: path, role: 'active' });
    await relay.waitForConnection();
    expect(relay.requests[0]?.toPath).toEqual(path);
  });

  test.each([
    ['msrp://127.0.0.1:9/b;tcp', "the peer's path has the discard port"],
    ['msrp://127.0.0.1:2856/b;ws', 'the transport ws is not supported'],
    ['msrp://127.0.0.1/b;tcp', "the peer's path has no port"],
  ])('%s is not connected to', async (path, reason) => {
    const room = await openRoom();
    room.offer('bob', { remotePath: [path], role: 'active' });
    expect(room.closed).toEqual([`bob: ${reason}`]);
  });

  test.each(['127.0.0.1', '10.1.2.3', '[::1]', '[fe80::1]', 'localhost'])(
    'an address like %s is not connected to when private targets are refused',
    async (host) => {
      const room = await openRoom({ privateTargets: 'refuse' });
      room.offer('bob', { remotePath: [`msrp://${host}:2856/b;tcp`], role: 'active' });
      expect(room.closed).toEqual(["bob: the peer's path is a private address"]);
    },
  );

  test('nor is a name that leads to one', async () => {
    const room = await openRoom({
      privateTargets: 'refuse',
      lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const bob = await room.client({ listen: true });
    room.offer('bob', { remotePath: [bob.path.replace('127.0.0.1', 'bob.example.com')], role: 'active' });
    expect(await room.waitForClosed(1)).toEqual(["bob: the peer's path leads to a private address"]);
    expect(bob.connectionCount).toBe(0);
  });

  test('a name is connected to where private targets are allowed', async () => {
    const room = await openRoom({
      lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const bob = await room.client({ listen: true });
    room.offer('bob', { remotePath: [bob.path.replace('127.0.0.1', 'bob.example.com')], role: 'active' });
    await bob.waitForConnection();
  });

  test('that refuses the connection loses the session, once', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true });
    await bob.close();
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    expect(await room.waitForClosed(1)).toEqual([expect.stringContaining('bob: connect ECONNREFUSED')]);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('that does not answer loses the session', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true, answer: 'none' });
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    await bob.waitForConnection();
    room.clock.turn(limits.msrpAnswerTimeoutMs);
    expect(room.closed).toEqual(['bob: the peer did not answer']);
    await bob.waitForClose();
  });

  test.each([481, 506])('that answers %i has no such session', async (status) => {
    const room = await openRoom();
    const bob = await room.client({ listen: true, answer: status });
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    expect(await room.waitForClosed(1)).toEqual([`bob: the peer answered ${status}`]);
  });
});

describe('the end of a session', () => {
  test('is told once when the peer closes', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    await bob.close();
    expect(await room.waitForClosed(1)).toEqual(['bob: the peer closed the connection']);
    room.shell.perform({ type: 'msrp.close', endpointId: 'bob' });
    expect(await alice.send(hello)).toBe(200);
    expect(room.closed).toHaveLength(1);
    expect(room.shell.counts()).toMatchObject({ sessions: 1, connections: 1, dropped: 1 });
  });

  test('is not told when the core asked for it', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.shell.perform({ type: 'msrp.close', endpointId: 'bob' });
    await bob.waitForClose();
    room.shell.perform({ type: 'msrp.unroute', conferenceId: 'conf-1' });
    await alice.waitForClose();
    await waitFor('the end of all connections', () => room.shell.counts().connections === 0);
    expect(room.inputs).toEqual([]);
    expect(room.clock.nextDue).toBeUndefined();
  });

  test('comes when the peer answers 481 to a message', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.client({ answer: 481 })];
    room.offer('bob', { remotePath: [bob.path] });
    room.route('alice', 'bob');
    await bob.connect(room.path('bob'));
    expect(await alice.send(hello)).toBe(200);
    expect(await room.waitForClosed(1)).toEqual(['bob: the peer answered 481']);
  });

  test('another path of the peer begins another session, the same path changes nothing', async () => {
    const room = await openRoom();
    const [alice, old] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    room.offer('bob', { remotePath: [old.path] });
    await alice.send(hello);
    await old.waitForMessage();
    const fresh = await room.client();
    room.offer('bob', { remotePath: [fresh.path] });
    await old.waitForClose();
    await fresh.connect(room.path('bob'));
    await alice.send({ ...hello, text: 'again' });
    expect((await fresh.waitForMessage()).text).toBe('again');
    expect(room.closed).toEqual([]);
  });

  test('the shell closes with everything, and says nothing but the last counts', async () => {
    const room = await openRoom();
    const [alice, bob] = [await room.join('alice'), await room.join('bob')];
    room.route('alice', 'bob');
    await alice.send(hello);
    await room.shell.close();
    await Promise.all([alice.waitForClose(), bob.waitForClose()]);
    expect(room.inputs).toEqual([
      { type: 'messages-switched', conferenceId: 'conf-1', count: 1, messages: [], losses: [] },
    ]);
    expect(room.clock.nextDue).toBeUndefined();
  });
});

describe('counts of switched messages', () => {
  test('reach the core in groups, at most one a second, the last when the conference ends', async () => {
    const room = await openRoom();
    const alice = await room.join('alice');
    room.route('alice');
    for (let i = 0; i < 3; i += 1) await alice.send(hello);
    await alice.send({ ...hello, to: uriOf('nobody') });
    expect(room.inputs).toEqual([]);
    room.clock.turn(limits.messagesSwitchedIntervalMs);
    await alice.send(hello);
    room.shell.perform({ type: 'msrp.unroute', conferenceId: 'conf-1' });
    room.clock.turn(limits.messagesSwitchedIntervalMs);
    const count = (n: number): object => ({
      type: 'messages-switched',
      conferenceId: 'conf-1',
      count: n,
      messages: [],
      losses: [],
    });
    expect(room.inputs).toEqual([count(3), count(1)]);
  });
});

test('a listener that cannot be had is said so', async () => {
  const room = await openRoom();
  const port = Number(/:(\d+)\//.exec(room.path('x'))?.[1]);
  await expect(openRoom({ port })).rejects.toThrow('EADDRINUSE');
});

test('the public host stands in our paths, the port is the one that was had', async () => {
  const { address } = await openRoom({ publicHost: 'msrp.example.com' });
  expect(address.host).toBe('msrp.example.com');
  expect(address.port).toBeGreaterThan(0);
});
