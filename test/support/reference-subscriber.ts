/**
 * A subscriber to the conference event package, written from RFC 4575 4.4 to 4.6 and 5.2 and nothing else: it takes the
 * documents of one subscription in their order, puts the roster together, and says what no honest notifier does.
 */
import { judgeDocument, type State, stateOf } from './document-faults.ts';
import { type Known, merged, taken } from './seen-roster.ts';
import type { Part } from './xml-tree.ts';

/** What became of a document; `gap`: something before it is missing, a real subscriber would refresh. */
export type Reception = { readonly outcome: State | 'discarded' | 'gap'; readonly faults: readonly string[] };

/** What a SUBSCRIBE says that its sender has, by Last-Notify-Version, and from where it has it. */
export type Before = { readonly lastNotifyVersion: number | null; readonly earlier: Iterable<ReferenceSubscriber> };

type Circumstances = { readonly afterLoss?: boolean; readonly told?: () => string };

export class ReferenceSubscriber {
  readonly #who: string;
  /** The version that the roster is of; -1: none yet. */
  #version = -1;
  /** The last version that came, taken or not. */
  #lastVersion = -1;
  #roster: Known | null = null;
  #isCoherent = false;
  #isOver = false;
  readonly #rosters = new Map<number, Known>();
  /** Entities by what RFC 3261 19.1.4 makes the same of them. */
  readonly #entities = new Map<string, string>();

  constructor(who: string, { lastNotifyVersion, earlier }: Before = { lastNotifyVersion: null, earlier: [] }) {
    this.#who = who;
    if (lastNotifyVersion === null) return;
    this.#version = lastNotifyVersion;
    this.#lastVersion = lastNotifyVersion;
    for (const { at } of earlier) this.#roster = at(lastNotifyVersion) ?? this.#roster;
    this.#isCoherent = this.#roster !== null;
  }

  /** As put together so far; null before the first document, and once the conference is deleted. */
  get roster(): Known | null {
    return this.#roster;
  }

  /** The version that the roster is of; -1: none yet. */
  get version(): number {
    return this.#version;
  }

  /** The roster as it was with that version. */
  readonly at = (version: number): Known | undefined => this.#rosters.get(version);

  /** Nothing is missing: the roster is the notifier's own of that moment. */
  get isCoherent(): boolean {
    return this.#isCoherent;
  }

  /** The next document; `afterLoss`: some before it may have been lost, through no fault of the notifier. */
  receive(xml: string, { afterLoss = false }: { afterLoss?: boolean } = {}): Reception {
    const { root, version, faults: own } = judgeDocument(xml);
    const faults = [...own];
    if (this.#isOver) faults.push('it comes after the one that deleted the conference');
    let outcome: Reception['outcome'] = 'discarded';
    if (root !== null && !Number.isNaN(version)) {
      faults.push(...this.#stepFaults(version, afterLoss), ...this.#entityFaults(root));
      outcome = this.#take(root, version, (fault) => faults.push(fault));
      if (outcome === 'gap' && !afterLoss) faults.push(`a gap: it is partial, after ${this.#known()}`);
      this.#lastVersion = Math.max(this.#lastVersion, version);
    }
    return { outcome, faults: [...new Set(faults)].map((fault) => `${this.#who}, version ${version}: ${fault}`) };
  }

  /** As `receive`, but throws with `told` and the document when something is wrong. */
  mustReceive(xml: string, { afterLoss = false, told = () => '' }: Circumstances = {}): void {
    const { faults } = this.receive(xml, { afterLoss });
    if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${told()}\n${xml}`);
  }

  #known(): string {
    return this.#roster === null ? 'nothing' : `version ${this.#version}`;
  }

  /** RFC 4575 4.6. */
  #take(root: Part, version: number, fault: (text: string) => void): Reception['outcome'] {
    if (version <= this.#version) return 'discarded';
    const state = stateOf(root);
    if (state === 'partial' && (this.#roster === null || version > this.#version + 1)) {
      this.#isCoherent = false;
      return 'gap';
    }
    const partless = (path: string): void => fault(`${path} is partial, and nothing was known of it`);
    if (state === 'partial' && this.#roster !== null) this.#roster = merged(this.#roster, root, partless);
    else this.#roster = state === 'full' ? taken(root) : null;
    this.#version = version;
    if (state === 'full') this.#isCoherent = true;
    if (this.#roster !== null) this.#rosters.set(version, this.#roster);
    this.#isOver ||= state === 'deleted';
    return state;
  }

  /** RFC 4575 5.2: it counts within the subscription; ours: from 0, and every document has a number of its own. */
  #stepFaults(version: number, afterLoss: boolean): readonly string[] {
    const wanted = this.#lastVersion + 1;
    if (version === wanted || (afterLoss && version > wanted)) return [];
    return [this.#lastVersion === -1 ? 'the first version is not 0' : `it follows version ${this.#lastVersion}`];
  }

  /** RFC 4575 4.5: keys compare as strings, hence nobody's may ever be spelled in another way. */
  #entityFaults(root: Part): readonly string[] {
    const users = root.parts.filter(({ name }) => name === 'users').flatMap(({ parts }) => parts);
    const named = [root, ...users.filter(({ name }) => name === 'user')];
    return named.flatMap(({ name, attributes }) => {
      const entity = attributes.get('entity') ?? '';
      const spelled = `${name} ${sameForAll(entity)}`;
      const before = this.#entities.get(spelled) ?? entity;
      this.#entities.set(spelled, before);
      return before === entity ? [] : [`${name} ${entity} was ${before} before`];
    });
  }
}

/** RFC 3261 19.1.4: scheme, host and parameters in any case, parameters in any order, and escapes for what needs none. */
function sameForAll(uri: string): string {
  const [, scheme = '', userinfo = '', host = '', rest = ''] = /^([^:]+):(?:([^@]*)@)?([^;?]*)(.*)$/s.exec(uri) ?? [];
  if (scheme === '') return uri;
  const [parameters = '', headers = ''] = rest.split('?', 2);
  const sorted = parameters.toLowerCase().split(';').sort().join(';');
  const user = userinfo.replace(/%([0-7][\dA-Fa-f])/g, (escaped, code: string) => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return /[\w\-.!~*'()]/.test(character) ? character : escaped.toUpperCase();
  });
  return `${scheme.toLowerCase()}:${user}@${host.toLowerCase()}${sorted}?${headers}`;
}
