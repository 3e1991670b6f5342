type Closable = { readonly close: () => Promise<void> };

/** What was opened for a measurement: all of it is closed with it, the last first, each also when another fails to. */
export class Opened {
  readonly #kept: Closable[] = [];

  keep<Thing extends Closable>(thing: Thing): Thing {
    this.#kept.push(thing);
    return thing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const { close } of this.#kept.reverse()) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
