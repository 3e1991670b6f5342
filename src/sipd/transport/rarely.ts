import { limits } from '../limits.ts';

/**
 * Tells of something that may happen again and again: at once, then at most once in `limits.complaintEveryMs`, with how
 * often it has been since it was told last.
 */
export function rarely(tell: (what: string, count: number) => void): (what: string) => void {
  let count = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (what) => {
    count += 1;
    const now = performance.now();
    if (now - toldAt < limits.complaintEveryMs) return;
    toldAt = now;
    tell(what, count);
    count = 0;
  };
}
