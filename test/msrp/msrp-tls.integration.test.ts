import { createHash, X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import type { Fingerprint } from '../../src/wire/sdp.ts';
import { authority, certificateFiles, certificatePair } from '../support/certificates.ts';
import { waitFor } from '../support/wait.ts';
import { chatLine, openRoom, roomUri, type SwitchRoom, uriOf } from './switch-room.ts';

const hello = { from: uriOf('alice'), to: roomUri, text: 'Hello' };
const [first, second] = [certificatePair('server'), certificatePair('second')];

/** A room with TLS beside TCP. */
function openTlsRoom(options: Parameters<typeof openRoom>[0] = {}): Promise<SwitchRoom> {
  return openRoom({ tlsPort: 0, certificate: certificateFiles('server'), authorities: authority, ...options });
}

/** As the peer's description has it. */
function fingerprintOf(pem: Buffer, hash: 'sha-1' | 'sha-256' | 'sha-512' | 'md5' = 'sha-256'): Fingerprint {
  const octets = createHash(hash.replace('-', '')).update(new X509Certificate(pem).raw).digest('hex').toUpperCase();
  return { hash, value: octets.replace(/..(?=.)/g, '$&:') };
}

describe('a peer that connects over TLS', () => {
  test('is heard, and hears those on TCP', async () => {
    const room = await openTlsRoom();
    const [alice, bob] = [await room.client({ tls: second }), await room.join('bob')];
    room.offer('alice', { localPath: room.path('alice', 'tls'), remotePath: [alice.path] });
    await alice.connect(room.path('alice', 'tls'));
    room.route('alice', 'bob');
    expect(await alice.send(hello)).toBe(200);
    expect((await bob.waitForMessage()).text).toBe('Hello');
    expect(await bob.send({ ...hello, from: uriOf('bob'), text: 'Hi' })).toBe(200);
    expect((await alice.waitForMessage()).text).toBe('Hi');
    expect(room.shell.counts().connections).toBe(2);
  });

  test('gets every octet as it was sent', async () => {
    const room = await openTlsRoom();
    const [alice, bob] = [await room.client({ tls: second }), await room.join('bob')];
    room.offer('alice', { localPath: room.path('alice', 'tls'), remotePath: [alice.path] });
    await alice.connect(room.path('alice', 'tls'));
    room.route('alice', 'bob');
    const octets = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
    const content = Buffer.concat([chatLine('', 'bob'), octets]);
    expect(await bob.send({ contentType: 'message/cpim', content })).toBe(200);
    expect((await alice.waitForMessage()).content.equals(content)).toBe(true);
  });

  test('shows the certificate that its description tells of', async () => {
    const room = await openTlsRoom();
    const alice = await room.client({ tls: second });
    const fingerprints = [fingerprintOf(first.cert), fingerprintOf(second.cert, 'sha-512')];
    room.offer('alice', { localPath: room.path('alice', 'tls'), remotePath: [alice.path], fingerprints });
    await alice.connect(room.path('alice', 'tls'));
    expect(room.closed).toEqual([]);
  });

  test.each([
    ['another certificate', first, [fingerprintOf(second.cert)]],
    ['none', undefined, [fingerprintOf(second.cert)]],
    ['the right one, told of by a hash that is broken', second, [fingerprintOf(second.cert, 'md5')]],
    ['one of which only a weaker hash tells', second, [fingerprintOf(second.cert, 'sha-1'), fingerprintOf(first.cert)]],
  ])('and shows %s than it told of: 481, and the session waits for the right one', async (_, tls, fingerprints) => {
    const room = await openTlsRoom();
    const stranger = await room.client(tls === undefined ? {} : { tls });
    const opening = { localPath: room.path('alice', 'tls'), remotePath: ['msrps://127.0.0.1:9/alice;tcp'] };
    room.offer('alice', { ...opening, fingerprints });
    expect(await stranger.tryConnect(room.path('alice', 'tls'))).toBe(481);
    expect(room.closed).toEqual([]);
  });

  test('and shows the one that its newest description of the same session tells of', async () => {
    const room = await openTlsRoom();
    const alice = await room.client({ tls: second });
    const opening = { localPath: room.path('alice', 'tls'), remotePath: [alice.path] };
    room.offer('alice', { ...opening, fingerprints: [fingerprintOf(first.cert)] });
    room.offer('alice', { ...opening, fingerprints: [fingerprintOf(second.cert)] });
    await alice.connect(room.path('alice', 'tls'));
    expect(room.closed).toEqual([]);
  });

  test('before its fingerprint is known, and is another: the session is lost once that is known', async () => {
    const room = await openTlsRoom();
    const stranger = await room.client({ tls: first });
    const localPath = room.path('alice', 'tls');
    room.offer('alice', { localPath });
    await stranger.connect(localPath);
    room.offer('alice', { localPath, remotePath: [stranger.path], fingerprints: [fingerprintOf(second.cert)] });
    expect(room.closed).toEqual(["alice: the peer's certificate is not the one that its description tells of"]);
    await stranger.waitForClose();
  });

  test('a session of msrps is not had over TCP', async () => {
    const room = await openTlsRoom();
    const stranger = await room.client();
    const localPath = room.path('alice', 'tls');
    room.offer('alice', { localPath, remotePath: ['msrps://127.0.0.1:9/alice;tcp'] });
    await stranger.dial(room.path('alice'));
    stranger.sendFirst('tttt', localPath);
    expect(await stranger.waitForStatus('tttt')).toBe(481);
  });

  test('a handshake that does not come lets nobody wait: the connection is closed', async () => {
    const room = await openTlsRoom();
    const silent = await room.client();
    await silent.dial(room.path('alice', 'tls').replace('msrps', 'msrp'));
    silent.write('MSRP tttt SEND\r\n');
    await silent.waitForClose();
    expect(room.shell.counts().connections).toBe(0);
  });
});

describe('a peer we connect to over TLS', () => {
  test('CC-170 is known by its fingerprint, whoever signed its certificate', async () => {
    const room = await openTlsRoom({ authorities: first.cert });
    const bob = await room.client({ listen: true, tls: second });
    const localPath = room.path('bob', 'tls');
    room.offer('bob', {
      localPath,
      remotePath: [bob.path],
      role: 'active',
      fingerprints: [fingerprintOf(second.cert)],
    });
    await bob.waitForConnection();
    expect(bob.requests[0]).toMatchObject({ method: 'SEND', body: null, fromPath: [localPath] });
    expect(room.closed).toEqual([]);
  });

  test('or by an authority, without one', async () => {
    const room = await openTlsRoom();
    const bob = await room.client({ listen: true, tls: second });
    room.offer('bob', { localPath: room.path('bob', 'tls'), remotePath: [bob.path], role: 'active' });
    await bob.waitForConnection();
    expect(room.closed).toEqual([]);
  });

  test('another certificate than was told of is not talked to', async () => {
    const room = await openTlsRoom();
    const bob = await room.client({ listen: true, tls: second });
    const opening = { localPath: room.path('bob', 'tls'), remotePath: [bob.path], role: 'active' } as const;
    room.offer('bob', { ...opening, fingerprints: [fingerprintOf(first.cert)] });
    expect(await room.waitForClosed(1)).toEqual([
      "bob: the peer's certificate is not the one that its description tells of",
    ]);
    expect(bob.requests).toEqual([]);
  });

  test('nor is one that nobody vouches for, or of another host', async () => {
    const room = await openTlsRoom();
    const domain = certificatePair('domain');
    const bob = await room.client({ listen: true, tls: domain });
    room.offer('bob', { localPath: room.path('bob', 'tls'), remotePath: [bob.path], role: 'active' });
    expect((await room.waitForClosed(1))[0]).toMatch(/^bob: .*(does not match|not in the cert)/);
  });
});

describe('RFC 8122 6 a connection to a host and port that sessions share is what each of them was told', () => {
  const wrong = "the peer's certificate is not the one that its description tells of";

  test('also when the second comes while it is being made', async () => {
    const room = await openTlsRoom();
    const peer = await room.client({ listen: true, tls: second });
    const opening = { remotePath: [peer.path], role: 'active' } as const;
    room.offer('bob', { ...opening, localPath: room.path('bob', 'tls'), fingerprints: [fingerprintOf(second.cert)] });
    room.offer('ted', { ...opening, localPath: room.path('ted', 'tls'), fingerprints: [fingerprintOf(first.cert)] });
    room.offer('ann', { ...opening, localPath: room.path('ann', 'tls'), fingerprints: [fingerprintOf(second.cert)] });
    expect(await room.waitForClosed(1)).toEqual([`ted: ${wrong}`]);
    await waitFor('both greetings', () => peer.requests.length === 2);
    expect(peer.requests.map(({ fromPath }) => fromPath[0])).toEqual([
      room.path('bob', 'tls'),
      room.path('ann', 'tls'),
    ]);
  });

  test('who was told no fingerprint trusts no certificate that only another’s vouches for', async () => {
    const room = await openTlsRoom({ authorities: first.cert });
    const peer = await room.client({ listen: true, tls: second });
    const opening = { remotePath: [peer.path], role: 'active' } as const;
    room.offer('bob', { ...opening, localPath: room.path('bob', 'tls'), fingerprints: [fingerprintOf(second.cert)] });
    await peer.waitForConnection();
    room.offer('ted', { ...opening, localPath: room.path('ted', 'tls') });
    expect((await room.waitForClosed(1))[0]).toMatch(/^ted: /);
    expect(peer.requests).toHaveLength(1);
  });
});

test('the certificate is the one in its files, and our descriptions tell its fingerprint', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'msrp-certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const put = (name: 'server' | 'second'): void => {
    copyFileSync(certificateFiles(name).certFile, files.certFile);
    copyFileSync(certificateFiles(name).keyFile, files.keyFile);
  };
  const told = (pem: Buffer): string => `sha-256 ${fingerprintOf(pem).value}`;
  put('server');
  const room = await openTlsRoom({ certificate: files });
  expect(room.shell.present().fingerprint).toBe(told(first.cert));
  put('second');
  room.clock.turn(limits.certificateLookMs);
  expect(room.shell.present().fingerprint).toBe(told(second.cert));
  const socket = connect({ host: '127.0.0.1', port: room.address.tlsPort ?? 0, ca: authority });
  onTestFinished(() => void socket.destroy());
  const shown = await waitFor('a handshake', () => socket.getPeerCertificate()?.raw);
  expect(shown.equals(new X509Certificate(second.cert).raw)).toBe(true);
});
