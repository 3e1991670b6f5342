/** What is held in memory, once all that is not has been cleared away. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export function clearGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** In octets. */
export function heldBytes(): number {
  clearGarbage();
  return process.memoryUsage().heapUsed;
}
