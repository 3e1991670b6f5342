import { test, vi } from 'vitest';
import { play } from './history.ts';

/** Histories of rosters that no document holds: each is told page by page, while it changes. */
vi.mock('../../../src/core/limits.ts', async (importOriginal) => {
  const { limits } = await importOriginal<typeof import('../../../src/core/limits.ts')>();
  return { limits: { ...limits, conferenceInfoBytesMax: 1_500, partialInfoBytesMax: 2_000 } };
});

const together = 100;
const steps = 25;

test.each([1, 101, 201, 301])(
  'CC-112, CC-115 from seed %i on, page by page, every watcher ends with the roster of the service',
  (from) => {
    for (let seed = from; seed < from + together; seed += 1) play(seed, steps);
  },
  60_000,
);
