/** What a proxy checks before it forwards (RFC 3261 16.3, RFC 5393). */

import { RemoteError } from '../../wire/remote-error.ts';
import type { SipHeader } from '../../wire/sip-message.ts';
import { firstVia, parseVia, viaParam } from '../../wire/via.ts';
import { limits } from '../limits.ts';
import { readLength } from '../message/checks.ts';
import { allValues, firstValue, type IncomingRequest } from '../message/incoming.ts';
import { statelessTag } from '../message/own-response.ts';
import type { OwnAddresses } from '../own-addresses.ts';
import type { RouteInformation } from './route-information.ts';

export type Checked =
  | {
      readonly kind: 'fine';
      /** Max-Forwards of what goes on. */
      readonly maxForwards: number;
      /** How many branches there may be at once, here and further on. */
      readonly breadth: number;
      /** The end of our branch parameters: the same for a request that comes round unchanged. */
      readonly loopMark: string;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: readonly SipHeader[] };

/** RFC 3261 20.22. A larger one is no reason to refuse, nor to let anything go round for longer. */
const maxForwardsMax = 255;

/** Checks a request that is to be forwarded. */
export function checkForwarding(request: IncomingRequest, route: RouteInformation, own: OwnAddresses): Checked {
  // RFC 3261 16.3 step 3; 16.6 step 3: 70 where there is none.
  const maxForwards = readCount(request, 'max-forwards');
  if (maxForwards === null) return refused(400);
  if (maxForwards === 0) return refused(483);
  const loopMark = loopMarkOf(request, route);
  // RFC 3261 16.3 step 4: only what comes back as it was is a loop; with another Request-URI it is a spiral.
  if (hasPassed(request, loopMark, own)) return refused(482);
  // RFC 3261 16.3 step 5: we know no option that would have to be known here.
  const required = allValues(request, 'proxy-require').filter((value) => value !== '');
  if (required.length > 0) return refused(420, [{ name: 'Unsupported', value: required.join(', ') }]);
  // RFC 5393 5.3.3: 60 where there is none, and no more than that.
  const breadth = readCount(request, 'max-breadth') ?? limits.proxyBreadthMax;
  if (breadth === 0) return refused(440);
  return {
    kind: 'fine',
    maxForwards: maxForwards === undefined ? 70 : Math.min(maxForwards, maxForwardsMax) - 1,
    breadth: Math.min(breadth, limits.proxyBreadthMax),
    loopMark,
  };
}

/**
 * RFC 5393 4.2.1: made of all that decides where the request goes and of what tells it from others, not of what changes
 * with each hop.
 */
function loopMarkOf(request: IncomingRequest, route: RouteInformation): string {
  const decisive = ['proxy-require', 'proxy-authorization'].flatMap((key) => allValues(request, key));
  const identity = [request.callId, request.fromTag ?? '', request.toTag ?? '', request.cseq, request.method];
  return statelessTag([route.uri, ...route.routes, ...identity, ...decisive].join('\n'));
}

function hasPassed(request: IncomingRequest, loopMark: string, own: OwnAddresses): boolean {
  return allValues(request, 'via').some((value) => {
    if (!value.includes(loopMark)) return false;
    for (let rest = value; rest !== ''; ) {
      const { first, rest: further } = firstVia(rest);
      if (isOurHop(first, loopMark, own)) return true;
      rest = further;
    }
    return false;
  });
}

function isOurHop(hop: string, loopMark: string, own: OwnAddresses): boolean {
  try {
    const via = parseVia(hop);
    const branch = viaParam(via, 'branch');
    return typeof branch === 'string' && branch.endsWith(`-${loopMark}`) && own.isOwn(via.host, via.port ?? 5060);
  } catch (error) {
    // Only the top Via has been read before; another that is malformed is none of ours.
    if (error instanceof RemoteError) return false;
    throw error;
  }
}

/** A header that is a number: undefined without one, null when it is none. */
function readCount(request: IncomingRequest, key: string): number | null | undefined {
  const value = firstValue(request, key);
  return value === undefined ? undefined : readLength(value);
}

function refused(status: number, headers: readonly SipHeader[] = []): Checked {
  return { kind: 'refused', status, headers };
}
