/** The order in which NAPTR and SRV records are to be tried (RFC 3263 4.1, RFC 3403 4.1, RFC 2782). */

import type { Protocol } from '../input.ts';
import type { NaptrRecord, SrvRecord } from './questions.ts';
import { transportOfService } from './transports.ts';

/** A place to look for SRV records, and the transport they are for. */
export type Service = { readonly protocol: Protocol; readonly name: string };

/** The services of those records that we can use, best first. */
export function servicesOf(records: readonly NaptrRecord[], allowed: readonly Protocol[]): readonly Service[] {
  const usable = records.flatMap((record) => {
    const protocol = transportOfService(record.service, allowed);
    // RFC 3263 4.1: SIP uses the flag "s" and a replacement, never a regular expression.
    const plain = record.flags.toLowerCase() === 's' && record.regexp === '' && record.replacement !== '';
    return protocol === null || !plain ? [] : [{ ...record, protocol }];
  });
  // RFC 3403 4.1: once a record of one order matches, none of another order is considered.
  const order = Math.min(...usable.map((each) => each.order));
  return usable
    .filter((each) => each.order === order)
    .sort((a, b) => a.preference - b.preference)
    .map(({ protocol, replacement }) => ({ protocol, name: replacement }));
}

/** RFC 2782: by priority, within one by chance according to the weights. `random32` gives integers below 2**32. */
export function orderByWeight(records: readonly SrvRecord[], random32: () => number): readonly SrvRecord[] {
  // RFC 2782: those of weight 0 stand at the beginning, so that they have a very small chance and not none.
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) ordered.push(...left.splice(drawn(left, random32), 1));
  return ordered;
}

/** Index of the record drawn among those of the first priority. */
function drawn(sorted: readonly SrvRecord[], random32: () => number): number {
  const priority = sorted[0]?.priority;
  const next = sorted.findIndex((each) => each.priority !== priority);
  const peers = next === -1 ? sorted : sorted.slice(0, next);
  if (peers.length < 2) return 0;
  const total = peers.reduce((sum, { weight }) => sum + weight, 0);
  const point = random32() % (total + 1);
  let sum = 0;
  return peers.findIndex(({ weight }) => {
    sum += weight;
    return sum >= point;
  });
}
