import { describe, expect, test } from 'vitest';
import { StoreBusy } from '../../src/core/ports.ts';
import { StoreFailed } from '../../src/store/errors.ts';
import type { Batch } from '../../src/store/fold.ts';
import { batchChangesMax, GroupCommit, queuedChangesMax } from '../../src/store/group-commit.ts';
import { attemptRow, changeOf, conferenceRow, eventRow } from '../support/stored-rows.ts';

/** A database that answers when told to. */
class FakeWriter {
  readonly batches: Batch[] = [];
  #answers: ((error?: Error) => void)[] = [];

  readonly write = (batch: Batch): Promise<void> => {
    this.batches.push(batch);
    return new Promise((resolve, reject) => {
      this.#answers.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  };

  get inFlight(): number {
    return this.#answers.length;
  }

  async answer(error?: Error): Promise<void> {
    await turns();
    this.#answers.shift()?.(error);
    await turns();
  }
}

/** Lets everything that waits for no outside event happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

class Poison extends Error {}
const isPoison = (error: unknown) => error instanceof Poison;

const version = (id: string, number: number) => changeOf({ conferences: [conferenceRow({ id, version: number })] });

function started() {
  const writer = new FakeWriter();
  const commits = new GroupCommit({ write: writer.write, isPoison });
  const outcomes: string[] = [];
  const save = (name: string, change = version(name, 1)) => {
    void commits.save(change).then(
      () => outcomes.push(`${name} saved`),
      (error: Error) => outcomes.push(`${name} ${error.constructor.name}`),
    );
  };
  return { writer, commits, outcomes, save };
}

describe('group commit', () => {
  test('what queues while a statement is in flight is the next batch, and one is in flight at a time', async () => {
    const { writer, outcomes, save } = started();
    save('a');
    await turns();
    for (const name of ['b', 'c', 'd']) save(name);
    await turns();
    expect(writer.inFlight).toBe(1);
    await writer.answer();
    expect(outcomes).toEqual(['a saved']);
    expect(writer.batches.map((batch) => batch.conferences.map(({ id }) => id))).toEqual([['a'], ['b', 'c', 'd']]);
    await writer.answer();
    expect(outcomes).toEqual(['a saved', 'b saved', 'c saved', 'd saved']);
  });

  test('what is saved in one turn goes together, the first included', async () => {
    const { writer, save } = started();
    for (const name of ['a', 'b', 'c']) save(name);
    await turns();
    expect(writer.batches.map(({ conferences }) => conferences.length)).toEqual([3]);
  });

  test('a row that changes twice within a batch is written once, as the last change left it; events all', async () => {
    const { writer, commits } = started();
    const change = (seq: number) => ({
      ...version('a', seq),
      events: [eventRow({ conferenceId: 'a', seq })],
    });
    const saves = [1, 2, 3].map((seq) => commits.save(change(seq)));
    await writer.answer();
    await Promise.all(saves);
    expect(writer.batches[0]?.conferences.map((row) => row.version)).toEqual([3]);
    expect(writer.batches[0]?.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('a batch has at most 500 changes', async () => {
    const { writer, save } = started();
    for (let index = 0; index <= batchChangesMax; index += 1) save(`conf-${index}`);
    await writer.answer();
    expect(batchChangesMax).toBe(500);
    expect(writer.batches.map(({ conferences }) => conferences.length)).toEqual([500, 1]);
  });

  test('5,000 changes may wait; the next one is refused as busy and its conference waits for a reload', async () => {
    const { writer, commits, outcomes, save } = started();
    save('in flight');
    await turns();
    for (let index = 0; index < queuedChangesMax; index += 1) save(`conf-${index}`);
    await turns();
    expect(outcomes).toEqual([]);
    await expect(commits.save(version('late', 1))).rejects.toBeInstanceOf(StoreBusy);
    await writer.answer();
    await expect(commits.save(version('late', 2))).rejects.toBeInstanceOf(StoreFailed);
    commits.readAgain('late');
    save('late');
    for (let batch = 0; batch < 11; batch += 1) await writer.answer();
    expect(outcomes.at(-1)).toBe('late saved');
  });

  test('when a batch fails all its saves are rejected, and later batches go on', async () => {
    const { writer, outcomes, save } = started();
    for (const name of ['a', 'b']) save(name);
    await turns();
    save('c');
    await writer.answer(new Error('the connection broke'));
    expect(outcomes).toEqual(['a StoreFailed', 'b StoreFailed']);
    await writer.answer();
    expect(outcomes.at(-1)).toBe('c saved');
    expect(writer.batches).toHaveLength(2);
  });

  test('the rejection tells what the database said', async () => {
    const { writer, commits } = started();
    const saved = commits.save(version('a', 1));
    await Promise.all([
      expect(saved).rejects.toThrow('The state could not be saved: the connection broke'),
      writer.answer(new Error('the connection broke')),
    ]);
  });

  test('a refused row is looked for by halves, and only its own conference is rejected', async () => {
    const outcomes: string[] = [];
    let statements = 0;
    const commits = new GroupCommit({
      isPoison,
      write: async (batch) => {
        statements += 1;
        if (batch.conferences.some(({ id }) => id === 'conf-37')) throw new Poison('odd value');
      },
    });
    const names = Array.from({ length: 100 }, (_, index) => `conf-${index}`);
    const saves = names.map((id) =>
      commits.save(version(id, 1)).catch((error: Error) => {
        outcomes.push(`${id} ${error.message}`);
      }),
    );
    await Promise.all(saves);
    expect(outcomes).toEqual(['conf-37 The state could not be saved: odd value']);
    expect(statements).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(100)) + 1);
  });

  test('changes of no conference are told apart from each other', async () => {
    const attempts = ['a', 'b', 'c'].map((id) => changeOf({ attempts: [attemptRow({ id })] }));
    const commits = new GroupCommit({
      isPoison,
      write: async (batch) => {
        if (batch.attempts.some(({ id }) => id === 'b')) throw new Poison('odd value');
      },
    });
    const results = await Promise.allSettled(attempts.map((change) => commits.save(change)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('with a rejected change go those of its conference that wait, and those that come before a reload', async () => {
    const { writer, commits, outcomes, save } = started();
    save('a1', version('a', 1));
    await turns();
    save('a2', version('a', 2));
    save('b1', version('b', 1));
    await writer.answer(new Error('the connection broke'));
    expect(outcomes).toEqual(['a1 StoreFailed', 'a2 StoreFailed']);
    save('a3', version('a', 3));
    await writer.answer();
    expect(outcomes.slice(2).sort()).toEqual(['a3 StoreFailed', 'b1 saved']);
    commits.readAgain('a');
    save('a2', version('a', 2));
    await writer.answer();
    expect(outcomes.at(-1)).toBe('a2 saved');
  });

  test('closing settles what was taken and takes no more', async () => {
    const { writer, commits, outcomes, save } = started();
    save('a');
    await turns();
    save('b');
    const closed = commits.close();
    save('c');
    await writer.answer();
    await writer.answer();
    await closed;
    expect(outcomes).toEqual(['c StoreFailed', 'a saved', 'b saved']);
  });
});
