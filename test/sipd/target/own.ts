import type { Protocol } from '../../../src/sipd/input.ts';
import { type OwnAddress, OwnAddresses } from '../../../src/sipd/own-addresses.ts';

/** A socket for each, as `udp`, or `udp6` for IPv6; at 10.0.0.9 and 2001:db8::9, port 5060, of TLS 5061. */
export function sockets(...names: readonly string[]): readonly OwnAddress[] {
  return names.map((name, listener) => {
    const family = name.endsWith('6') ? 6 : 4;
    const protocol = name.replace('6', '') as Protocol;
    const port = protocol === 'tls' ? 5061 : 5060;
    const bound = family === 6 ? '2001:db8::9' : '10.0.0.9';
    return { listener, protocol, family, host: family === 6 ? `[${bound}]` : bound, port, bound };
  });
}

export function ownOf(...names: readonly string[]): OwnAddresses {
  return new OwnAddresses(sockets(...names), []);
}
