/** How often something may be done: so many times at once, so many times a second in the long run. */
export type Rate = { readonly perSecond: number; readonly burst: number };

/** What is left to one of those a rate binds. `at` is in milliseconds, when `tokens` was true. */
export type TokenBucket = { tokens: number; at: number };

/** A bucket nothing was taken from yet. */
export function fullBucket(rate: Rate, now: number): TokenBucket {
  return { tokens: rate.burst, at: now };
}

/** Takes one token; false, and nothing taken, when there is none. `now` is in milliseconds. */
export function takeToken(bucket: TokenBucket, rate: Rate, now: number): boolean {
  const grown = bucket.tokens + ((now - bucket.at) * rate.perSecond) / 1_000;
  bucket.at = now;
  bucket.tokens = Math.min(grown, rate.burst);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
