/** The ways of later requests through us: our entries in Record-Route (RFC 3261 16.6 step 4, 16.7 step 8) and in Route. */

import { parseSipUri, type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { readAddress } from '../message/address.ts';
import { readLength } from '../message/checks.ts';
import type { IncomingRequest, IncomingResponse } from '../message/incoming.ts';
import type { OwnAddress } from '../own-addresses.ts';
import { MovedTargets } from './moved-targets.ts';
import { namesUs, type RouteInformation, routeInformation, tryUri } from './route-information.ts';
import { flowText, placeOf, RouteMarks, type Shown } from './route-marks.ts';

/** No tag: it has a blank. */
const anybody = ' ';

/** RFC 3261 12.2: methods whose Contact is where the sender wants to be reached from then on. */
const refreshing: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** Writes our entries, and knows them again. */
export class RecordedWays {
  readonly #context: Context;
  readonly #marks: RouteMarks;
  readonly #moved = new MovedTargets();

  constructor(context: Context) {
    this.#context = context;
    this.#marks = new RouteMarks(context.ids);
  }

  /** What the Route of a request says. Throws RemoteError 400 for one that cannot be read. */
  read(request: IncomingRequest): RouteInformation {
    const { callId, fromTag, toTag } = request;
    return routeInformation(request, this.#context.own, (entry, next) => {
      const place = placeOf(next);
      const mayGo = this.#moved.isAt(callId, toTag ?? '', place);
      return this.#marks.judge(entry, { callId, place, fromTag: fromTag ?? '', toTag: toTag ?? '', mayGo });
    });
  }

  /** Who is at the other end of the connection that our Route names; `closed`: nobody any more; null: it names none, or the sender’s. */
  connected(request: IncomingRequest, { mark, flow }: RouteInformation): Peer | 'closed' | null {
    const connection = mark === 'valid' ? readLength(flow) : null;
    if (connection === null || connection === request.from.connection) return null;
    return this.#context.peerOf(connection) ?? 'closed';
  }

  /** Our Record-Routes in a copy that goes out from `own`, the top one first: they lead back to the sender. */
  recordRoutes(request: IncomingRequest, own: OwnAddress, secure: boolean): readonly string[] {
    const heard = this.#context.own.of(request.from);
    const connection = usesFlow(heard) ? (request.from.connection ?? '') : '';
    const back = {
      callId: request.callId,
      way: 'back',
      tag: request.fromTag ?? '',
      place: this.#placeBack(request),
    } as const;
    const write = (of: OwnAddress, flow: string): string =>
      `<${writeSipUri(this.#marks.write(parseSipUri(routeUri(of, secure)), { ...back, flow }))}>`;
    const towardsCaller = write(heard, String(connection));
    // RFC 5658 4: between two networks or transports each side gets the address it can reach.
    return heard === own ? [towardsCaller] : [write(own, ''), towardsCaller];
  }

  /**
   * RFC 3261 16.7 step 8: the Record-Routes of an answer as the sender of the request is to have them: ours lead onward, to
   * whoever has answered, and name the connection where nothing else leads there.
   */
  returned(request: IncomingRequest, response: IncomingResponse): readonly string[] {
    const { callId, fromTag } = request;
    const tag = fromTag ?? '';
    const shown = { callId, place: this.#placeBack(request), fromTag: anybody, toTag: tag, mayGo: false };
    const top = response.recordRoutes.findIndex((value) => this.#marked(value, shown) !== null);
    const beyond = response.recordRoutes.slice(0, Math.max(top, 0)).toReversed();
    const place = placeOf(this.#firstForeign(beyond) ?? response.target ?? '');
    return response.recordRoutes.map((value, at) => {
      const uri = this.#marked(value, shown);
      if (uri === null) return value;
      const flow = at === top ? this.#flowTo(response.from) : null;
      const marked = { callId, way: 'onward', tag, flow: flow ?? flowText(uri), place } as const;
      return `<${writeSipUri(this.#marks.write(uri, marked))}>${readAddress(value).params}`;
    });
  }

  /** A request within a dialog passes: its sender may have moved. */
  passed({ method, callId, fromTag, target }: IncomingRequest): void {
    if (refreshing.has(method) && target !== null) this.#moved.note(callId, fromTag ?? '', placeOf(target));
  }

  /** It has been accepted: whoever did that may have moved, or the call is over. */
  accepted({ method, callId, fromTag, toTag, uri }: IncomingRequest, { target }: IncomingResponse): void {
    if (method === 'BYE') this.#moved.forget(callId, fromTag ?? '', toTag ?? '');
    if (!refreshing.has(method) || target === null) return;
    const place = placeOf(target);
    if (place !== placeOf(uri)) this.#moved.note(callId, toTag ?? '', place);
  }

  /** The entry when it is ours and has that mark. */
  #marked(value: string, shown: Shown): SipUri | null {
    const text = readAddress(value).uri;
    const uri = namesUs(text, this.#context.own) ? tryUri(text) : null;
    return uri !== null && this.#marks.judge(uri, shown) === 'valid' ? uri : null;
  }

  /** Where requests go from us on their way back to the sender of this one. */
  #placeBack({ recordRoutes, target }: IncomingRequest): string {
    return placeOf(this.#firstForeign(recordRoutes) ?? target ?? '');
  }

  #firstForeign(values: readonly string[]): string | undefined {
    return values.map((value) => readAddress(value).uri).find((uri) => !namesUs(uri, this.#context.own));
  }

  /** Null: the peer has an address. */
  #flowTo(peer: Peer): string | null {
    return usesFlow(this.#context.own.of(peer)) && peer.connection !== null ? String(peer.connection) : null;
  }
}

/** RFC 3261 16.6 step 4: loose routing, an address the next hop can reach; sips where the request has it. */
export function routeUri(own: OwnAddress, secure: boolean): string {
  const scheme = secure && (own.protocol === 'tls' || own.protocol === 'wss') ? 'sips' : 'sip';
  const transport = own.protocol === 'udp' ? '' : `;transport=${own.protocol}`;
  return `${scheme}:${own.host}:${own.port}${transport};lr`;
}

/** RFC 7118 5, RFC 5626 5.3: a browser can be reached by the connection it has opened and by nothing else. */
function usesFlow({ protocol }: OwnAddress): boolean {
  return protocol === 'ws' || protocol === 'wss';
}
