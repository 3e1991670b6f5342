import { limits } from '../limits.ts';

/**
 * Looks every `limits.loadEveryMs` how late the event loop is, and tells the least of the last few looks: what is late
 * each time is too much to do, one long pause (a start, a garbage collection, another process) is not. Keeps no
 * process alive.
 */
export class LoadGauge {
  readonly #timer: NodeJS.Timeout;
  readonly #looks: number[] = [];
  #dueAt: number;

  /** `onMeasured` gets the delay in milliseconds. */
  constructor(onMeasured: (delayMs: number) => void) {
    this.#dueAt = performance.now() + limits.loadEveryMs;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#looks.push(Math.max(0, now - this.#dueAt));
      if (this.#looks.length > limits.loadLooks) this.#looks.shift();
      this.#dueAt = now + limits.loadEveryMs;
      onMeasured(this.#looks.length < limits.loadLooks ? 0 : Math.min(...this.#looks));
    }, limits.loadEveryMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
