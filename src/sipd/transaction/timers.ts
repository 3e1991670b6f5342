/** Durations of the transaction timers (RFC 3261 table 4 and appendix A; timers L and M: RFC 6026 8). */

import type { TimerValues } from '../context.ts';
import type { DaemonWays } from '../daemon-ways.ts';

export type TimerLetter = 'a' | 'b' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm';

/** Timers that repeat a message, of which a transaction runs one beside one that ends its state. */
export function repeats(letter: TimerLetter): boolean {
  return letter === 'a' || letter === 'e' || letter === 'g';
}

/** What an action of a table does to a timer; `event` is what its firing is to the machine. */
export type TimerStep = {
  readonly starts: boolean;
  readonly letter: TimerLetter;
  readonly event: `timer-${TimerLetter}`;
};

const letters: readonly TimerLetter[] = ['a', 'b', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];

/** By the name of the action, so that no name is taken apart for each message. */
const timerSteps: ReadonlyMap<string, TimerStep> = new Map(
  letters.flatMap((letter): [string, TimerStep][] => [
    [`start-${letter}`, { starts: true, letter, event: `timer-${letter}` }],
    [`stop-${letter}`, { starts: false, letter, event: `timer-${letter}` }],
  ]),
);

/** Of `start-a`, `stop-b` …; undefined for an action that is about no timer. */
export function timerStep(action: string): TimerStep | undefined {
  return timerSteps.get(action);
}

export type TimerConditions = {
  readonly values: TimerValues;
  readonly reliable: boolean;
  readonly ways: DaemonWays;
  /** How often this timer was started before in this transaction. */
  readonly round: number;
  /** Whether a provisional answer has come (timer E). */
  readonly proceeding: boolean;
};

/** Which event of a transaction table a response status is. */
export function responseEvent(status: number): '1xx' | '2xx' | '300-699' {
  if (status < 200) return '1xx';
  return status < 300 ? '2xx' : '300-699';
}

/** Milliseconds of the timer; null when the transport needs none; 0 means it fires at once. */
export function timerMs(letter: TimerLetter, conditions: TimerConditions): number | null {
  const { values, reliable } = conditions;
  switch (letter) {
    case 'a':
    case 'e':
    case 'g':
      return reliable ? null : retransmitMs(letter, conditions);
    case 'b':
    case 'f':
    case 'h':
    case 'l':
    case 'm':
      return 64 * values.t1;
    // RFC 3261 17.1.1.2: at least 32 s, which is 64*T1 at the default T1; 17.2.2: timer J is 64*T1.
    case 'd':
    case 'j':
      return reliable ? 0 : 64 * values.t1;
    case 'i':
    case 'k':
      return reliable ? 0 : values.t4;
  }
}

function retransmitMs(letter: 'a' | 'e' | 'g', { values, ways, round, proceeding }: TimerConditions): number {
  // RFC 3261 17.1.2.2: once a provisional answer is there, timer E is T2.
  if (letter === 'e' && proceeding) return values.t2;
  // The daemon's first client retransmission comes only after 2*T1.
  const first = ways.has('slow-retransmission') && letter !== 'g' ? 2 * values.t1 : values.t1;
  const doubled = first * 2 ** Math.min(round, 16);
  return letter === 'a' ? doubled : Math.min(doubled, values.t2);
}
