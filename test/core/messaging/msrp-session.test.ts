import { describe, expect, test } from 'vitest';
import {
  type MsrpSessionEvent,
  type MsrpSessionState,
  msrpSessionTransitions,
  nextMsrpSessionState,
} from '../../../src/core/messaging/msrp-session.ts';

const states: readonly MsrpSessionState[] = ['connecting', 'open', 'closed'];
const events: readonly MsrpSessionEvent[] = ['bound', 'lost', 'ended'];

const allowed: Record<string, MsrpSessionState> = {
  'connecting bound': 'open',
  'connecting lost': 'closed',
  'connecting ended': 'closed',
  'open lost': 'closed',
  'open ended': 'closed',
};

describe('the state table of an MSRP session', () => {
  test('names every state', () => {
    expect(Object.keys(msrpSessionTransitions)).toEqual(states);
  });

  test.each(states.flatMap((state) => events.map((event) => [state, event] as const)))('%s, %s', (state, event) => {
    const next = allowed[`${state} ${event}`];
    if (next === undefined) expect(() => nextMsrpSessionState(state, event)).toThrow(`that is ${state}`);
    else expect(nextMsrpSessionState(state, event)).toBe(next);
  });
});
