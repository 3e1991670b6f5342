import { describe, expect, test } from 'vitest';
import { inviteClient } from '../../../src/sipd/transaction/invite-client.ts';
import { inviteServer } from '../../../src/sipd/transaction/invite-server.ts';
import { nonInviteClient } from '../../../src/sipd/transaction/non-invite-client.ts';
import { nonInviteServer } from '../../../src/sipd/transaction/non-invite-server.ts';
import type { AnyTable } from '../../../src/sipd/transaction/table.ts';

/** Every state with every event: where it leads and what is done; a dash is what the machine ignores. */
function grid<Event extends string, Action extends string>(
  table: AnyTable<Event, Action>,
  events: readonly Event[],
): string {
  const rows = [`initial: ${table.initial.to} [${table.initial.do.join(' ')}]`];
  for (const state of Object.keys(table.states)) {
    for (const event of events) {
      const step = table.states[state]?.[event];
      rows.push(`${state} + ${event}: ${step === undefined ? '-' : `${step.to} [${step.do.join(' ')}]`}`);
    }
  }
  return rows.join('\n');
}

function unindent(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

describe('RFC 3261 17.1.1 figure 5, RFC 6026 7.2: INVITE client transaction', () => {
  test('every state and every event', () => {
    const events = [
      '1xx',
      '2xx',
      '300-699',
      'timer-a',
      'timer-b',
      'timer-d',
      'timer-m',
      'transport-error',
      'abandoned',
    ] as const;
    expect(grid(inviteClient, events)).toBe(
      unindent(`
        initial: calling [send-request start-a start-b]
        calling + 1xx: proceeding [stop-a stop-b deliver]
        calling + 2xx: accepted [stop-a stop-b start-m deliver]
        calling + 300-699: completed [stop-a stop-b send-ack start-d deliver]
        calling + timer-a: calling [send-request start-a]
        calling + timer-b: terminated [report-timeout]
        calling + timer-d: -
        calling + timer-m: -
        calling + transport-error: terminated [report-transport-error]
        calling + abandoned: terminated [report-timeout]
        proceeding + 1xx: proceeding [deliver]
        proceeding + 2xx: accepted [start-m deliver]
        proceeding + 300-699: completed [send-ack start-d deliver]
        proceeding + timer-a: -
        proceeding + timer-b: -
        proceeding + timer-d: -
        proceeding + timer-m: -
        proceeding + transport-error: terminated [report-transport-error]
        proceeding + abandoned: terminated [report-timeout]
        completed + 1xx: -
        completed + 2xx: -
        completed + 300-699: completed [send-ack]
        completed + timer-a: -
        completed + timer-b: -
        completed + timer-d: terminated []
        completed + timer-m: -
        completed + transport-error: terminated []
        completed + abandoned: -
        accepted + 1xx: -
        accepted + 2xx: accepted [deliver]
        accepted + 300-699: -
        accepted + timer-a: -
        accepted + timer-b: -
        accepted + timer-d: -
        accepted + timer-m: terminated []
        accepted + transport-error: -
        accepted + abandoned: -
        terminated + 1xx: -
        terminated + 2xx: -
        terminated + 300-699: -
        terminated + timer-a: -
        terminated + timer-b: -
        terminated + timer-d: -
        terminated + timer-m: -
        terminated + transport-error: -
        terminated + abandoned: -`),
    );
  });
});

describe('RFC 3261 17.1.2 figure 6: non-INVITE client transaction', () => {
  test('every state and every event', () => {
    const events = ['1xx', '2xx', '300-699', 'timer-e', 'timer-f', 'timer-k', 'transport-error', 'abandoned'] as const;
    expect(grid(nonInviteClient, events)).toBe(
      unindent(`
        initial: trying [send-request start-e start-f]
        trying + 1xx: proceeding [deliver]
        trying + 2xx: completed [stop-e stop-f start-k deliver]
        trying + 300-699: completed [stop-e stop-f start-k deliver]
        trying + timer-e: trying [send-request start-e]
        trying + timer-f: terminated [report-timeout]
        trying + timer-k: -
        trying + transport-error: terminated [report-transport-error]
        trying + abandoned: terminated [report-timeout]
        proceeding + 1xx: proceeding [deliver]
        proceeding + 2xx: completed [stop-e stop-f start-k deliver]
        proceeding + 300-699: completed [stop-e stop-f start-k deliver]
        proceeding + timer-e: proceeding [send-request start-e]
        proceeding + timer-f: terminated [report-timeout]
        proceeding + timer-k: -
        proceeding + transport-error: terminated [report-transport-error]
        proceeding + abandoned: terminated [report-timeout]
        completed + 1xx: -
        completed + 2xx: -
        completed + 300-699: -
        completed + timer-e: -
        completed + timer-f: -
        completed + timer-k: terminated []
        completed + transport-error: -
        completed + abandoned: -
        terminated + 1xx: -
        terminated + 2xx: -
        terminated + 300-699: -
        terminated + timer-e: -
        terminated + timer-f: -
        terminated + timer-k: -
        terminated + transport-error: -
        terminated + abandoned: -`),
    );
  });
});

describe('RFC 3261 17.2.1 figure 7, RFC 6026 7.1: INVITE server transaction', () => {
  test('every state and every event', () => {
    const events = ['request', 'ack', '1xx', '2xx', '300-699', 'timer-g', 'timer-h', 'timer-i', 'timer-l'] as const;
    expect(grid(inviteServer, events)).toBe(
      unindent(`
        initial: proceeding []
        proceeding + request: proceeding [send-response]
        proceeding + ack: -
        proceeding + 1xx: proceeding [send-response]
        proceeding + 2xx: accepted [send-response start-l]
        proceeding + 300-699: completed [send-response start-g start-h]
        proceeding + timer-g: -
        proceeding + timer-h: -
        proceeding + timer-i: -
        proceeding + timer-l: -
        completed + request: completed [send-response]
        completed + ack: confirmed [stop-g stop-h start-i]
        completed + 1xx: -
        completed + 2xx: -
        completed + 300-699: -
        completed + timer-g: completed [send-response start-g]
        completed + timer-h: terminated []
        completed + timer-i: -
        completed + timer-l: -
        confirmed + request: -
        confirmed + ack: -
        confirmed + 1xx: -
        confirmed + 2xx: -
        confirmed + 300-699: -
        confirmed + timer-g: -
        confirmed + timer-h: -
        confirmed + timer-i: terminated []
        confirmed + timer-l: -
        accepted + request: accepted []
        accepted + ack: accepted [deliver-ack]
        accepted + 1xx: -
        accepted + 2xx: accepted [send-response]
        accepted + 300-699: -
        accepted + timer-g: -
        accepted + timer-h: -
        accepted + timer-i: -
        accepted + timer-l: terminated []
        terminated + request: -
        terminated + ack: -
        terminated + 1xx: -
        terminated + 2xx: -
        terminated + 300-699: -
        terminated + timer-g: -
        terminated + timer-h: -
        terminated + timer-i: -
        terminated + timer-l: -`),
    );
  });
});

describe('RFC 3261 17.2.2 figure 8: non-INVITE server transaction', () => {
  test('every state and every event', () => {
    const events = ['request', '1xx', '2xx', '300-699', 'timer-j'] as const;
    expect(grid(nonInviteServer, events)).toBe(
      unindent(`
        initial: trying []
        trying + request: trying []
        trying + 1xx: proceeding [send-response]
        trying + 2xx: completed [send-response start-j]
        trying + 300-699: completed [send-response start-j]
        trying + timer-j: -
        proceeding + request: proceeding [send-response]
        proceeding + 1xx: proceeding [send-response]
        proceeding + 2xx: completed [send-response start-j]
        proceeding + 300-699: completed [send-response start-j]
        proceeding + timer-j: -
        completed + request: completed [send-response]
        completed + 1xx: -
        completed + 2xx: -
        completed + 300-699: -
        completed + timer-j: terminated []
        terminated + request: -
        terminated + 1xx: -
        terminated + 2xx: -
        terminated + 300-699: -
        terminated + timer-j: -`),
    );
  });
});
