/**
 * One branch of a forwarded request, as its proxy sees it (RFC 3261 16.6 to 16.10); the client transaction has its own
 * table.
 *
 * `calling` has heard nothing. `held` is not wanted any more, but nothing has come that a CANCEL could follow (9.1).
 * `cancelling` waits for the end a CANCEL leads to. A 2xx to an INVITE may come more than once, from several callees.
 */

export type BranchState = 'calling' | 'proceeding' | 'held' | 'cancelling' | 'accepted' | 'completed';

export type BranchEvent =
  | '1xx'
  | '2xx'
  | '300-699'
  /** One server of the target has failed, and the next is looked for (RFC 3263 4.3): it knows nothing of the request yet. */
  | 'moved-on'
  /** No final answer can come any more. */
  | 'failed'
  /** Nobody wants this branch any more. */
  | 'cancel'
  | 'timer-c'
  /** The time the application gave this target is over. */
  | 'expired';

export type BranchAction =
  | 'ring'
  | 'accept'
  | 'complete'
  | 'fail'
  | 'restart-c'
  | 'give-up'
  | 'time-out'
  | 'send-cancel';

export type BranchStep = { readonly to: BranchState; readonly do: readonly BranchAction[] };

export const branchStates: Readonly<Record<BranchState, Readonly<Partial<Record<BranchEvent, BranchStep>>>>> = {
  calling: {
    '1xx': { to: 'proceeding', do: ['restart-c', 'ring'] },
    '2xx': { to: 'accepted', do: ['accept'] },
    '300-699': { to: 'completed', do: ['complete'] },
    'failed': { to: 'completed', do: ['fail'] },
    'cancel': { to: 'held', do: [] },
    // RFC 3261 16.8: without a provisional answer it is as if 408 had come.
    'timer-c': { to: 'completed', do: ['time-out'] },
    'expired': { to: 'held', do: ['give-up'] },
  },
  proceeding: {
    'moved-on': { to: 'calling', do: [] },
    '1xx': { to: 'proceeding', do: ['restart-c', 'ring'] },
    '2xx': { to: 'accepted', do: ['accept'] },
    '300-699': { to: 'completed', do: ['complete'] },
    'failed': { to: 'completed', do: ['fail'] },
    'cancel': { to: 'cancelling', do: ['send-cancel'] },
    // RFC 3261 16.8: with one the branch is cancelled.
    'timer-c': { to: 'cancelling', do: ['send-cancel'] },
    'expired': { to: 'cancelling', do: ['send-cancel', 'give-up'] },
  },
  held: {
    '1xx': { to: 'cancelling', do: ['send-cancel'] },
    '2xx': { to: 'accepted', do: ['accept'] },
    '300-699': { to: 'completed', do: ['complete'] },
    'failed': { to: 'completed', do: ['fail'] },
  },
  cancelling: {
    '2xx': { to: 'accepted', do: ['accept'] },
    '300-699': { to: 'completed', do: ['complete'] },
    'failed': { to: 'completed', do: ['fail'] },
  },
  accepted: {
    '2xx': { to: 'accepted', do: ['accept'] },
  },
  completed: {},
};
