/**
 * Our entry in Record-Route, and how we know it again. Whoever sends a request with our Route wants it forwarded to
 * wherever its Request-URI says, without any application being asked; a server that obeyed everybody would be an open
 * relay. So the entry carries a mark that only we can make: a keyed hash of the Call-ID. Only those who took part in
 * a call that an application had us forward ever see it, and it is good for the requests of that call alone. The key
 * is drawn anew with each start: nothing is stored, and the marks of a former life are known to be ours no more.
 */

import { createHash } from 'node:crypto';
import { type SipUri, uriParam } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import type { Peer } from '../input.ts';
import { readLength } from '../message/checks.ts';
import type { OwnAddress } from '../own-addresses.ts';

/** `valid`: ours, for this call. `stale`: looks like ours, but of another call or another life. `none`: not a mark. */
export type MarkVerdict = 'valid' | 'stale' | 'none';

const markParam = 'mark';
const flowParam = 'flow';
/** Hexadecimal digits: 96 bits are more than anybody can guess. */
const markLength = 24;

export type RouteEntry = {
  readonly callId: string;
  /** Whether the request goes to a sips URI. */
  readonly secure: boolean;
  /** The peer on this side, as far as it is known. */
  readonly flow: Peer | null;
};

/** RFC 7118 5, RFC 5626 5.3: a browser can be reached by the connection it has opened and by nothing else. */
export function usesFlow({ protocol }: OwnAddress): boolean {
  return protocol === 'ws' || protocol === 'wss';
}

/** The connection an entry of ours names, null: none. To be believed only with a valid mark. */
export function flowOf(uri: SipUri): number | null {
  const flow = uriParam(uri, flowParam);
  return flow === undefined || flow === null ? null : readLength(flow);
}

/** RFC 3261 16.6 step 4: loose routing, an address the next hop can reach; sips where the request has it. */
export function routeUri(own: OwnAddress, secure: boolean): string {
  const scheme = secure && (own.protocol === 'tls' || own.protocol === 'wss') ? 'sips' : 'sip';
  const transport = own.protocol === 'udp' ? '' : `;transport=${own.protocol}`;
  return `${scheme}:${own.host}:${own.port}${transport};lr`;
}

/** Makes and judges the marks of one stack. */
export class RouteMarks {
  readonly #ids: Ids;
  #key: string | null = null;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  /** The Record-Route value for one of our addresses. */
  write(own: OwnAddress, { callId, secure, flow }: RouteEntry): string {
    const connection = usesFlow(own) ? (flow?.connection ?? null) : null;
    const flowed = connection === null ? '' : `;${flowParam}=${connection}`;
    return `<${routeUri(own, secure)}${flowed};${markParam}=${this.#markOf(callId, String(connection ?? ''))}>`;
  }

  judge(uri: SipUri, callId: string): MarkVerdict {
    const mark = uriParam(uri, markParam);
    if (mark === undefined || mark === null) return 'none';
    return mark === this.#markOf(callId, uriParam(uri, flowParam) ?? '') ? 'valid' : 'stale';
  }

  // HMAC in its plain form: a key of fixed length before the text, hashed, and again before that hash.
  #markOf(callId: string, flow: string): string {
    this.#key ??= Array.from({ length: 8 }, () => this.#ids.random32().toString(16).padStart(8, '0')).join('');
    const inner = createHash('sha256').update(`${this.#key}${callId} ${flow}`, 'latin1').digest('hex');
    return createHash('sha256').update(`${this.#key}${inner}`, 'latin1').digest('hex').slice(0, markLength);
  }
}
