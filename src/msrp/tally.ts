/** Switched messages per conference, reported in groups: the core is not asked for every message. */

import { limits } from '../core/limits.ts';
import type { Clock } from '../core/ports.ts';

type Count = { count: number; readonly stop: () => void };

/** Counts per conference, reported at most once per `limits.messagesSwitchedIntervalMs`. */
export class Tally {
  readonly #clock: Clock;
  readonly #report: (conferenceId: string, count: number) => void;
  readonly #byConferenceId = new Map<string, Count>();

  constructor(clock: Clock, report: (conferenceId: string, count: number) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  add(conferenceId: string): void {
    const known = this.#byConferenceId.get(conferenceId);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const at = this.#clock.now() + limits.messagesSwitchedIntervalMs;
    const stop = this.#clock.callAt(at, () => this.flush(conferenceId));
    this.#byConferenceId.set(conferenceId, { count: 1, stop });
  }

  /** Reports what is counted of one conference, if anything. */
  flush(conferenceId: string): void {
    const known = this.#byConferenceId.get(conferenceId);
    if (known === undefined) return;
    this.#byConferenceId.delete(conferenceId);
    known.stop();
    this.#report(conferenceId, known.count);
  }

  flushAll(): void {
    for (const conferenceId of [...this.#byConferenceId.keys()]) this.flush(conferenceId);
  }
}
