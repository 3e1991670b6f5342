/** Which of the answers of all branches goes back (RFC 3261 16.7 step 6), and what it takes along of the others (step 7). */

import { allValues, type IncomingResponse } from '../message/incoming.ts';

/** How one branch ended. Without a response the proxy speaks for the branch: 408 or 503 (RFC 3261 16.8, 16.9). */
export type BranchResult = { readonly status: number; readonly response: IncomingResponse | null };

// RFC 3261 16.7 step 6: these help the caller to try again.
const helpful: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

// RFC 3261 16.7 step 6: 503 is not passed on, so anything else of its class says more; neither is a 408 to most; and where
// the caller has not hung up, 487 only echoes a CANCEL of our own (16.8).
const uninformative: ReadonlySet<number> = new Set([408, 487, 503]);

/** The best; `cancelled`: the caller has sent CANCEL. Null when there is nothing to choose from. */
export function bestResult(results: readonly BranchResult[], cancelled: boolean): BranchResult | null {
  let best: BranchResult | null = null;
  for (const each of results) if (best === null || rank(each, cancelled) < rank(best, cancelled)) best = each;
  return best;
}

/** Challenges of all the branches, for a best answer that is a challenge itself: the caller answers all at once. */
export function furtherChallenges(best: BranchResult, results: readonly BranchResult[]): readonly string[] {
  if (best.status !== 401 && best.status !== 407) return [];
  return results.flatMap(({ status, response }) => {
    if (response === null || response === best.response || (status !== 401 && status !== 407)) return [];
    return [
      ...allValues(response, 'www-authenticate').map((value) => `WWW-Authenticate: ${value}`),
      ...allValues(response, 'proxy-authenticate').map((value) => `Proxy-Authenticate: ${value}`),
    ];
  });
}

/** The lower the better; of equals the first that came wins. */
function rank({ status, response }: BranchResult, cancelled: boolean): number {
  if (status >= 600) return 0;
  const order = 100 * Math.floor(status / 100);
  // RFC 3261 16.10: a caller who has hung up expects 487.
  if (cancelled && status === 487) return order;
  if (helpful.has(status)) return order + 1;
  // What somebody said tells more than that somebody said nothing.
  if (response === null) return order + 4;
  return order + (uninformative.has(status) ? 3 : 2);
}
