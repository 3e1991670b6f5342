import { expect, test } from 'vitest';
import { UdpTransport } from '../../../src/sipd/transport/udp.ts';

test.each([true, false])('a peer without port is unreachable and nothing throws (heeded: %s)', async (heed) => {
  const lost: string[] = [];
  let told = (): void => undefined;
  const heard = new Promise<void>((resolve) => {
    told = resolve;
  });
  const udp = await UdpTransport.open({
    host: '127.0.0.1',
    port: 0,
    onMessage: () => undefined,
    onUnreachable: (peer) => {
      lost.push(`${peer.host}:${peer.port}`);
      told();
    },
  });
  try {
    udp.send({ protocol: 'udp', host: '127.0.0.1', port: 0, connection: null, listener: null }, 'x', heed);
    await heard;
    expect(lost).toEqual(['127.0.0.1:0']);
  } finally {
    await udp.close();
  }
});
