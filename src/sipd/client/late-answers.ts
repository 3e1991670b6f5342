/**
 * RFC 3261 13.2.2.4: a phone may accept an INVITE that we have given up (its answers were lost, or the network said that
 * nobody is there). No transaction is left for that 2xx, yet the phone must get its ACK, and then be hung up.
 */

import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import { type Asked, answers } from '../transaction/matching.ts';

/** What to do with a 2xx of an attempt that is over. */
type Release = (response: IncomingResponse) => void;

/** Attempts given up, by branch. At most `limits.lateAnswersMax`, each for 64*T1: that long a phone repeats its 2xx. */
export class LateAnswers {
  readonly #context: Context;
  /** The oldest first. */
  readonly #givenUp = new Map<string, { readonly asked: Asked; readonly until: number; readonly release: Release }>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** No answer to this INVITE is waited for any more; one that accepts it goes to `release`. */
  givenUp({ branch, asked }: { readonly branch: string; readonly asked: Asked }, release: Release): void {
    const { now, timerValues } = this.#context;
    for (const [oldest, { until }] of this.#givenUp) {
      if (until > now && this.#givenUp.size < limits.lateAnswersMax) break;
      this.#givenUp.delete(oldest);
    }
    this.#givenUp.set(branch, { asked, until: now + 64 * timerValues.t1, release });
  }

  /** Takes a response that belongs to no transaction; false when it means nothing. */
  receive(response: IncomingResponse): boolean {
    const { status, method, travelsOn, via } = response;
    if (this.#givenUp.size === 0 || method !== 'INVITE' || status < 200 || status > 299 || travelsOn) return false;
    const branch = via.params.find((each) => each.name === 'branch')?.value;
    const found = typeof branch === 'string' ? this.#givenUp.get(branch) : undefined;
    if (found === undefined || found.until <= this.#context.now || !answers(response, found.asked)) return false;
    found.release(response);
    return true;
  }
}
