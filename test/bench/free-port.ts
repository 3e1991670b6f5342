import { openSipSocket } from '../support/sip-socket.ts';

/** A UDP port of 127.0.0.1 that was free just now. */
export async function freePort(): Promise<number> {
  const socket = await openSipSocket('udp', () => undefined);
  await socket.close();
  return socket.address.port;
}
