import { randomBytes, randomInt } from 'node:crypto';
import type { Ids } from './core/ids.ts';

/** Identifiers nobody can guess, each as long as its standard asks. */
export const randomIds: Ids = {
  row: uuidV7,
  // Our bound: at least 96 random bits, since whoever knows a conference URI may try to join.
  conferenceUser: () => randomBytes(13).toString('hex'),
  // RFC 3261 19.3: at least 32 random bits.
  tag: () => randomBytes(8).toString('hex'),
  callId: () => randomBytes(16).toString('hex'),
  // RFC 4975 14.1: at least 80 random bits.
  msrpSession: () => randomBytes(15).toString('base64url'),
  sdpSession: () => String(randomInt(2 ** 47)),
  glarePause: () => 10 * randomInt(201),
  retryAfter: () => randomInt(11),
};

/** RFC 9562 5.7: milliseconds first, so that keys sort by time, then random bits. */
function uuidV7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
