/** Runs one branch of a forwarded request: its client transactions, its timers, its CANCEL. What happens is in branch-states.ts. */

import { ownVia } from '../client/client-call.ts';
import type { Transit, WrittenRequest } from '../client/transit.ts';
import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingRequest, IncomingResponse } from '../message/incoming.ts';
import type { OwnAddress } from '../own-addresses.ts';
import type { Hop } from '../target/next-hop.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ClientTransaction, ClientTransactions } from '../transaction/client-transactions.ts';
import type { BranchResult } from './best-response.ts';
import { type BranchAction, type BranchEvent, type BranchState, branchStates } from './branch-states.ts';
import { type SentCopy, writeAck, writeCancel } from './forwarded-text.ts';

/** Where a copy goes. */
export type Target = {
  /** Request-URI of the copy. */
  readonly uri: string;
  readonly routes: readonly string[];
  readonly hop: Hop | Peer;
  /** What the application called it; null when it did not. */
  readonly destination: string | null;
};

export type BranchParts = {
  readonly context: Context;
  readonly transactions: ClientTransactions;
  readonly transit: Transit;
  readonly request: IncomingRequest;
  /** The copy for this target, with our Via. */
  readonly write: (branch: Branch, sent: SentCopy) => string;
  /** The parameter of our Via: new for each attempt, with the mark that loops are known by. */
  readonly newBranchParam: () => string;
  readonly provisionalMs: number | null;
  readonly finalMs: number | null;
  /** The first copy has gone. */
  readonly sent: (text: string) => void;
  readonly rang: (response: IncomingResponse) => void;
  readonly accepted: (branch: Branch, response: IncomingResponse) => void;
  /** There is a result, or nothing is waited for any longer. */
  readonly settled: (branch: Branch) => void;
};

/** One target that was chosen. */
export class Branch {
  readonly target: Target;
  /** RFC 5393: how many of the branches that are allowed it takes. */
  readonly breadth: number;
  /** Null: no result yet, or a 2xx. */
  result: BranchResult | null = null;
  /** Whether a copy has been sent at all: it may have ended before its target was found. */
  hasGone = false;
  readonly #parts: BranchParts;
  #state: BranchState = 'calling';
  #sent: SentCopy | null = null;
  #transaction: ClientTransaction | null = null;
  #peer: Peer | null = null;
  #timerC: TimerHandle | null = null;
  #patience: TimerHandle[] = [];
  #grace: TimerHandle | null = null;
  #reason: readonly string[] = [];
  #response: IncomingResponse | null = null;
  #failure = 503;

  constructor(parts: BranchParts, target: Target, breadth: number) {
    this.#parts = parts;
    this.target = target;
    this.breadth = breadth;
  }

  /** No further target waits for this one. */
  get isSettled(): boolean {
    return this.isOver || this.result !== null;
  }

  /** Nothing is to be expected of it any more; from an accepted one only a further 2xx. */
  get isOver(): boolean {
    return this.#state === 'completed' || this.#state === 'accepted';
  }

  /** Whether the answer to the caller need not wait for it: it has never been heard of, and its time is over. */
  get isSilent(): boolean {
    return this.#state === 'held' && this.result !== null;
  }

  begin(): void {
    const { context, request, provisionalMs, finalMs } = this.#parts;
    // RFC 3261 16.6 step 11.
    if (request.method === 'INVITE') this.#startC();
    this.#expireAfter(provisionalMs, () => this.#state === 'calling');
    this.#expireAfter(finalMs, () => true);
    this.#parts.transit.send(
      {
        method: request.method,
        callId: request.callId,
        forwarded: true,
        write: (own) => this.#write(own),
        isWanted: () => this.#state === 'calling' || this.#state === 'proceeding',
        underWay: (transaction, peer) => {
          if (transaction !== null && !this.hasGone) this.#parts.sent(transaction.request.text);
          this.hasGone ||= transaction !== null;
          this.#transaction = transaction;
          this.#peer = peer;
          if (peer === null) this.#fire('moved-on');
        },
        response: (response) => this.#answered(response),
        // RFC 6026 7.2: what belongs to no transaction is not forwarded.
        acceptedLate: null,
        failed: (status) => {
          this.#failure = status;
          this.#fire('failed');
        },
      },
      this.target.hop,
    );
    context.log('debug', { callId: request.callId, uri: this.target.uri }, 'request forwarded');
  }

  /** The branch is not wanted any more; `reason` says why (RFC 3326), as Reason values. */
  cancel(reason: readonly string[]): void {
    this.#reason = reason;
    if (this.#transaction === null && this.#state === 'calling') {
      // Its name is still being looked up: it will not be sent at all.
      this.#failure = 487;
      this.#fire('failed');
    } else this.#fire('cancel');
  }

  #write(own: OwnAddress): WrittenRequest {
    const param = this.#parts.newBranchParam();
    const via = ownVia(own, param);
    const { uri, routes } = this.target;
    const sent = { request: this.#parts.request, uri, routes, via, own };
    this.#sent = sent;
    return {
      branch: param,
      asked: this.#parts.request,
      text: this.#parts.write(this, sent),
      writeAck: (to) => writeAck(sent, to),
    };
  }

  #answered(response: IncomingResponse): void {
    const { status } = response;
    this.#response = response;
    if (status < 200) this.#fire('1xx');
    else this.#fire(status < 300 ? '2xx' : '300-699');
  }

  #fire(event: BranchEvent): void {
    const step = branchStates[this.#state][event];
    if (step === undefined) return;
    this.#state = step.to;
    if (this.isOver) this.#stopTimers();
    for (const action of step.do) this.#perform(action);
  }

  #perform(action: BranchAction): void {
    const response = this.#response;
    switch (action) {
      case 'ring':
        if (response !== null) this.#parts.rang(response);
        return;
      case 'accept':
        if (response !== null) this.#parts.accepted(this, response);
        return;
      case 'complete':
        this.#settle({ status: response?.status ?? 500, response });
        return;
      case 'fail':
        this.#settle({ status: this.#failure, response: null });
        return;
      case 'give-up':
        this.#settle({ status: 408, response: null });
        return;
      case 'time-out':
        this.#settle({ status: 408, response: null });
        if (this.#transaction !== null) this.#parts.transactions.abandon(this.#transaction);
        return;
      case 'restart-c':
        // RFC 3261 16.7 step 2: 100 says nothing about the far end.
        if (this.#timerC !== null && (response?.status ?? 100) > 100) this.#startC();
        return;
      case 'send-cancel':
        this.#sendCancel();
    }
  }

  #settle(result: BranchResult): void {
    this.result = result;
    this.#parts.settled(this);
  }

  #startC(): void {
    const { context } = this.#parts;
    context.stop(this.#timerC);
    this.#timerC = context.after(limits.timerCMs, () => this.#fire('timer-c'));
  }

  #expireAfter(ms: number | null, applies: () => boolean): void {
    if (ms === null) return;
    const timer = this.#parts.context.after(ms, () => {
      if (applies()) this.#fire('expired');
    });
    this.#patience.push(timer);
  }

  #stopTimers(): void {
    const { context } = this.#parts;
    for (const timer of [this.#timerC, this.#grace, ...this.#patience]) context.stop(timer);
    this.#patience = [];
  }

  // RFC 3261 9.1: only an INVITE can be cancelled; without an answer to it after 64*T1 it is given up.
  #sendCancel(): void {
    const transaction = this.#transaction;
    if (transaction === null || this.#sent === null || this.#peer === null || transaction.request.method !== 'INVITE')
      return;
    const { context, transactions } = this.#parts;
    const text = writeCancel(this.#sent, this.#reason);
    const { branch, asked } = transaction.request;
    const cancel = { method: 'CANCEL', branch, asked, text, to: this.#peer, writeAck: () => '' };
    transactions.begin(cancel, { response: () => undefined, failed: () => undefined });
    context.stop(this.#timerC);
    this.#grace = context.after(64 * context.timerValues.t1, () => transactions.abandon(transaction));
  }
}
