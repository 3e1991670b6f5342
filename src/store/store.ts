import type { Clock, DefinitionStore, KeyPort, ReadPort, SavePort } from '../core/ports.ts';
import type { ConferenceRecord, GroupRow, Instant, UserRow } from '../core/rows.ts';
import { suspectsBeside, watchSuspects } from './abandoned-nodes.ts';
import { batchWriter, isPoison } from './batch-writer.ts';
import { lastInstance, nodeIdOf, noteInstance, prepareDataDir } from './data-dir.ts';
import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import type { Database } from './database.ts';
import { groupStore, userStore } from './definitions.ts';
import { reasonOf, StartRefused } from './errors.ts';
import { eraseExpired } from './expired-messages.ts';
import { PrismaClient } from './generated/client.ts';
import { GroupCommit } from './group-commit.ts';
import { allInterruptedOf, closeInterruptedOf, type Owner } from './interrupted.ts';
import { migrate } from './migrate.ts';
import { readMigrations } from './migrations.ts';
import { NodePresence } from './node-presence.ts';
import { packageFiles } from './package-files.ts';
import { openEmbedded } from './pglite/pglite.ts';
import { openPostgres } from './postgres.ts';
import { keyPort, openReferrals, readPort, record } from './reads.ts';
import type { Interrupted } from './restarted.ts';
import type { StoreLog } from './store-log.ts';
import { eraseUnsaid } from './unsaid-messages.ts';

export type Store = SavePort &
  ReadPort &
  KeyPort & {
    readonly nodeId: string;
    /** Whether other processes may be writing to the same database. */
    readonly shared: boolean;
    readonly groups: DefinitionStore<GroupRow>;
    readonly users: DefinitionStore<UserRow>;
    /** What a former process left running: of this node, in an embedded database of any. For before the first input. */
    readonly interrupted: () => Promise<readonly ConferenceRecord[]>;
    /** Ends those as `restarted`; answers with the dialogs that may still stand. For before the first input. */
    readonly closeInterrupted: (now: Instant) => Promise<readonly Interrupted[]>;
    /** Settles what is being saved, then closes everything in reverse order of opening. */
    readonly close: () => Promise<void>;
    readonly [Symbol.asyncDispose]: () => Promise<void>;
  };

export type StoreOptions = {
  /** Postgres; null: the embedded database in `dataDir`. */
  readonly databaseUrl: string | null;
  /** Made when missing; locked in both cases. */
  readonly dataDir: string;
  /** null: made at the first start and kept in `dataDir`. */
  readonly nodeId: string | null;
  readonly log: StoreLog;
  readonly clock: Clock;
  /** Path of the prepared dump of the embedded database, when it is not the package's own. */
  readonly template?: string;
  /** Called once when the store can serve no more, with one sentence: the process is to end. */
  readonly onLost?: (sentence: string) => void;
  /** Called when conferences of another node, found dead after the start, have been closed. */
  readonly onNodeClosed?: (node: string, interrupted: readonly Interrupted[]) => void;
};

/** Opens the store: folder, lock, database, migrations, node. Rejects with StartRefused, whose message is for a person. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const undo: (() => Promise<void>)[] = [];
  const undoAll = () => closeAll(undo.splice(0).reverse());
  try {
    return await open(options, { opened: (close) => void undo.push(close), close: undoAll });
  } catch (error) {
    await undoAll();
    throw error;
  }
}

/** Closes each, also when one before it fails; then rejects with the first failure. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** What was opened, to be closed in reverse order. */
type Opened = { readonly opened: (close: () => Promise<void>) => void; readonly close: () => Promise<void> };

async function open(options: StoreOptions, { opened, close }: Opened): Promise<Store> {
  const { dataDir, clock, log } = options;
  await prepareDataDir(dataDir);
  const lock: DataDirLock = await lockDataDir(dataDir);
  opened(lock.release);
  const nodeId = await nodeIdOf(dataDir, options.nodeId);
  const database = await openDatabase(options);
  opened(database.close);
  const prisma = new PrismaClient({ adapter: database.adapter, errorFormat: 'minimal' });
  opened(() => prisma.$disconnect());
  const presence = await claimNode(options, { nodeId, prisma, database });
  opened(() => quietly(presence.stop(), log));

  const writing = await database.writing.connect();
  opened(() => writing.dispose());
  const write = batchWriter({
    database: writing,
    prisma,
    node: nodeId,
    instance: presence.instance,
    log,
    onFenced: () => presence.lose(),
  });
  const commits = new GroupCommit({ write, isPoison });
  opened(() => commits.close());
  const closing = { prisma, log, save: commits.save.bind(commits) };
  const stopWatch = watchSuspects(database.exclusive ? [] : await suspectsBeside(nodeId, prisma, clock), {
    prisma,
    clock,
    close: async (node) => {
      options.onNodeClosed?.(node, await closeInterruptedOf({ node }, clock.now(), closing));
    },
    onError: (error) => log.error({ reason: reasonOf(error) }, 'conferences of a dead node not closed'),
  });
  opened(async () => stopWatch());

  const stopErasing = eraseExpired({ prisma, clock, log });
  opened(stopErasing);

  const owner: Owner = database.exclusive ? 'any' : { node: nodeId };
  return {
    ...readPort(prisma, clock),
    ...keyPort(prisma),
    nodeId,
    shared: !database.exclusive,
    groups: groupStore(prisma),
    users: userStore(prisma),
    save: (change) => commits.save(change),
    load: async (conferenceId, unsaid = []) => {
      await eraseUnsaid(prisma, { node: nodeId, conferenceId, ids: unsaid });
      const found = await record(prisma, conferenceId);
      const referrals = await openReferrals(prisma, conferenceId);
      commits.readAgain(conferenceId);
      return found === undefined ? undefined : { ...found, referrals };
    },
    interrupted: () => allInterruptedOf(prisma, owner),
    closeInterrupted: (now) => closeInterruptedOf(owner, now, closing),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openDatabase(options: StoreOptions): Promise<Database> {
  const { databaseUrl, dataDir, log } = options;
  const migrations = await readMigrations();
  const database =
    databaseUrl === null
      ? await openEmbedded({
          dataDir,
          migrations,
          template: options.template ?? packageFiles.template,
          onDeath: (reason) => options.onLost?.(`The embedded database ended: ${reason}.`),
        })
      : await openPostgres(databaseUrl, log);
  try {
    const applied = await migrate(database.migrating, migrations);
    if (applied.length > 0) log.info({ applied }, 'migrations applied');
    return database;
  } catch (error) {
    await database.close();
    throw new StartRefused(`The database cannot be migrated: ${reasonOf(error)}.`);
  }
}

async function claimNode(
  options: StoreOptions,
  { nodeId, prisma, database }: { nodeId: string; prisma: PrismaClient; database: Database },
): Promise<NodePresence> {
  const { dataDir, clock, log } = options;
  const presence = await NodePresence.claim({
    prisma,
    clock,
    log,
    nodeId,
    dead: database.exclusive ? 'all' : await lastInstance(dataDir),
    onLost: () => options.onLost?.(`Another process took node ${nodeId} for dead and closed its conferences.`),
  });
  await noteInstance(dataDir, presence.instance);
  return presence;
}

/** The database may be gone when the process ends; that must not keep it from ending. */
async function quietly(done: Promise<void>, log: StoreLog): Promise<void> {
  try {
    await done;
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'node not signed off');
  }
}
