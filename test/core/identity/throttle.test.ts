import { expect, test } from 'vitest';
import { Throttle } from '../../../src/core/identity/throttle.ts';
import { limits } from '../../../src/core/limits.ts';

const window = limits.failedAttemptsWindowMs;
const alice = { asker: 'here', username: 'alice' };

function afterFailures(count: number, who = alice): Throttle {
  const throttle = new Throttle();
  for (let at = 0; at < count; at += 1) throttle.failed(who, at);
  return throttle;
}

test('a user may fail so often from one address, until the window that began with the first failure is over', () => {
  expect(afterFailures(limits.failedAttemptsPerUserMax - 1).isClosed(alice, 100)).toBe(false);
  const throttle = afterFailures(limits.failedAttemptsPerUserMax);
  expect(throttle.isClosed(alice, 100)).toBe(true);
  expect(throttle.isClosed(alice, window - 1)).toBe(true);
  expect(throttle.isClosed(alice, window)).toBe(false);
  throttle.failed(alice, window);
  expect(throttle.isClosed(alice, window)).toBe(false);
});

test('nobody keeps a user out from elsewhere, nor another user from here', () => {
  const throttle = afterFailures(limits.failedAttemptsPerUserMax);
  expect(throttle.isClosed({ ...alice, asker: 'elsewhere' }, 100)).toBe(false);
  expect(throttle.isClosed({ ...alice, username: 'bob' }, 100)).toBe(false);
});

test('an address may fail so often in all, whoever it says it is', () => {
  const throttle = new Throttle();
  for (let at = 0; at < limits.failedAttemptsPerSourceMax; at += 1) {
    expect(throttle.isClosed({ asker: 'here', username: `guess${at}` }, 0)).toBe(false);
    throttle.failed({ asker: 'here', username: `guess${at}` }, 0);
  }
  expect(throttle.isClosed(alice, 0)).toBe(true);
  expect(throttle.isClosed({ ...alice, asker: 'elsewhere' }, 0)).toBe(false);
});

test('success clears the count of the user, and not that of the address', () => {
  const throttle = afterFailures(limits.failedAttemptsPerUserMax - 1);
  throttle.succeeded(alice);
  throttle.failed(alice, 100);
  expect(throttle.isClosed(alice, 100)).toBe(false);
  for (let at = limits.failedAttemptsPerUserMax; at < limits.failedAttemptsPerSourceMax; at += 1) {
    throttle.failed(alice, 100);
    throttle.succeeded(alice);
  }
  expect(throttle.isClosed(alice, 100)).toBe(true);
});

test('counts are bounded, and the oldest windows are forgotten first', () => {
  const throttle = afterFailures(limits.failedAttemptsPerUserMax);
  for (let at = 0; at < limits.failuresCountedMax - 1; at += 1) {
    throttle.failed({ asker: `host${at}`, username: 'a' }, 100);
  }
  expect(throttle.size).toBe(2 * limits.failuresCountedMax);
  expect(throttle.isClosed(alice, 100)).toBe(true);
  throttle.failed({ asker: 'one more', username: 'a' }, 100);
  expect(throttle.size).toBe(2 * limits.failuresCountedMax);
  expect(throttle.isClosed(alice, 100)).toBe(false);
});
