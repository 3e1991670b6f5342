import { limits } from '../limits.ts';

/** Looks every `limits.loadEveryMs` how late the event loop is. Keeps no process alive. */
export class LoadGauge {
  readonly #timer: NodeJS.Timeout;
  #dueAt: number;

  /** `onMeasured` gets the delay in milliseconds. */
  constructor(onMeasured: (delayMs: number) => void) {
    this.#dueAt = performance.now() + limits.loadEveryMs;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const delayMs = Math.max(0, now - this.#dueAt);
      this.#dueAt = now + limits.loadEveryMs;
      onMeasured(delayMs);
    }, limits.loadEveryMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
