import { expect, test } from 'vitest';
import { play } from './play.ts';

// The same every time; RANDOM_SEEDS=100-130 plays those in place of it.
const [first = 1, last = first] = (process.env['RANDOM_SEEDS'] ?? '1').split('-').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);

test.each(seeds)(
  '10,000 random steps of seed %i leave nothing behind',
  async (seed) => {
    const { conferences, joined } = await play(seed, 10_000);
    expect(conferences).toBeGreaterThan(100);
    expect(joined).toBeGreaterThan(500);
  },
  60_000,
);
