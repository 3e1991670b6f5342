/** What is done to requests nobody asked for, each with the words it is logged in. */
export const complaints = {
  malformed: 'malformed requests refused',
  ignored: 'messages ignored',
  limited: 'requests beyond the rate of their source refused',
  dropped: 'messages beyond the rate of their source dropped',
  crowded: 'requests of sources with too many open transactions refused',
  shed: 'requests refused under overload',
} as const;

export type Complaint = keyof typeof complaints;

/** How often each has happened since the start. */
export type ComplaintCounts = Readonly<Record<Complaint, number>>;

type Tally = { all: number; told: number; toldAt: number };

/** Counts them, and says when a line in the log is due: at the first of a kind, then at most one in a while. */
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
      this.#tallies.set(complaint, { all: 1, told: 1, toldAt: now });
      return 1;
    }
    tally.all += 1;
    if (now - tally.toldAt < this.#everyMs) return null;
    const since = tally.all - tally.told;
    tally.told = tally.all;
    tally.toldAt = now;
    return since;
  }

  counts(): ComplaintCounts {
    const count = (complaint: Complaint): number => this.#tallies.get(complaint)?.all ?? 0;
    return {
      malformed: count('malformed'),
      ignored: count('ignored'),
      limited: count('limited'),
      dropped: count('dropped'),
      crowded: count('crowded'),
      shed: count('shed'),
    };
  }
}
