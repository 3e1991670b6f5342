import { expect, test } from 'vitest';
import { TimerLanes } from '../../src/sipd/timer-lanes.ts';

test('timers fire in the order they fall due, whatever their durations', () => {
  const lanes = new TimerLanes();
  const fired: string[] = [];
  lanes.start(0, 500, () => fired.push('500'));
  lanes.start(0, 100, () => fired.push('100'));
  lanes.start(50, 100, () => fired.push('150'));
  lanes.start(0, 120, () => fired.push('120'));
  expect(lanes.next()).toBe(100);
  lanes.run(150);
  expect(fired).toEqual(['100', '120', '150']);
  expect(lanes.next()).toBe(500);
  lanes.run(499);
  lanes.run(500);
  expect(fired).toEqual(['100', '120', '150', '500']);
  expect(lanes.next()).toBeNull();
});

test('a stopped timer never fires and leaves nothing behind, first, middle or last of its lane', () => {
  const lanes = new TimerLanes();
  const fired: number[] = [];
  const timers = [0, 1, 2, 3].map((each) => lanes.start(each, 10, () => fired.push(each)));
  for (const at of [1, 0, 3]) lanes.stop(timers[at] ?? null);
  lanes.stop(timers[1] ?? null);
  lanes.stop(null);
  expect(lanes.count()).toBe(1);
  expect(lanes.next()).toBe(12);
  lanes.run(100);
  expect(fired).toEqual([2]);
  lanes.stop(timers[2] ?? null);
  expect(lanes.count()).toBe(0);
});

test('a timer that starts another does not fire it in the same run, unless that is due too', () => {
  const lanes = new TimerLanes();
  const fired: string[] = [];
  lanes.start(0, 10, () => {
    fired.push('a');
    lanes.start(10, 10, () => fired.push('b'));
  });
  lanes.run(10);
  expect(fired).toEqual(['a']);
  lanes.run(20);
  expect(fired).toEqual(['a', 'b']);
});

test('a clock that was set back delays a timer rather than disorder its lane', () => {
  const lanes = new TimerLanes();
  const fired: string[] = [];
  lanes.start(100, 10, () => fired.push('first'));
  lanes.start(50, 10, () => fired.push('second'));
  expect(lanes.next()).toBe(110);
  lanes.run(109);
  expect(fired).toEqual([]);
  lanes.run(110);
  expect(fired).toEqual(['first', 'second']);
});
