/**
 * Call detail records: applications that registered `cdr:attempt`, `cdr:start` or `cdr:stop` are told of calls, each
 * record to one of them in turn. Only an INVITE that begins a call counts, and each attempt has one end.
 */

import type { Context } from '../context.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { timeOfDay } from './frames.ts';

/** Whether the message that is recorded came in or went out. */
export type RecordSource = 'network' | 'application';

/** What we were for the call. */
export type RecordRole = 'uas' | 'uac' | 'proxy-uas' | 'proxy-uac';

/** Why a call ended. The real server calls every BYE of its own so, but for a session that expired. */
export type RecordReason =
  | 'call-rejected'
  | 'call-canceled'
  | 'normal-release'
  | 'session-expired'
  | 'system-initiated-termination';

/** Writes the records; does nothing when they are off. */
export class CallRecords {
  readonly #context: Context;
  readonly #on: boolean;
  readonly #choose: (verb: string) => number | null;
  readonly #ended = new WeakSet<Dialog>();

  /** `choose` gives the session whose turn it is for a verb. */
  constructor(context: Context, on: boolean, choose: (verb: string) => number | null) {
    this.#context = context;
    this.#on = on;
    this.#choose = choose;
  }

  /** An INVITE outside a dialog has come or gone out. */
  attempt(source: RecordSource, invite: string): void {
    if (this.#on) this.#write('cdr:attempt', source, `\r\n${invite}`);
  }

  /** It has been accepted. */
  start(source: RecordSource, response: string, role: RecordRole): void {
    if (this.#on) this.#write('cdr:start', source, `|${role}\r\n${response}`);
  }

  /** An attempt, or a call we only forwarded, is over; `text` is the message that ended it. */
  stop(source: RecordSource, text: string, reason: RecordReason): void {
    if (this.#on) this.#write('cdr:stop', source, `|${reason}\r\n${text}`);
  }

  /** A call is over by a BYE, which may be tried again (a challenge) or cross the peer's; the first counts. */
  ended(dialog: Dialog, bye: { readonly source: RecordSource; readonly text: string }, reason: RecordReason): void {
    if (!this.#on || !dialog.confirmed || dialog.method !== 'INVITE' || this.#ended.has(dialog)) return;
    this.#ended.add(dialog);
    this.stop(bye.source, bye.text, reason);
  }

  /** The end of an attempt that got a final answer of 300 or more. */
  refused(source: RecordSource, response: string, status: number): void {
    this.stop(source, response, status === 487 ? 'call-canceled' : 'call-rejected');
  }

  #write(verb: string, source: RecordSource, rest: string): void {
    const session = this.#choose(verb);
    if (session === null) return;
    const { ids, now } = this.#context;
    this.#context.frame(session, `${ids.uuid()}|${verb}|${source}|${timeOfDay(now)}${rest}`);
  }
}
