import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { waitFor } from '../support/wait.ts';
import { openRoom, roomUri, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };

describe('one connection for all sessions with the same peer (RFC 4975 5.4)', () => {
  test('that we connect to: each session greets, and it closes with the last one', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true });
    const secondPath = `${bob.path.replace(/\/[^/;]+;/, '/second;')}`;
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    // Asked for while the first one is still being made.
    room.offer('ted', { remotePath: [secondPath], role: 'active' });
    await waitFor('two greetings', () => bob.requests.length === 2);
    room.offer('carol', { remotePath: [bob.path.replace(/\/[^/;]+;/, '/third;')], role: 'active' });
    await waitFor('three greetings', () => bob.requests.length === 3);
    expect(bob.requests.map(({ toPath, body }) => [toPath[0], body])).toEqual([
      [bob.path, null],
      [secondPath, null],
      [bob.path.replace(/\/[^/;]+;/, '/third;'), null],
    ]);
    expect([bob.connectionCount, room.shell.counts().connections]).toEqual([1, 1]);
    for (const name of ['bob', 'ted', 'carol']) {
      expect(bob.isClosed).toBe(false);
      room.shell.perform({ type: 'msrp.close', endpointId: name });
    }
    await bob.waitForClose();
    expect(room.closed).toEqual([]);
  });

  test('when it fails, all of them have failed, and the next session makes another', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true });
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    room.offer('ted', { remotePath: [bob.path], role: 'active' });
    await waitFor('two greetings', () => bob.requests.length === 2);
    bob.hangUp();
    expect([...(await room.waitForClosed(2))].sort()).toEqual([
      'bob: the peer closed the connection',
      'ted: the peer closed the connection',
    ]);
    room.offer('carol', { remotePath: [bob.path], role: 'active' });
    await waitFor('a third greeting', () => bob.requests.length === 3);
    expect(bob.connectionCount).toBe(2);
  });

  test('a session that ends before the connection is made takes nothing from the others', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true });
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    room.offer('ted', { remotePath: [bob.path], role: 'active' });
    room.shell.perform({ type: 'msrp.close', endpointId: 'bob' });
    await bob.waitForConnection();
    expect(bob.requests.map(({ fromPath }) => fromPath)).toEqual([[room.path('ted')]]);
  });

  test('a connection that the peer made is not used to reach it', async () => {
    const room = await openRoom();
    const bob = await room.client({ listen: true });
    room.offer('alice', { remotePath: ['msrp://127.0.0.1:9/alice;tcp'] });
    await bob.connect(room.path('alice'));
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    await waitFor('a connection of ours', () => bob.connectionCount === 2);
  });
});

describe('CEMA (RFC 6714 4)', () => {
  test('the address that a middlebox wrote is connected to, and To-Path stays', async () => {
    const room = await openRoom();
    const middlebox = await room.client({ listen: true });
    const port = Number(/:(\d+)\//.exec(middlebox.path)?.[1]);
    const path = 'msrp://bob.example.com:7654/b;tcp';
    room.offer('bob', { remotePath: [path], role: 'active', connectTo: { host: '127.0.0.1', port } });
    await middlebox.waitForConnection();
    expect(middlebox.requests[0]?.toPath).toEqual([path]);
  });

  test.each([
    [{ host: '127.0.0.1', port: 9 }, "the peer's path has the discard port"],
    [{ host: '10.1.2.3', port: 2855 }, "the peer's path is a private address"],
  ])('CC-204 an address like %j is not connected to, whatever the path says', async (connectTo, reason) => {
    const room = await openRoom({ privateTargets: 'refuse' });
    room.offer('bob', { remotePath: ['msrp://192.0.2.1:2855/b;tcp'], role: 'active', connectTo });
    expect(room.closed).toEqual([`bob: ${reason}`]);
  });
});

describe('CC-204 private targets over TLS', () => {
  test.each(['127.0.0.1', '[::1]', '[fc00::1]', '192.168.1.1'])('%s is not connected to', async (host) => {
    const room = await openRoom({ privateTargets: 'refuse' });
    room.offer('bob', { remotePath: [`msrps://${host}:2856/b;tcp`], role: 'active' });
    expect(room.closed).toEqual(["bob: the peer's path is a private address"]);
  });

  test('nor is a name that leads to one', async () => {
    const room = await openRoom({
      privateTargets: 'refuse',
      lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    room.offer('bob', { remotePath: ['msrps://bob.example.com:2856/b;tcp'], role: 'active' });
    expect(await room.waitForClosed(1)).toEqual(["bob: the peer's path leads to a private address"]);
  });
});

test('no more connections of one address wait for a session than the bound', async () => {
  const room = await openRoom({ unboundPerAddressMax: 2 });
  const alice = await room.join('alice');
  const [first, second, third] = [await room.client(), await room.client(), await room.client()];
  await first.dial(room.path('alice'));
  await second.dial(room.path('alice'));
  await waitFor('three connections', () => room.shell.counts().connections === 3);
  await third.dial(room.path('alice'));
  await third.waitForClose();
  await second.close();
  await waitFor('a place', () => room.shell.counts().connections === 2);
  await room.join('bob');
  room.route('alice', 'bob');
  expect(await alice.send(hello)).toBe(200);
});

describe('what of a To-Path must be ours', () => {
  test('CC-161 CC-162 the whole URI, by RFC 4975 6.1', async () => {
    const room = await openRoom({ sessionMatch: 'uri' });
    const client = await room.client();
    room.offer('Alice', { remotePath: [client.path] });
    const path = room.path('Alice');
    await client.dial(path);
    const wrong = [
      path.replace('127.0.0.1', 'other.example.com'),
      path.replace(/:\d+\//, ':1/'),
      path.replace(/:\d+\//, '/'),
      path.replace('Alice', 'alice'),
      path.replace(';tcp', ';ws'),
      path.replace('msrp:', 'msrps:'),
    ];
    for (const [index, each] of wrong.entries()) {
      client.sendFirst(`tttt${index}`, each);
      expect([each, await client.waitForStatus(`tttt${index}`)]).toEqual([each, 481]);
    }
    client.sendFirst('uuuu', path.replace('msrp://', 'MSRP://user@').replace(';tcp', ';TCP;x=y'));
    expect(await client.waitForStatus('uuuu')).toBe(200);
  });

  test('or its session id alone, where middleboxes rewrite hosts', async () => {
    const room = await openRoom({ sessionMatch: 'id' });
    const client = await room.client();
    room.offer('alice', { remotePath: [client.path] });
    await client.dial(room.path('alice'));
    client.sendFirst('tttt', room.path('alice').replace(/127.0.0.1:\d+/, 'middlebox.example.com:7'));
    expect(await client.waitForStatus('tttt')).toBe(200);
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
if (!hasIpv6) process.stdout.write('IPv6 is not tried: this machine has no ::1\n');

describe.skipIf(!hasIpv6)('IPv6', () => {
  test('in our listener and paths, in those of the peer, and in what the CEMA address says', async () => {
    const room = await openRoom({ host: '::1' });
    expect(room.path('alice')).toMatch(/^msrp:\/\/\[::1\]:\d+\//);
    const [alice, bob] = [await room.join('alice'), await room.client({ listen: true, host: '::1' })];
    room.offer('bob', { remotePath: [bob.path], role: 'active' });
    await bob.waitForConnection();
    room.route('alice', 'bob');
    expect(await alice.send(hello)).toBe(200);
    expect((await bob.waitForMessage()).request.toPath).toEqual([bob.path]);
    const port = Number(/:(\d+)\//.exec(bob.path)?.[1]);
    room.offer('ted', { remotePath: ['msrp://192.0.2.1:7/t;tcp'], role: 'active', connectTo: { host: '::1', port } });
    await waitFor('another greeting', () => bob.requests.some(({ toPath }) => toPath[0]?.endsWith('/t;tcp') === true));
    expect(room.closed).toEqual([]);
    room.clock.turn(limits.msrpBindTimeoutMs);
    expect(alice.isClosed).toBe(false);
  });
});
