import type { SipNotify } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type { SubscribeReceived, SubscriptionRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import type { SubscriptionRow } from '../rows.ts';
import { after } from '../transition.ts';
import type { Ledger } from './ledger.ts';
import { deletedRoster, RosterTexts } from './roster.ts';
import { subscriptionTransitions } from './subscription-state.ts';
import { TurnMap, type Turns } from './turn-map.ts';

export type TerminationReason = 'deactivated' | 'rejected' | 'timeout' | 'giveup' | 'noresource';

/** RFC 6665 4.2.2: these answers to a NOTIFY end the subscription; 408 is Timer F, which should. */
export const fatalAnswers: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

/** How many NOTIFYs to a subscriber are under way, and whether the roster changed meanwhile. */
type Delivery = { readonly outstanding: number; readonly stale: boolean };

/**
 * The notifier of one conference (RFC 4575 3, RFC 6665 4.2): one NOTIFY under way per subscription, and beside it those
 * that a SUBSCRIBE is owed at once.
 */
export class Notifier {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #deliveries: TurnMap<string, Delivery>;
  #rosters = new RosterTexts();

  constructor(parts: { ids: Ids; ledger: Ledger; turns: Turns }) {
    this.#ids = parts.ids;
    this.#ledger = parts.ledger;
    this.#deliveries = new TurnMap(parts.turns);
  }

  /**
   * Accepts a SUBSCRIBE to `target`, a URI that means this conference, that was judged allowed; a full NOTIFY follows at
   * once (RFC 6665 4.2.1.2).
   */
  subscribe(input: SubscribeReceived, of: { subscriber: string; target: string }, expires: number): void {
    const { subscriber, target } = of;
    const { conference, now } = this.#ledger;
    const row: SubscriptionRow = {
      id: this.#ids.row(),
      conferenceId: conference.id,
      target,
      subscriber,
      event: 'conference',
      state: 'active',
      expiresAt: now + expires * 1_000,
      lastVersionSent: -1,
      role: 'notifier',
      dialogId: input.dialogId,
      terminatedReason: null,
    };
    this.#ledger.putSubscription(row);
    this.#deliveries.set(row.id, { outstanding: 0, stale: false });
    this.#ledger.event('subscription.created', { subscription_id: row.id, subscriber, expires });
    this.#accept(input.reply, row, { toTag: this.#ids.tag(), expires });
  }

  /** Refreshes or, with 0 seconds, ends a subscription (RFC 6665 4.2.1.1). */
  refresh(input: SubscriptionRefreshed, row: SubscriptionRow, expires: number): void {
    const state = after(subscriptionTransitions, row.state, 'refresh');
    if (state === undefined) throw new Error(`subscription ${row.state} cannot refresh`);
    const renewed = { ...row, state, expiresAt: this.#ledger.now + expires * 1_000 };
    this.#ledger.putSubscription(renewed);
    this.#accept(input.reply, renewed, { toTag: null, expires });
  }

  /** Tells every subscriber of the changed roster, now or after the NOTIFY under way. */
  rosterChanged(): void {
    for (const row of this.#ledger.subscriptions) {
      const delivery = this.#delivery(row.id);
      if (delivery.outstanding > 0) this.#deliveries.set(row.id, { ...delivery, stale: true });
      else this.#notify(row);
    }
  }

  answered(row: SubscriptionRow, status: number): void {
    const { outstanding: before, stale } = this.#delivery(row.id);
    const outstanding = Math.max(0, before - 1);
    this.#deliveries.set(row.id, { outstanding, stale: stale && outstanding > 0 });
    if (fatalAnswers.has(status)) {
      this.#end(row, 'giveup');
      this.#ledger.ask({ type: 'sip.release', subscriptionId: row.id, dialogId: row.dialogId });
    } else if (stale && outstanding === 0) this.#notify(row);
  }

  /** Ends a subscription with a last NOTIFY that still shows the roster. */
  terminate(row: SubscriptionRow, reason: TerminationReason): void {
    const version = row.lastVersionSent + 1;
    this.#end({ ...row, lastVersionSent: version }, reason);
    // Whoever was removed learns nothing more of the roster.
    const body = reason === 'rejected' ? null : this.#rosters.at(this.#ledger.record(), version);
    this.#send(row, { name: 'terminated', reason }, body);
  }

  /** RFC 4575 4.6: the conference is no more, and its last document says so. */
  terminateAll(reason: 'noresource' | 'deactivated'): void {
    for (const row of this.#ledger.subscriptions) {
      this.#end({ ...row, lastVersionSent: row.lastVersionSent + 1 }, reason);
      const body = reason === 'noresource' ? deletedRoster(this.#ledger.conference.uri, row.lastVersionSent + 1) : null;
      this.#send(row, { name: 'terminated', reason }, body);
    }
  }

  /** The last NOTIFY of a subscription that is gone by its row. */
  tellGone(row: SubscriptionRow): void {
    this.#deliveries.delete(row.id);
    this.#send(row, { name: 'terminated', reason: 'noresource' }, null);
  }

  /** Turns are undone: the next roster has the version of one that never was. */
  wentBack(): void {
    this.#rosters = new RosterTexts();
  }

  #accept(reply: string, row: SubscriptionRow, granted: { toTag: string | null; expires: number }): void {
    this.#ledger.reply(reply, {
      kind: 'subscription-accepted',
      subscriptionId: row.id,
      contact: this.#ledger.conference.uri,
      toTag: granted.toTag,
      expires: granted.expires,
    });
    // RFC 6665 4.4.3: Expires 0 is a fetch or the end; either way one NOTIFY, terminated.
    if (granted.expires === 0) this.terminate(row, 'timeout');
    else {
      this.#ledger.startTimer('expiry', row.id, row.expiresAt);
      this.#notify(row);
    }
  }

  #notify(row: SubscriptionRow): void {
    const version = row.lastVersionSent + 1;
    this.#ledger.putSubscription({ ...row, lastVersionSent: version });
    const { outstanding } = this.#delivery(row.id);
    this.#deliveries.set(row.id, { outstanding: outstanding + 1, stale: false });
    const expires = Math.max(0, Math.ceil((row.expiresAt - this.#ledger.now) / 1_000));
    this.#send(row, { name: 'active', expires }, this.#rosters.at(this.#ledger.record(), version));
  }

  #send(row: SubscriptionRow, state: SipNotify['state'], body: string | null): void {
    const conferenceUri = this.#ledger.conference.uri;
    this.#ledger.ask({
      type: 'sip.notify',
      subscriptionId: row.id,
      dialogId: row.dialogId,
      conferenceUri,
      state,
      body,
    });
  }

  #end(row: SubscriptionRow, reason: TerminationReason): void {
    const state = after(subscriptionTransitions, row.state, 'terminate');
    if (state === undefined) throw new Error(`subscription ${row.state} cannot terminate`);
    this.#ledger.stopTimer('expiry', row.id);
    this.#deliveries.delete(row.id);
    this.#ledger.putSubscription({ ...row, state, terminatedReason: reason });
    this.#ledger.event('subscription.terminated', { subscription_id: row.id, subscriber: row.subscriber, reason });
  }

  #delivery(id: string): Delivery {
    return this.#deliveries.get(id) ?? { outstanding: 0, stale: false };
  }
}

/** Seconds granted for what a SUBSCRIBE asks, or `too-brief` (RFC 4575 3.3, RFC 6665 4.2.1.1). */
export function grantedExpires(asked: number | null): number | 'too-brief' {
  if (asked === null) return limits.subscriptionExpiresDefault;
  if (asked === 0) return 0;
  if (asked < limits.subscriptionExpiresMin) return 'too-brief';
  return Math.min(asked, limits.subscriptionExpiresMax);
}
