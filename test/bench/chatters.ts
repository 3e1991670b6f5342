/** The crowd that chats: a process of its own, the same one whoever switches. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../support/children.ts';
import type { Enter, Flood, Flooded, Pace, Paced } from './chatting.ts';
import { answer, end } from './server-process.ts';

export type Chatters = {
  readonly enter: (room: Omit<Enter, 'ask'>) => Promise<void>;
  readonly flood: (flood: Omit<Flood, 'ask'>) => Promise<Flooded>;
  readonly pace: (pace: Omit<Pace, 'ask'>) => Promise<Paced>;
  /** They do nothing more, and their connections stand. */
  readonly stop: () => void;
  readonly close: () => Promise<void>;
};

/** A measurement on a busy machine. */
const patienceMs = 120_000;

export async function startChatters(): Promise<Chatters> {
  const path = fileURLToPath(new URL('chatters-process.ts', import.meta.url));
  const child = endWithUs(fork(path, [], { execArgv: ['--import', 'tsx'] }));
  const ask = async (question: Enter | Flood | Pace): Promise<unknown> => {
    child.send(question);
    return await answer(child, patienceMs);
  };
  await answer(child);
  return {
    enter: async (room) => void (await ask({ ask: 'enter', ...room })),
    flood: async (flood) => (await ask({ ask: 'flood', ...flood })) as Flooded,
    pace: async (pace) => (await ask({ ask: 'pace', ...pace })) as Paced,
    stop: () => void child.kill('SIGSTOP'),
    close: () => end(child),
  };
}
