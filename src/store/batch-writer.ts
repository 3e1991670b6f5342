import type { SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils';
import { limits } from '../core/limits.ts';
import { batchRows } from './batch-rows.ts';
import { batchStatement, fencedState } from './batch-statement.ts';
import { EndpointRows } from './endpoint-rows.ts';
import { BatchFailed, databaseSaid, reasonOf } from './errors.ts';
import type { Batch } from './fold.ts';
import type { PrismaClient } from './generated/client.ts';
import { jsonText } from './json-text.ts';
import type { StoreLog } from './store-log.ts';

/** Attempts may outnumber their limit by this many before the oldest are removed, which costs a statement. */
const attemptsSlack = 100;

/** As many endpoints may have a row beyond those that their participants keep: nobody reads them. */
const formerEndpointsSlack = 100;

/** A save that takes longer is worth a line in the log. */
const slowMs = 1_000;

const text = { scalarType: 'string', arity: 'scalar' } as const;
const threeTexts: SqlQuery['argTypes'] = [text, text, text];

export type BatchWriterOptions = {
  /** Takes the batches as they are: Prisma's own engine would read and write each of them once more on its way. */
  readonly database: SqlQueryable;
  readonly prisma: PrismaClient;
  readonly node: string;
  readonly instance: string;
  readonly log: StoreLog;
  /** Called when the fence refused a batch: this process was taken for dead. */
  readonly onFenced: () => void;
};

/** Writes batches, each in one statement, and keeps the log of attempts within its bound. */
export function batchWriter({ database, prisma, node, instance, log, onFenced }: BatchWriterOptions) {
  let untrimmed = attemptsSlack;
  const endpoints = new EndpointRows();
  let crowded: string[] = [];
  return async (batch: Batch): Promise<void> => {
    const started = performance.now();
    try {
      const rows = jsonText(batchRows(batch, endpoints));
      await database.executeRaw({ sql: batchStatement, args: [rows, node, instance], argTypes: threeTexts });
      crowded.push(...endpoints.crowded(batch.participants));
      endpoints.written(batch.participants);
    } catch (error) {
      endpoints.forget();
      const failure = batchFailure(error);
      log.error({ state: failure.state, reason: failure.message, changes: batch.events.length }, 'batch not saved');
      if (failure.state === fencedState) onFenced();
      throw failure;
    }
    const tookMs = performance.now() - started;
    if (tookMs > slowMs) log.warn({ tookMs: Math.round(tookMs), events: batch.events.length }, 'slow save');
    untrimmed += batch.attempts.length;
    if (untrimmed > attemptsSlack) {
      untrimmed = 0;
      await tidied('attempts', trimAttempts(prisma));
    }
    if (crowded.length > formerEndpointsSlack) {
      const ids = crowded;
      crowded = [];
      await tidied('endpoints', removeFormerEndpoints(prisma, ids));
    }
  };

  async function tidied(table: string, work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => log.warn({ reason: reasonOf(error) }, `${table} not trimmed`));
  }
}

async function trimAttempts(prisma: PrismaClient): Promise<void> {
  await prisma.$executeRaw`
    DELETE FROM attempts WHERE (at, id) < (
      SELECT at, id FROM attempts ORDER BY at DESC, id DESC OFFSET ${limits.attemptsMax - 1} LIMIT 1)`;
}

/**
 * Who comes and goes has only the latest of the endpoints that are gone. A statement of its own, read and planned each
 * time: within that of the batch, whose plan is made while the tables are small, it would read the table as a whole.
 */
async function removeFormerEndpoints(prisma: PrismaClient, participantIds: readonly string[]): Promise<void> {
  await prisma.$executeRaw`
    DELETE FROM endpoints AS former USING participants AS participant
    WHERE former.participant_id = ANY (${participantIds}) AND participant.id = former.participant_id
      AND participant.id = ANY (${participantIds}) AND NOT jsonb_exists(participant.endpoints, former.id)`;
}

/**
 * Whether the database refused a value of the batch: SQLSTATE classes 22 (data), 23 (integrity) and 54 (limits). Then
 * nothing was written, and the batch without that value would be.
 */
export function isPoison(error: unknown): boolean {
  if (!(error instanceof BatchFailed) || error.state === undefined) return false;
  return error.state !== fencedState && /^(22|23|54)/.test(error.state);
}

/** What the database said. */
function batchFailure(error: unknown): BatchFailed {
  const said = databaseSaid(error);
  return new BatchFailed(said?.originalMessage ?? reasonOf(error), { state: said?.originalCode, cause: error });
}
