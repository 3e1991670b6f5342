import { test } from 'vitest';
import { play } from './history.ts';

const histories = 10_000;
const together = 200;
const steps = 25;
// The same every time; HISTORY_SEEDS=123-125 plays those in place of them.
const [first = 1, last = histories] = (process.env['HISTORY_SEEDS'] ?? `1-${histories}`).split('-').map(Number);
const groups = Array.from({ length: Math.ceil((last - first + 1) / together) }, (_, index) => first + index * together);

test.each(groups)(
  'CC-112, CC-115 from seed %i on, every watcher ends with the roster of the service',
  (from) => {
    for (let seed = from; seed < from + together && seed <= last; seed += 1) play(seed, steps);
  },
  60_000,
);
