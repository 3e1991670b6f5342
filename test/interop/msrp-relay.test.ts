/**
 * Kamailio's `msrp` module relays between clients and the focus (RFC 4976): at the way of Alice it connects to the focus,
 * at the way of Bob the focus connects to it. Ted needs no relay.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { msrpHeader } from '../../src/wire/msrp.ts';
import { inviteFactory, makeConference } from '../support/appendix-m.ts';
import { needsCapture } from '../support/capture.ts';
import { openChatCast } from '../support/cast.ts';
import { ChatMedia } from '../support/chat-media.ts';
import { Kamailio, relay } from '../support/kamailio.ts';
import { type CapturedFrame, complaints, MsrpCapture } from '../support/msrp-capture.ts';
import { type MsrpClient, openMsrpClient } from '../support/msrp-client.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled, needsPrograms } from '../support/programs.ts';
import { RelayedMedia } from '../support/relayed-media.ts';
import { whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait.ts';

const secret = { username: 'somebody', password: 'secret' };
const transport = 'udp';
/** For a test that starts a service, which takes its time on a busy machine. */
const startingMs = 120_000;

let service: Service;
let kamailio: Kamailio;
beforeAll(async () => {
  if (!isInstalled('kamailio')) return;
  service = await Service.start();
  kamailio = await Kamailio.run(await freeAddress(), relay(secret.password));
});
afterAll(async () => {
  await kamailio?.[Symbol.asyncDispose]();
  await service?.dispose();
});

test('a relay gives leave only to whom it knows, and what it is to pass on is refused before', async (context) => {
  needsPrograms(context, 'kamailio');
  const stranger = await openMsrpClient();
  const wrong = stranger.authorize(kamailio.address, { ...secret, password: 'guessed' });
  await expect(wrong).rejects.toThrow('the relay answered 401');
  const { host, port } = kamailio.address;
  expect(await stranger.tryConnect(`msrp://${host}:${port}/guessed;tcp msrp://127.0.0.1:9/focus;tcp`)).toBe(481);
  await stranger.close();
});

test('CC-158 CC-159 CC-169 messages, their answers and REPORTs go through it both ways, whoever connects', async (context) => {
  needsPrograms(context, 'kamailio', 'tshark');
  needsCapture(context);
  await using capture = await MsrpCapture.start(kamailio.address, service.banner.msrp);
  const media = { alice: await atRelay('alice', 'active'), bob: await atRelay('bob', 'passive') };
  const teds = await ChatMedia.open('ted');
  await using alice = await UserAgent.open({ name: 'alice', transport, media: media.alice });
  await using bob = await UserAgent.open({ name: 'bob', transport, media: media.bob });
  await using ted = await UserAgent.open({ name: 'ted', transport, media: teds });
  const invite = inviteFactory(alice, service.factory, { entries: [{ uri: bob.address }, { uri: ted.address }] });
  const room = (await invite.established()).dialog.remoteTarget;
  await whenConference(service, room, ({ participant_count }) => participant_count === 3);
  const [atAlice, atBob, atTed] = [await media.alice.session(), await media.bob.session(), await teds.session(0)];

  expect(await atAlice.send({ from: alice.aor, to: room, text: 'From Alice.' })).toBe(200);
  expect((await atBob.waitForMessage()).text).toBe('From Alice.');
  expect((await atTed.waitForMessage()).text).toBe('From Alice.');
  expect(await atBob.send({ from: bob.aor, to: room, text: 'From Bob.' })).toBe(200);
  expect((await atAlice.waitForMessage()).text).toBe('From Bob.');
  expect((await atTed.waitForMessage()).text).toBe('From Bob.');
  expect(await atTed.send({ from: ted.aor, to: room, text: 'From Ted.' })).toBe(200);
  const [atAlices, atBobs] = [await atAlice.waitForMessage(), await atBob.waitForMessage()];
  expect([atAlices.text, atBobs.text]).toEqual(['From Ted.', 'From Ted.']);
  // A large one comes in parts that the relay can take.
  const large = 'x'.repeat(100_000);
  expect(await atTed.send({ from: ted.aor, to: room, text: large })).toBe(200);
  expect((await atAlice.waitForMessage()).text).toBe(large);
  expect((await atBob.waitForMessage()).text).toBe(large);
  // The small ones were shown to nobody, as it turns out.
  atAlice.report(atAlices, 413);
  atBob.report(atBobs, 413);
  // Who wants to know is told that all has come; and what was reported before that has been read by then.
  expect(await reported(atAlice, { from: alice.aor, to: room })).toBe('000 200 OK');
  expect(await reported(atBob, { from: bob.aor, to: room })).toBe('000 200 OK');

  const frames = await capture.frames();
  expect(complaints(frames)).toEqual([]);
  const people = { alice: atAlice.path, bob: atBob.path, ted: atTed.path };
  const hops = new Set(frames.map((frame) => hop(frame, people)));
  const expected = new Set([
    ...authorized('alice'),
    ...relayed('alice'),
    ...authorized('bob'),
    ...relayed('bob'),
    ...direct,
  ]);
  expect([...hops].sort()).toEqual([...expected].sort());
  // Each of the two has connected to the other.
  const ends = [kamailio.address, service.banner.msrp].map(({ port }) => port);
  const between = frames.filter((frame) => hop(frame, people).match(/^(relay -> focus|focus -> relay)/));
  expect(new Set(between.map(({ from, to }) => ends.find((end) => end === from || end === to)))).toEqual(new Set(ends));
});

test('the focus, too, may be reached through it: leave by digest, and its whole chat on one connection', {
  timeout: startingMs,
}, async (context) => {
  needsPrograms(context, 'kamailio', 'tshark');
  needsCapture(context);
  const { host, port } = kamailio.address;
  await using capture = await MsrpCapture.start(kamailio.address);
  const { username, password } = secret;
  await using behind = await Service.start({
    MSRP_RELAY: `msrp://${host}:${port};tcp`,
    MSRP_RELAY_USER: username,
    MSRP_RELAY_PASSWORD: password,
  });
  await using cast = await openChatCast({ transport });
  const { alice, bob, chats } = cast;
  const room = (await makeConference(cast, behind)).dialog.remoteTarget;
  const [atAlice, atBob, atTed] = [
    await chats.alice.session(0),
    await chats.bob.session(0),
    await chats.ted.session(0),
  ];
  expect(await atAlice.send({ from: alice.aor, to: room, text: 'From Alice.' })).toBe(200);
  expect((await atBob.waitForMessage()).text).toBe('From Alice.');
  expect((await atTed.waitForMessage()).text).toBe('From Alice.');
  expect(await atBob.send({ from: bob.aor, to: room, text: 'From Bob.' })).toBe(200);
  expect((await atAlice.waitForMessage()).text).toBe('From Bob.');
  expect((await atTed.waitForMessage()).text).toBe('From Bob.');

  const frames = await capture.frames();
  expect(complaints(frames)).toEqual([]);
  const people = { alice: atAlice.path, bob: atBob.path, ted: atTed.path };
  const hops = new Set(frames.map((frame) => hop(frame, people)));
  const expected = [...authorized('focus'), ...['alice', 'bob', 'ted'].flatMap(throughOurs)];
  expect([...hops].sort()).toEqual([...new Set(expected)].sort());
  const ours = frames.filter(({ fromPath: [uri = ''] }) => uri.includes(`:${behind.banner.msrp.port}`));
  expect(new Set(ours.map(({ from }) => from)).size).toBe(1);
});

/** The Status of the REPORT that a message gets which asks for it. */
async function reported(client: MsrpClient, { from, to }: { readonly from: string; readonly to: string }) {
  const headers = [{ name: 'Success-Report', value: 'yes' }];
  const body = `From: <${from}>\r\nTo: <${to}>\r\n\r\nContent-Type: text/plain\r\n\r\nAgain.`;
  expect(await client.chunk({ messageId: 'reported-1', body, headers, range: `1-${body.length}/${body.length}` })).toBe(
    200,
  );
  const report = await waitFor('the REPORT', () => client.reportsOf('reported-1')[0]);
  return msrpHeader(report, 'Status');
}

/** Media of somebody who has authorized with the relay. */
async function atRelay(name: string, setup: 'active' | 'passive'): Promise<RelayedMedia> {
  const client = await openMsrpClient();
  await client.authorize(kamailio.address, secret);
  return new RelayedMedia(name, client, setup);
}

/** Who sends what to whom, and the paths; the first URI of each is that of the hop. */
function hop({ line, toPath, fromPath }: CapturedFrame, people: Readonly<Record<string, string>>): string {
  const named = (uri: string): string => {
    const [name] = Object.entries(people).find(([, path]) => path === uri) ?? [];
    return name ?? (uri.includes(`:${kamailio.address.port}`) ? 'relay' : 'focus');
  };
  const [to, from] = [toPath.map(named), fromPath.map(named)];
  const what = line.split(' ')[2] ?? '';
  return `${from[0]} -> ${to[0]}: ${what}, to ${to.join(' ')}, from ${from.join(' ')}`;
}

const authorized = (client: string): readonly string[] => [
  `${client} -> relay: AUTH, to relay, from ${client}`,
  `relay -> ${client}: 401, to ${client}, from relay`,
  `relay -> ${client}: 200, to ${client}, from relay`,
];

/** All that a client and the focus say to each other, as each hop sees it. */
const relayed = (client: string): readonly string[] => [
  `${client} -> relay: SEND, to relay focus, from ${client}`,
  `relay -> focus: SEND, to focus, from relay ${client}`,
  'focus -> relay: 200, to relay, from focus',
  `focus -> relay: SEND, to relay ${client}, from focus`,
  `relay -> ${client}: SEND, to ${client}, from relay focus`,
  `${client} -> relay: 200, to relay, from ${client}`,
  'relay -> focus: 200, to focus, from relay',
  `focus -> relay: REPORT, to relay ${client}, from focus`,
  `relay -> ${client}: REPORT, to ${client}, from relay focus`,
  `${client} -> relay: REPORT, to relay focus, from ${client}`,
  `relay -> focus: REPORT, to focus, from relay ${client}`,
];

/** All that a client and the focus say to each other when the relay is the focus's. */
const throughOurs = (client: string): readonly string[] => [
  `${client} -> relay: SEND, to relay focus, from ${client}`,
  `relay -> ${client}: 200, to ${client}, from relay`,
  `relay -> focus: SEND, to focus, from relay ${client}`,
  'focus -> relay: 200, to relay, from focus',
  `focus -> relay: SEND, to relay ${client}, from focus`,
  'relay -> focus: 200, to focus, from relay',
  `relay -> ${client}: SEND, to ${client}, from relay focus`,
  `${client} -> relay: 200, to relay, from ${client}`,
];

const direct = [
  'ted -> focus: SEND, to focus, from ted',
  'focus -> ted: 200, to ted, from focus',
  'focus -> ted: SEND, to ted, from focus',
  'ted -> focus: 200, to focus, from ted',
];
