/** A crowd that watches a conference: a process of its own, the same one whoever notifies. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';
import { answer, end } from './server-process.ts';
import { type Await, type Seen, sharedNow, type Watch } from './watching.ts';

/** One change, and what of it came to the watchers. */
export type Sight = Omit<Seen, 'at'> & {
  /** From the beginning of the change to the NOTIFY of the last watcher, in milliseconds. */
  readonly milliseconds: number;
};

export type Watchers = {
  readonly count: number;
  /** Makes a change, until every watcher has had a NOTIFY in which `text` stands. */
  readonly see: (text: string, change: () => Promise<unknown>) => Promise<Sight>;
  readonly close: () => Promise<void>;
};

/** A thousand subscriptions may take long on a busy machine. */
const patienceMs = 60_000;

/** Has each of the subscribers watch `target` at `127.0.0.1:port`, with a socket of its own; an AOR may do so twice. */
export async function startWatchers(watched: Omit<Watch, 'ask'>): Promise<Watchers> {
  const path = fileURLToPath(new URL('watchers-process.ts', import.meta.url));
  const child = endWithUs(fork(path, [], { execArgv: ['--import', 'tsx'] }));
  const ask = async (question: Watch | Await): Promise<void> => {
    child.send(question);
    await answer(child, patienceMs);
  };
  await answer(child);
  await ask({ ask: 'watch', ...watched });
  return {
    count: watched.subscribers.length,
    see: async (text, change) => {
      await ask({ ask: 'await', text });
      const begin = sharedNow();
      const [seen] = await Promise.all([answer(child, patienceMs), change()]);
      const { at, ...rest } = seen as Seen;
      return { ...rest, milliseconds: at - begin };
    },
    close: () => end(child),
  };
}
