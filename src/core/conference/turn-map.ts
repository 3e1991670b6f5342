/** What the maps of a conference held before each turn changed them, as ways back to where turns began. */
export class Turns {
  #latest = newTurn();

  /** A way back to this moment between two turns, with which all turns since are undone. */
  capture(): () => void {
    const turn = newTurn();
    this.#latest.next = turn;
    this.#latest = turn;
    return () => this.#goBack(turn);
  }

  note(change: Change): void {
    this.#latest.changes.push(change);
  }

  /** The latest turn is undone first; of a turn, what stood under a key before it was first changed. */
  #goBack(first: Turn): void {
    const turns: Turn[] = [];
    for (let turn: Turn | null = first; turn !== null; turn = turn.next) turns.unshift(turn);
    for (const { changes } of turns) {
      const done = new Map<unknown, Set<unknown>>();
      for (const change of changes.splice(0)) {
        const keys = done.get(change.map) ?? new Set();
        if (!keys.has(change.key)) change.map.putBack(change.key, change.before);
        done.set(change.map, keys.add(change.key));
      }
    }
    first.next = null;
    this.#latest = first;
  }
}

/**
 * A map whose changes are undone with the turns that made them. What a turn changes is written down, and not what it
 * leaves alone: a turn costs no more in a conference of a thousand than in one of ten.
 */
export class TurnMap<Key, Value> extends Map<Key, Value> {
  readonly #turns: Turns;

  constructor(turns: Turns) {
    super();
    this.#turns = turns;
  }

  override set(key: Key, value: Value): this {
    this.#turns.note({ map: this, key, before: this.get(key) });
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    const before = this.get(key);
    if (before !== undefined) this.#turns.note({ map: this, key, before });
    return super.delete(key);
  }

  override clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }

  /** Undoes what was noted of `key`; for `Turns` only. What was taken away comes back behind all others. */
  putBack(key: Key, before: Value | undefined): void {
    if (before === undefined) super.delete(key);
    else super.set(key, before);
  }
}

/** What stood under a key of a map before it was changed, undefined for nothing. */
type Change = {
  readonly map: { putBack(key: unknown, before: unknown): void };
  readonly key: unknown;
  readonly before: unknown;
};

/**
 * The changes of a turn in their order, and the turn after it. Whoever may go back to a turn holds it, and with it those
 * that came later; nobody holds those before.
 */
type Turn = { readonly changes: Change[]; next: Turn | null };

function newTurn(): Turn {
  return { changes: [], next: null };
}
