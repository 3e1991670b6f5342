/** Where a request may go: from destinations of an application, from Contacts of a redirection, from its own Route. */

import { RemoteError } from '../../wire/remote-error.ts';
import type { Peer } from '../input.ts';
import { addressList, paramOf, readAddress } from '../message/address.ts';
import { allValues, type IncomingResponse } from '../message/incoming.ts';
import type { OwnAddresses } from '../own-addresses.ts';
import { type HopReading, isSips, readHop, secured } from '../target/next-hop.ts';
import type { Target } from './branch.ts';
import { namesUs, type RouteInformation, requestUri, tryUri } from './route-information.ts';

export type TargetReading =
  | { readonly kind: 'target'; readonly target: Target }
  /** `status`: for whoever sent the request; `text`: for an application that named the target. */
  | { readonly kind: 'refused'; readonly status: number; readonly text: string };

/**
 * A destination is the next hop; the Request-URI stays what it is (RFC 3261 16.6 step 6), unless it names this server,
 * where the request has arrived: then it is the destination's.
 */
export function destinationTarget(destination: string, route: RouteInformation, own: OwnAddresses): TargetReading {
  const reading = readSecuredHop(destination, route.uri);
  if (reading.kind !== 'hop') return { kind: 'refused', status: 404, text: reading.text };
  const uri = namesUs(route.uri, own) ? requestUri(destination) : route.uri;
  return { kind: 'target', target: { uri, routes: route.routes, hop: reading.hop, destination } };
}

/**
 * RFC 3261 16.6 steps 6 and 7: the next Route decides, else the Request-URI; `connected` is who is at the other end of
 * the connection our own Route has named, null: it has named none.
 */
export function routedTarget(route: RouteInformation, connected: Peer | 'closed' | null): TargetReading {
  const { uri, routes } = route;
  const destination = null;
  const [first, ...rest] = routes;
  if (first === undefined && connected !== null) {
    // RFC 5626 5.3.1: nothing else leads there.
    if (connected === 'closed') return { kind: 'refused', status: 430, text: 'connection is closed' };
    return { kind: 'target', target: { uri, routes, hop: connected, destination } };
  }
  const next = first === undefined ? uri : readAddress(first).uri;
  const reading = readSecuredHop(next, uri);
  if (reading.kind !== 'hop') return { kind: 'refused', status: 404, text: reading.text };
  if (first === undefined || isLoose(next))
    return { kind: 'target', target: { uri, routes, hop: reading.hop, destination } };
  // RFC 3261 16.6 step 6: a strict router wants to find itself in the Request-URI, and the target behind all Routes.
  return {
    kind: 'target',
    target: { uri: requestUri(next), routes: [...rest, `<${uri}>`], hop: reading.hop, destination },
  };
}

/**
 * RFC 3261 16.5: the Contacts of a 3xx, preferred ones first (20.10), as targets of their own. `tried` holds every URI
 * there has been a branch for: no URI is tried twice. With a sips Request-URI only sips will do.
 */
export function redirectedTargets(response: IncomingResponse, secure: boolean, tried: Set<string>): readonly Target[] {
  const contacts = allValues(response, 'contact').flatMap(readContacts);
  contacts.sort((a, b) => b.q - a.q);
  return contacts.flatMap(({ uri }) => {
    if (tried.has(uri) || (secure && !isSips(uri))) return [];
    const reading = readHop(uri);
    if (reading.kind !== 'hop') return [];
    tried.add(uri);
    return [{ uri, routes: [], hop: reading.hop, destination: null }];
  });
}

/** RFC 3261 26.2.2: what was sent to a sips URI goes on by nothing but secured transports. */
function readSecuredHop(next: string, requestUri: string): HopReading {
  const reading = readHop(next);
  return reading.kind === 'hop' && isSips(requestUri) ? { kind: 'hop', hop: secured(reading.hop) } : reading;
}

function readContacts(value: string): readonly { readonly uri: string; readonly q: number }[] {
  try {
    return addressList(value).map((each) => {
      const { uri, params } = readAddress(each);
      const q = Number(paramOf(params, 'q') ?? 1);
      return { uri: requestUri(uri), q: q >= 0 && q <= 1 ? q : 1 };
    });
  } catch (error) {
    // A Contact that cannot be read leads nowhere.
    if (error instanceof RemoteError) return [];
    throw error;
  }
}

function isLoose(route: string): boolean {
  return tryUri(route)?.params.some(({ name }) => name === 'lr') === true;
}
