import type { ConferenceStatus } from '../rows.ts';
import type { Transitions } from '../transition.ts';

/**
 * Theory of operation. A conference made by the factory is active as soon as its creator is answered (RFC 4579 5.4).
 * It ends in two steps: at `end` everybody connected gets BYE and whoever still rings gets CANCEL; it is `ended`, and
 * forgotten by the core, once no cancelled INVITE can be answered any more.
 */
export type ConferenceEvent = 'activate' | 'end' | 'settle';

export const conferenceTransitions: Transitions<ConferenceStatus, ConferenceEvent> = {
  creating: { activate: 'active', end: 'ending' },
  active: { end: 'ending' },
  ending: { settle: 'ended' },
  ended: {},
};
