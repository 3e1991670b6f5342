import { limits } from '../limits.ts';
import type { Instant } from '../rows.ts';
import type { Owed } from './roster-documents.ts';
import { TurnMap, type Turns } from './turn-map.ts';
import type { View } from './views.ts';

/** A document that was sent, and the roster version that whoever has it knows; null when it was not the last of its kind. */
export type Told = { readonly version: number; readonly base: number | null };

/** How far a subscriber has been told of the roster. */
export type Delivery = {
  readonly view: View;
  /** The roster version that it knows, but for what is `owed`; null: it must be told everything. */
  readonly base: number | null;
  readonly owed: readonly Owed[];
  /** Some of what was owed was told as it stood later than `base`. */
  readonly isAhead: boolean;
  /** A NOTIFY is under way. */
  readonly outstanding: boolean;
  /** A SUBSCRIBE waits for its NOTIFY. */
  readonly asked: boolean;
  readonly notifiedAt: Instant;
  /** The last documents it was sent. */
  readonly told: readonly Told[];
};

/** Of a subscriber who was told nothing yet. */
export function newDelivery(view: View): Delivery {
  return {
    view,
    base: null,
    owed: [],
    isAhead: false,
    outstanding: false,
    asked: false,
    notifiedAt: Number.NEGATIVE_INFINITY,
    told: [],
  };
}

/**
 * What subscribers have, by the versions of the documents that they were sent: whoever says in Last-Notify-Version which
 * one it has is told only what came after that. No RFC has this; liblinphone does it.
 */
export class KnownDocuments {
  /** By AOR. */
  readonly #gone: TurnMap<string, Gone>;

  constructor(turns: Turns) {
    this.#gone = new TurnMap(turns);
  }

  /**
   * The roster version of a document of an earlier subscription; null when it is not known. Whoever takes it up goes on
   * from there: what it was told then is not asked for again.
   */
  of(subscriber: string, { version, view }: { version: number | null; view: View }): number | null {
    const gone = this.#gone.get(subscriber);
    if (gone === undefined || version === null || gone.view !== view || version <= gone.others) return null;
    const base = baseOf(gone.told, version);
    if (base !== null) this.#gone.set(subscriber, { ...gone, told: [] });
    return base;
  }

  /** The same within a subscription: whoever lacks its last document would miss a step (RFC 4575 4.6). */
  within({ told }: Delivery, version: number | null): number | null {
    return told.at(-1)?.version === version ? baseOf(told, version) : null;
  }

  added(told: readonly Told[], next: Told): readonly Told[] {
    return [...told.slice(1 - limits.knownDocumentsMax), next];
  }

  remember(subscriber: string, { view, told }: Delivery): void {
    const before = this.#gone.get(subscriber);
    const others = Math.max(before?.others ?? -1, before?.told.at(-1)?.version ?? -1);
    this.#gone.delete(subscriber);
    this.#gone.set(subscriber, { view, told, others });
    const [oldest] = this.#gone.size > limits.knownSubscribersMax ? this.#gone.keys() : [];
    if (oldest !== undefined) this.#gone.delete(oldest);
  }
}

/**
 * What the last subscription of a user to end was told. A user may have several devices, and nothing tells which of them
 * says what it has: up to the version `others`, it may be from a subscription before that.
 */
type Gone = Pick<Delivery, 'view' | 'told'> & { readonly others: number };

function baseOf(told: readonly Told[], version: number | null): number | null {
  return version === null ? null : (told.find((each) => each.version === version)?.base ?? null);
}
