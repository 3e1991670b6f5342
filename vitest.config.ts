import { defineConfig } from 'vitest/config';
import { closingLine } from './test/support/closing-line.ts';

// What takes its time with the whole server or with other programs: it tells of isfocus, not of the Node it runs on.
const whole = [
  'test/{integration,interop}/**/*.test.ts',
  'test/scenario/histories/**/*.test.ts',
  'test/sipd/soak/**/*.test.ts',
  'test/msrp/chunk-play.integration.test.ts',
];

// What needs sockets, processes or a database; everything else is fast, so that no test file belongs nowhere.
const slow = ['test/{store,contract,demo}/**/*.test.ts', 'test/**/*.integration.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', closingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...slow, ...whole],
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
          exclude: whole,
          pool: 'forks',
          // An embedded database takes about 400 MB and some seconds to start.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: whole,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
