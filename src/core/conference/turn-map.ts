/**
 * A map with ways back to where turns began. What a turn changes is written down, and not what it leaves alone: a turn
 * costs no more in a conference of a thousand than in one of ten.
 */
export class TurnMap<Key, Value> extends Map<Key, Value> {
  #turn = newTurn<Key, Value>();

  /** A way back to this moment between two turns, with which all turns since are undone. */
  capture(): () => void {
    const turn = newTurn<Key, Value>();
    this.#turn.next = turn;
    this.#turn = turn;
    return () => this.#goBack(turn);
  }

  override set(key: Key, value: Value): this {
    this.#note(key);
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    this.#note(key);
    return super.delete(key);
  }

  override clear(): void {
    for (const key of this.keys()) this.#note(key);
    super.clear();
  }

  #note(key: Key): void {
    const { before } = this.#turn;
    if (!before.has(key)) before.set(key, this.get(key));
  }

  /** The latest turn is undone first. */
  #goBack(first: TurnChanges<Key, Value>): void {
    const turns: TurnChanges<Key, Value>[] = [];
    for (let turn: typeof first | null = first; turn !== null; turn = turn.next) turns.unshift(turn);
    for (const [key, value] of turns.flatMap(({ before }) => [...before])) {
      if (value === undefined) super.delete(key);
      else super.set(key, value);
    }
    first.before.clear();
    first.next = null;
    this.#turn = first;
  }
}

/**
 * What stood under each key before a turn first changed it, undefined for nothing, and the turn after it. Whoever may go
 * back to a turn holds it, and with it those that came later; nobody holds those before.
 */
type TurnChanges<Key, Value> = {
  readonly before: Map<Key, Value | undefined>;
  next: TurnChanges<Key, Value> | null;
};

function newTurn<Key, Value>(): TurnChanges<Key, Value> {
  return { before: new Map(), next: null };
}
