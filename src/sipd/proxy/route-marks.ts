/**
 * How we know our own entry in Record-Route again. Whoever sends a request with our Route wants it forwarded without any
 * application being asked; a server that obeyed everybody would be an open relay. So the entry carries a mark that only we
 * can make, in two parts, each a keyed hash. The first says who may use it: requests of one Call-ID, with the tag of one
 * side in From or To, which tells the way they go. The second says where it leads: to the next hop of that way and nowhere
 * else, so that nobody who has once called through us can have anything delivered to anybody. The key is drawn anew with
 * each start: nothing is stored, and the marks of a former life are known to be ours no more.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { type SipUri, uriParam } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import { readHop } from '../target/next-hop.ts';

/** `valid`: ours, for this request. `stale`: looks like ours, but of another call, way or life. `none`: not a mark. */
export type MarkVerdict = 'valid' | 'stale' | 'none';

/** What a mark stands for. */
export type Marked = {
  readonly callId: string;
  /** `back`: requests go to the side that sent the request we put the mark into; `onward`: they come from it. */
  readonly way: 'back' | 'onward';
  /** The tag of that side. */
  readonly tag: string;
  /** The connection the entry names; empty: none. */
  readonly flow: string;
  /** Where such requests go next: `placeOf`. */
  readonly place: string;
};

/** What a request shows of itself. `mayGo`: the way has changed since (a new Contact), and the place is right. */
export type Shown = Pick<Marked, 'callId' | 'place'> & {
  readonly fromTag: string;
  readonly toTag: string;
  readonly mayGo: boolean;
};

const markParam = 'mark';
const flowParam = 'flow';
/** Hexadecimal digits of each part: 96 bits are more than anybody can guess. */
const partLength = 24;

/** Where a URI leads: host and port, maddr taken for the host. Empty when it leads nowhere. */
export function placeOf(uri: string): string {
  const reading = readHop(uri);
  if (reading.kind !== 'hop') return '';
  const { host, port, scheme, transport } = reading.hop;
  // RFC 3261 19.1.2.
  const usual = scheme === 'sips' || transport === 'tls' ? 5061 : 5060;
  return `${host}:${port ?? usual}`;
}

/** The connection an entry of ours names as it stands there; empty: none. To be believed only with a valid mark. */
export function flowText(uri: SipUri): string {
  return uriParam(uri, flowParam) ?? '';
}

/** Whether a URI has a mark, be it ours or not. */
export function hasMark(uri: SipUri): boolean {
  return typeof uriParam(uri, markParam) === 'string';
}

/** Makes and judges the marks of one stack. */
export class RouteMarks {
  readonly #ids: Ids;
  #key: string | null = null;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  /** The URI with flow and mark, in place of those it may have. */
  write(uri: SipUri, marked: Marked): SipUri {
    const params = uri.params.filter(({ name }) => name !== markParam && name !== flowParam);
    if (marked.flow !== '') params.push({ name: flowParam, value: marked.flow });
    params.push({ name: markParam, value: `${marked.way}.${this.#who(marked)}.${this.#where(marked)}` });
    return { ...uri, params };
  }

  /** Judges the mark of a URI on a request. */
  judge(uri: SipUri, { callId, place, fromTag, toTag, mayGo }: Shown): MarkVerdict {
    if (!hasMark(uri)) return 'none';
    const [way, who = '', where = ''] = (uriParam(uri, markParam) ?? '').split('.');
    // Nobody sends to itself: one side could then say where the other is (see `mayGo`).
    if ((way !== 'back' && way !== 'onward') || fromTag === toTag) return 'stale';
    const marked: Marked = { callId, way, tag: way === 'back' ? toTag : fromTag, flow: flowText(uri), place };
    if (!isSame(who, this.#who(marked))) return 'stale';
    return mayGo || isSame(where, this.#where(marked)) ? 'valid' : 'stale';
  }

  #who({ callId, way, tag, flow }: Marked): string {
    return this.#hash(`who ${way} ${callId} ${tag} ${flow}`);
  }

  #where({ callId, way, tag, place }: Marked): string {
    return this.#hash(`where ${way} ${callId} ${tag} ${place}`);
  }

  // RFC 2104.
  #hash(text: string): string {
    this.#key ??= Array.from({ length: 8 }, () => this.#ids.random32().toString(16).padStart(8, '0')).join('');
    return createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, partLength);
  }
}

/** Compares without telling by its time how much of a guess was right. */
function isSame(guess: string, right: string): boolean {
  return guess.length === right.length && timingSafeEqual(Buffer.from(guess, 'latin1'), Buffer.from(right, 'latin1'));
}
