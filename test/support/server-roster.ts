import { wholeRoster } from '../../src/core/conference/roster-documents.ts';
import type { View } from '../../src/core/conference/views.ts';
import type { ConferenceRecord, SubscriptionRow } from '../../src/core/rows.ts';
import { judgeDocument } from './document-faults.ts';
import type { ReferenceSubscriber } from './reference-subscriber.ts';
import { type Known, sameRoster, taken } from './seen-roster.ts';

/**
 * How what a subscriber has put together differs from the service's own roster, a line for each place; none while the
 * subscriber is known to lack something.
 */
export function differencesOf(
  subscriber: ReferenceSubscriber,
  subscription: SubscriptionRow,
  record: ConferenceRecord,
): readonly string[] {
  if (!subscriber.isCoherent) return [];
  const whole = wholeRoster(record, viewOf(record, subscription.subscriber));
  return subscriber.roster === null ? ['it has no roster'] : sameRoster(subscriber.roster, rosterIn(whole));
}

/** Whose roster somebody is shown: by what it is to the conference now. */
function viewOf({ conference, participants }: ConferenceRecord, subscriber: string): View {
  if (subscriber === conference.createdBy) return 'chair';
  const participant = participants.findLast(({ uri }) => uri === subscriber);
  if (participant === undefined) return 'observer';
  const { role, private: anonymous } = participant;
  if (role === 'chair' || role === 'observer') return role;
  return anonymous ? 'anonymous' : 'participant';
}

function rosterIn(document: string): Known {
  const { root, faults } = judgeDocument(document);
  if (root === null || faults.length > 0) throw new Error(`the service’s own roster: ${faults.join('\n')}`);
  return taken(root);
}
