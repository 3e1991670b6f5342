/**
 * 2xx answers to INVITE that wait for their ACK. RFC 3261 13.3.1.4: the answer is repeated at T1, doubling up to T2, on
 * any transport, until the ACK comes; after 64*T1 the dialog is given up.
 */

import type { Context } from '../context.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Peer } from '../input.ts';
import type { Source } from '../protection/sources.ts';
import type { TimerHandle } from '../timer-lanes.ts';

export type UnacknowledgedAnswer = {
  readonly dialog: Dialog;
  readonly cseq: number;
  readonly text: string;
  readonly to: Peer;
  /** RFC 3261 18.2.2: where it goes when its connection has closed. */
  readonly fallback: Peer;
};

type Wait = UnacknowledgedAnswer & {
  readonly source: Source;
  expiry: TimerHandle;
  repeat: TimerHandle;
  /** What waits for the ACK. */
  held: (() => void)[] | null;
};

/** The answers that wait, by dialog; `onExpired` gets a dialog whose ACK never came. */
export class Unacknowledged {
  readonly #context: Context;
  readonly #onExpired: (dialog: Dialog) => void;
  readonly #waits = new Map<Dialog, Wait[]>();

  constructor(context: Context, onExpired: (dialog: Dialog) => void) {
    this.#context = context;
    this.#onExpired = onExpired;
  }

  /** Begins to repeat an answer that has just been sent. */
  add(answer: UnacknowledgedAnswer): void {
    const { t1 } = this.#context.timerValues;
    const expiry = this.#context.after(64 * t1, () => this.#expire(answer.dialog));
    const { dialog, cseq, text, to, fallback } = answer;
    const source = this.#context.guard.source(to.host);
    source.unacknowledgedFinals += 1;
    const wait: Wait = { dialog, cseq, text, to, fallback, source, expiry, repeat: expiry, held: null };
    this.#repeatAfter(wait, t1);
    const waits = this.#waits.get(answer.dialog);
    if (waits === undefined) this.#waits.set(answer.dialog, [wait]);
    else waits.push(wait);
  }

  /**
   * RFC 3261 15: the callee hangs up only when the call has its ACK, or will never have it. False: it need not wait;
   * else `goOn` is called then.
   */
  holdsBack(dialog: Dialog, goOn: () => void): boolean {
    if (this.#context.ways.has('bye-before-ack')) return false;
    const opening = this.#waits.get(dialog)?.find(({ cseq }) => cseq === dialog.origin.cseq);
    if (opening === undefined) return false;
    opening.held = [...(opening.held ?? []), goOn];
    return true;
  }

  /** The ACK has come. */
  acknowledge(dialog: Dialog, cseq: number): void {
    const waits = this.#waits.get(dialog);
    if (waits === undefined) return;
    const left = waits.filter((wait) => wait.cseq !== cseq);
    if (left.length === 0) this.#waits.delete(dialog);
    else this.#waits.set(dialog, left);
    for (const wait of waits) if (wait.cseq === cseq) this.#stop(wait);
  }

  /** The dialog has ended: nothing of it is repeated any more. */
  drop(dialog: Dialog): void {
    const waits = this.#waits.get(dialog) ?? [];
    this.#waits.delete(dialog);
    for (const wait of waits) this.#stop(wait);
  }

  count(): number {
    return this.#waits.size;
  }

  #repeatAfter(wait: Wait, delay: number): void {
    wait.repeat = this.#context.after(delay, () => {
      if (this.#context.isOpen(wait.to)) this.#context.send(wait.to, wait.text);
      else if (!this.#context.ways.has('closed-is-gone')) this.#context.send(wait.fallback, wait.text);
      this.#repeatAfter(wait, Math.min(delay * 2, this.#context.timerValues.t2));
    });
  }

  #stop(wait: Wait): void {
    this.#context.stop(wait.expiry);
    this.#context.stop(wait.repeat);
    wait.source.unacknowledgedFinals -= 1;
    for (const goOn of wait.held ?? []) goOn();
  }

  #expire(dialog: Dialog): void {
    // The BYE that waited is as good as ours.
    const isHeld = this.#waits.get(dialog)?.some(({ held }) => held !== null) === true;
    this.drop(dialog);
    if (!isHeld) this.#onExpired(dialog);
  }
}
