/** Which addresses are trusted: proxies and gateways of one's own, which the limits for single sources do not bind. */

import { BlockList, isIP } from 'node:net';

/** Tells of an IP address whether it is one of `peers`: addresses or CIDR. Throws one sentence when a peer is neither. */
export function trustedSources(peers: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const peer of peers) add(list, peer);
  if (peers.length === 0) return () => false;
  return (address) => {
    const plain = withoutZone(address);
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function add(list: BlockList, peer: string): void {
  const [address = '', prefix, ...more] = peer.split('/');
  const family = isIP(address);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : Number(prefix);
  const isPrefix = prefix === undefined || /^\d{1,3}$/.test(prefix);
  if (family === 0 || !isPrefix || length > bits || more.length > 0) {
    throw new Error(`A trusted peer is an IP address or a CIDR block, not "${peer}".`);
  }
  list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
}

function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent === -1 ? address : address.slice(0, percent);
}
