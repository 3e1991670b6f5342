import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { referenceDataAbsent } from './closing-line.ts';

const folder = new URL('../../../shared/', import.meta.url);

/**
 * Bytes of a file of the reference data (schemas, RFC torture messages), which lie in `shared` beside the clone.
 * `path` is relative to that folder. Skips the test, naming the file, when it is not there.
 */
export function referenceData(context: TestContext, path: string): Buffer {
  const file = new URL(path, folder);
  if (!existsSync(file)) context.skip(`${referenceDataAbsent}: ../shared/${path}`);
  return readFileSync(file);
}
