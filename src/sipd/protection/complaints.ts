import type { CounterName } from '../counters.ts';

/** What is done to messages nobody asked for, each with the words it is logged in. */
export const complaints = {
  malformedRequests: 'malformed requests refused',
  wrongLengths: 'messages with a wrong Content-Length not taken',
  ignoredMessages: 'messages ignored',
  strayResponses: 'responses to no request ignored',
  mismatchedResponses: 'responses that do not match their request ignored',
  limitedRequests: 'requests beyond the rate of their source refused',
  droppedMessages: 'messages beyond the rate of their source dropped',
  crowdedRequests: 'requests of sources with too many open transactions refused',
  shedRequests: 'requests refused under overload',
} as const satisfies Partial<Record<CounterName, string>>;

export type Complaint = keyof typeof complaints;

type Tally = { untold: number; toldAt: number };

/** Says when a line in the log about them is due: at the first of a kind, then at most one in a while. */
export class Complaints {
  readonly #everyMs: number;
  readonly #tallies = new Map<Complaint, Tally>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** One more. How many there were since the last line of the kind, when another is due; else null. */
  note(complaint: Complaint, now: number): number | null {
    const tally = this.#tallies.get(complaint);
    if (tally === undefined) {
      this.#tallies.set(complaint, { untold: 0, toldAt: now });
      return 1;
    }
    tally.untold += 1;
    if (now - tally.toldAt < this.#everyMs) return null;
    const since = tally.untold;
    tally.untold = 0;
    tally.toldAt = now;
    return since;
  }
}
