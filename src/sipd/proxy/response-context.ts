/**
 * One request that is being forwarded, and what has come back: the response context of RFC 3261 16. Targets that wait
 * become branches, at once or one after the other; their answers go back at once or are kept until the best is known.
 */

import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import type { IncomingRequest, IncomingResponse } from '../message/incoming.ts';
import { writeOwnResponse } from '../message/own-response.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ServerTransaction, ServerTransactions } from '../transaction/server-transactions.ts';
import { type BranchResult, bestResult, furtherChallenges } from './best-response.ts';
import { Branch, type BranchParts, type Target } from './branch.ts';
import { writeReturned } from './forwarded-text.ts';

export type ResponseContextParts = {
  readonly context: Context;
  readonly transactions: ServerTransactions;
  readonly request: IncomingRequest;
  readonly transaction: ServerTransaction;
  /** What every branch needs of the outside. */
  readonly branch: Omit<BranchParts, 'context' | 'request' | 'rang' | 'accepted' | 'settled'>;
  readonly parallel: boolean;
  /** RFC 5393: how many branches there may be at once. */
  readonly breadth: number;
  /** The Record-Routes that the caller is to have of an answer that goes back at once; null: those that came. */
  readonly recordRoutes: (response: IncomingResponse) => readonly string[] | null;
  /** The targets of a redirection that are to be tried; empty: the 3xx is an answer like others. */
  readonly redirected: (response: IncomingResponse) => readonly Target[];
  /** 100 Trying that is still to be sent to the caller. */
  readonly trying: TimerHandle | null;
  /** A branch has its final answer, or can have none any more: once for each branch that was sent. */
  readonly concluded: (target: Target, result: BranchResult) => void;
  /** The caller has got its final answer. */
  readonly answered: (answer: FinalAnswer) => void;
  /** Nothing is going on any more. */
  readonly over: () => void;
};

/** `made`: by us, since nobody said anything worth passing on. `none`: there is nothing that may be said. */
export type FinalAnswer =
  | { readonly kind: 'passed-on' | 'made'; readonly status: number; readonly text: string }
  | { readonly kind: 'none' };

/** From targets to one answer. */
export class ResponseContext {
  readonly #parts: ResponseContextParts;
  readonly #context: Context;
  readonly #waiting: Target[] = [];
  readonly #branches: Branch[] = [];
  readonly #concluded = new Set<Branch>();
  /** No new branches: somebody has accepted or refused for all, or the caller has hung up. */
  #closed = false;
  #cancelled = false;
  #answered = false;
  #advancing = false;
  #isOver = false;
  #deadline: TimerHandle | null = null;

  constructor(parts: ResponseContextParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  begin(targets: readonly Target[]): void {
    this.#waiting.push(...targets);
    if (this.#parts.request.method !== 'INVITE') {
      // RFC 4320 4.2: after 64*T1 the caller waits no longer, and nothing may be sent any more.
      this.#deadline = this.#context.after(64 * this.#context.timerValues.t1, () => this.#giveUp());
    }
    this.#advance();
  }

  /** RFC 3261 16.10: the caller has sent CANCEL; `reason` are the Reason values it gave. */
  cancel(reason: readonly string[]): void {
    this.#cancelled = true;
    this.#close(reason);
    this.#advance();
  }

  /** No more branches; those there are, are cancelled. */
  #close(reason: readonly string[]): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const branch of this.#branches) if (!branch.isOver) branch.cancel(reason);
  }

  /** Starts what may start, and answers when all has been heard. What happens meanwhile is seen by the same round. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let share = this.#nextShare(); share > 0; share = this.#nextShare()) {
      const target = this.#waiting.shift();
      if (target !== undefined) this.#start(target, share);
    }
    this.#advancing = false;
    if (!this.#answered && this.#waiting.length === 0 && this.#allHeard()) this.#answerBest();
    if (this.#answered && !this.#isOver && this.#branches.every((branch) => branch.isOver)) {
      this.#isOver = true;
      this.#parts.over();
    }
  }

  #allHeard(): boolean {
    // RFC 3261 16.7 step 6: when all transactions have ended. Ours: a target whose time is over without a sign of life
    // is not waited for, unless a CANCEL or a 6xx has yet to be seen through.
    if (this.#branches.every((branch) => branch.isOver || (branch.isSilent && !this.#closed))) return true;
    // Ours: a 6xx to what is no INVITE waits for nobody, since nothing can be cancelled (9.1); after all have ended it would
    // be too late for it (RFC 4320 4.2).
    return this.#closed && this.#parts.request.method !== 'INVITE';
  }

  /** RFC 5393 5.3.3: what the next branch may take of the breadth; 0: none may start now. */
  #nextShare(): number {
    const { parallel, breadth } = this.#parts;
    const running = this.#branches.filter((branch) => !branch.isOver);
    if (this.#waiting.length === 0 || (!parallel && running.some((branch) => !branch.isSettled))) return 0;
    const left = breadth - running.reduce((sum, branch) => sum + branch.breadth, 0);
    // One after the other each takes all there is; of those that may overlap each leaves some for the next.
    const overlap = parallel || this.#parts.branch.provisionalMs !== null || this.#parts.branch.finalMs !== null;
    return overlap ? Math.min(left, Math.max(1, Math.floor(left / this.#waiting.length))) : left;
  }

  #start(target: Target, breadth: number): void {
    const parts: BranchParts = {
      ...this.#parts.branch,
      context: this.#context,
      request: this.#parts.request,
      rang: (response) => this.#rang(response),
      accepted: (branch, response) => this.#accepted(branch, response),
      settled: (branch) => this.#settled(branch),
    };
    const branch = new Branch(parts, target, breadth);
    this.#branches.push(branch);
    branch.begin();
  }

  #rang(response: IncomingResponse): void {
    // RFC 3261 16.7 step 5: all but 100 goes back at once. RFC 4320 4.1: only 100 may be said to a non-INVITE.
    const { request, transaction, transactions } = this.#parts;
    if (response.status === 100 || request.method !== 'INVITE' || this.#answered) return;
    this.#context.stop(this.#parts.trying);
    const recordRoutes = this.#parts.recordRoutes(response);
    transactions.respond(transaction, response.status, writeReturned(response, request, { recordRoutes }));
  }

  /** RFC 3261 16.7 step 5: every 2xx to an INVITE goes back at once; of others only the first answer does. */
  #accepted(branch: Branch, response: IncomingResponse): void {
    const { request, transaction, transactions } = this.#parts;
    const recordRoutes = this.#parts.recordRoutes(response);
    const text = writeReturned(response, request, { recordRoutes });
    this.#conclude(branch, { status: response.status, response });
    if (this.#answered) {
      // The caller's transaction may have ended (RFC 3261 16.7 step 5, after a final answer): the call is told of anyway.
      if (request.method === 'INVITE' && !transactions.respond(transaction, response.status, text)) {
        transactions.sendStray(transaction, text);
      }
      this.#advance();
      return;
    }
    this.#answer({ kind: 'passed-on', status: response.status, text });
    // RFC 3326 2: phones that stop to ring need not show a missed call.
    this.#close(['SIP;cause=200;text="Call completed elsewhere"']);
    this.#advance();
  }

  #settled(branch: Branch): void {
    const { result } = branch;
    if (result !== null && branch.isOver) {
      this.#conclude(branch, result);
      if (!this.#answered) this.#take(branch, result);
    }
    this.#advance();
  }

  #conclude(branch: Branch, result: BranchResult): void {
    if (!branch.hasGone || this.#concluded.has(branch)) return;
    this.#concluded.add(branch);
    this.#parts.concluded(branch.target, result);
  }

  #take(branch: Branch, result: BranchResult): void {
    const { status, response } = result;
    if (response !== null && status >= 300 && status < 400 && !this.#closed) {
      // RFC 3261 16.7 step 4: a redirection that is followed is no answer any more.
      const room = limits.proxyTargetsMax - this.#branches.length - this.#waiting.length;
      const targets = this.#parts.redirected(response).slice(0, Math.max(0, room));
      this.#waiting.push(...targets);
      if (targets.length > 0) branch.result = null;
    }
    // RFC 3261 16.7 step 5: a 6xx speaks for all, but goes back only when all have ended.
    if (status >= 600) this.#close([]);
  }

  #answerBest(): void {
    const results = this.#branches.flatMap(({ result }) => (result === null ? [] : [result]));
    const best = bestResult(results, this.#cancelled);
    // RFC 3261 16.7 step 6: without any answer it is 408, or 487 for a caller who did not wait.
    const status = best?.status ?? (this.#cancelled ? 487 : 408);
    const { request } = this.#parts;
    // RFC 4320 4.2: 408 must not be said to a non-INVITE; whoever would want it knows by itself.
    if (status === 408 && request.method !== 'INVITE') this.#giveUp();
    else if (best?.response == null) this.#answerOurselves(status === 503 ? 500 : status);
    else {
      const text = this.#textOf(best, best.response, results);
      this.#answer({ kind: 'passed-on', status: status === 503 ? 500 : status, text });
    }
  }

  #textOf(best: BranchResult, response: IncomingResponse, results: readonly BranchResult[]): string {
    // RFC 3261 16.7 step 6: 503 means the server behind us, not us; the caller must not take it for our own state.
    const statusLine = best.status === 503 ? `SIP/2.0 500 ${reasonPhrase(500)}` : null;
    const without = best.status === 503 ? 'retry-after' : null;
    return writeReturned(response, this.#parts.request, {
      statusLine,
      without,
      further: furtherChallenges(best, results),
    });
  }

  #answerOurselves(status: number): void {
    const toTag = this.#parts.request.toTag ?? this.#context.ids.tag();
    this.#answer({ kind: 'made', status, text: writeOwnResponse(this.#parts.request, { status, toTag }) });
  }

  #answer(answer: FinalAnswer & { readonly kind: 'passed-on' | 'made' }): void {
    this.#finish();
    this.#parts.transactions.respond(this.#parts.transaction, answer.status, answer.text);
    this.#parts.answered(answer);
  }

  /** The end without an answer. */
  #giveUp(): void {
    if (this.#answered) return;
    this.#finish();
    this.#close([]);
    this.#parts.transactions.forget(this.#parts.transaction);
    this.#parts.answered({ kind: 'none' });
    this.#advance();
  }

  #finish(): void {
    this.#answered = true;
    this.#context.stop(this.#parts.trying);
    this.#context.stop(this.#deadline);
  }
}
