import { randomFillSync, randomInt, randomUUID } from 'node:crypto';
import type { Ids } from './core/ids.ts';

/** Identifiers nobody can guess, each as long as its standard asks. */
export const randomIds: Ids = {
  row: uuidV7,
  // Our bound: at least 96 random bits, since whoever knows a conference URI may try to join.
  conferenceUser: () => random(13, 'hex'),
  // RFC 3261 19.3: at least 32 random bits.
  tag: () => random(8, 'hex'),
  callId: () => random(16, 'hex'),
  // RFC 4975 14.1: at least 80 random bits.
  msrpSession: () => random(15, 'base64url'),
  sdpSession: () => String(randomInt(2 ** 47)),
  glarePause: () => 10 * randomInt(201),
  retryAfter: () => randomInt(11),
};

/** Those that MSRP carries. */
export const randomMsrpIds = {
  // RFC 4975 7.1: at least 64 random bits, in no more than 24 characters.
  transaction: (): string => random(9, 'hex'),
  messageId: (): string => random(12, 'hex'),
};

let timeNow = 0;
let timeText = '';

/** RFC 9562 5.7: milliseconds first, so that keys sort by time, then what a version 4 has behind its version. */
function uuidV7(): string {
  const now = Date.now();
  if (now !== timeNow) {
    timeNow = now;
    const hex = now.toString(16).padStart(12, '0');
    timeText = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  return timeText + randomUUID().slice(15);
}

/** Random octets that nobody has been given yet: asking the system for those of one identifier costs as much as for all. */
const store = Buffer.alloc(8 * 1024);
let used = store.length;

function random(octets: number, encoding: 'hex' | 'base64url'): string {
  if (used + octets > store.length) {
    randomFillSync(store);
    used = 0;
  }
  const text = store.toString(encoding, used, used + octets);
  used += octets;
  return text;
}
