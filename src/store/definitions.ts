import type { Definition, DefinitionFilter, DefinitionStore, PageRequest } from '../core/ports.ts';
import type { GroupRow, UserRow } from '../core/rows.ts';
import { createdPast } from './created-order.ts';
import type { Place } from './cursor.ts';
import { Prisma, type PrismaClient } from './generated/client.ts';
import { pageOf } from './paging.ts';
import { groupRow, userRow } from './rows.ts';

/** Rows read at a time where all of them are wanted. */
const pageSize = 1_000;

/** What holds of a group and of a user alike. */
type Where = {
  readonly id?: string | { readonly gt: string };
  readonly uri?: string;
  readonly revision?: number;
  readonly updatedAt?: { readonly gte: Date };
  readonly AND?: object[];
  readonly OR?: object[];
};

type Order = { readonly createdAt?: 'desc'; readonly id?: 'asc' | 'desc' };

/** One of the two tables: the few statements that all of this is made of. */
type Table<Row extends Definition> = {
  readonly name: 'groups' | 'users';
  /** What the operator calls it by, beside its URI. */
  readonly title: 'subject' | 'displayName';
  readonly find: (where: Where, orderBy: Order[], take: number) => Promise<Row[]>;
  readonly count: (where: Where) => Promise<number>;
  readonly create: (row: Row) => Promise<unknown>;
  readonly update: (where: Where, row: Row) => Promise<{ readonly count: number }>;
  readonly remove: (where: Where) => Promise<{ readonly count: number }>;
  readonly sumOfRevisions: () => Promise<number>;
  readonly revisions: () => Promise<{ readonly id: string; readonly revision: number }[]>;
};

/** The groups, from and to their table. */
export function groupStore(prisma: PrismaClient): DefinitionStore<GroupRow> {
  const { group } = prisma;
  return definitionStore({
    name: 'groups',
    title: 'subject',
    find: async (where, orderBy, take) => (await group.findMany({ where, orderBy, take })).map(groupRow),
    count: (where) => group.count({ where }),
    create: (row) => group.create({ data: groupData(row) }),
    update: (where, row) => group.updateMany({ where, data: groupData(row) }),
    remove: (where) => group.deleteMany({ where }),
    sumOfRevisions: async () => (await group.aggregate({ _sum: { revision: true } }))._sum.revision ?? 0,
    revisions: () => group.findMany({ select: { id: true, revision: true } }),
  });
}

/** The users, from and to their table. */
export function userStore(prisma: PrismaClient): DefinitionStore<UserRow> {
  const { user } = prisma;
  return definitionStore({
    name: 'users',
    title: 'displayName',
    find: async (where, orderBy, take) => (await user.findMany({ where, orderBy, take })).map(userRow),
    count: (where) => user.count({ where }),
    create: (row) => user.create({ data: userData(row) }),
    update: (where, row) => user.updateMany({ where, data: userData(row) }),
    remove: (where) => user.deleteMany({ where }),
    sumOfRevisions: async () => (await user.aggregate({ _sum: { revision: true } }))._sum.revision ?? 0,
    revisions: () => user.findMany({ select: { id: true, revision: true } }),
  });
}

function groupData(row: GroupRow) {
  const { members, policy, labels, createdAt, updatedAt, ...rest } = row;
  return {
    ...rest,
    members: members.map((member) => ({ ...member })),
    policy: { ...policy },
    labels: { ...labels },
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

function userData(row: UserRow) {
  const { secrets, createdAt, updatedAt, ...rest } = row;
  return {
    ...rest,
    secrets: secrets === null ? Prisma.DbNull : { ...secrets },
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

function definitionStore<Row extends Definition>(table: Table<Row>): DefinitionStore<Row> {
  const one = async (where: Where) => (await table.find(where, [], 1))[0];
  return {
    list: (filter, page) => list(table, filter, page),
    byId: (id) => one({ id }),
    byUri: (uri) => one({ uri }),
    insert: async (row) => {
      try {
        await table.create(row);
        return true;
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    },
    replace: async (row) => (await table.update({ id: row.id, revision: row.revision - 1 }, row)).count === 1,
    remove: async (id, revision) => (await table.remove({ id, revision })).count === 1,
    updatedSince: (time) => allSince(table, new Date(time)),
    totals: async () => ({ count: await table.count({}), revisions: await table.sumOfRevisions() }),
    revisions: () => table.revisions(),
  };
}

function list<Row extends Definition>(table: Table<Row>, filter: DefinitionFilter, page: PageRequest) {
  const where = whereOf(table, filter);
  return pageOf<Row>(
    {
      name: table.name,
      placeOf: (row) => ({ key: row.createdAt, id: row.id }),
      rowsAfter: (place: Place | null, take) =>
        table.find(
          place === null ? where : { AND: [where, { OR: createdPast(place, 'desc') }] },
          [{ createdAt: 'desc' }, { id: 'desc' }],
          take,
        ),
      total: () => table.count(where),
    },
    page,
  );
}

function whereOf<Row extends Definition>({ title }: Table<Row>, { q }: DefinitionFilter): Where {
  if (q === null) return {};
  // Prisma passes the text on as a pattern of LIKE as it is.
  const holds = { contains: q.replaceAll(/[\\%_]/g, '\\$&'), mode: 'insensitive' };
  return { OR: [{ uri: holds }, { [title]: holds }] };
}

async function allSince<Row extends Definition>(table: Table<Row>, time: Date): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let after = ''; ; ) {
    const page = await table.find({ updatedAt: { gte: time }, id: { gt: after } }, [{ id: 'asc' }], pageSize);
    const last = page.at(-1);
    if (last === undefined) return rows;
    rows.push(...page);
    after = last.id;
  }
}

/** Whether the database refused a row because another has its URI. */
function isTaken(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
