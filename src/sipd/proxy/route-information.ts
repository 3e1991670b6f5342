/** What a received request says about its way: our own entries taken out of it (RFC 3261 16.4). */

import { RemoteError } from '../../wire/remote-error.ts';
import { parseSipUri, type SipUri, uriParam, withoutHeaders, writeSipUri } from '../../wire/sip-uri.ts';
import { addressList, readAddress } from '../message/address.ts';
import { allValues, type IncomingRequest } from '../message/incoming.ts';
import type { OwnAddresses } from '../own-addresses.ts';
import { flowText, hasMark, type MarkVerdict } from './route-marks.ts';

export type RouteInformation = {
  /** Request-URI, what a strict router or maddr did to it undone. */
  readonly uri: string;
  /** Route values that are left: nobody of ours. */
  readonly routes: readonly string[];
  /** Whether there was an entry of ours, and what its mark says; the worst of several. */
  readonly mark: MarkVerdict | null;
  /** The connection that the last of our entries names, as it stands there; empty: none does. */
  readonly flow: string;
};

/** Reads it; `judge` says what the mark of an entry of ours is worth when `next` is where the request goes after us. Throws RemoteError 400 for a Route that cannot be read. */
export function routeInformation(
  request: IncomingRequest,
  own: OwnAddresses,
  judge: (entry: SipUri, next: string) => MarkVerdict,
): RouteInformation {
  const routes = allValues(request, 'route').flatMap(addressList);
  const ours: SipUri[] = [];
  let { uri } = request;
  const requested = tryUri(uri);
  const last = routes.at(-1);
  // RFC 3261 16.4: a strict router has put our entry into the Request-URI and the target behind all Routes.
  if (requested !== null && last !== undefined && isOwnUri(requested, own) && hasMark(requested)) {
    ours.push(requested);
    uri = requestUri(readAddress(last).uri);
    if (uri.includes(' ') || uri.includes('\t')) throw new RemoteError(400, 'The last Route is no Request-URI');
    routes.pop();
  }
  // Ours stands there twice when we joined two networks (RFC 5658), and once more for each time the request came by.
  for (let [first] = routes; first !== undefined; [first] = routes) {
    const route = tryUri(readAddress(first).uri);
    if (route === null || !isOwnUri(route, own)) break;
    ours.push(route);
    routes.shift();
  }
  uri = withoutOwnMaddr(uri, request, own);
  const [first] = routes;
  const next = first === undefined ? uri : readAddress(first).uri;
  const mark = worst(ours.map((entry) => judge(entry, next)));
  const final = ours.at(-1);
  return { uri, routes, mark, flow: final === undefined ? '' : flowText(final) };
}

/** Whether a URI names this server; one that cannot be read does not. */
export function namesUs(uri: string, own: OwnAddresses): boolean {
  const parsed = tryUri(uri);
  return parsed !== null && isOwnUri(parsed, own);
}

/** The URI when it can be read, else null. */
export function tryUri(text: string): SipUri | null {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

/** RFC 3261 19.1.5: what of a URI goes into a Request-URI. One that cannot be read stays as it is. */
export function requestUri(text: string): string {
  const uri = tryUri(text);
  return uri === null ? text : writeSipUri(withoutHeaders(uri));
}

function isOwnUri(uri: SipUri, own: OwnAddresses): boolean {
  return uri.scheme !== 'tel' && own.isOwn(uri.host, uri.port ?? usualPort(uri));
}

/** RFC 3261 19.1.2. */
function usualPort(uri: SipUri): number {
  return uri.scheme === 'sips' || uriParam(uri, 'transport')?.toLowerCase() === 'tls' ? 5061 : 5060;
}

/** RFC 3261 16.4: a maddr that has led here has done its work, and the port and transport with it. */
function withoutOwnMaddr(uri: string, request: IncomingRequest, own: OwnAddresses): string {
  if (!uri.includes('maddr')) return uri;
  const parsed = tryUri(uri);
  const maddr = parsed === null ? null : uriParam(parsed, 'maddr');
  if (parsed === null || typeof maddr !== 'string') return uri;
  const port = parsed.port ?? usualPort(parsed);
  const transport = (uriParam(parsed, 'transport') ?? 'udp').toLowerCase();
  const heard = own.of(request.from);
  if (!own.isOwn(maddr, port) || heard.port !== port || heard.protocol !== transport) return uri;
  const params = parsed.params.filter(({ name }) => name !== 'maddr' && name !== 'transport');
  return writeSipUri({ ...parsed, port: null, params });
}

function worst(verdicts: readonly MarkVerdict[]): MarkVerdict | null {
  if (verdicts.length === 0) return null;
  if (verdicts.includes('none')) return 'none';
  return verdicts.includes('stale') ? 'stale' : 'valid';
}
