/**
 * One endpoint's MSRP session. It is `connecting` from the moment our path is in an offer or answer until a connection is
 * bound to it by a valid request (RFC 4975 5.4) and the peer's path is known; `open` while messages flow; `closed` for
 * good afterwards: RFC 4975 5.4 wants a new SDP exchange, hence a new session, after a failure.
 */

import assert from 'node:assert/strict';
import { after, type Transitions } from '../transition.ts';

export type MsrpSessionState = 'connecting' | 'open' | 'closed';

/**
 * `bound`: the connection belongs to the session and the peer's path is known. `lost`: the connection failed, closed, or
 * was not made in time. `ended`: the focus closes it, also because a later offer or answer named another path.
 */
export type MsrpSessionEvent = 'bound' | 'lost' | 'ended';

export const msrpSessionTransitions: Transitions<MsrpSessionState, MsrpSessionEvent> = {
  connecting: { bound: 'open', lost: 'closed', ended: 'closed' },
  open: { lost: 'closed', ended: 'closed' },
  closed: {},
};

/** The state after `event`; an event that the table does not allow is our own mistake. */
export function nextMsrpSessionState(state: MsrpSessionState, event: MsrpSessionEvent): MsrpSessionState {
  const next = after(msrpSessionTransitions, state, event);
  assert(next !== undefined, `an MSRP session that is ${state} cannot be ${event}`);
  return next;
}
