import type { AttemptFilter, Clock, ConferenceFilter, KeyPort, PageRequest, ReadPort } from '../core/ports.ts';
import type {
  AttemptRow,
  ConferenceRecord,
  ConferenceRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
} from '../core/rows.ts';
import { createdPast } from './created-order.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import { pageOf } from './paging.ts';
import {
  attemptRow,
  conferenceRow,
  keyRow,
  messageRow,
  participantRow,
  referralRow,
  subscriptionRow,
  withEndpoints,
} from './rows.ts';

/** The column is a Postgres integer. */
const positionMax = 2 ** 31 - 1;

/** What REST reads, from the tables. Lists are paged by (sort key, id), so pages stay whole while rows come and go. */
export function readPort(prisma: PrismaClient, clock: Clock): ReadPort {
  return {
    conferences: (filter, page) => conferences(prisma, filter, page),
    conference: async (id) => {
      const kept = await prisma.conference.findUnique({ where: { id } });
      return kept === null ? undefined : conferenceRow(kept);
    },
    record: (id) => record(prisma, id),
    participants: (conferenceId, page) => participants(prisma, conferenceId, page),
    participant: async (conferenceId, id) => {
      const [kept] = await ofOneMoment(prisma, [
        prisma.participant.findUnique({ where: { id, conferenceId }, include: withEndpoints }),
      ]);
      return kept ? participantRow(kept) : undefined;
    },
    subscriptions: (conferenceId, page) => subscriptions(prisma, conferenceId, page),
    referrals: (conferenceId, page) => referrals(prisma, conferenceId, page),
    referral: async (conferenceId, id) => {
      const kept = await prisma.referral.findUnique({ where: { id, conferenceId } });
      return kept === null ? undefined : referralRow(kept);
    },
    messages: (conferenceId, page) => messages(prisma, { conferenceId, ...lastingAt(clock) }, page),
    message: async (conferenceId, id) => {
      const kept = await prisma.message.findUnique({ where: { id, conferenceId, ...lastingAt(clock) } });
      return kept === null ? undefined : messageRow(kept);
    },
    attempts: (filter, page) => attempts(prisma, filter, page),
    ping: async () => {
      await prisma.$queryRaw`SELECT 1`;
    },
  };
}

/** API keys, from and to the table. Rejects when the database cannot be reached or a key exists already. */
export function keyPort(prisma: PrismaClient): KeyPort {
  return {
    keyByHash: async (hash) => {
      const kept = await prisma.apiKey.findUnique({ where: { hash } });
      return kept === null ? undefined : keyRow(kept);
    },
    addKey: async (key) => {
      await prisma.apiKey.create({
        data: { ...key, scopes: [...key.scopes], createdAt: new Date(key.createdAt) },
      });
    },
    countKeys: () => prisma.apiKey.count(),
  };
}

/** What the questions find, as if asked at once: the rows of a participant are in two tables. */
function ofOneMoment<Questions extends Prisma.PrismaPromise<unknown>[]>(
  prisma: PrismaClient,
  questions: [...Questions],
) {
  return prisma.$transaction(questions, { isolationLevel: 'RepeatableRead' });
}

/** One conference with its participants and live subscriptions, all of one moment; undefined when there is none. */
export async function record(prisma: PrismaClient, id: string): Promise<ConferenceRecord | undefined> {
  const [conference, kept, subscribed] = await ofOneMoment(prisma, [
    prisma.conference.findUnique({ where: { id } }),
    prisma.participant.findMany({
      where: { conferenceId: id },
      include: withEndpoints,
      orderBy: [{ position: 'asc' }, { id: 'asc' }],
    }),
    prisma.subscription.findMany({
      where: { conferenceId: id, state: { not: 'terminated' } },
      orderBy: { id: 'asc' },
    }),
  ]);
  if (conference === null) return undefined;
  return {
    conference: conferenceRow(conference),
    participants: kept.map(participantRow),
    subscriptions: subscribed.map(subscriptionRow),
  };
}

function conferences(prisma: PrismaClient, filter: ConferenceFilter, page: PageRequest) {
  const where = conferencesWhere(filter);
  const order = filter.sort === 'created_at' ? 'asc' : 'desc';
  return pageOf<ConferenceRow>(
    {
      name: `conferences ${filter.sort}`,
      placeOf: (row) => ({ key: row.createdAt, id: row.id }),
      rowsAfter: async (place, take) => {
        const kept = await prisma.conference.findMany({
          where: place === null ? where : { AND: [where, { OR: createdPast(place, order) }] },
          orderBy: [{ createdAt: order }, { id: order }],
          take,
        });
        return kept.map(conferenceRow);
      },
      total: () => prisma.conference.count({ where }),
    },
    page,
  );
}

function conferencesWhere(filter: ConferenceFilter): Prisma.ConferenceWhereInput {
  return {
    ...(filter.status !== null && { status: filter.status }),
    ...(filter.kind !== null && { kind: filter.kind }),
    ...(filter.createdBy !== null && { createdBy: filter.createdBy }),
    ...(filter.participantUri !== null && { participants: { some: { uri: filter.participantUri } } }),
    createdAt: {
      ...(filter.createdAfter !== null && { gte: new Date(filter.createdAfter) }),
      ...(filter.createdBefore !== null && { lt: new Date(filter.createdBefore) }),
    },
  };
}

function participants(prisma: PrismaClient, conferenceId: string, page: PageRequest) {
  return pageOf<ParticipantRow>(
    {
      name: 'participants',
      keyMax: positionMax,
      placeOf: (row) => ({ key: row.position, id: row.id }),
      rowsAfter: async (place, take) => {
        const past = place && [{ position: { gt: place.key } }, { position: place.key, id: { gt: place.id } }];
        const [kept] = await ofOneMoment(prisma, [
          prisma.participant.findMany({
            where: { conferenceId, ...(past && { OR: past }) },
            include: withEndpoints,
            orderBy: [{ position: 'asc' }, { id: 'asc' }],
            take,
          }),
        ]);
        return kept.map(participantRow);
      },
      total: () => prisma.participant.count({ where: { conferenceId } }),
    },
    page,
  );
}

function subscriptions(prisma: PrismaClient, conferenceId: string | null, page: PageRequest) {
  const where = conferenceId === null ? {} : { conferenceId };
  return pageOf<SubscriptionRow>(
    {
      name: 'subscriptions',
      // Ids rise with time; no other field of a subscription stays as it was.
      placeOf: (row) => ({ key: 0, id: row.id }),
      rowsAfter: async (place, take) => {
        const kept = await prisma.subscription.findMany({
          where: { ...where, ...(place && { id: { gt: place.id } }) },
          orderBy: { id: 'asc' },
          take,
        });
        return kept.map(subscriptionRow);
      },
      total: () => prisma.subscription.count({ where }),
    },
    page,
  );
}

/** The referrals of a conference that are not settled. */
export async function openReferrals(prisma: PrismaClient, conferenceId: string): Promise<readonly ReferralRow[]> {
  const kept = await prisma.referral.findMany({ where: { conferenceId, state: 'trying' } });
  return kept.map(referralRow);
}

function referrals(prisma: PrismaClient, conferenceId: string, page: PageRequest) {
  return pageOf<ReferralRow>(
    {
      name: 'referrals',
      // Ids rise with time.
      placeOf: (row) => ({ key: 0, id: row.id }),
      rowsAfter: async (place, take) => {
        const kept = await prisma.referral.findMany({
          where: { conferenceId, ...(place && { id: { gt: place.id } }) },
          orderBy: { id: 'asc' },
          take,
        });
        return kept.map(referralRow);
      },
      total: () => prisma.referral.count({ where: { conferenceId } }),
    },
    page,
  );
}

/** What is still to be had of messages: they are erased some time after theirs is over. */
function lastingAt(clock: Clock) {
  return { expiresAt: { gt: new Date(clock.now()) } };
}

function messages(prisma: PrismaClient, where: Prisma.MessageWhereInput, page: PageRequest) {
  return pageOf<MessageRow>(
    {
      name: 'messages',
      placeOf: (row) => ({ key: row.sentAt, id: row.id }),
      rowsAfter: async (place, take) => {
        const sentAt = place && new Date(place.key);
        const kept = await prisma.message.findMany({
          where: {
            ...where,
            ...(place && sentAt && { OR: [{ sentAt: { gt: sentAt } }, { sentAt, id: { gt: place.id } }] }),
          },
          orderBy: [{ sentAt: 'asc' }, { id: 'asc' }],
          take,
        });
        return kept.map(messageRow);
      },
      total: () => prisma.message.count({ where }),
    },
    page,
  );
}

function attempts(prisma: PrismaClient, filter: AttemptFilter, page: PageRequest) {
  const where: Prisma.AttemptWhereInput = {
    ...(filter.code !== null && { code: filter.code }),
    ...(filter.caller !== null && { caller: filter.caller }),
  };
  return pageOf<AttemptRow>(
    {
      name: 'attempts',
      placeOf: (row) => ({ key: row.at, id: row.id }),
      rowsAfter: async (place, take) => {
        const at = place && new Date(place.key);
        const kept = await prisma.attempt.findMany({
          where: { ...where, ...(place && at && { OR: [{ at: { lt: at } }, { at, id: { lt: place.id } }] }) },
          orderBy: [{ at: 'desc' }, { id: 'desc' }],
          take,
        });
        return kept.map(attemptRow);
      },
      total: () => prisma.attempt.count({ where }),
    },
    page,
  );
}
