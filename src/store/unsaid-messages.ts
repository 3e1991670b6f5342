import type { PrismaClient } from './generated/client.ts';

export type Unsaid = { readonly node: string; readonly conferenceId: string; readonly ids: readonly string[] };

/**
 * Erases messages that a save which was rejected may have left. A save whose connection has broken may still run at the
 * server: the lock waits for it, as every save holds its node's row until it is committed (`batchStatement`), so that what
 * is read afterwards is what stays.
 */
export async function eraseUnsaid(prisma: PrismaClient, { node, conferenceId, ids }: Unsaid): Promise<void> {
  await prisma.$transaction([
    prisma.$queryRaw`SELECT 1 FROM nodes WHERE id = ${node} FOR UPDATE`,
    prisma.message.deleteMany({ where: { conferenceId, id: { in: [...ids] } } }),
  ]);
}
