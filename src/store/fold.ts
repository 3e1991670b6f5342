import type {
  AttemptRow,
  Change,
  ConferenceRow,
  EventRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
} from '../core/rows.ts';

/** The rows of several changes as one: each row once, as the last change left it. */
export type Batch = {
  readonly conferences: readonly ConferenceRow[];
  readonly participants: readonly ParticipantRow[];
  readonly subscriptions: readonly SubscriptionRow[];
  readonly events: readonly EventRow[];
  readonly attempts: readonly AttemptRow[];
  readonly referrals: readonly ReferralRow[];
  readonly messages: readonly MessageRow[];
};

/** Folds `changes`, oldest first. One statement may write a row only once. */
export function fold(changes: readonly Change[]): Batch {
  return {
    conferences: lastOfEach(changes.map((change) => change.conferences)),
    participants: lastOfEach(changes.map((change) => change.participants)),
    subscriptions: lastOfEach(changes.map((change) => change.subscriptions)),
    events: changes.flatMap((change) => change.events),
    attempts: lastOfEach(changes.map((change) => change.attempts)),
    referrals: lastOfEach(changes.map((change) => change.referrals)),
    messages: lastOfEach(changes.map((change) => change.messages)),
  };
}

function lastOfEach<Row extends { readonly id: string }>(lists: readonly (readonly Row[])[]): Row[] {
  const rows = new Map<string, Row>();
  for (const list of lists) for (const row of list) rows.set(row.id, row);
  return [...rows.values()];
}
