import { expect, test } from 'vitest';
import { soak } from './soak.ts';

const nothing = {
  clientTransactions: 0,
  serverTransactions: 0,
  dialogs: 0,
  pendingRequests: 0,
  calls: 0,
  unacknowledged: 0,
  lookups: 0,
  timers: 0,
};

test.each([
  ['free', 20_000],
  ['strict', 4_000],
] as const)(
  'calls, subscriptions and messages of any course leave nothing, and each request has one answer (%s, %d)',
  (mode, lives) => {
    const { left, faults } = soak({ seed: 7, lives, mode });
    expect(faults).toEqual([]);
    expect(left).toEqual(nothing);
  },
  120_000,
);
