import { expect, test } from 'vitest';
import { figuresIn } from './sipp.ts';

test('the last line of SIPp’s statistics stands, its times with their fractions', () => {
  const lines = [
    'StartTime;LastResetTime;CurrentTime;SuccessfulCall(P);SuccessfulCall(C);Retransmissions(C);',
    '2026-01-01\t10:00:00.250000\t1767261600.250000;x;2026-01-01\t10:00:01.000000\t1767261601.000000;30;30;0;',
    '2026-01-01\t10:00:00.250000\t1767261600.250000;x;2026-01-01\t10:00:02.750000\t1767261602.750000;10;40;3;',
  ];
  expect(figuresIn(`${lines.join('\n')}\n`)).toEqual({
    successful: 40,
    retransmissions: 3,
    startedAt: 1_767_261_600.25,
    endedAt: 1_767_261_602.75,
  });
});

test('statistics that were never written are no figures', () => {
  expect(figuresIn('')).toEqual({
    successful: Number.NaN,
    retransmissions: Number.NaN,
    startedAt: Number.NaN,
    endedAt: Number.NaN,
  });
});
