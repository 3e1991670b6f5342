import { describe, expect, test } from 'vitest';
import { waysOf } from '../../../src/sipd/daemon-ways.ts';
import { responseEvent, type TimerLetter, timerMs } from '../../../src/sipd/transaction/timers.ts';

const values = { t1: 500, t2: 4_000, t4: 5_000 };
const first = { values, ways: waysOf('free'), round: 0, proceeding: false };

describe('RFC 3261 table 4: durations of the timers', () => {
  test('over UDP and over TCP', () => {
    const letters: TimerLetter[] = ['a', 'b', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
    const rows = letters.map((letter) => [
      letter,
      timerMs(letter, { ...first, reliable: false }),
      timerMs(letter, { ...first, reliable: true }),
    ]);
    expect(rows).toEqual([
      ['a', 500, null],
      ['b', 32_000, 32_000],
      ['d', 32_000, 0],
      ['e', 500, null],
      ['f', 32_000, 32_000],
      ['g', 500, null],
      ['h', 32_000, 32_000],
      ['i', 5_000, 0],
      ['j', 32_000, 0],
      ['k', 5_000, 0],
      ['l', 32_000, 32_000],
      ['m', 32_000, 32_000],
    ]);
  });

  test('timer A doubles, E and G double up to T2, E is T2 once something has come', () => {
    const rounds = (letter: TimerLetter, proceeding = false): (number | null)[] =>
      [0, 1, 2, 3, 4, 5].map((round) => timerMs(letter, { ...first, reliable: false, round, proceeding }));
    expect(rounds('a')).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(rounds('e')).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(rounds('g')).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(rounds('e', true)).toEqual([4_000, 4_000, 4_000, 4_000, 4_000, 4_000]);
  });

  test('the daemon repeats first after a whole second', () => {
    const rounds = (letter: TimerLetter): (number | null)[] =>
      [0, 1, 2, 3].map((round) => timerMs(letter, { ...first, ways: waysOf('strict'), reliable: false, round }));
    expect(rounds('a')).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(rounds('e')).toEqual([1_000, 2_000, 4_000, 4_000]);
    expect(rounds('g')).toEqual([500, 1_000, 2_000, 4_000]);
  });

  test('answers fall into three kinds', () => {
    expect([100, 199, 200, 299, 300, 699].map(responseEvent)).toEqual([
      '1xx',
      '1xx',
      '2xx',
      '2xx',
      '300-699',
      '300-699',
    ]);
  });
});
