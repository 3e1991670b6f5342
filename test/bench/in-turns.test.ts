import { expect, test } from 'vitest';
import { type Contestant, comparedRates, cpuNote, inTurns } from './in-turns.ts';

/** Its rates and its CPU readings come one after the other. */
function contestant(name: string, rates: readonly number[], readings: readonly number[] | null): Contestant {
  const [nextRate, nextReading] = [rates, readings ?? []].map((values) => values.values());
  const after = (values: Iterator<number> | undefined): number => {
    const next = values?.next();
    if (!next || next.done) throw new Error(`${name} was asked too often`);
    return next.value;
  };
  return {
    name,
    measure: async () =>
      await Promise.resolve({ calls: 100, callsPerSecond: after(nextRate), failed: 0, retransmissions: 0 }),
    cpuMicros: readings === null ? null : async () => await Promise.resolve(after(nextReading)),
  };
}

test('each is measured in turn; the first turn warms up and does not count', async () => {
  const said: string[] = [];
  const figures = await inTurns(
    {
      ours: contestant('ours', [1, 100, 90], [0, 5_000, 5_000, 25_000, 25_000, 55_000]),
      anchor: contestant('anchor', [1, 200, 100], null),
    },
    2,
    (line) => void said.push(line),
  );
  expect(figures).toEqual({
    ours: [
      { rate: 100, cpuMicros: 200 },
      { rate: 90, cpuMicros: 300 },
    ],
    anchor: [
      { rate: 200, cpuMicros: null },
      { rate: 100, cpuMicros: null },
    ],
  });
  expect(said).toEqual(['ours: 100 calls/s', 'anchor: 200 calls/s', 'ours: 90 calls/s', 'anchor: 100 calls/s']);
  expect(comparedRates(figures.ours, figures.anchor)).toEqual({ ours: 90, anchor: 100, ratio: 0.5 });
  expect([cpuNote('ours', figures.ours), cpuNote('anchor', figures.anchor)]).toEqual([
    'CPU of ours, µs per call: 200, 300',
    'CPU of anchor, µs per call: -, -',
  ]);
});

test('a call that fails ends the measurement', async () => {
  const failing: Contestant = {
    name: 'ours',
    measure: async () => await Promise.resolve({ calls: 99, callsPerSecond: 100, failed: 1, retransmissions: 0 }),
    cpuMicros: null,
  };
  await expect(inTurns({ failing }, 1, () => undefined)).rejects.toThrow('1 calls of ours failed');
});

test('figures that are no numbers are a failure too', async () => {
  const mute: Contestant = {
    name: 'mute',
    measure: async () =>
      await Promise.resolve({ calls: 0, callsPerSecond: Number.NaN, failed: Number.NaN, retransmissions: 0 }),
    cpuMicros: null,
  };
  await expect(inTurns({ mute }, 1, () => undefined)).rejects.toThrow('calls of mute failed');
});
