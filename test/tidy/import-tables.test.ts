import { expect, test } from 'vitest';
import { foldersTable, partsTable } from './import-tables.ts';

const files = [
  {
    path: 'src/app.ts',
    text: "import { Driver } from './driver.ts'; import { Conference } from './core/conference/a.ts';",
  },
  { path: 'src/core/service.ts', text: "import { b } from './conference/b.ts'; import assert from 'node:assert';" },
  { path: 'src/core/conference/a.ts', text: "import type { Id } from '../ids.ts'; import { b } from './b.ts';" },
  { path: 'src/core/conference/b.ts', text: "export { parse } from '../../wire/sdp.ts';" },
  { path: 'src/driver.ts', text: '' },
  { path: 'src/wire/sdp.ts', text: '' },
];

test('each part has a row with the parts it imports, itself and packages left out', () => {
  expect(partsTable(files).split('\n').slice(2)).toEqual([
    '| `src/app.ts` | `core`, `driver` |',
    '| `src/core` | `wire` |',
    '| `src/driver.ts` | — |',
    '| `src/wire` | — |',
  ]);
});

test('each folder of a part that has several has a row with those of that part it imports', () => {
  expect(foldersTable(files).split('\n').slice(2)).toEqual([
    '| `src/core` | `conference` |',
    '| `src/core/conference` | `core` |',
  ]);
});
