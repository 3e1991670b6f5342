import { wholeRoster } from '../../src/core/conference/roster-documents.ts';
import type { View } from '../../src/core/conference/views.ts';
import type { ConferenceRecord, SubscriptionRow } from '../../src/core/rows.ts';
import { judgeDocument } from './document-faults.ts';
import type { ReferenceSubscriber } from './reference-subscriber.ts';
import { type Known, linesOf, sameRoster, taken } from './seen-roster.ts';

const here: ReadonlySet<string> = new Set(
  ['connected', 'on-hold', 'muted-via-focus'].map((word) => `<status>${word}</status>`),
);

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
  const { roster } = subscriber;
  return roster === null ? ['it has no roster'] : [...sameRoster(roster, rosterIn(whole)), ...countFaults(roster)];
}

/** CC-122: user-count is the number of users who have an endpoint that is in. */
function countFaults(roster: Known): readonly string[] {
  const lines = linesOf(roster);
  const present = [...lines].flatMap(([place, text]) => {
    const [, user] = /^users\/(user .*)\/endpoint .*\/status$/.exec(place) ?? [];
    return user !== undefined && here.has(text) ? [user] : [];
  });
  const count = /<user-count>(\d+)</.exec(lines.get('conference-state') ?? '')?.[1];
  const wanted = new Set(present).size;
  return Number(count) === wanted ? [] : [`user-count: ${count} | ${wanted} are in`];
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
