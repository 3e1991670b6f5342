import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

/** `child` ends with this process at the latest, also when a test was interrupted. */
export function endWithUs(child: ChildProcess): ChildProcess {
  if (children.size === 0) process.once('exit', endAll);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function endAll(): void {
  for (const child of children) child.kill('SIGKILL');
}
