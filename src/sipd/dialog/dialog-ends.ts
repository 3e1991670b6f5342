/**
 * What ends with a dialog, or with its call (RFC 5057 3.1): what waits for an ACK, the session's timer, the requests still
 * open in it. A dialog ends when its last usage does.
 */

import type { UserAgentClient } from '../client/user-agent-client.ts';
import type { Context } from '../context.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import type { OpenRequests } from '../server/open-requests.ts';
import type { Unacknowledged } from '../server/unacknowledged.ts';
import type { Sessions } from '../session-timer/sessions.ts';
import type { Dialog, Dialogs } from './dialog.ts';
import { endsSubscription, endUsage, subscriptionUsage } from './usages.ts';

export type DialogEndsParts = {
  readonly context: Context;
  readonly dialogs: Dialogs;
  readonly unacknowledged: Unacknowledged;
  readonly open: OpenRequests;
  readonly sessions: Sessions;
  readonly client: Pick<UserAgentClient, 'acknowledge' | 'hangUp'>;
};

/** Ends dialogs and calls, each with all that belongs to it. */
export class DialogEnds {
  readonly #parts: DialogEndsParts;
  readonly #context: Context;

  constructor(parts: DialogEndsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** The dialog is no more. Once more does no harm. */
  dialogEnded(dialog: Dialog): void {
    this.#parts.dialogs.remove(dialog);
    this.#parts.unacknowledged.drop(dialog);
    this.#parts.sessions.end(dialog);
    this.#parts.open.endAll(dialog);
  }

  /** RFC 5057 3.1: BYE ends the INVITE usage only. Subscriptions left get the time to say their last NOTIFY. */
  inviteEnded(dialog: Dialog): void {
    if (this.#context.ways.has('bye-ends-all') || !dialog.confirmed || endUsage(dialog, 'invite')) {
      this.dialogEnded(dialog);
      return;
    }
    this.#parts.unacknowledged.drop(dialog);
    this.#parts.sessions.end(dialog);
    this.#parts.open.endCall(dialog);
    this.#context.after(64 * this.#context.timerValues.t1, () => this.dialogEnded(dialog));
  }

  /** RFC 6665 4.4.1: a NOTIFY that says `terminated` ends our subscription; 4.2.2: so does the answer that there is none. */
  notifyAnswered(notify: IncomingRequest, dialog: Dialog, status: number): void {
    const state = (firstValue(notify, 'subscription-state') ?? '').toLowerCase();
    const refused = endsSubscription(status) && !this.#context.ways.has('keeps-dead-subscriptions');
    if (!refused && !state.includes('terminated')) return;
    if (endUsage(dialog, subscriptionUsage(firstValue(notify, 'event')))) this.dialogEnded(dialog);
  }

  /**
   * The same caller begins anew with the Call-ID and tag of a dialog that lives. Applications could not tell the two
   * apart, so the old one ends first, and its application hears of it.
   */
  makeRoom(id: string): void {
    for (const old of this.#parts.dialogs.branches(id)) {
      if (old.confirmed && old.usages.has('invite')) {
        this.#context.counters.count('replacedCalls');
        this.#parts.client.hangUp(old, 'replaced by a new call');
      }
      this.dialogEnded(old);
    }
  }

  /** ACKs the 2xx of an INVITE with this CSeq and hangs up: nobody wants the call. */
  releaseUnwanted(dialog: Dialog, cseq: number, text: string): void {
    this.#parts.client.acknowledge(dialog, cseq);
    this.#parts.client.hangUp(dialog, text);
  }
}
