import type { SipNotify } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type { SubscribeReceived, SubscriptionRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import type { SubscriptionRow } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { after } from '../transition.ts';
import { type Delivery, KnownDocuments, newDelivery } from './deliveries.ts';
import type { Ledger } from './ledger.ts';
import { NotifyPace } from './notify-pace.ts';
import { deletedRoster, type Owed, type RosterDocument, RosterDocuments } from './roster-documents.ts';
import { subscriptionTransitions } from './subscription-state.ts';
import { TurnMap, type Turns } from './turn-map.ts';
import { type View, viewOf } from './views.ts';

export type TerminationReason = 'deactivated' | 'rejected' | 'timeout' | 'giveup' | 'noresource';

/** RFC 6665 4.2.2: these answers to a NOTIFY end the subscription; 408 is Timer F, which should. */
export const fatalAnswers: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

type NotifierParts = {
  readonly ids: Ids;
  readonly settings: Pick<Settings, 'notifyMinIntervalMs'>;
  readonly ledger: Ledger;
  readonly turns: Turns;
};

/**
 * The notifier of one conference (RFC 4575 3, RFC 6665 4.2): one NOTIFY under way per subscription, at the pace of RFC
 * 4575 3.9. A SUBSCRIBE is answered with everything; what changes later is told as far as the subscriber lacks it.
 */
export class Notifier {
  readonly #ids: Ids;
  readonly #ledger: Ledger;
  readonly #deliveries: TurnMap<string, Delivery>;
  readonly #pace: NotifyPace;
  /** What subscribers were told whose subscriptions are over. */
  readonly #known: KnownDocuments;
  #documents = new Map<View, RosterDocuments>();

  constructor({ ids, settings, ledger, turns }: NotifierParts) {
    this.#ids = ids;
    this.#ledger = ledger;
    this.#deliveries = new TurnMap(turns);
    this.#pace = new NotifyPace({ ledger, turns, intervalMs: settings.notifyMinIntervalMs });
    this.#known = new KnownDocuments(turns);
  }

  /**
   * Accepts a SUBSCRIBE to `target`, a URI that means this conference, that was judged allowed; a NOTIFY follows at once
   * (RFC 6665 4.2.1.2).
   */
  subscribe(input: SubscribeReceived, of: { subscriber: string; target: string }, expires: number): void {
    const { subscriber, target } = of;
    const { conference, now } = this.#ledger;
    const { lastNotifyVersion } = input;
    const row: SubscriptionRow = {
      id: this.#ids.row(),
      conferenceId: conference.id,
      target,
      subscriber,
      event: 'conference',
      state: 'active',
      expiresAt: now + expires * 1_000,
      // Whoever says what it has takes no lower version for news (RFC 4575 4.6).
      lastVersionSent: lastNotifyVersion ?? -1,
      role: 'notifier',
      dialogId: input.dialogId,
      terminatedReason: null,
    };
    const view = viewOf(row, this.#ledger);
    const base = this.#hasAnother(subscriber, lastNotifyVersion)
      ? null
      : this.#known.of(subscriber, { version: lastNotifyVersion, view });
    this.#ledger.putSubscription(row);
    this.#deliveries.set(row.id, { ...newDelivery(view), base, asked: true });
    this.#ledger.event('subscription.created', { subscription_id: row.id, subscriber, expires });
    this.#accept(input.reply, row, { toTag: this.#ids.tag(), expires });
  }

  /** Refreshes or, with 0 seconds, ends a subscription (RFC 6665 4.2.1.1). */
  refresh(input: SubscriptionRefreshed, row: SubscriptionRow, expires: number): void {
    const state = after(subscriptionTransitions, row.state, 'refresh');
    if (state === undefined) throw new Error(`subscription ${row.state} cannot refresh`);
    const renewed = { ...row, state, expiresAt: this.#ledger.now + expires * 1_000 };
    this.#ledger.putSubscription(renewed);
    const delivery = this.#delivery(row);
    const base = this.#known.within(delivery, input.lastNotifyVersion);
    this.#deliveries.set(row.id, { ...delivery, base, owed: [], asked: true });
    this.#accept(input.reply, renewed, { toTag: null, expires });
  }

  /** Tells every subscriber of the changed roster, as soon as it may be told. */
  rosterChanged(): void {
    for (const row of this.#ledger.subscriptions) this.#tell(row, 'news');
  }

  /** The pause between two NOTIFYs is over for some. */
  paceAllows(): void {
    for (const id of this.#pace.due()) {
      const row = this.#ledger.subscription(id);
      if (row !== undefined) this.#tell(row, 'news');
    }
  }

  answered(row: SubscriptionRow, status: number): void {
    if (fatalAnswers.has(status)) {
      this.#end(row, 'giveup');
      this.#ledger.ask({ type: 'sip.release', subscriptionId: row.id, dialogId: row.dialogId });
      return;
    }
    const delivery = this.#delivery(row);
    // RFC 6665 4.2.2: after any other failure the next change is told; whether the last one was heard, nobody knows.
    const known = status < 300 ? delivery : { ...delivery, base: null, owed: [] };
    this.#deliveries.set(row.id, { ...known, outstanding: false });
    const hasChanged = this.#ledger.facts.version !== delivery.base;
    this.#tell(row, status < 300 || hasChanged ? 'news' : 'rest');
  }

  /** Ends a subscription with a last NOTIFY that still shows the roster. */
  terminate(row: SubscriptionRow, reason: TerminationReason): void {
    const version = row.lastVersionSent + 1;
    const delivery = this.#inView(row);
    const documents = this.#of(delivery.view);
    // Whoever was removed learns nothing more of the roster.
    const last = reason === 'rejected' ? null : documents.full();
    const base = last?.owed.length === 0 ? documents.version : null;
    this.#deliveries.set(row.id, { ...delivery, told: this.#known.added(delivery.told, { version, base }) });
    this.#end({ ...row, lastVersionSent: version }, reason);
    this.#send(row, { name: 'terminated', reason }, last?.at(version) ?? null);
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

  /** Turns are undone, and with them roster versions that will be others: everybody is told everything. */
  wentBack(): void {
    this.#documents = new Map();
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
      this.#tell(row, 'rest');
    }
  }

  /**
   * Sends what a subscriber is to be told next, if anything: what it asked for and what completes that at once; `news`
   * when the pace allows.
   */
  #tell(row: SubscriptionRow, what: 'news' | 'rest'): void {
    const delivery = this.#inView(row);
    if (delivery.outstanding) return;
    if (delivery.asked) return this.#notify(row, delivery, this.#answerTo(delivery));
    const documents = this.#of(delivery.view);
    if (delivery.owed.length > 0) return this.#notify(row, delivery, restOf(documents, delivery));
    if (what === 'rest' || documents.version === delivery.base) return;
    const news = newsOf(documents, delivery);
    if (news === null) this.#deliveries.set(row.id, { ...delivery, base: documents.version, isAhead: false });
    else if (this.#pace.allows(row.id, delivery.notifiedAt)) this.#notify(row, delivery, news);
  }

  /** RFC 4575 3.2: everything, unless the subscriber says what it has. */
  #answerTo(delivery: Delivery): News {
    const documents = this.#of(delivery.view);
    const nothing = { base: documents.version, isAhead: false };
    return newsOf(documents, delivery) ?? { ...documents.completing(nothingOwed), ...nothing };
  }

  #notify(row: SubscriptionRow, delivery: Delivery, { at, owed, base, isAhead }: News): void {
    const version = row.lastVersionSent + 1;
    const { now } = this.#ledger;
    this.#ledger.noteVersion(row.id, version);
    this.#pace.forget(row.id);
    const told = this.#known.added(delivery.told, { version, base: owed.length === 0 && !isAhead ? base : null });
    const sent = { base, owed, isAhead, told, notifiedAt: now };
    this.#deliveries.set(row.id, { ...delivery, ...sent, outstanding: true, asked: false });
    const expires = Math.max(0, Math.ceil((row.expiresAt - now) / 1_000));
    this.#send(row, { name: 'active', expires }, at(version));
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
    this.#pace.forget(row.id);
    this.#known.remember(row.subscriber, this.#delivery(row));
    this.#deliveries.delete(row.id);
    this.#ledger.putSubscription({ ...row, state, terminatedReason: reason });
    this.#ledger.event('subscription.terminated', { subscription_id: row.id, subscriber: row.subscriber, reason });
  }

  /** Whether `version` may be that of a document to another device of the user, which watches still. */
  #hasAnother(subscriber: string, version: number | null): boolean {
    if (version === null) return false;
    return this.#ledger.subscriptions.some((row) => row.subscriber === subscriber && row.lastVersionSent >= version);
  }

  /** Who has become somebody else to the conference is shown another roster, and so all of it. */
  #inView(row: SubscriptionRow): Delivery {
    const delivery = this.#delivery(row);
    const view = viewOf(row, this.#ledger);
    return view === delivery.view ? delivery : { ...delivery, view, base: null, owed: [], told: [] };
  }

  #delivery(row: SubscriptionRow): Delivery {
    return this.#deliveries.get(row.id) ?? newDelivery(viewOf(row, this.#ledger));
  }

  #of(view: View): RosterDocuments {
    const ledger = this.#ledger;
    const source = { version: () => ledger.facts.version, record: () => ledger.record() };
    const documents = this.#documents.get(view) ?? new RosterDocuments({ view, source });
    this.#documents.set(view, documents);
    return documents;
  }
}

/** A document, and what a subscriber knows once all of it and of what it owes was told. */
type News = RosterDocument & Pick<Delivery, 'base' | 'isAhead'>;

const nothingOwed: readonly Owed[] = [];

/** What is new to whoever knows `base`, a roster version, or nothing; null: there is nothing that it may see. */
function newsOf(documents: RosterDocuments, { base, isAhead }: Delivery): News | null {
  const partial = base === null ? 'all' : documents.partial(base, isAhead);
  if (partial === null) return null;
  return { ...(partial === 'all' ? documents.full() : partial), base: documents.version, isAhead: false };
}

/** As much as fits of what is owed, as it stands now: what has changed since `base` is news that is still to come. */
function restOf(documents: RosterDocuments, { base, owed, isAhead }: Delivery): News {
  return { ...documents.completing(owed), base, isAhead: isAhead || documents.version !== base };
}

/** Seconds granted for what a SUBSCRIBE asks, or `too-brief` (RFC 4575 3.3, RFC 6665 4.2.1.1). */
export function grantedExpires(asked: number | null): number | 'too-brief' {
  if (asked === null) return limits.subscriptionExpiresDefault;
  if (asked === 0) return 0;
  if (asked < limits.subscriptionExpiresMin) return 'too-brief';
  return Math.min(asked, limits.subscriptionExpiresMax);
}
