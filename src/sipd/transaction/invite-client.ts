/**
 * INVITE client transaction, RFC 3261 17.1.1 figure 5 with the corrections of RFC 6026 7.2.
 *
 * `calling` repeats the request (timer A, unreliable transports) until anything comes or timer B ends it. A final answer
 * of 300 or more is ACKed here, hop by hop, and its repetitions too while timer D runs. A 2xx is ACKed by the transaction
 * user, end to end; `accepted` lets it see every further 2xx for 64*T1 (timer M).
 */

import type { ClientAction, ClientEvent, TransactionTable } from './table.ts';

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

export const inviteClient: TransactionTable<InviteClientState, ClientEvent, ClientAction> = {
  initial: { to: 'calling', do: ['send-request', 'start-a', 'start-b'] },
  states: {
    calling: {
      'timer-a': { to: 'calling', do: ['send-request', 'start-a'] },
      'timer-b': { to: 'terminated', do: ['report-timeout'] },
      'transport-error': { to: 'terminated', do: ['report-transport-error'] },
      'abandoned': { to: 'terminated', do: ['report-timeout'] },
      '1xx': { to: 'proceeding', do: ['stop-a', 'stop-b', 'deliver'] },
      '2xx': { to: 'accepted', do: ['stop-a', 'stop-b', 'start-m', 'deliver'] },
      '300-699': { to: 'completed', do: ['stop-a', 'stop-b', 'send-ack', 'start-d', 'deliver'] },
    },
    proceeding: {
      'transport-error': { to: 'terminated', do: ['report-transport-error'] },
      'abandoned': { to: 'terminated', do: ['report-timeout'] },
      '1xx': { to: 'proceeding', do: ['deliver'] },
      '2xx': { to: 'accepted', do: ['start-m', 'deliver'] },
      '300-699': { to: 'completed', do: ['send-ack', 'start-d', 'deliver'] },
    },
    completed: {
      'timer-d': { to: 'terminated', do: [] },
      // RFC 6026 8.4: the ACK could not be sent; the answer has been delivered long before.
      'transport-error': { to: 'terminated', do: [] },
      '300-699': { to: 'completed', do: ['send-ack'] },
    },
    accepted: {
      'timer-m': { to: 'terminated', do: [] },
      '2xx': { to: 'accepted', do: ['deliver'] },
    },
    terminated: {},
  },
};
