import { test } from 'vitest';
import { play } from './history.ts';

const together = 20;
const steps = 120;
/** More than one document holds: the roster is told page by page, while it changes. */
const crowd = 26;

test.each([1, 21, 41, 61, 81])(
  'CC-112, CC-115 from seed %i on, in a crowd, every watcher ends with the roster of the service',
  (from) => {
    for (let seed = from; seed < from + together; seed += 1) play(seed, steps, crowd);
  },
  60_000,
);
