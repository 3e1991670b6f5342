/** Questions about names that are with the shell, and who waits for their answers. */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { Hop } from './next-hop.ts';
import type { Answer, Question } from './questions.ts';
import { numericTarget, TargetSearch } from './target-search.ts';

/** Gets the answers; null: nobody gave any in time, or too much is being asked already. */
type Asker = (answers: readonly Answer[] | null) => void;

/** All rounds of questions under way. At most `limits.lookupsMax`. */
export class Lookups {
  readonly #context: Context;
  readonly #waiting = new Map<number, { readonly asker: Asker; readonly limit: TimerHandle }>();
  #last = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Tells the first target of a hop, now or once names have been found; null when there is none. */
  first(hop: Hop, tell: (peer: Peer | null) => void): void {
    const { own, ids } = this.#context;
    const numeric = numericTarget(hop, own);
    if (numeric !== null) tell(numeric);
    else {
      const search = new TargetSearch({ hop, own, random32: ids.random32, toOurselves: true });
      this.next(search, this.#context.now + 64 * this.#context.timerValues.t1, tell);
    }
  }

  /**
   * Tells the next target of a search, now or once names have been found; null when there is none, or when none has been
   * found until then (milliseconds since 1970), however many names there are to ask for.
   */
  next(search: TargetSearch, until: number, tell: (peer: Peer | null) => void): void {
    const step = search.next();
    if (step.kind !== 'ask') {
      tell(step.kind === 'target' ? step.peer : null);
      return;
    }
    this.#ask(step.questions, until, (answers) => {
      if (answers === null) {
        tell(null);
        return;
      }
      search.answer(answers);
      this.next(search, until, tell);
    });
  }

  /** The answers to a `look-up` have come. */
  found(lookup: number, answers: readonly Answer[] | null): void {
    const waiting = this.#waiting.get(lookup);
    if (waiting === undefined) return;
    this.#context.stop(waiting.limit);
    this.#waiting.delete(lookup);
    waiting.asker(answers);
  }

  count(): number {
    return this.#waiting.size;
  }

  #ask(questions: readonly Question[], until: number, asker: Asker): void {
    const leftMs = until - this.#context.now;
    if (leftMs <= 0 || this.#waiting.size >= limits.lookupsMax) {
      asker(null);
      return;
    }
    this.#last += 1;
    const lookup = this.#last;
    // The shell has limits of its own; this one keeps a request from waiting for ever, whatever the shell does.
    const limit = this.#context.after(leftMs, () => this.found(lookup, null));
    this.#waiting.set(lookup, { asker, limit });
    this.#context.lookUp(lookup, questions);
  }
}
