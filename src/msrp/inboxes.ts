/** The inbox of each session. */

import { Inbox, type InboxOptions } from './inbox.ts';
import type { Session } from './session.ts';

/** Made when something comes, gone with the session. */
export class Inboxes {
  readonly #options: InboxOptions;
  readonly #bySession = new WeakMap<Session, Inbox>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  of(session: Session): Inbox {
    const known = this.#bySession.get(session);
    if (known !== undefined) return known;
    const inbox = new Inbox(session, this.#options);
    this.#bySession.set(session, inbox);
    return inbox;
  }

  /** The route names the session: what waited for that goes on. */
  routed(session: Session): void {
    this.#bySession.get(session)?.routed();
  }

  /** The session is over: so is all that had begun to come in it. */
  close(session: Session): void {
    this.#bySession.get(session)?.close();
    this.#bySession.delete(session);
  }
}
