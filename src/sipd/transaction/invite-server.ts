/**
 * INVITE server transaction, RFC 3261 17.2.1 figure 7 with the corrections of RFC 6026 7.1.
 *
 * A final answer of 300 or more is repeated (timer G, unreliable transports) until its ACK or timer H; further ACKs are
 * absorbed while timer I runs. After a 2xx the transaction lives on as `accepted` for 64*T1 (timer L), so that a
 * repeated INVITE is recognised and not taken for a new one; the 2xx itself is repeated by the transaction user.
 */

import type { ServerAction, ServerEvent, TransactionTable } from './table.ts';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

export const inviteServer: TransactionTable<InviteServerState, ServerEvent, ServerAction> = {
  initial: { to: 'proceeding', do: [] },
  states: {
    proceeding: {
      'request': { to: 'proceeding', do: ['send-response'] },
      '1xx': { to: 'proceeding', do: ['send-response'] },
      '2xx': { to: 'accepted', do: ['send-response', 'start-l'] },
      '300-699': { to: 'completed', do: ['send-response', 'start-g', 'start-h'] },
    },
    completed: {
      'request': { to: 'completed', do: ['send-response'] },
      'ack': { to: 'confirmed', do: ['stop-g', 'stop-h', 'start-i'] },
      'timer-g': { to: 'completed', do: ['send-response', 'start-g'] },
      'timer-h': { to: 'terminated', do: [] },
    },
    confirmed: {
      'timer-i': { to: 'terminated', do: [] },
    },
    accepted: {
      // RFC 6026 7.1: a repeated INVITE is absorbed without an answer; the 2xx comes again by itself.
      'request': { to: 'accepted', do: [] },
      'ack': { to: 'accepted', do: ['deliver-ack'] },
      '2xx': { to: 'accepted', do: ['send-response'] },
      'timer-l': { to: 'terminated', do: [] },
    },
    terminated: {},
  },
};
