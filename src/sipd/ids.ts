/** Identifiers. Chance comes in as `random32`, so that the stack itself stays pure. */

export type Ids = {
  /** UUID-shaped; unique, and unguessable only in its prefix: goes to authenticated applications only. */
  readonly uuid: () => string;
  /** RFC 3261 19.3: a tag has at least 32 bits of randomness; ours has 64. */
  readonly tag: () => string;
  /** RFC 3261 8.1.1.7: begins with the magic cookie. Unguessable, so that nobody off the path can answer for a peer. */
  readonly branch: () => string;
  readonly callId: () => string;
  /** RFC 3261 8.1.1.5: less than 2**31; small enough to count up from. */
  readonly cseq: () => number;
  /** Plain chance, an integer below 2**32. */
  readonly random32: () => number;
};

const octets = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** `random32` gives integers below 2**32 from a cryptographic source (a counter in tests). */
export function makeIds(random32: () => number): Ids {
  const hex = (): string => random32().toString(16).padStart(8, '0');
  const prefix = `${hex()}-${hex().slice(0, 4)}-4${hex().slice(0, 3)}-8${hex().slice(0, 3)}-`;
  let counter = 0;
  let high = '';
  const wide = (): string => random32().toString(36) + random32().toString(36);
  return {
    uuid: () => {
      counter += 1;
      const low = counter % 0x1_000_000;
      if (low === 0 || counter === 1)
        high =
          prefix +
          Math.floor(counter / 0x1_000_000)
            .toString(16)
            .padStart(6, '0');
      return high + (octets[low >>> 16] ?? '') + (octets[(low >>> 8) & 255] ?? '') + (octets[low & 255] ?? '');
    },
    tag: wide,
    branch: () => `z9hG4bK${wide()}`,
    callId: () => `${hex()}${hex()}${hex()}${hex()}`,
    cseq: () => 1 + (random32() % 100_000_000),
    random32,
  };
}
