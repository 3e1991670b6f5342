import type { Clock } from './core/ports.ts';

/** Longest wait that Node's timers can hold. */
const timeoutMaxMs = 2 ** 31 - 1;

/** Real time. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  callAt(at, callback) {
    const wait = Math.min(Math.max(0, at - Date.now()), timeoutMaxMs);
    const timer = setTimeout(callback, wait);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
