import { expect, test } from 'vitest';
import { daemonWays, waysOf, waysWith } from '../../src/sipd/daemon-ways.ts';

test('free has none of the switches, strict all', () => {
  expect([...waysOf('free')]).toEqual([]);
  expect([...waysOf('strict')]).toEqual(Object.keys(daemonWays));
});

test('a name adds its way to the mode, a name with a minus leaves it out', () => {
  expect([...waysWith('free', ['drops-refer', 'any-cseq'])]).toEqual(['drops-refer', 'any-cseq']);
  const most = waysWith('strict', ['-drops-refer']);
  expect(most.has('drops-refer')).toBe(false);
  expect(most.size).toBe(Object.keys(daemonWays).length - 1);
  expect([...waysWith('free', ['-drops-refer'])]).toEqual([]);
  expect(waysOf('strict').has('drops-refer')).toBe(true);
});

test('a name there is none of is told in one sentence with those there are', () => {
  expect(() => waysWith('free', ['drop-refer'])).toThrow(
    /^SIPD_SWITCHES must be names, or names with a minus, of control-ring, .*; "drop-refer" is none\.$/,
  );
  expect(() => waysWith('free', ['--any-cseq'])).toThrow(/"--any-cseq" is none/);
  expect(() => waysWith('free', ['constructor'])).toThrow(/"constructor" is none/);
});
