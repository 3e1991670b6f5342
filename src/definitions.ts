import type { DefinitionInput } from './core/input.ts';
import { limits } from './core/limits.ts';
import type {
  Clock,
  Definition,
  DefinitionPort,
  DefinitionRefusal,
  DefinitionStore,
  DefinitionTotals,
} from './core/ports.ts';
import type { GroupRow, Instant, UserRow } from './core/rows.ts';

/** How often a process looks for what others on the same database have written. */
export const lookMs = 10_000;
/** How far the clocks of those processes may differ, and how long a write may take, for a look to see it at once. */
export const clockSkewMs = 60_000;
/** Writes that wait for those before them. An operator's program that sends more is better told to wait. */
export const waitingWritesMax = 1_000;

export type DefinitionsParts<Row extends Definition> = {
  readonly store: DefinitionStore<Row>;
  /** Tells the core. */
  readonly defined: (row: Row) => void;
  readonly removed: (id: string) => void;
  readonly clock: Clock;
  /** How many there may be: the core has all of them in memory. */
  readonly rowsMax: number;
  /** Hears why a look failed; the next one may do better. */
  readonly onError: (error: unknown) => void;
};

/**
 * Groups, or users: what is written is saved, then told to the core. One thing is done at a time, so that the core
 * hears of everything in the order in which it was saved.
 */
export class Definitions<Row extends Definition> implements DefinitionPort<Row> {
  readonly list: DefinitionPort<Row>['list'];
  readonly byId: DefinitionPort<Row>['byId'];
  readonly byUri: DefinitionPort<Row>['byUri'];
  readonly #parts: DefinitionsParts<Row>;
  /** The revision of each that the core was told of. */
  readonly #known = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #lookedAt: Instant = 0;
  #stopTimer: () => void = () => undefined;
  #closed = false;

  constructor(parts: DefinitionsParts<Row>) {
    this.#parts = parts;
    const { list, byId, byUri } = parts.store;
    this.list = list;
    this.byId = byId;
    this.byUri = byUri;
  }

  readonly add = (row: Row): Promise<DefinitionRefusal | null> =>
    this.#write(async () => {
      if (this.#known.size >= this.#parts.rowsMax) return 'too-many-definitions';
      if (!(await this.#parts.store.insert(row))) return 'already-defined';
      this.#learn(row);
      return null;
    });

  readonly replace = (row: Row): Promise<DefinitionRefusal | null> =>
    this.#write(async () => {
      if (!(await this.#parts.store.replace(row))) return 'changed-meanwhile';
      this.#learn(row);
      return null;
    });

  readonly remove = (row: Row): Promise<DefinitionRefusal | null> =>
    this.#write(async () => {
      if (!(await this.#parts.store.remove(row.id, row.revision))) return 'changed-meanwhile';
      this.#forget(row.id);
      return null;
    });

  /** Tells the core what is stored and not yet known to it: all of it, before anybody calls. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#look());
  }

  /** From now on looks for what other processes write, every few seconds, until `close`. */
  watch(): void {
    if (this.#closed) return;
    const { clock } = this.#parts;
    this.#stopTimer = clock.callAt(clock.now() + lookMs, () => void this.#lookAgain());
  }

  /** Looks no more; resolves when what was begun is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimer();
    await this.#last;
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.load();
    } catch (error) {
      this.#parts.onError(error);
    }
    this.watch();
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    for (const row of await store.updatedSince(Math.max(0, this.#lookedAt - clockSkewMs))) this.#learn(row);
    this.#lookedAt = now;
    const totals = await store.totals();
    if (!this.#knows(totals)) await this.#compare();
  }

  /** Something was removed, or written by a clock that is far off. */
  async #compare(): Promise<void> {
    const { store } = this.#parts;
    const stored = new Map((await store.revisions()).map(({ id, revision }) => [id, revision]));
    for (const id of [...this.#known.keys()]) if (!stored.has(id)) this.#forget(id);
    for (const [id, revision] of stored) {
      if (this.#known.get(id) === revision) continue;
      const row = await store.byId(id);
      if (row !== undefined) this.#learn(row);
    }
  }

  #knows({ count, revisions }: DefinitionTotals): boolean {
    let sum = 0;
    for (const revision of this.#known.values()) sum += revision;
    return count === this.#known.size && revisions === sum;
  }

  #learn(row: Row): void {
    if ((this.#known.get(row.id) ?? 0) >= row.revision) return;
    this.#known.set(row.id, row.revision);
    this.#parts.defined(row);
  }

  #forget(id: string): void {
    if (this.#known.delete(id)) this.#parts.removed(id);
  }

  async #write(write: () => Promise<DefinitionRefusal | null>): Promise<DefinitionRefusal | null> {
    if (this.#waiting >= waitingWritesMax) return 'busy';
    this.#waiting += 1;
    try {
      return await this.#inTurn(write);
    } finally {
      this.#waiting -= 1;
    }
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** All that the operator defines. */
export type OurDefinitions = {
  readonly groups: Definitions<GroupRow>;
  readonly users: Definitions<UserRow>;
  readonly load: () => Promise<void>;
  readonly watch: () => void;
  readonly close: () => Promise<void>;
};

/** The groups and the users of `store`; `tell` hears of each. */
export function definitionsOf(
  store: { readonly groups: DefinitionStore<GroupRow>; readonly users: DefinitionStore<UserRow> },
  {
    tell,
    ...common
  }: Pick<DefinitionsParts<GroupRow>, 'clock' | 'onError'> & { tell: (input: DefinitionInput) => void },
): OurDefinitions {
  const groups = new Definitions({
    ...common,
    store: store.groups,
    rowsMax: limits.groupsMax,
    defined: (group) => tell({ type: 'group-defined', group }),
    removed: (groupId) => tell({ type: 'group-removed', groupId }),
  });
  const users = new Definitions({
    ...common,
    store: store.users,
    rowsMax: limits.usersMax,
    defined: (user) => tell({ type: 'user-defined', user }),
    removed: (userId) => tell({ type: 'user-removed', userId }),
  });
  const both = [groups, users];
  return {
    groups,
    users,
    load: async () => void (await Promise.all(both.map((each) => each.load()))),
    watch: () => {
      for (const each of both) each.watch();
    },
    close: async () => void (await Promise.all(both.map((each) => each.close()))),
  };
}
