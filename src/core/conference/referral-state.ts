import type { Transitions } from '../transition.ts';

/**
 * Theory of operation (RFC 3515 2.4.4, RFC 6665 4.2). What a referral's sender is told: one NOTIFY at a time, the first at
 * once. News that comes while one is under way waits for its answer (`behind`), and of several only the latest is told.
 * The last news ends the subscription, once the NOTIFY before it is answered (`finishing`). It also ends when the sender
 * refuses a NOTIFY, wants no more, or has no time left: the referral itself goes on.
 */
export type ReportState = 'quiet' | 'telling' | 'behind' | 'finishing' | 'over';

export type ReportEvent = 'tell' | 'finish' | 'answer' | 'refuse' | 'stop';

export const reportTransitions: Transitions<ReportState, ReportEvent> = {
  quiet: { tell: 'telling', finish: 'over', stop: 'over' },
  telling: { tell: 'behind', finish: 'finishing', answer: 'quiet', refuse: 'over', stop: 'over' },
  behind: { tell: 'behind', finish: 'finishing', answer: 'telling', refuse: 'over', stop: 'over' },
  finishing: { answer: 'over', refuse: 'over', stop: 'over' },
  over: {},
};
