/**
 * The dialogs of this process by the SIP server's id, `<Call-ID>;from-tag=<tag of the request that made it>`. The core
 * chooses Call-ID and tags, so a dialog is entered here before the message that makes it is sent. A dialog may hold a
 * session, a subscription, or both (RFC 5057). Bounded by the core's limits: here is what the core accepted.
 */

export type SessionUsage = {
  readonly endpointId: string;
  /** CSeq number of the INVITE whose 200 awaits its ACK. */
  readonly ackAwaited: number | null;
  /** The first 200 has been acknowledged; what our own INVITE makes is confirmed from the start. */
  readonly confirmed: boolean;
  /** Our BYE is under way: what the peer still sends changes nothing. */
  readonly ending: boolean;
};

export type SubscriptionUsage = { readonly subscriptionId: string; readonly ending: boolean };

export type Dialog = {
  readonly id: string;
  /** The conference URI: our Contact in this dialog. */
  readonly contact: string;
  readonly session: SessionUsage | null;
  readonly subscription: SubscriptionUsage | null;
};

/** A dialog whose owner is gone, to be ended towards its peer. */
export type LeftDialog = {
  readonly kind: 'session' | 'subscription';
  readonly dialogId: string;
  /** The conference URI, when known. */
  readonly contact?: string;
};

/** The dialogs by id; a dialog goes when its last usage does. */
export class Dialogs {
  readonly #byId = new Map<string, Dialog>();

  get size(): number {
    return this.#byId.size;
  }

  find(id: string | undefined): Dialog | null {
    return id === undefined ? null : (this.#byId.get(id) ?? null);
  }

  openSession(id: string, opened: Pick<SessionUsage, 'endpointId' | 'confirmed'> & Pick<Dialog, 'contact'>): void {
    const { endpointId, confirmed, contact } = opened;
    const session: SessionUsage = { endpointId, ackAwaited: null, confirmed, ending: false };
    this.#put({ ...this.#base(id, contact), session });
  }

  openSubscription(id: string, opened: { readonly subscriptionId: string; readonly contact: string }): void {
    const subscription: SubscriptionUsage = { subscriptionId: opened.subscriptionId, ending: false };
    this.#put({ ...this.#base(id, opened.contact), subscription });
  }

  changeSession(id: string, change: Partial<SessionUsage>): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined && dialog.session !== null)
      this.#put({ ...dialog, session: { ...dialog.session, ...change } });
  }

  endingSubscription(id: string): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined && dialog.subscription !== null) {
      this.#put({ ...dialog, subscription: { ...dialog.subscription, ending: true } });
    }
  }

  closeSession(id: string): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined) this.#put({ ...dialog, session: null });
  }

  closeSubscription(id: string): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined) this.#put({ ...dialog, subscription: null });
  }

  /** Forgets all and tells what was there. */
  clear(): LeftDialog[] {
    const left = [...this.#byId.values()].flatMap((dialog): LeftDialog[] => {
      const { id: dialogId, contact } = dialog;
      const session = dialog.session === null ? [] : [{ kind: 'session', dialogId, contact } as const];
      const subscription = dialog.subscription === null ? [] : [{ kind: 'subscription', dialogId, contact } as const];
      return [...subscription, ...session];
    });
    this.#byId.clear();
    return left;
  }

  #base(id: string, contact: string): Dialog {
    return this.#byId.get(id) ?? { id, contact, session: null, subscription: null };
  }

  #put(dialog: Dialog): void {
    if (dialog.session === null && dialog.subscription === null) this.#byId.delete(dialog.id);
    else this.#byId.set(dialog.id, dialog);
  }
}
