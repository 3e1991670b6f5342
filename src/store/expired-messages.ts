import type { Clock } from '../core/ports.ts';
import { reasonOf } from './errors.ts';
import type { PrismaClient } from './generated/client.ts';
import type { StoreLog } from './store-log.ts';

/** Rows erased by one statement: what is saved meanwhile waits for no more. */
const batchRows = 1_000;
const everyMs = 3_600_000;

export type Erasing = { readonly prisma: PrismaClient; readonly clock: Clock; readonly log: StoreLog };

/** Erases messages whose time is over, now and every hour. Returns what stops that, once the statement under way is done. */
export function eraseExpired({ prisma, clock, log }: Erasing): () => Promise<void> {
  let stopTimer = (): void => undefined;
  let isStopped = false;
  let running = Promise.resolve();
  const sweep = async (): Promise<void> => {
    try {
      while (!isStopped && (await eraseSome(prisma, new Date(clock.now()))) === batchRows);
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'expired messages not erased');
    }
    if (!isStopped) stopTimer = clock.callAt(clock.now() + everyMs, start);
  };
  const start = (): void => {
    running = sweep();
  };
  start();
  return () => {
    isStopped = true;
    stopTimer();
    return running;
  };
}

/** How many there were; those that another node is erasing are its own. */
function eraseSome(prisma: PrismaClient, now: Date): Promise<number> {
  return prisma.$executeRaw`
    DELETE FROM messages WHERE id IN (
      SELECT id FROM messages WHERE expires_at <= ${now} ORDER BY expires_at LIMIT ${batchRows} FOR UPDATE SKIP LOCKED)`;
}
