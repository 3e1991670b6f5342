/**
 * Non-INVITE server transaction, RFC 3261 17.2.2 figure 8.
 *
 * Repetitions of the request get the latest answer again; after the final one for 64*T1 (timer J, unreliable transports).
 */

import type { ServerAction, ServerEvent, TransactionTable } from './table.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export const nonInviteServer: TransactionTable<NonInviteServerState, ServerEvent, ServerAction> = {
  initial: { to: 'trying', do: [] },
  states: {
    trying: {
      'request': { to: 'trying', do: [] },
      '1xx': { to: 'proceeding', do: ['send-response'] },
      '2xx': { to: 'completed', do: ['send-response', 'start-j'] },
      '300-699': { to: 'completed', do: ['send-response', 'start-j'] },
    },
    proceeding: {
      'request': { to: 'proceeding', do: ['send-response'] },
      '1xx': { to: 'proceeding', do: ['send-response'] },
      '2xx': { to: 'completed', do: ['send-response', 'start-j'] },
      '300-699': { to: 'completed', do: ['send-response', 'start-j'] },
    },
    completed: {
      'request': { to: 'completed', do: ['send-response'] },
      'timer-j': { to: 'terminated', do: [] },
    },
    terminated: {},
  },
};
