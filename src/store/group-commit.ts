import { StoreBusy } from '../core/ports.ts';
import type { Change } from '../core/rows.ts';
import { reasonOf, StoreFailed } from './errors.ts';
import { type Batch, fold } from './fold.ts';

/** Changes in one statement: more would make the first of them wait for the last. */
export const batchChangesMax = 500;
/** Changes that may wait: above 3,000 saves a second this is more than a second's worth, and the peer is better refused. */
export const queuedChangesMax = 5_000;

export type GroupCommitOptions = {
  /** Writes all of a batch, or nothing of it and rejects. Called for one batch at a time. */
  readonly write: (batch: Batch) => Promise<void>;
  /** Whether a rejection of `write` lies in a row of the batch: the database refused a value, nothing else is wrong. */
  readonly isPoison: (error: unknown) => boolean;
};

type Waiting = { readonly change: Change; readonly resolve: () => void; readonly reject: (error: Error) => void };

/**
 * Group commit: one statement is in flight, and what queued meanwhile is the next batch. There is no timer: batches grow
 * with the load by themselves (a window only adds latency).
 *
 * When a batch fails, all of its saves are rejected, with one exception. A row the database refuses would take up to
 * 499 innocent changes with it, so that one peer's odd text could hold up every conference; such a batch is halved, by
 * conference, until the refused one is alone. Nothing is tried again after any other failure: the outcome of a broken
 * connection is unknown, and whoever saved reads what the store holds.
 *
 * A conference's changes build on each other. With one of them, those of the same conference that wait are rejected,
 * and those that come, until `readAgain` says that its rows were read from the store.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Waiting[] = [];
  /** Conferences with a rejected change, whose saver does not know yet what the store holds. */
  readonly #behind = new Set<string>();
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the commit that holds `change` has returned. Rejects with StoreBusy or StoreFailed. */
  save(change: Change): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreFailed('The store is closed.'));
    const { conferenceId } = change;
    if (conferenceId !== null && this.#behind.has(conferenceId))
      return Promise.reject(new StoreFailed('A change before this one was not saved.'));
    if (this.#queue.length >= queuedChangesMax) {
      if (conferenceId !== null) this.#behind.add(conferenceId);
      return Promise.reject(new StoreBusy(`${queuedChangesMax} changes wait for the store.`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** The conference's rows are known again as the store has them. */
  readAgain(conferenceId: string): void {
    this.#behind.delete(conferenceId);
  }

  /** Takes no more changes; resolves when those taken are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    // What one turn of the event loop saves goes together, the first included.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#commit(this.#queue.splice(0, batchChangesMax));
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#options.write(fold(batch.map(({ change }) => change)));
    } catch (error) {
      const halves = this.#options.isPoison(error) ? halvesByConference(batch) : undefined;
      if (halves === undefined) return this.#reject(batch, error);
      for (const half of halves) await this.#commit(half);
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  #reject(batch: readonly Waiting[], cause: unknown): void {
    const error = new StoreFailed(`The state could not be saved: ${reasonOf(cause)}`, { cause });
    for (const { conferenceId } of batch.map(({ change }) => change))
      if (conferenceId !== null) this.#behind.add(conferenceId);
    const isBehind = ({ change }: Waiting) => change.conferenceId !== null && this.#behind.has(change.conferenceId);
    const builtOnIt = this.#queue.filter(isBehind);
    this.#queue = this.#queue.filter((waiting) => !isBehind(waiting));
    for (const { reject } of [...batch, ...builtOnIt]) reject(error);
  }
}

/** The batch in two, each conference whole in one of them; undefined when it is of one conference only. */
function halvesByConference(batch: readonly Waiting[]): readonly [Waiting[], Waiting[]] | undefined {
  const owners = [...new Set(batch.map(ownerOf))];
  if (owners.length < 2) return undefined;
  const firstOwners = new Set(owners.slice(0, owners.length >> 1));
  return [
    batch.filter((waiting) => firstOwners.has(ownerOf(waiting))),
    batch.filter((waiting) => !firstOwners.has(ownerOf(waiting))),
  ];
}

/** The conference, or the change itself when it belongs to none. */
function ownerOf(waiting: Waiting): string | Waiting {
  return waiting.change.conferenceId ?? waiting;
}
