/** The anchor of an idle dialog: objects that keep an INVITE and two SDPs, and nothing else. Argument: how many. */

import { sdp } from './answer.ts';
import { answerParent, heapUsed } from './usage.ts';

const count = Number(process.argv[2]);
const octets = (): number => {
  globalThis.gc?.();
  return heapUsed();
};

const before = octets();
const kept = Array.from({ length: count }, (_, at) => ({
  callId: `${at}-caller@127.0.0.1`,
  // Built octet by octet, as a message that has come over a socket is.
  invite: Buffer.from(
    `INVITE sip:bench@127.0.0.1 SIP/2.0\r\nCall-ID: ${at}\r\n${'X-Filler: 0123456789\r\n'.repeat(16)}\r\n${sdp}`,
  ).toString('latin1'),
  offer: Buffer.from(`${sdp}a=x:${at}\r\n`).toString('latin1'),
  answer: Buffer.from(`${sdp}a=y:${at}\r\n`).toString('latin1'),
}));
const octetsEach = (octets() - before) / count;
answerParent(0, () => ({ octetsEach, kept: kept.length }));
