/** Started with few file descriptors: uses them up, then sends a request to the UDP port it was given, and tells. */
import { openSync } from 'node:fs';
import { UdpTransport } from '../../../src/sipd/transport/udp.ts';

const [port] = process.argv.slice(2).map(Number);
const udp = await UdpTransport.open({
  host: '127.0.0.1',
  port: 0,
  listener: 0,
  onMessage: (_from, text) => {
    process.stdout.write(`${text}\n`);
    process.exit();
  },
  onUnreachable: (_peer, reason) => {
    process.stdout.write(`unreachable: ${reason}\n`);
    process.exit();
  },
});
try {
  for (;;) openSync('/dev/null', 'r');
} catch {
  udp.send({ protocol: 'udp', host: '127.0.0.1', port: port ?? 0, connection: null, listener: null }, 'request', true);
}
