import type { Instant } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** Those whose pauses end within this time are told together: fewer timers, and fewer different documents. */
const togetherMs = 100;
const kind = 'pace';
const next = 'next';

type PaceParts = { readonly ledger: Ledger; readonly turns: Turns; readonly intervalMs: number };

/** RFC 4575 3.9: the pause between two NOTIFYs to one subscriber. One timer serves all who wait. */
export class NotifyPace {
  readonly #ledger: Ledger;
  readonly #intervalMs: number;
  /** When who waits may be told, by subscription. */
  readonly #waiting: TurnMap<string, Instant>;
  /** When the timer is due. */
  readonly #timer: TurnMap<typeof next, Instant>;

  constructor({ ledger, turns, intervalMs }: PaceParts) {
    this.#ledger = ledger;
    this.#intervalMs = intervalMs;
    this.#waiting = new TurnMap(turns);
    this.#timer = new TurnMap(turns);
  }

  /** Whether a subscriber notified last at `notifiedAt` may be told now; if not, it is due later. */
  allows(subscriptionId: string, notifiedAt: Instant): boolean {
    const at = notifiedAt + this.#intervalMs;
    if (at <= this.#ledger.now) return true;
    if (!this.#waiting.has(subscriptionId)) {
      const together = Math.ceil(at / togetherMs) * togetherMs;
      this.#waiting.set(subscriptionId, together);
      this.#wake(together);
    }
    return false;
  }

  /** The subscriptions that have waited long enough. */
  due(): readonly string[] {
    this.#timer.delete(next);
    const due = [...this.#waiting].filter(([, at]) => at <= this.#ledger.now).map(([id]) => id);
    for (const id of due) this.#waiting.delete(id);
    if (this.#waiting.size > 0) this.#wake(Math.min(...this.#waiting.values()));
    return due;
  }

  /** One that need not be told, for it just was, or is no more. */
  forget(subscriptionId: string): void {
    if (!this.#waiting.delete(subscriptionId) || this.#waiting.size > 0) return;
    this.#timer.delete(next);
    this.#ledger.stopTimer(kind, next);
  }

  #wake(at: Instant): void {
    const due = this.#timer.get(next);
    if (due !== undefined && due <= at) return;
    this.#timer.set(next, at);
    this.#ledger.startTimer(kind, next, at);
  }
}
