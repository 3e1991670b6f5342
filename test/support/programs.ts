/** Programs of the machine that tests run beside ours. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Skips the test, saying why, when one of `programs` is not installed; with CI set a skipped test fails the run. */
export function needsPrograms(context: TestContext, ...programs: readonly string[]): void {
  const absent = programs.filter((program) => !isInstalled(program));
  if (absent.length > 0) context.skip(`not installed: ${absent.join(', ')}`);
}

/** Whether a shell would find `program`. */
export function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}
