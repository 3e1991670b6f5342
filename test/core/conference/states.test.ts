import { describe, expect, test } from 'vitest';
import { conferenceTransitions } from '../../../src/core/conference/conference-state.ts';
import { endpointTransitions } from '../../../src/core/conference/endpoint-state.ts';
import { reportTransitions } from '../../../src/core/conference/referral-state.ts';
import { silenceTransitions } from '../../../src/core/conference/silence-state.ts';
import { subscriptionTransitions } from '../../../src/core/conference/subscription-state.ts';
import { after, type Transitions } from '../../../src/core/transition.ts';

/** The whole table, rows are states, columns events; `-` is illegal. Every pair is looked at. */
function checks<State extends string, Event extends string>(table: Transitions<State, Event>, expected: string): void {
  const [head = [], ...rows] = expected
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  test.each(rows)('%s', (state, ...next) => {
    const events = head as Event[];
    expect(events.map((event) => after(table, state as State, event) ?? '-')).toEqual(next);
  });
  test('knows these states and these events only', () => {
    expect(Object.keys(table).sort()).toEqual(rows.map(([state]) => state).sort());
    const used = new Set(Object.values(table).flatMap((events) => Object.keys(events as object)));
    expect([...used].sort()).toEqual([...head].sort());
  });
}

describe('conference', () => {
  checks(
    conferenceTransitions,
    `         activate end     settle
    creating active   ending  -
    active   -        ending  -
    ending   -        -       ended
    ended    -        -       -`,
  );
});

describe('endpoint', () => {
  checks(
    endpointTransitions,
    `               dial        ring          answer       redial      fail         cancel        hold    resume    leave
    pending         dialing-out -             -            -           disconnected -             -       -         -
    dialing-out     -           alerting      connected    dialing-out disconnected disconnecting -       -         -
    dialing-in      -           -             connected    -           disconnected -             -       -         -
    alerting        -           alerting      connected    dialing-out disconnected disconnecting -       -         -
    connected       -           -             -            -           -            -             on-hold -         disconnected
    on-hold         -           -             -            -           -            -             -       connected disconnected
    muted-via-focus -           -             -            -           -            -             -       -         disconnected
    disconnecting   -           disconnecting disconnected -           disconnected -             -       -         -
    disconnected    -           -             -            -           -            -             -       -         -`,
  );
});

describe('silence', () => {
  checks(
    silenceTransitions,
    `            ask          pend    resume    settle
    due          asking       -       -         settled
    asking       -            pausing -         settled
    pausing      -            -       due-again settled
    due-again    asking-again -       -         settled
    asking-again -            settled -         settled
    settled      -            -       -         -`,
  );
});

describe('report', () => {
  checks(
    reportTransitions,
    `         tell    finish    answer  refuse stop
    quiet     telling over      -       -      over
    telling   behind  finishing quiet   over   over
    behind    behind  finishing telling over   over
    finishing -       -         over    over   over
    over      -       -         -       -      -`,
  );
});

describe('subscription', () => {
  checks(
    subscriptionTransitions,
    `          accept refresh terminate
    pending    active pending terminated
    active     -      active  terminated
    terminated -      -       -`,
  );
});
