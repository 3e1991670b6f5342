/**
 * What a watcher knows of a conference from all that it was told, full, partial and deleted (RFC 4575 4.6), with a
 * reader that is not the service's own. Nothing in it ever changes, so that a thousand watchers who were told the same
 * share it.
 */
import { XmlDocument, type XmlElement } from 'libxml2-wasm';

const namespaces = { ci: 'urn:ietf:params:xml:ns:conference-info' };

/** Status of each endpoint, by its entity; '' for one that was told without. */
type Statuses = ReadonlyMap<string, string>;

export type ToldRoster = {
  /** The conference is no more. */
  readonly deleted: boolean;
  readonly subject: string;
  readonly locked: string;
  readonly userCount: number;
  readonly users: ReadonlyMap<string, Statuses>;
};

/** A document but for its version, which is each subscription's own. */
export type ToldDocument = {
  readonly state: string;
  /** The roster that a watcher has who has been told this after `before`. */
  readonly after: (before: ToldRoster) => ToldRoster;
};

/** What somebody knows who was told nothing. */
export const toldNothing: ToldRoster = { deleted: false, subject: '', locked: '', userCount: 0, users: new Map() };

/** Reads documents; each text, and what it makes of each roster, once. */
export class ToldDocuments {
  readonly #documents = new Map<string, ToldDocument>();

  read(xml: string): { readonly version: number; readonly document: ToldDocument } {
    const [attribute = '', digits = ''] = /<conference-info\b[^>]*?\sversion="(\d+)"/.exec(xml) ?? [];
    if (attribute === '') throw new Error(`a document without a version:\n${xml}`);
    const text = xml.replace(attribute, attribute.replace(/\d+"$/, '"'));
    const document = this.#documents.get(text) ?? remembering(parse(xml));
    this.#documents.set(text, document);
    return { version: Number(digits), document };
  }
}

/** `alice connected, bob on-hold`: who is known, by the user parts of their entities, and in which states. */
export function toldLine({ users }: ToldRoster): string {
  const said = [...users].map(([entity, statuses]) => `${userPart(entity)} ${[...statuses.values()].join('+')}`.trim());
  return said.sort().join(', ');
}

function remembering({ state, after }: ToldDocument): ToldDocument {
  const known = new WeakMap<ToldRoster, ToldRoster>();
  const remembered = (before: ToldRoster): ToldRoster => {
    const result = known.get(before) ?? after(before);
    known.set(before, result);
    return result;
  };
  return { state, after: remembered };
}

/** A step from one value to the next. */
type Step<Value> = (before: Value) => Value;

function parse(xml: string): ToldDocument {
  const document = XmlDocument.fromString(xml);
  try {
    const { root } = document;
    const state = stateOf(root);
    // RFC 4575 4.6: a full document takes the place of all that was known, a deleted one ends it.
    if (state === 'deleted') return { state, after: () => ({ ...toldNothing, deleted: true }) };
    const steps = [describe(root), conferenceState(root), users(root)];
    const all: Step<ToldRoster> = (before) => steps.reduce((roster, step) => step(roster), before);
    return { state, after: state === 'partial' ? all : () => all(toldNothing) };
  } finally {
    document.dispose();
  }
}

/** RFC 4575 4.4: what has no state is replaced as a whole. */
function describe(root: XmlElement): Step<ToldRoster> {
  const [description] = elements(root, 'ci:conference-description');
  if (description === undefined) return (before) => before;
  const subject = text(description, 'ci:subject');
  return (before) => ({ ...before, subject });
}

function conferenceState(root: XmlElement): Step<ToldRoster> {
  const [state] = elements(root, 'ci:conference-state');
  if (state === undefined) return (before) => before;
  const [locked, userCount] = [text(state, 'ci:locked'), Number(text(state, 'ci:user-count'))];
  return (before) => ({ ...before, locked, userCount });
}

function users(root: XmlElement): Step<ToldRoster> {
  const [list] = elements(root, 'ci:users');
  if (list === undefined) return (before) => before;
  const merge = merged(list, elements(list, 'ci:user'), { none: new Map(), stepOf: userStep });
  return (before) => ({ ...before, users: merge(before.users) });
}

function userStep(user: XmlElement): Step<Statuses> {
  return merged(user, elements(user, 'ci:endpoint'), { none: '', stepOf: endpointStep });
}

function endpointStep(endpoint: XmlElement): Step<string> {
  const status = text(endpoint, 'ci:status');
  return (before) => (status === '' ? before : status);
}

type Kind<Value> = { readonly none: Value; readonly stepOf: (child: XmlElement) => Step<Value> };

/** RFC 4575 4.4, 4.5: what the children of `parent` make of those that were known, by their entity. */
function merged<Value>(
  parent: XmlElement,
  children: readonly XmlElement[],
  { none, stepOf }: Kind<Value>,
): Step<ReadonlyMap<string, Value>> {
  const parentState = stateOf(parent);
  const steps = children.map((child) => {
    return { entity: attribute(child, 'entity'), state: stateOf(child), step: stepOf(child) };
  });
  if (parentState === 'full' && steps.some(({ state }) => state !== 'full'))
    throw new Error(`a full ${parent.name} with a child that is not full`);
  return (before) => {
    const now = new Map(parentState === 'full' ? [] : before);
    for (const { entity, state, step } of steps) {
      const known = state === 'partial' ? now.get(entity) : none;
      if (known === undefined) throw new Error(`a part of ${entity}, of which nothing was told`);
      if (state === 'deleted') now.delete(entity);
      else now.set(entity, step(known));
    }
    return now;
  };
}

function stateOf(element: XmlElement): string {
  return attribute(element, 'state') || 'full';
}

function attribute(element: XmlElement, name: string): string {
  return element.attr(name)?.value ?? '';
}

function elements(element: XmlElement, path: string): readonly XmlElement[] {
  return element.find(path, namespaces) as XmlElement[];
}

function text(element: XmlElement, path: string): string {
  return (element.get(path, namespaces) as XmlElement | null)?.content ?? '';
}

function userPart(uri: string): string {
  return /^sips?:([^@;]+)@/.exec(uri)?.[1] ?? uri;
}
