/** What was switched per conference, reported in groups: the core is not asked for every message. */

import { limits } from '../core/limits.ts';
import type { DeliveryLoss, SwitchedMessage } from '../core/messaging/switched.ts';
import type { Clock } from '../core/ports.ts';

/** Of one conference since the last report: messages accepted, those whose fate is told, and what receivers lost. */
export type Switched = {
  readonly count: number;
  readonly messages: readonly SwitchedMessage[];
  readonly losses: readonly DeliveryLoss[];
};

type Group = {
  count: number;
  readonly messages: SwitchedMessage[];
  /** By endpoint and reason. */
  readonly losses: Map<string, DeliveryLoss>;
  readonly stop: () => void;
};

/** Counts per conference, reported at most once per `limits.messagesSwitchedIntervalMs`, or when the group is large. */
export class Tally {
  readonly #clock: Clock;
  readonly #report: (conferenceId: string, switched: Switched) => void;
  readonly #byConferenceId = new Map<string, Group>();
  #lostCount = 0;

  constructor(clock: Clock, report: (conferenceId: string, switched: Switched) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Copies that receivers lost, since the start. */
  get lostCount(): number {
    return this.#lostCount;
  }

  /** A message was accepted. */
  count(conferenceId: string): void {
    this.#group(conferenceId).count += 1;
  }

  /** What became of a message is known. */
  tell(conferenceId: string, message: SwitchedMessage): void {
    const { messages } = this.#group(conferenceId);
    messages.push(message);
    if (messages.length >= limits.switchedMessagesMax) this.flush(conferenceId);
  }

  /** A receiver lost a copy. */
  lose(conferenceId: string, endpointId: string, reason: string): void {
    this.#lostCount += 1;
    const { losses } = this.#group(conferenceId);
    const key = `${endpointId} ${reason}`;
    losses.set(key, { endpointId, reason, count: (losses.get(key)?.count ?? 0) + 1 });
  }

  /** Reports what is counted of one conference, if anything. */
  flush(conferenceId: string): void {
    const group = this.#byConferenceId.get(conferenceId);
    if (group === undefined) return;
    this.#byConferenceId.delete(conferenceId);
    group.stop();
    const { count, messages, losses } = group;
    this.#report(conferenceId, { count, messages, losses: [...losses.values()] });
  }

  flushAll(): void {
    for (const conferenceId of [...this.#byConferenceId.keys()]) this.flush(conferenceId);
  }

  #group(conferenceId: string): Group {
    const known = this.#byConferenceId.get(conferenceId);
    if (known !== undefined) return known;
    const at = this.#clock.now() + limits.messagesSwitchedIntervalMs;
    const stop = this.#clock.callAt(at, () => this.flush(conferenceId));
    const group = { count: 0, messages: [], losses: new Map(), stop };
    this.#byConferenceId.set(conferenceId, group);
    return group;
  }
}
