/** One conference, whose members come by every transport there is, in both connection roles. */
import { createHash, X509Certificate } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { makeConference } from '../support/appendix-m.ts';
import { openChatCast } from '../support/cast.ts';
import { certificateFiles, certificatePair } from '../support/certificates.ts';
import { Service } from '../support/service.ts';
import { UserAgent } from '../support/user-agent.ts';
import { type Way, WayMedia } from '../support/way-media.ts';

const { certFile, keyFile } = certificateFiles('server');
const everyPort = { MSRP_TLS_PORT: '0', MSRP_WS_PORT: '0', MSRP_WSS_PORT: '0', TLS_CERT: certFile, TLS_KEY: keyFile };
const pair = certificatePair('second');

const ways: readonly (readonly [string, Way])[] = [
  ['TLS, connecting', { transport: 'tcp', tls: pair, listen: false }],
  ['TLS, connected to', { transport: 'tcp', tls: pair, listen: true }],
  ['WebSocket', { transport: 'ws', tls: null, listen: false }],
  ['secure WebSocket', { transport: 'ws', tls: pair, listen: false }],
];

async function openMember(way: Way): Promise<{ agent: UserAgent; media: WayMedia }> {
  const media = await WayMedia.open(way);
  const agent = await UserAgent.open({ name: 'dave', transport: 'udp', media });
  onTestFinished(async () => {
    await media.client.close();
    await agent.close();
  });
  return { agent, media };
}

test('CC-171 CC-172 whoever comes by TLS or WebSocket talks with those on TCP', async () => {
  await using service = await Service.start(everyPort);
  await using cast = await openChatCast({ transport: 'udp' });
  const { alice, chats } = cast;
  const room = (await makeConference(cast, service)).dialog.remoteTarget;
  const atAlice = await chats.alice.session(0);
  const told = createHash('sha256')
    .update(new X509Certificate(certificatePair('server').cert).raw)
    .digest('hex');
  for (const [name, way] of ways) {
    const { agent, media } = await openMember(way);
    const call = await agent.call(room);
    const client = await media.session();
    expect(await client.send({ from: agent.aor, to: room, text: `by ${name}` })).toBe(200);
    expect((await atAlice.waitForMessage()).text).toBe(`by ${name}`);
    expect(await atAlice.send({ from: alice.aor, to: room, text: `heard by ${name}` })).toBe(200);
    expect((await client.waitForMessage()).text).toBe(`heard by ${name}`);
    const [, port, protocol] = /^m=message (\d+) (\S+) /m.exec(media.remote) ?? [];
    const [, host, pathPort] = /^a=path:msrps?:\/\/([^:]+):(\d+)\//m.exec(media.remote) ?? [];
    expect([protocol, port, host]).toEqual([way.tls === null ? 'TCP/MSRP' : 'TCP/TLS/MSRP', pathPort, '127.0.0.1']);
    expect(media.remote).toContain('c=IN IP4 127.0.0.1\r\n');
    expect(media.remote).toContain(`a=setup:${way.listen ? 'active' : 'passive'}\r\n`);
    const fingerprint = /^a=fingerprint:sha-256 (.*)\r$/m.exec(media.remote)?.[1];
    expect(fingerprint?.replaceAll(':', '').toLowerCase()).toBe(way.tls === null ? undefined : told);
    await call.bye();
  }
});

test('CC-173 a conference that wants TLS refuses TCP, and takes TLS', async () => {
  await using service = await Service.start({ ...everyPort, MSRP_TRANSPORT: 'tls' });
  const open: Way = { transport: 'tcp', tls: null, listen: false };
  const [inTheClear, secured] = [await openMember(open), await openMember({ ...open, tls: pair })];
  const factory = service.factoryOver('udp');
  const refused = inTheClear.agent.invite(factory, { body: inTheClear.media.offer() });
  expect((await refused.final).status).toBe(488);
  await secured.agent.call(factory);
  expect(secured.media.remote).toMatch(/^m=message \d+ TCP\/TLS\/MSRP \*/m);
  await secured.media.session();
});

test('TLS without a certificate is no start', async () => {
  await expect(Service.start({ MSRP_TLS_PORT: '0' })).rejects.toThrow('TLS_CERT must be set when MSRP_TLS_PORT is.');
});
