import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '../../../src/sipd/limits.ts';
import { rarely } from '../../../src/sipd/transport/rarely.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('the first is told at once, then at most one in a while, with how many there were', () => {
  const told: string[] = [];
  const tell = rarely((what, count) => told.push(`${count} ${what}`));
  for (const what of ['a', 'b', 'c']) tell(what);
  expect(told).toEqual(['1 a']);
  vi.advanceTimersByTime(limits.complaintEveryMs);
  tell('d');
  tell('e');
  expect(told).toEqual(['1 a', '3 d']);
});
