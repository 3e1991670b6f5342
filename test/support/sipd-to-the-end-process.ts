import { once } from 'node:events';
import { connect } from 'node:net';
import { startSipd } from '../../src/sipd/sipd.ts';
import { authorityFile, certificateFiles } from './certificates.ts';
import { type AnyTransport, openSipSocket } from './sip-socket.ts';

// Starts sipd with every transport, talks over each, leaves connections half open, and closes it. Then it says so, and if
// nothing is left it ends by itself.

const silent = (): void => undefined;
const sipd = await startSipd({
  host: '127.0.0.1',
  port: 0,
  tlsPort: 0,
  wsPort: 0,
  wssPort: 0,
  certificate: certificateFiles('server'),
  tls: { caFiles: [authorityFile] },
  control: { host: '127.0.0.1', port: 0, secret: 'x', tlsPort: 0 },
  mode: 'free',
  log: { debug: silent, info: silent, warn: silent, error: silent },
});

const request = (transport: AnyTransport): string =>
  [
    'OPTIONS sip:focus@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/${transport.toUpperCase()} 127.0.0.1;rport;branch=z9hG4bK-${transport}`,
    'From: <sip:a@b>;tag=1',
    'To: <sip:c@d>',
    `Call-ID: ${transport}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

const talks = sipd.addresses.map(async ({ protocol, host, port }) => {
  let answered = (): void => undefined;
  const answer = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const socket = await openSipSocket(protocol, () => answered());
  socket.send(request(protocol), { host, port });
  await answer;
  return socket;
});
const clients = await Promise.all(talks);
const ports = sipd.addresses.filter(({ protocol }) => protocol !== 'udp').map(({ port }) => port);
const ends: Promise<unknown>[] = [];
for (const port of [...ports, sipd.controlPort, sipd.controlTlsPort ?? 0]) {
  const socket = connect(port, '127.0.0.1').on('error', silent).resume();
  await once(socket, 'connect');
  ends.push(once(socket, 'close'));
}
await sipd.close();
await Promise.all([...ends, ...clients.map((client) => client.close())]);
console.log('closed');
