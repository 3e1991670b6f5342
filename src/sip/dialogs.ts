/**
 * The dialogs of this process by the SIP server's id, `<Call-ID>;from-tag=<tag of the request that made it>`. The core
 * chooses Call-ID and tags, so a dialog is entered here before the message that makes it is sent. A dialog may hold a
 * session, a subscription and referrals (RFC 5057). Bounded by the core's limits: here is what the core accepted.
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

/** A REFER whose sender is told how it goes, by the CSeq number that it had (RFC 3515 2.4.6). */
export type ReferralUsage = {
  readonly referralId: string;
  readonly cseq: number;
  /** The first REFER of its dialog may be named without a number. */
  readonly first: boolean;
  /** Its last NOTIFY is under way. */
  readonly ending: boolean;
};

export type Dialog = {
  readonly id: string;
  /** The conference URI: our Contact in this dialog. */
  readonly contact: string;
  readonly session: SessionUsage | null;
  readonly subscription: SubscriptionUsage | null;
  readonly referrals: readonly ReferralUsage[];
  /** A REFER has been accepted in it, with or without a report. */
  readonly referred: boolean;
  /** The highest CSeq number of the peer's requests; null: none has come. */
  readonly remoteCseq: number | null;
};

/** A dialog whose owner is gone, to be ended towards its peer. */
export type LeftDialog = {
  readonly kind: 'session' | 'subscription' | 'referral';
  readonly dialogId: string;
  /** `id` in the Event of a referral; null or absent for the first one. */
  readonly eventId?: number | null;
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

  /** The session of this endpoint has not come about: what there was `before` stands as it did. */
  undoSession(id: string, endpointId: string, before: Dialog | null): void {
    const dialog = this.#byId.get(id);
    if (dialog?.session?.endpointId !== endpointId) return;
    this.#put({ ...dialog, session: before?.session ?? null, remoteCseq: before?.remoteCseq ?? null });
  }

  /** A request of the peer has come in it. */
  heard(id: string, cseq: number): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined) this.#put({ ...dialog, remoteCseq: cseq });
  }

  /** Gives the subscription that ran in its place: its subscriber began anew with the same Call-ID and tag. */
  openSubscription(
    id: string,
    { subscriptionId, contact }: { readonly subscriptionId: string; readonly contact: string },
  ): string | null {
    const dialog = this.#base(id, contact);
    const before = dialog.subscription;
    this.#put({ ...dialog, subscription: { subscriptionId, ending: false } });
    return before === null || before.ending || before.subscriptionId === subscriptionId ? null : before.subscriptionId;
  }

  /** Whether the dialog is another subscription's. */
  isOfAnother(id: string, subscriptionId: string): boolean {
    const subscription = this.#byId.get(id)?.subscription ?? null;
    return subscription !== null && subscription.subscriptionId !== subscriptionId;
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

  /** A REFER that came in the dialog, or makes it, is accepted; `referralId` null: nothing will be told of it. */
  refer(
    id: string,
    accepted: { readonly referralId: string | null; readonly cseq: number; readonly contact: string },
  ): void {
    const { referralId, cseq, contact } = accepted;
    const dialog = this.#base(id, contact);
    const usage = referralId === null ? [] : [{ referralId, cseq, first: !dialog.referred, ending: false }];
    // Without a report a REFER makes no dialog (RFC 4488 4).
    if (referralId !== null || this.#byId.has(id))
      this.#put({ ...dialog, referrals: [...dialog.referrals, ...usage], referred: true });
  }

  /** The last NOTIFY of a referral is on its way. */
  endingReferral(id: string, referralId: string): void {
    this.#changeReferrals(id, (usage) => (usage.referralId === referralId ? [{ ...usage, ending: true }] : [usage]));
  }

  closeReferral(id: string, referralId: string): void {
    this.#changeReferrals(id, (usage) => (usage.referralId === referralId ? [] : [usage]));
  }

  /** Forgets all and tells what was there. */
  clear(): LeftDialog[] {
    const left = [...this.#byId.values()].flatMap((dialog): LeftDialog[] => {
      const { id: dialogId, contact } = dialog;
      const session = dialog.session === null ? [] : [{ kind: 'session', dialogId, contact } as const];
      const subscription = dialog.subscription === null ? [] : [{ kind: 'subscription', dialogId, contact } as const];
      const referrals = dialog.referrals.map(
        ({ cseq, first }) => ({ kind: 'referral', dialogId, contact, eventId: first ? null : cseq }) as const,
      );
      return [...subscription, ...referrals, ...session];
    });
    this.#byId.clear();
    return left;
  }

  #base(id: string, contact: string): Dialog {
    const usages = { session: null, subscription: null, referrals: [], referred: false };
    return this.#byId.get(id) ?? { id, contact, ...usages, remoteCseq: null };
  }

  #changeReferrals(id: string, change: (usage: ReferralUsage) => readonly ReferralUsage[]): void {
    const dialog = this.#byId.get(id);
    if (dialog !== undefined) this.#put({ ...dialog, referrals: dialog.referrals.flatMap(change) });
  }

  #put(dialog: Dialog): void {
    const isEmpty = dialog.session === null && dialog.subscription === null && dialog.referrals.length === 0;
    if (isEmpty) this.#byId.delete(dialog.id);
    else this.#byId.set(dialog.id, dialog);
  }
}

/** The referral that an Event with this `id` means (RFC 3515 2.4.6); null: none that is still told of. */
export function referralNamed({ referrals }: Dialog, eventId: string | null): ReferralUsage | null {
  const named = referrals.find(({ cseq, first }) => (eventId === null ? first : eventId === String(cseq)));
  return named === undefined || named.ending ? null : named;
}
