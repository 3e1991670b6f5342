import { expect, test } from 'vitest';
import { cpuMicrosIn } from './measured-service.ts';

test('the CPU time of a process is that of its own code and of the system for it, whatever its name', () => {
  const before = ['R', 1, 1, 1, 0, -1, 4_194_304, 100, 0, 0, 0];
  const stat = (name: string): string => `4242 (${name}) ${[...before, 150, 25, 7, 9].join(' ')}\n`;
  expect(cpuMicrosIn(stat('node'))).toBe(1_750_000);
  expect(cpuMicrosIn(stat('a ) b 1 2'))).toBe(1_750_000);
});
