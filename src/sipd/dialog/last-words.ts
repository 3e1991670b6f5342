/**
 * Ends that somebody owes: the last NOTIFY of a subscription we have given up, the answer to a challenge of a BYE. Who
 * owes it may never pay; 64*T1 later the usage is over all the same (RFC 6665 4.1.2.4 calls that timer N).
 */

import type { Context } from '../context.ts';
import type { Dialog, Dialogs } from './dialog.ts';
import { endUsage, usageCalled } from './usages.ts';

export type LastWordsParts = {
  readonly context: Context;
  readonly dialogs: Dialogs;
  readonly dialogEnded: (dialog: Dialog) => void;
  readonly inviteEnded: (dialog: Dialog) => void;
};

/** Waits for them, and no longer than that. */
export class LastWords {
  readonly #parts: LastWordsParts;

  constructor(parts: LastWordsParts) {
    this.#parts = parts;
  }

  /** The usage is about to end; nothing happens later if it has. */
  of(dialog: Dialog, name: string): void {
    const { context, dialogs, inviteEnded, dialogEnded } = this.#parts;
    const usage = usageCalled(dialog, name);
    if (usage === undefined) return;
    context.after(64 * context.timerValues.t1, () => {
      if (!dialogs.has(dialog) || !dialog.usages.has(usage)) return;
      if (usage === 'invite') inviteEnded(dialog);
      else if (endUsage(dialog, usage)) dialogEnded(dialog);
    });
  }
}
