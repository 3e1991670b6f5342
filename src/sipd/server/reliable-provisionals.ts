/**
 * Provisional answers that are repeated until the caller has acknowledged them by PRACK (RFC 3262). The application asks
 * for one by `Require: 100rel`; numbers, repetition and order are ours.
 */

import type { Context } from '../context.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import type { Source } from '../protection/sources.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ServerTransactions } from '../transaction/server-transactions.ts';
import type { AppAnswer, PendingRequest } from './pending-requests.ts';

type Outstanding = {
  readonly rseq: number;
  readonly text: string;
  readonly describes: boolean;
  /** Who is sent the repetitions, and may have asked for them in another's name; null once there are none. */
  source: Source | null;
  repeat: TimerHandle | null;
  expiry: TimerHandle | null;
};

/** Of one INVITE. */
type Sequence = {
  readonly pending: PendingRequest;
  rseq: number;
  /** Sent, and not acknowledged. */
  outstanding: Outstanding | null;
  /** Answers that must wait for that, oldest first; a final one is the last. */
  readonly waiting: AppAnswer[];
};

/** What became of a PRACK: `unmatched` gets 481, `malformed` 400. */
export type Acknowledgement = 'matched' | 'unmatched' | 'malformed';

export type ReliableUser = {
  /** Its turn has come. */
  readonly send: (pending: PendingRequest, answer: AppAnswer) => void;
  /** It can never be sent. */
  readonly refuse: (answer: AppAnswer) => void;
  /** No PRACK came in 64*T1. */
  readonly expired: (pending: PendingRequest) => void;
};

/** The reliable provisional answers of all INVITEs. */
export class ReliableProvisionals {
  readonly #context: Context;
  readonly #transactions: ServerTransactions;
  readonly #user: ReliableUser;
  /** A dialog has one INVITE at a time (RFC 3261 14.2). What is left after its end goes with the dialog. */
  readonly #sequences = new WeakMap<Dialog, Sequence>();

  constructor(context: Context, transactions: ServerTransactions, user: ReliableUser) {
    this.#context = context;
    this.#transactions = transactions;
    this.#user = user;
  }

  /** The RSeq for an answer that is about to be sent. */
  nextNumber(pending: PendingRequest): number {
    const sequence = this.#of(pending);
    // RFC 3262 3: the first is chosen from 1 to 2**31 - 1, each further one is greater by one.
    return sequence === undefined ? 1 + (this.#context.ids.random32() % (2 ** 31 - 1)) : sequence.rseq + 1;
  }

  /** It has been sent: repeats it until its PRACK. `describes`: it holds a session description. */
  sent(pending: PendingRequest, rseq: number, { text, describes }: { text: string; describes: boolean }): void {
    const { dialog } = pending;
    if (dialog === null) return;
    let sequence = this.#of(pending);
    if (sequence === undefined) {
      this.#stop(this.#sequences.get(dialog));
      sequence = { pending, rseq, outstanding: null, waiting: [] };
      this.#sequences.set(dialog, sequence);
    }
    sequence.rseq = rseq;
    const { t1 } = this.#context.timerValues;
    const source = this.#context.guard.source(pending.transaction.to.host);
    source.unacknowledgedFinals += 1;
    const outstanding: Outstanding = { rseq, text, describes, source, repeat: null, expiry: null };
    sequence.outstanding = outstanding;
    // RFC 3262 3: without a PRACK after 64*T1 the INVITE should be rejected.
    outstanding.expiry = this.#context.after(64 * t1, () => this.#user.expired(pending));
    this.#repeatAfter(pending, outstanding, t1);
  }

  /** Keeps an answer back if it must not be sent yet. */
  holdsBack(pending: PendingRequest, answer: AppAnswer, reliable: boolean): boolean {
    const sequence = this.#of(pending);
    if (sequence === undefined || !mustWait(sequence, answer.status, reliable)) return false;
    sequence.waiting.push(answer);
    return true;
  }

  /** Whether the final answer has been given and only waits. */
  isDecided(pending: PendingRequest): boolean {
    return this.#of(pending)?.waiting.some(({ status }) => status >= 200) === true;
  }

  /** RFC 3262 3: a PRACK has come in the dialog. What waited for it is sent by `goOn`. */
  acknowledge(dialog: Dialog, prack: IncomingRequest): Acknowledgement {
    const rack = readRAck(firstValue(prack, 'rack') ?? '');
    if (rack === null) return 'malformed';
    const sequence = this.#sequences.get(dialog);
    const outstanding = sequence?.outstanding;
    if (sequence === undefined || outstanding === null || outstanding === undefined) return 'unmatched';
    const { request } = sequence.pending;
    const fits = rack.rseq === outstanding.rseq && rack.cseq === request.cseq && rack.method === request.method;
    if (!fits) return 'unmatched';
    this.#stop(sequence);
    sequence.outstanding = null;
    return 'matched';
  }

  /** Sends what has waited for the PRACK, up to the next answer that needs one. */
  goOn(dialog: Dialog): void {
    const sequence = this.#sequences.get(dialog);
    while (sequence !== undefined && sequence.outstanding === null) {
      const answer = sequence.waiting.shift();
      if (answer === undefined) return;
      this.#user.send(sequence.pending, answer);
    }
  }

  /** The INVITE has its final answer: nothing is repeated or sent any more, but a PRACK under way still fits. */
  finish(pending: PendingRequest): void {
    const sequence = this.#of(pending);
    if (sequence === undefined) return;
    this.#stop(sequence);
    for (const answer of sequence.waiting.splice(0)) this.#user.refuse(answer);
  }

  #of(pending: PendingRequest): Sequence | undefined {
    if (pending.dialog === null) return undefined;
    const sequence = this.#sequences.get(pending.dialog);
    return sequence?.pending === pending ? sequence : undefined;
  }

  // RFC 3262 3: over any transport, and doubled without a bound.
  #repeatAfter(pending: PendingRequest, outstanding: Outstanding, delay: number): void {
    outstanding.repeat = this.#context.after(delay, () => {
      this.#transactions.respond(pending.transaction, 183, outstanding.text);
      this.#repeatAfter(pending, outstanding, delay * 2);
    });
  }

  #stop(sequence: Sequence | undefined): void {
    const outstanding = sequence?.outstanding ?? null;
    if (outstanding === null || outstanding.source === null) return;
    this.#context.stop(outstanding.repeat);
    this.#context.stop(outstanding.expiry);
    outstanding.source.unacknowledgedFinals -= 1;
    outstanding.source = null;
  }
}

function mustWait({ outstanding, waiting }: Sequence, status: number, reliable: boolean): boolean {
  if (status >= 300) return false;
  // RFC 3262 3: one after the other; a 2xx not before the answer whose description it builds on.
  if (status >= 200) return waiting.length > 0 || outstanding?.describes === true;
  return reliable && outstanding !== null;
}

/** RFC 3262 7.2: `<RSeq> <CSeq number> <method>`; null when it is none. */
function readRAck(value: string): { readonly rseq: number; readonly cseq: number; readonly method: string } | null {
  const match = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\S+)$/.exec(value);
  return match === null ? null : { rseq: Number(match[1]), cseq: Number(match[2]), method: match[3] ?? '' };
}
