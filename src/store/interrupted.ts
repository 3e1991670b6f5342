import { randomUUID } from 'node:crypto';
import type { Change, ConferenceRecord, Instant } from '../core/rows.ts';
import { reasonOf } from './errors.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { openReferrals, record } from './reads.ts';
import { dialogsOf, endedByRestart, type Interrupted } from './restarted.ts';
import { conferenceRow, participantRow, subscriptionRow, withEndpoints } from './rows.ts';
import type { StoreLog } from './store-log.ts';

/** Conferences read, and closed together, at a time. */
const pageSize = 100;

export type Closing = {
  readonly prisma: PrismaClient;
  readonly save: (change: Change) => Promise<void>;
  readonly log: StoreLog;
};

/** Which nodes' conferences: all of them where nobody else can be running, else the one named. */
export type Owner = 'any' | { readonly node: string };

/** What `owner` left running. */
export async function allInterruptedOf(prisma: PrismaClient, owner: Owner): Promise<readonly ConferenceRecord[]> {
  const records: ConferenceRecord[] = [];
  for await (const page of interruptedOf(prisma, owner)) records.push(...page);
  return records;
}

async function* interruptedOf(prisma: PrismaClient, owner: Owner): AsyncGenerator<readonly ConferenceRecord[]> {
  for (let after = ''; ; ) {
    const page = await prisma.conference.findMany({
      where: { ...unfinished(owner), id: { gt: after } },
      include: {
        participants: { include: withEndpoints, orderBy: [{ position: 'asc' }, { id: 'asc' }] },
        subscriptions: { where: { state: { not: 'terminated' } }, orderBy: { id: 'asc' } },
      },
      orderBy: { id: 'asc' },
      take: pageSize,
    });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(({ participants, subscriptions, ...conference }) => ({
      conference: conferenceRow(conference),
      participants: participants.map(participantRow),
      subscriptions: subscriptions.map(subscriptionRow),
    }));
    after = last.id;
  }
}

/**
 * Ends what `owner` left running, as `restarted`, and answers with the dialogs that may still stand. One that cannot be
 * closed is logged and left: it must not keep the others open, nor the service from starting.
 */
export async function closeInterruptedOf(owner: Owner, now: Instant, closing: Closing): Promise<Interrupted[]> {
  const closed: Interrupted[] = [];
  for await (const page of interruptedOf(closing.prisma, owner)) {
    const results = await Promise.all(page.map((interrupted) => closeOne(interrupted, now, closing)));
    closed.push(...results.filter((result) => result !== undefined));
  }
  return closed;
}

async function closeOne(interrupted: ConferenceRecord, now: Instant, closing: Closing) {
  const { id } = interrupted.conference;
  try {
    const referrals = await openReferrals(closing.prisma, id);
    await closing.save(endedByRestart(interrupted, { now, eventId: randomUUID(), referrals }));
    return dialogsOf(interrupted);
  } catch (error) {
    // Another start may have closed it first; its event then has the number ours was to have.
    const found = await record(closing.prisma, id);
    if (found?.conference.status !== 'ended')
      closing.log.error({ conference: id, reason: reasonOf(error) }, 'interrupted conference not closed');
    return undefined;
  }
}

function unfinished(owner: Owner): Prisma.ConferenceWhereInput {
  return { status: { not: 'ended' }, ...(owner !== 'any' && { node: owner.node }) };
}
