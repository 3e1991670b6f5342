import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();
/** Those that lead a process group of their own (`detached`), which ends as a whole. */
const leaders = new WeakSet<ChildProcess>();

/** `child` ends with this process at the latest, also when a test was interrupted. */
export function endWithUs(child: ChildProcess): ChildProcess {
  if (!process.listeners('exit').includes(endAll)) process.on('exit', endAll);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** The same for a `detached` child and all its own children. */
export function endGroupWithUs(child: ChildProcess): ChildProcess {
  leaders.add(child);
  return endWithUs(child);
}

/** kill -9 for a `detached` child and whatever it has left behind. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

function endAll(): void {
  for (const child of children) {
    if (leaders.has(child)) killGroup(child);
    else child.kill('SIGKILL');
  }
}
