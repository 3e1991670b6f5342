import type { Clock } from '../core/ports.ts';
import type { PrismaClient } from './generated/client.ts';
import { asSeen, heartbeatStaleMs, heartbeatWatchMs, moved, type Seen, seenNode } from './node-presence.ts';

/** A node that left conferences running; `seen` is undefined when it has no row any more. */
type Suspect = { readonly node: string; readonly seen: Seen | undefined };

/** Other nodes that left conferences running and whose heartbeat is old, or gone. */
export async function suspectsBeside(nodeId: string, prisma: PrismaClient, clock: Clock): Promise<readonly Suspect[]> {
  const running = await prisma.conference.findMany({
    where: { status: { not: 'ended' }, node: { not: nodeId } },
    distinct: ['node'],
    select: { node: true },
    orderBy: { node: 'asc' },
  });
  const suspects = running.map(async ({ node }) => ({ node, seen: await seenNode(prisma, node) }));
  const now = clock.now();
  return (await Promise.all(suspects)).filter(
    ({ seen }) => seen === undefined || now - seen.heartbeatAt >= heartbeatStaleMs,
  );
}

/**
 * Looks at the suspects once more, two beats later, and calls `close` for each that did not move. Its row is removed
 * first, only as it was seen: a process that wakes up after all is fenced off, and of two closers one goes on.
 * Returns a function that stops the watch; `onError` hears what goes wrong.
 */
export function watchSuspects(
  suspects: readonly Suspect[],
  watch: {
    readonly prisma: PrismaClient;
    readonly clock: Clock;
    readonly close: (node: string) => Promise<void>;
    readonly onError: (error: unknown) => void;
  },
): () => void {
  if (suspects.length === 0) return () => undefined;
  return watch.clock.callAt(watch.clock.now() + heartbeatWatchMs, () => {
    void closeDead(suspects, watch.prisma, watch.close).catch(watch.onError);
  });
}

async function closeDead(
  suspects: readonly Suspect[],
  prisma: PrismaClient,
  close: (node: string) => Promise<void>,
): Promise<void> {
  for (const { node, seen } of suspects) {
    const found = await seenNode(prisma, node);
    if (found !== undefined) {
      if (seen === undefined || moved(seen, found)) continue;
      const removed = await prisma.node.deleteMany({ where: asSeen(seen) });
      if (removed.count === 0) continue;
    }
    await close(node);
  }
}
