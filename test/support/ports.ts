/** Ports of loopback for programs that cannot pick one themselves. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Address, openSipSocket, type Transport } from './sip-socket.ts';

/** A loopback address whose port is free for UDP and TCP alike. */
export async function freeAddress(): Promise<Address> {
  for (;;) {
    const tcp = await openSipSocket('tcp', () => {});
    const udp = createSocket('udp4').bind(tcp.address.port, tcp.address.host);
    // Other tests have sockets too: a port that is free for TCP may be taken for UDP.
    const free = await once(udp, 'listening').then(
      () => true,
      () => false,
    );
    if (free) udp.close();
    await tcp.close();
    if (free) return tcp.address;
  }
}

/** Whether somebody listens on that port; asks the kernel, since any packet would be a call to some. */
export async function isListening(transport: Transport, { port }: Address): Promise<boolean> {
  const digits = port.toString(16).toUpperCase().padStart(4, '0');
  const table = await readFile(`/proc/net/${transport}`, 'utf8');
  return new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${digits} 00000000:0000 `, 'm').test(table);
}
