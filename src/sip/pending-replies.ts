/** Requests handed to the core that it has not answered yet: bounded in number and in time. */
import type { ReplyTo } from '../core/input.ts';
import type { Clock } from '../core/ports.ts';
import { bounds } from './bounds.ts';
import type { SrfResponse } from './srf.ts';

export type PendingReply = {
  readonly method: string;
  readonly response: SrfResponse;
  /** Where the request came from. */
  readonly sourceAddress: string;
  readonly dialogId: string;
  /** CSeq number of the request. */
  readonly cseq: number;
  /** The request came within a dialog of ours. */
  readonly inDialog: boolean;
};

type Origin = Pick<PendingReply, 'dialogId' | 'cseq' | 'method'>;

type Kept = { readonly pending: PendingReply; readonly stopTimer: () => void };

/** The responses that are still owed, by reply token. */
export class PendingReplies {
  readonly #clock: Clock;
  readonly #kept = new Map<ReplyTo, Kept>();
  /** Methods of those that came within a dialog, by dialog. */
  readonly #within = new Map<string, readonly string[]>();
  /** What those outside dialogs have in common with their copies. */
  readonly #outside = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get full(): boolean {
    return this.#kept.size >= bounds.pendingRepliesMax;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps `pending` until it is taken; `expired` is called when nobody takes it in time. */
  add(to: ReplyTo, pending: PendingReply, expired: () => void): void {
    const stopTimer = this.#clock.callAt(this.#clock.now() + bounds.replyTimeoutMs, () => {
      if (this.take(to) !== undefined) expired();
    });
    this.#kept.set(to, { pending, stopTimer });
    const { dialogId, method, inDialog } = pending;
    if (inDialog) this.#within.set(dialogId, [...this.methodsWithin(dialogId), method]);
    else this.#outside.add(originOf(pending));
  }

  /** Whether one with the same Call-ID, From tag, CSeq and method waits, outside dialogs. */
  hasTwin(request: Origin): boolean {
    return this.#outside.has(originOf(request));
  }

  /** Methods of the requests of a dialog that are still to be answered. */
  methodsWithin(dialogId: string): readonly string[] {
    return this.#within.get(dialogId) ?? [];
  }

  /** The request to answer, once; undefined when it was answered, cancelled or given up before. */
  take(to: ReplyTo): PendingReply | undefined {
    const kept = this.#kept.get(to);
    if (kept === undefined) return undefined;
    kept.stopTimer();
    this.#kept.delete(to);
    if (kept.pending.inDialog) this.#leave(kept.pending);
    else this.#outside.delete(originOf(kept.pending));
    return kept.pending;
  }

  clear(): void {
    for (const kept of this.#kept.values()) kept.stopTimer();
    this.#kept.clear();
    this.#within.clear();
    this.#outside.clear();
  }

  #leave({ dialogId, method }: PendingReply): void {
    const methods = [...this.methodsWithin(dialogId)];
    methods.splice(methods.indexOf(method), 1);
    if (methods.length === 0) this.#within.delete(dialogId);
    else this.#within.set(dialogId, methods);
  }
}

/** The id that the dialog would have holds Call-ID and From tag. */
function originOf({ dialogId, cseq, method }: Origin): string {
  return `${cseq} ${method} ${dialogId}`;
}
