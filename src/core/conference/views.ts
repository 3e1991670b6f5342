import type { ParticipantRow, SubscriptionRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';

/** Who watches, as far as it decides what is shown: one rendering of the roster serves all who watch alike. */
export type View = 'chair' | 'participant' | 'observer' | 'anonymous';

/** What a view shows beside who is in, in which role and with which media. */
export type Sight = {
  /** RFC 4575 5.7.3: the ids of dialogs are all that it takes to replace them, so only chairs learn them. */
  readonly callInfo: boolean;
  /** RFC 4575 5.7.1: that somebody is being called, and rings, may be withheld; others see who is expected. */
  readonly transients: boolean;
  /** Who asked whom in, when, and why somebody is gone. */
  readonly circumstances: boolean;
  /** Endpoints by their Contact, else by a number; and by which other URIs users can be reached (RFC 4575 5.6.2). */
  readonly addresses: boolean;
};

/** What each view shows is our decision (RFC 4575 3.5 and 8 leave it to the policy of the conference). */
export const sights: Readonly<Record<View, Sight>> = {
  chair: { callInfo: true, transients: true, circumstances: true, addresses: true },
  participant: { callInfo: false, transients: false, circumstances: true, addresses: true },
  anonymous: { callInfo: false, transients: false, circumstances: true, addresses: false },
  observer: { callInfo: false, transients: false, circumstances: false, addresses: false },
};

/** The view of a subscriber: by what it is to the conference now, also when it has left. */
export function viewOf({ subscriber }: Pick<SubscriptionRow, 'subscriber'>, ledger: Ledger): View {
  const participant = ledger.participantByUri(subscriber);
  if (subscriber === ledger.facts.createdBy) return 'chair';
  return participant === undefined ? 'observer' : viewAs(participant);
}

function viewAs({ role, private: anonymous }: ParticipantRow): View {
  if (role === 'chair') return 'chair';
  if (role === 'observer') return 'observer';
  return anonymous ? 'anonymous' : 'participant';
}
