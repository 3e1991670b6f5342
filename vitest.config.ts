import { defineConfig } from 'vitest/config';
import { closingLine } from './test/support/closing-line.ts';

// What needs sockets, processes or a database; everything else is fast, so that no test file belongs nowhere.
const slow = ['test/{store,contract,integration,interop,demo}/**/*.test.ts', 'test/**/*.integration.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', closingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: slow,
          // Pure code keeps no state between files, hence one warm worker serves many of them.
          pool: 'threads',
          isolate: false,
          testTimeout: 5_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: slow,
          pool: 'forks',
          // An embedded database takes about 400 MB and some seconds to start.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
