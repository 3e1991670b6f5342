/**
 * Dialogs whose application connection has gone. Whoever knows the id may send in a dialog, so an application that is
 * started again takes its dialogs over with the first request it sends in each. Those nobody takes over are ended.
 */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import { limits } from '../limits.ts';
import type { Dialog, Dialogs } from './dialog.ts';

export type OrphansParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  /** Ends the call with a BYE. */
  readonly hangUp: (dialog: Dialog, text: string) => void;
  readonly dialogEnded: (dialog: Dialog) => void;
};

/** Adoption of dialogs, and the end of those that nobody adopts. The daemon has neither (`orphans-stay`). */
export class Orphans {
  readonly #parts: OrphansParts;

  constructor(parts: OrphansParts) {
    this.#parts = parts;
  }

  /** An application connection has gone: what it leaves behind waits a while for another. `more` may come of its calls. */
  sessionClosed(session: number, more: boolean): void {
    const { context, dialogs } = this.#parts;
    if (context.ways.has('orphans-stay') || (!more && dialogs.ofSession(session).length === 0)) return;
    context.after(limits.orphanMs, () => this.#endThoseOf(session));
  }

  /** `session` sends in the dialog: it becomes the owner where there is none any more. */
  adopt(dialog: Dialog, session: number): void {
    const { context, apps } = this.#parts;
    if (dialog.owner === null || apps.isOpen(dialog.owner) || context.ways.has('orphans-stay')) return;
    context.log('info', { callId: dialog.callId, session }, 'dialog taken over');
    dialog.owner = session;
  }

  #endThoseOf(session: number): void {
    const { dialogs, hangUp, dialogEnded } = this.#parts;
    for (const dialog of dialogs.ofSession(session)) {
      if (dialog.confirmed && dialog.usages.has('invite')) hangUp(dialog, 'application gone');
      dialogEnded(dialog);
    }
  }
}
