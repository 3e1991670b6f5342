/** The roster that a subscriber puts together from documents (RFC 4575 4.6). */
import { keyOf, stateOf } from './document-faults.ts';
import { type Part, textOfPart } from './xml-tree.ts';

/** What is known of an element: its attributes, and by key or name what is in it; a text is an element taken whole. */
export type Known = {
  readonly attributes: ReadonlyMap<string, string>;
  readonly within: ReadonlyMap<string, Known | string>;
};

const nothing: Known = { attributes: new Map(), within: new Map() };

/** Elements that may hold a part of what there is; all others are taken whole (RFC 4575 4.4, and 6 for lists of URIs). */
const divisible: ReadonlySet<string> = new Set([
  'conference-info',
  'users',
  'user',
  'associated-aors',
  'endpoint',
  'sidebars-by-ref',
  'sidebars-by-val',
]);

/** RFC 4575 4.6: a full element replaces what was known of it. */
export function taken(part: Part): Known {
  return merged(nothing, part);
}

/** A partial element replaces what it holds, and leaves the rest; `partless` is told what it says of the unknown. */
export function merged(known: Known, part: Part, partless: (path: string) => void = () => undefined): Known {
  const within = new Map(known.within);
  const counts = new Map<string, number>();
  for (const child of part.parts) {
    const name = placeOf(child, part.name, counts);
    const state = stateOf(child);
    const before = within.get(name);
    if (state === 'deleted') within.delete(name);
    else if (state === 'full') within.set(name, divisible.has(child.name) ? taken(child) : textOfPart(child));
    else {
      if (before === undefined) partless(name);
      const base = before === undefined || typeof before === 'string' ? nothing : before;
      within.set(
        name,
        merged(base, child, (path) => partless(`${name}/${path}`)),
      );
    }
  }
  return { attributes: new Map([...known.attributes, ...lasting(part)]), within };
}

/** The differences between two rosters, one per line: where, and what each has there. Order is no difference. */
export function sameRoster(a: Known, b: Known): readonly string[] {
  const [left, right] = [linesOf(a), linesOf(b)];
  const places = [...new Set([...left.keys(), ...right.keys()])];
  return places
    .filter((place) => left.get(place) !== right.get(place))
    .map((place) => `${place}: ${left.get(place) ?? 'nothing'} | ${right.get(place) ?? 'nothing'}`);
}

/** Every place of a roster that holds something, in the order of the document. */
export function linesOf(known: Known, path = ''): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const [name, value] of known.attributes) lines.set(`${path}@${name}`, value);
  for (const [name, value] of known.within) {
    if (typeof value === 'string') lines.set(`${path}${name}`, value);
    else for (const [place, text] of linesOf(value, `${path}${name}/`)) lines.set(place, text);
  }
  return lines;
}

/** `user sip:bob@…`, `media 1`, `status`; the second of several without a key is `…#2`. */
function placeOf(part: Part, within: string, counts: Map<string, number>): string {
  const key = keyOf(part, within);
  if (key !== null) return `${part.name} ${key}`;
  const count = (counts.get(part.name) ?? 0) + 1;
  counts.set(part.name, count);
  return count === 1 ? part.name : `${part.name}#${count}`;
}

/** State and version are of the document, not of the roster. */
function lasting({ attributes }: Part): readonly (readonly [string, string])[] {
  return [...attributes].filter(([name]) => name !== 'state' && name !== 'version');
}
