/**
 * Non-INVITE client transaction, RFC 3261 17.1.2 figure 6.
 *
 * The request is repeated on unreliable transports (timer E) until the final answer, also after a provisional one, and
 * given up after 64*T1 (timer F). `completed` absorbs repeated answers for T4 (timer K).
 */

import type { ClientAction, ClientEvent, TransactionTable } from './table.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export const nonInviteClient: TransactionTable<NonInviteClientState, ClientEvent, ClientAction> = {
  initial: { to: 'trying', do: ['send-request', 'start-e', 'start-f'] },
  states: {
    trying: {
      'timer-e': { to: 'trying', do: ['send-request', 'start-e'] },
      'timer-f': { to: 'terminated', do: ['report-timeout'] },
      'transport-error': { to: 'terminated', do: ['report-transport-error'] },
      'abandoned': { to: 'terminated', do: ['report-timeout'] },
      '1xx': { to: 'proceeding', do: ['deliver'] },
      '2xx': { to: 'completed', do: ['stop-e', 'stop-f', 'start-k', 'deliver'] },
      '300-699': { to: 'completed', do: ['stop-e', 'stop-f', 'start-k', 'deliver'] },
    },
    proceeding: {
      'timer-e': { to: 'proceeding', do: ['send-request', 'start-e'] },
      'timer-f': { to: 'terminated', do: ['report-timeout'] },
      'transport-error': { to: 'terminated', do: ['report-transport-error'] },
      'abandoned': { to: 'terminated', do: ['report-timeout'] },
      '1xx': { to: 'proceeding', do: ['deliver'] },
      '2xx': { to: 'completed', do: ['stop-e', 'stop-f', 'start-k', 'deliver'] },
      '300-699': { to: 'completed', do: ['stop-e', 'stop-f', 'start-k', 'deliver'] },
    },
    completed: {
      'timer-k': { to: 'terminated', do: [] },
    },
    terminated: {},
  },
};
