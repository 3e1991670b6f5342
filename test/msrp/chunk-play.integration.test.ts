import { expect, test } from 'vitest';
import { ChunkPlay, type Sum } from './chunk-play.ts';

/** Ten thousand in all. */
const plays = 1_250;
const firstSeeds = Array.from({ length: 8 }, (_, i) => 1 + i * plays);

test.each(firstSeeds)(
  `CC-155 CC-165 CC-166 ${plays} plays of chunks from several senders, from seed %i on: each message once, whole, in order, or a true word of why not`,
  async (firstSeed) => {
    const sum: Sum = { delivered: 0, failed: 0, aborted: 0, chunks: 0, congested: 0 };
    const untrue: string[] = [];
    for (let seed = firstSeed; seed < firstSeed + plays; seed += 1) {
      const sentences = await new ChunkPlay(seed, sum).run();
      untrue.push(...sentences.map((sentence) => `seed ${seed}: ${sentence}`));
    }
    expect(untrue).toEqual([]);
    // Plays in which nothing happens would show nothing.
    expect(sum.delivered).toBeGreaterThan(5 * plays);
    expect(sum.chunks).toBeGreaterThan(15 * plays);
    expect(Math.min(sum.failed, sum.aborted)).toBeGreaterThan(plays / 4);
    expect(sum.congested).toBeGreaterThan(0);
  },
);
