/** What a measured process says of itself when it is asked. */

type Counts = Readonly<Record<string, number>>;

/** Tells the parent where we listen, and our usage whenever it asks for `cpu` or `memory`. */
export function answerParent(port: number, counts: () => Counts = () => ({})): void {
  process.on('message', (question) => {
    // Collecting garbage costs what would then be counted as CPU.
    if (question === 'memory') globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system, heap: heapUsed(), counts: counts() });
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ port });
}

/** Octets of objects and of buffers outside the heap; what was once needed and is free again does not count. */
export function heapUsed(): number {
  const { heapUsed: heap, external } = process.memoryUsage();
  return heap + external;
}
