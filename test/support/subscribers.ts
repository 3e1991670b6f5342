import { onTestFinished } from 'vitest';
import type { SipNotify } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import type { ConferenceRecord, Instant, SubscriptionRow } from '../../src/core/rows.ts';
import { nameOf } from './fixtures.ts';
import { ReferenceSubscriber } from './reference-subscriber.ts';
import { differencesOf } from './server-roster.ts';

/** The world in which they watch. */
type Surroundings = {
  readonly now: Instant;
  readonly settings: { readonly notifyMinIntervalMs: number };
  readonly saved: { readonly subscriptions: ReadonlyMap<string, SubscriptionRow> };
  readonly ladder: { readonly whole: string };
  readonly view: (conferenceId: string) => ConferenceRecord | undefined;
  readonly happens: (input: Input) => void;
  readonly passes: (ms: number) => void;
};

type Watcher = {
  readonly subscriber: ReferenceSubscriber;
  /** NOTIFYs without an answer. */
  outstanding: number;
  /** It was told that its subscription is over. */
  isOver: boolean;
  lastAt: Instant;
  /** RFC 6665 4.2.2: after a failure that does not end it, a subscription waits for the next change. */
  waits: boolean;
  /** A NOTIFY to it was lost, and no full document has come since. */
  lacks: boolean;
  /** Versions of the two rosters that were compared last. */
  compared: string;
};

/** More than any notifier needs to tell what it has to tell. */
const roundsMax = 1_000;
/** Several subscribers may be told together, a little later than each could be. */
const togetherMs = 1_000;

/**
 * Everybody who watches a conference in a scenario. Each document is checked as it comes; and whoever is owed nothing,
 * as everybody is in the end, must have put together the roster that a full document would hold.
 */
export class Subscribers {
  readonly #world: Surroundings;
  readonly #watchers = new Map<string, Watcher>();
  /** The Last-Notify-Version of SUBSCRIBEs, by their dialogs. */
  readonly #said = new Map<string, number | null>();
  /** Subscriptions whose next NOTIFY gets lost. */
  readonly #losing = new Set<string>();

  constructor(world: Surroundings) {
    this.#world = world;
    onTestFinished(() => this.#hearAll());
  }

  /** A NOTIFY arrives; throws when it may not come, or its document is not as it must be. */
  receive({ subscriptionId, dialogId, state, body }: SipNotify): void {
    const { now, ladder } = this.#world;
    const known = this.#watchers.get(subscriptionId);
    const isOver = state.name === 'terminated';
    const untimely = known === undefined ? null : untimelyBecause(known, isOver);
    if (untimely !== null) throw new Error(`a NOTIFY of ${subscriptionId} ${untimely}\n${ladder.whole}`);
    const subscriber = known?.subscriber ?? this.#newcomer(subscriptionId, dialogId);
    const outstanding = (known?.outstanding ?? 0) + 1;
    const afterLoss = known?.lacks ?? false;
    const isLost = this.#losing.delete(subscriptionId);
    const watcher = { subscriber, outstanding, isOver, lastAt: now, waits: false, lacks: isLost, compared: '' };
    this.#watchers.set(subscriptionId, watcher);
    if (body === null || isLost) return;
    subscriber.mustReceive(body, { afterLoss, told: () => ladder.whole });
    watcher.lacks = afterLoss && !subscriber.isCoherent;
  }

  /** The next NOTIFY of a subscription does not arrive. */
  lose(subscriptionId: string): void {
    this.#losing.add(subscriptionId);
  }

  /** Something goes in: it may be a SUBSCRIBE, or an answer to a NOTIFY. */
  note(input: Input): void {
    if (input.type === 'subscribe-received') this.#said.set(input.dialogId, input.lastNotifyVersion);
    const watcher = input.type === 'notify-answered' ? this.#watchers.get(input.subscriptionId) : undefined;
    if (input.type !== 'notify-answered' || watcher === undefined) return;
    watcher.outstanding = Math.max(0, watcher.outstanding - 1);
    watcher.waits = input.status >= 300;
  }

  /** CC-115: throws when somebody who is owed nothing has another roster than the service. */
  compare(): void {
    for (const row of this.#live()) {
      const watcher = this.#watchers.get(row.id);
      const record = this.#world.view(row.conferenceId);
      if (record === undefined || watcher === undefined || !this.#isOwedNothing(watcher)) continue;
      // The same two rosters as before are as they were.
      const compared = `${watcher.subscriber.version} ${record.conference.version}`;
      if (compared === watcher.compared) continue;
      watcher.compared = compared;
      const differences = differencesOf(watcher.subscriber, row, record);
      const who = `${nameOf(row.subscriber)} has | the service has`;
      if (differences.length > 0) throw new Error([who, ...differences, this.#world.ladder.whole].join('\n'));
    }
  }

  #newcomer(subscriptionId: string, dialogId: string): ReferenceSubscriber {
    const { subscriptions } = this.#world.saved;
    const who = subscriptions.get(subscriptionId)?.subscriber ?? '?';
    const earlier = [...this.#watchers].filter(([id]) => subscriptions.get(id)?.subscriber === who);
    return new ReferenceSubscriber(nameOf(who), {
      lastNotifyVersion: this.#said.get(dialogId) ?? null,
      earlier: earlier.map(([, { subscriber }]) => subscriber),
    });
  }

  /** The test is over: every NOTIFY is answered, and time passes, until there is nothing more to tell. */
  #hearAll(): void {
    const { notifyMinIntervalMs: pauseMs } = this.#world.settings;
    for (let round = 0; round < roundsMax; round += 1) {
      const live = this.#live();
      const waiting = live.filter(({ id }) => (this.#watchers.get(id)?.outstanding ?? 0) > 0);
      for (const { id } of waiting) this.#world.happens({ type: 'notify-answered', subscriptionId: id, status: 200 });
      if (live.length === 0 || (waiting.length === 0 && round > 0)) return this.compare();
      if (pauseMs > 0) this.#world.passes(pauseMs + togetherMs + 1);
    }
    throw new Error(`the NOTIFYs have no end\n${this.#world.ladder.whole}`);
  }

  #live(): readonly SubscriptionRow[] {
    return [...this.#world.saved.subscriptions.values()].filter(({ state }) => state === 'active');
  }

  /** Nothing is under way, and nothing can wait for its time (RFC 4575 3.9). */
  #isOwedNothing({ outstanding, lastAt, waits, lacks }: Watcher): boolean {
    const { now, settings } = this.#world;
    const pauseMs = settings.notifyMinIntervalMs;
    return outstanding === 0 && !waits && !lacks && (pauseMs === 0 || now > lastAt + pauseMs + togetherMs);
  }
}

/** Why a NOTIFY may not come now; null when it may: one at a time, but for the last, and none after that. */
function untimelyBecause({ isOver, outstanding }: Watcher, isLast: boolean): string | null {
  if (isOver) return 'after its last';
  return outstanding > 0 && !isLast ? 'while another is under way' : null;
}
