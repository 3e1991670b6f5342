import type { SipdOptions } from '../../src/sipd/sipd.ts';

/** A sipd that does not take the machine of a test, busy with much else, for overload of its own. */
export const unhurried: Partial<SipdOptions> = {
  protection: { load: { delayMs: { high: 60_000, low: 30_000 } } },
};
