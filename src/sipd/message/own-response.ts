/** Answers the stack gives by itself, without an application (RFC 3261 8.2.6). */

import type { SipHeader } from '../../wire/sip-message.ts';
import { firstVia, markVia, type Via, viaParam, writeVia } from '../../wire/via.ts';
import type { Peer } from '../input.ts';
import { isName } from '../target/next-hop.ts';
import { defaultPort } from '../target/transports.ts';
import { tagOf } from './address.ts';
import type { IncomingRequest, Refusal } from './incoming.ts';
import { reasonPhrase } from './reason-phrases.ts';

export type OwnResponse = {
  readonly status: number;
  readonly reason?: string;
  /** The tag for the To header when it has none; null leaves it without (100). */
  readonly toTag: string | null;
  readonly headers?: readonly SipHeader[];
};

/** What every answer repeats of its request (8.2.6.2). A Map, since the keys come from outside. */
const repeated: ReadonlyMap<string, string> = new Map([
  ['via', 'Via'],
  ['from', 'From'],
  ['to', 'To'],
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
]);

/** The text of an answer to a request that was understood. */
export function writeOwnResponse(request: IncomingRequest, response: OwnResponse): string {
  let text = `SIP/2.0 ${response.status} ${response.reason ?? reasonPhrase(response.status)}\r\n`;
  for (const { key, value } of request.headers) {
    const name = repeated.get(key);
    if (name !== undefined) {
      const tagged = key === 'to' && request.toTag === null && response.toTag !== null;
      text += `${name}: ${value}${tagged ? `;tag=${response.toTag}` : ''}\r\n`;
      // RFC 3261 8.2.6.1.
    } else if (key === 'timestamp' && response.status === 100) text += `Timestamp: ${value}\r\n`;
  }
  for (const { name, value } of response.headers ?? []) text += `${name}: ${value}\r\n`;
  return `${text}Content-Length: 0\r\n\r\n`;
}

/** The text of an answer to a request that was not understood: repeats what can be read of it. */
export function writeRefusal(refusal: Refusal, from: Peer): string {
  let text = `SIP/2.0 ${refusal.status} ${refusal.reason}\r\n`;
  let viaSeen = false;
  for (const { key, value } of refusal.scan.headers) {
    const name = repeated.get(key);
    if (name === undefined) continue;
    if (key === 'via' && !viaSeen) {
      viaSeen = true;
      text += `Via: ${topVia(refusal, from, value)}\r\n`;
    } else if (key === 'to') text += `To: ${value}${refusalTag(value, refusal)}\r\n`;
    else text += `${name}: ${value}\r\n`;
  }
  return `${text}Content-Length: 0\r\n\r\n`;
}

/**
 * Where an answer goes. RFC 3261 18.2.2: a stream answers on its connection; a datagram goes to the source address, at
 * the source port if the client asked so (RFC 3581 4), else at the port of its Via. A Via that cannot be read: the source.
 * maddr is not followed, nor is sent-by looked up (ours, against 18.2.2): what comes from one address shall not make us
 * send to another. The name in a sent-by is always passed by for `received`, which `markVia` adds.
 */
export function replyPeer(from: Peer, via: Via | null): Peer {
  if (from.protocol !== 'udp' || via === null || viaParam(via, 'rport') !== undefined) return from;
  return { ...from, port: via.port ?? 5060 };
}

/**
 * Where an answer goes when the connection of its request has closed. RFC 3261 18.2.2: to the address it came from, at the
 * port of the Via or the usual one of the transport. RFC 5922 7: whoever is there proves the name the Via has.
 */
export function fallbackPeer(from: Peer, { host, port }: Via): Peer {
  const peer = { ...from, port: port ?? defaultPort(from.protocol), connection: null };
  return from.protocol === 'tls' && isName(host) ? { ...peer, name: host } : peer;
}

/** RFC 3261 8.2.7: a stateless server gives the same request the same To tag, hence one computed from the request. */
export function statelessTag(seed: string): string {
  // FNV-1a over the octets.
  let hash = 0x811c9dc5;
  for (let at = 0; at < seed.length; at += 1) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193) >>> 0;
  return `s${hash.toString(36)}`;
}

function topVia(refusal: Refusal, from: Peer, value: string): string {
  if (refusal.topVia === null) return value;
  const { rest } = firstVia(value);
  return `${writeVia(markVia(refusal.topVia, from))}${rest === '' ? '' : `, ${rest}`}`;
}

function refusalTag(value: string, refusal: Refusal): string {
  try {
    if (tagOf(value) !== null) return '';
  } catch {
    // An unclosed quote: whatever is appended would become part of it.
    return '';
  }
  return `;tag=${statelessTag(refusal.scan.startLine + refusal.scan.headers.map((each) => each.value).join())}`;
}
