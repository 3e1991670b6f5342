import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { MsrpShellOptions } from '../../src/msrp/msrp-shell.ts';
import { authority, certificatePair } from '../support/certificates.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { type RelayManner, TestRelay } from '../support/msrp-test-relay.ts';
import { waitFor } from '../support/wait.ts';
import { openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };
const access = { user: 'focus', password: 'se"cret' };

async function openRelay(manner: Partial<RelayManner> = {}): Promise<TestRelay> {
  const usual = { ...access, tls: null, algorithm: null, expires: 600, minExpires: 0 };
  const relay = await TestRelay.open({ ...usual, ...manner });
  onTestFinished(() => relay.close().catch(() => undefined));
  return relay;
}

function openRoomBehind(
  relay: TestRelay,
  password = access.password,
  options: Partial<MsrpShellOptions> = {},
): Promise<SwitchRoom> {
  const { user } = access;
  const how = { relay: { uri: relay.uri, user, password }, authorities: authority, ...options };
  // What the operator names may be private; what peers name may not.
  return openRoom({ ...how, privateTargets: 'refuse' });
}

/** A client that has come to our relay, whose session with us is open. */
async function joinThrough(room: SwitchRoom, relay: TestRelay, name: string): Promise<MsrpClient> {
  const client = await room.client();
  const { relays } = room.shell.present();
  room.offer(name, { relays, remotePath: [client.path] });
  const answered = relay.responses.length;
  await client.connect([...relays, room.path(name)].join(' '));
  await waitFor('our answer', () => relay.responses.length > answered);
  return client;
}

test.each([null, 'MD5', 'SHA-256'] as const)('leave is asked for, by digest of %s', async (algorithm) => {
  const relay = await openRelay({ algorithm });
  const room = await openRoomBehind(relay);
  expect(room.shell.present().relays).toEqual([relay.uri.replace(';', '/leave-1;')]);
  expect(room.shell.relayHealth()).toEqual({ ok: true, detail: 'in use' });
  expect(relay.requests.map(({ method, toPath }) => [method, toPath])).toEqual([
    ['AUTH', [relay.uri]],
    ['AUTH', [relay.uri]],
  ]);
});

test('peers reach us through it, and are reached, over TLS as it wants', async () => {
  const relay = await openRelay({ tls: certificatePair('server') });
  const room = await openRoomBehind(relay);
  const [alice, bob] = [await joinThrough(room, relay, 'alice'), await room.join('bob')];
  room.route('alice', 'bob');
  expect(await alice.send(hello)).toBe(200);
  expect((await bob.waitForMessage()).text).toBe('Hello');
  expect(await bob.send({ ...hello, from: uriOf('bob'), text: 'Hi' })).toBe(200);
  const { request } = await alice.waitForMessage();
  const [leave] = room.shell.present().relays;
  expect(request.toPath).toEqual([alice.path]);
  expect(request.fromPath).toEqual([leave, room.path('alice')]);
});

test('whom we are to connect to is greeted through it, and To-Path begins with it', async () => {
  const relay = await openRelay();
  const room = await openRoomBehind(relay);
  const { relays } = room.shell.present();
  const path = 'msrp://bob.example.com:7654/b;tcp';
  room.offer('bob', { relays, remotePath: [path], role: 'active' });
  const greeting = await waitFor('a greeting', () => relay.requests.find(({ method }) => method === 'SEND'));
  expect(greeting).toMatchObject({ toPath: [...relays, path], fromPath: [room.path('bob')], body: null });
});

test('CC-204 nor is it told to connect where we must not go', async () => {
  const relay = await openRelay();
  const room = await openRoomBehind(relay);
  const { relays } = room.shell.present();
  room.offer('bob', { relays, remotePath: ['msrp://10.0.0.1:22/b;tcp'], role: 'active' });
  expect(room.closed).toEqual(["bob: the peer's path is a private address"]);
  // Who comes to the relay may have any address.
  room.offer('ted', { relays, remotePath: ['msrp://10.0.0.2:9/t;tcp'] });
  expect(room.closed).toHaveLength(1);
  expect(relay.requests.map(({ method }) => method)).toEqual(['AUTH', 'AUTH']);
});

test('a session that ends leaves the connection to it', async () => {
  const relay = await openRelay();
  const room = await openRoomBehind(relay);
  await joinThrough(room, relay, 'alice');
  room.shell.perform({ type: 'msrp.close', endpointId: 'alice' });
  await joinThrough(room, relay, 'bob');
  expect(room.shell.counts()).toMatchObject({ sessions: 1, connections: 1 });
});

test('leave is asked for again before it ends', async () => {
  const relay = await openRelay({ expires: 600 });
  const room = await openRoomBehind(relay);
  room.clock.turn(479_000);
  expect(relay.requests).toHaveLength(2);
  room.clock.turn(1_000);
  await waitFor('the new leave', () => room.shell.present().relays[0]?.includes('leave-2'));
  expect(room.shell.counts().connections).toBe(1);
});

test('another path than before is said in the log; who came by the former one is heard there as long as the relay lets him', async () => {
  const relay = await openRelay({ expires: 600 });
  const said: string[] = [];
  const info = (facts: object, message: string): void => void said.push(`${message}: ${JSON.stringify(facts)}`);
  const log = { debug: () => undefined, info, warn: () => undefined };
  const room = await openRoomBehind(relay, access.password, { log });
  const [alice, bob] = [await joinThrough(room, relay, 'alice'), await room.join('bob')];
  room.route('alice', 'bob');
  room.clock.turn(480_000);
  await waitFor('the new leave', () => room.shell.present().relays[0]?.includes('leave-2'));
  expect(said).toEqual([
    expect.stringMatching(/^MSRP relay in use: .*leave-1;/),
    expect.stringMatching(/^MSRP relay in use: .*leave-2;/),
  ]);
  expect(await alice.send(hello)).toBe(200);
  expect((await bob.waitForMessage()).text).toBe('Hello');
  expect(room.closed).toEqual([]);
});

test('a lifetime that it wants longer is asked for', async () => {
  const relay = await openRelay({ minExpires: 900 });
  const room = await openRoomBehind(relay);
  expect(relay.requests.map((request) => request.headers.find(({ name }) => name === 'Expires')?.value)).toEqual([
    undefined,
    undefined,
    '900',
    '900',
  ]);
  expect(room.shell.relayHealth()?.ok).toBe(true);
});

test('a wrong password: not in use, said so, tried again', async () => {
  const relay = await openRelay();
  const room = await openRoomBehind(relay, 'wrong');
  expect(room.shell.relayHealth()).toEqual({ ok: false, detail: 'it does not take our user and password' });
  expect(room.shell.present().relays).toEqual([]);
  relay.manner = { ...relay.manner, password: 'wrong' };
  room.clock.turn(limits.msrpRelayRetryMs);
  await waitFor('its leave', () => room.shell.relayHealth()?.ok === true);
});

test('a relay that is not there does not keep us from starting, and is used once it is', async () => {
  const relay = await openRelay();
  await relay.close();
  const room = await openRoomBehind(relay);
  expect(room.shell.relayHealth()?.detail).toMatch(/ECONNREFUSED/);
  await relay.listen();
  room.clock.turn(limits.msrpRelayRetryMs);
  await waitFor('its leave', () => room.shell.relayHealth()?.ok === true);
});

test('when it goes away its sessions are lost, and it is tried again', async () => {
  const relay = await openRelay();
  const room = await openRoomBehind(relay);
  await joinThrough(room, relay, 'alice');
  await relay.close();
  expect(await room.waitForClosed(1)).toEqual(['alice: the peer closed the connection']);
  expect(room.shell.relayHealth()).toEqual({ ok: false, detail: 'the peer closed the connection' });
  expect(room.shell.present().relays).toEqual([]);
  room.offer('bob', { relays: ['msrp://127.0.0.1:1/x;tcp'], remotePath: ['msrp://b:2/b;tcp'], role: 'active' });
  expect(room.closed.at(-1)).toBe('bob: our relay is not connected');
  await relay.listen();
  room.clock.turn(limits.msrpRelayRetryMs);
  await waitFor('its leave', () => room.shell.relayHealth()?.ok === true);
  await joinThrough(room, relay, 'ted');
});
