/** Messages are switched whether the store answers or not: what is to be kept of them waits for it in memory. */

import type { Input } from '../input.ts';
import { limits } from '../limits.ts';
import type { Change } from '../rows.ts';

/**
 * The input; where those that `waiting` gives hold too many messages already, without its own, which only count then. What
 * became of notices stays: nobody can have the focus say more while nothing can be saved.
 */
export function bearable(input: Input, waiting: () => readonly Input[]): Input {
  if (input.type !== 'messages-switched' || input.messages.length === 0) return input;
  let held = input.messages.length;
  for (const other of waiting()) if (other.type === 'messages-switched') held += other.messages.length;
  return held <= limits.unsavedMessagesMax
    ? input
    : { ...input, messages: input.messages.filter(({ kept }) => kept !== undefined) };
}

/** Ids of the messages of a request that is refused: whether their save was committed or not, nobody is sent them. */
export function unsaidBy({ input, change }: { input: Input; change: Change | null }): readonly string[] {
  return 'reply' in input && change !== null ? change.messages.map(({ id }) => id) : [];
}
