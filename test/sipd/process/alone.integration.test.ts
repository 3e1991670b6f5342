/** What a person meets who starts sipd alone, and the application on its page in docs. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { codeBlock } from '../../tidy/documents.ts';
import { sourceFile } from '../../tidy/source-files.ts';
import { Peer, tag, value } from '../peer.ts';
import { NodeProcess, portsOf, runSipd } from './alone.ts';

test('npm run sipd is what these tests start', () => {
  const { scripts } = JSON.parse(sourceFile('package.json').text) as { scripts: Record<string, string> };
  expect(scripts['sipd']).toBe('exec node --import tsx src/sipd/main.ts');
});

test.each(['SIGTERM', 'SIGINT'] as const)('it says where it listens and ends orderly at %s', async (signal) => {
  await using sipd = runSipd({ SIPD_MODE: 'strict', SIPD_SWITCHES: '-drops-refer' });
  const { sip, control } = await portsOf(sipd);
  await sipd.said(/secret: …/);
  expect(await sipd.stop(signal)).toEqual({
    code: 0,
    stdout: [
      'sipd is ready, in strict mode with -drops-refer.',
      '',
      `  SIP      udp 127.0.0.1:${sip}, tcp 127.0.0.1:${sip}`,
      `  Control  127.0.0.1:${control}`,
      `  Connect  srf.connect({ host: '127.0.0.1', port: ${control}, secret: … })`,
      '',
      '',
    ].join('\n'),
    stderr: '',
  });
});

test('every transport, both addresses and the control port over TLS are in the banner', async () => {
  const certificates = fileURLToPath(new URL('../../support/certificates/', import.meta.url));
  await using sipd = runSipd({
    SIP_HOST: '127.0.0.1,::1',
    SIP_TLS_PORT: '0',
    SIP_WS_PORT: '0',
    SIP_WSS_PORT: '0',
    DRACHTIO_TLS_PORT: '0',
    TLS_CERT: `${certificates}server.pem`,
    TLS_KEY: `${certificates}server-key.pem`,
  });
  const [, sip = ''] = await sipd.said(/^ {2}SIP +(.*)$/m);
  const sockets = ['udp', 'tcp', 'tls', 'ws', 'wss'].flatMap((protocol) => [
    `${protocol} 127.0.0.1:n`,
    `${protocol} [::1]:n`,
  ]);
  expect(
    sip
      .replaceAll(/:\d+(?=,|$)/g, ':n')
      .split(', ')
      .sort(),
  ).toEqual(sockets.sort());
  await sipd.said(/^ {2}Control +127\.0\.0\.1:\d+, TLS 127\.0\.0\.1:\d+$/m);
  expect(await sipd.stop()).toMatchObject({ code: 0, stderr: '' });
});

test('--help prints every variable and starts nothing', async () => {
  await using sipd = runSipd({}, '--help');
  const { code, stdout } = await sipd.ending();
  expect([code, stdout.split('\n')[0]]).toEqual([
    0,
    'sipd is a SIP server for drachtio-srf applications, in place of a drachtio server.',
  ]);
  expect(stdout).toContain('DRACHTIO_SECRET');
});

test('an argument it does not know ends the start: it is set up by variables', async () => {
  await using sipd = runSipd({}, '--port=5070');
  expect(await sipd.ending()).toEqual({
    code: 1,
    stdout: '',
    stderr: 'sipd takes no argument but --help, not "--port=5070": it is set up by variables of the environment.\n',
  });
});

test('a bad value and a taken port end the start with one sentence', async () => {
  await using wrong = runSipd({ SIP_TLS_PORT: '0' });
  expect(await wrong.ending()).toEqual({
    code: 1,
    stdout: '',
    stderr: 'TLS_CERT must be set when SIP_TLS_PORT is.\n',
  });
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await using late = runSipd({ DRACHTIO_PORT: String(port) });
  expect(await late.ending()).toEqual({
    code: 1,
    stdout: '',
    stderr: `sipd cannot listen on 127.0.0.1 port ${port}: the port is already in use.\n`,
  });
  taken.close();
});

test('the application on the page runs: it answers a call with its own offer and sends a message back', async () => {
  await using sipd = runSipd({});
  const { sip, control } = await portsOf(sipd);
  const written = codeBlock(sourceFile('docs/sipd.md').text, 'js');
  const code = written.replace('port: 9022', `port: ${control}`);
  expect(code).not.toBe(written);
  await using application = new NodeProcess(['--input-type=module', '--eval', code]);
  await application.said(new RegExp(`^connected to .*udp/127\\.0\\.0\\.1:${sip}`, 'm'));

  const alice = await Peer.open('alice', 'udp', { host: '127.0.0.1', port: sip });
  const sdp = 'v=0\r\no=alice 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
  alice.send(alice.request('INVITE', { body: sdp, more: ['Content-Type: application/sdp'] }));
  const ok = await alice.next('SIP/2.0 200');
  expect(ok.text.split('\r\n\r\n')[1]).toBe(sdp);
  const toTag = tag(ok.text, 'To');
  alice.send(alice.request('ACK', { toTag }));
  alice.send(alice.request('BYE', { toTag, cseq: 2 }));
  expect(value((await alice.next('SIP/2.0 200')).text, 'CSeq')).toBe('2 BYE');

  const note = { callId: 'note', body: 'hello', more: ['Content-Type: text/plain'] };
  alice.send(alice.request('MESSAGE', note));
  expect(value((await alice.next('SIP/2.0 200')).text, 'Call-ID')).toBe('note');
  const echo = await alice.next('MESSAGE ');
  expect([value(echo.text, 'Content-Type'), echo.text.split('\r\n\r\n')[1]]).toEqual(['text/plain', 'hello']);
  alice.answer(echo, '200 OK', { toTag: 'echoed' });
  await alice.close();
  expect(application.stderr).toBe('');
  expect(await sipd.stop()).toMatchObject({ code: 0, stderr: '' });
});
