/** What is wrong with a single conference-info document, whatever came before it (RFC 4575 4.4, 4.5, 5, 6). */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';
import { type Part, readXmlTree } from './xml-tree.ts';

export type State = 'full' | 'partial' | 'deleted';

/** A document as read, and its faults; without a root it is no conference-info document at all. */
export type JudgedDocument = {
  readonly root: Part | null;
  /** RFC 4575 5.2; NaN when there is none. */
  readonly version: number;
  readonly faults: readonly string[];
};

const namespace = 'urn:ietf:params:xml:ns:conference-info';
const schema = new URL('../../../shared/xsd/conference-info.xsd', import.meta.url);
let validator: XsdValidator | null | undefined;

/** Documents that differ only in their version are judged once. */
const judged = new Map<string, JudgedDocument>();
const judgedMax = 200;
// Only where the version's place is certain: no attribute before it holds a `>` or a quotation mark.
const beginning = /^(<\?xml[^>]*>\s*<conference-info(?: [\w:]+="[^">]*")*? version=")(\d{1,10})"/;

export function judgeDocument(xml: string): JudgedDocument {
  const [whole = '', before = '', version = ''] = beginning.exec(xml) ?? [];
  if (whole === '' || Number(version) >= 2 ** 32) return judgedAnew(xml);
  const key = `${before}0${xml.slice(whole.length - 1)}`;
  const known = judged.get(key) ?? judgedAnew(key);
  if (judged.size >= judgedMax) judged.clear();
  judged.set(key, known);
  return { ...known, version: Number(version) };
}

/** RFC 4575 4.4: a `state` that is absent means full. */
export function stateOf({ attributes }: Part): State {
  const state = attributes.get('state');
  return state === 'partial' || state === 'deleted' ? state : 'full';
}

/**
 * RFC 4575 4.5: what tells an element from its siblings; null where it has no key of its own. Entries of a list of URIs
 * go by their URI, entries of sidebars-by-val by their entity.
 */
export function keyOf(part: Part, within: string): string | null {
  const { name, attributes, parts } = part;
  if (name === 'user' || name === 'endpoint') return attributes.get('entity') ?? '';
  if (name === 'media') return attributes.get('id') ?? '';
  if (name !== 'entry' || within === 'roles' || within === 'available-media') return null;
  return attributes.get('entity') ?? parts.find((each) => each.name === 'uri')?.text ?? '';
}

function judgedAnew(xml: string): JudgedDocument {
  const faults: string[] = [];
  try {
    const tree = readXmlTree(xml, (document) => faults.push(...schemaFaults(document)));
    const { root } = tree;
    if (tree.namespace !== namespace || root.name !== 'conference-info')
      return { root: null, version: Number.NaN, faults: [`the root is ${root.name} of ${tree.namespace}`] };
    const version = root.attributes.get('version') ?? '';
    const isNumber = /^\d{1,10}$/.test(version) && Number(version) < 2 ** 32;
    if (!isNumber) faults.push(`the version is "${version}"`);
    return { root, version: isNumber ? Number(version) : Number.NaN, faults: [...faults, ...ruleFaults(root)] };
  } catch (error) {
    return { root: null, version: Number.NaN, faults: [`it is no XML: ${String(error)}`] };
  }
}

/** The schema lies beside the clone; without it documents are held only against the rules below. */
function schemaFaults(document: XmlDocument): readonly string[] {
  validator ??= existsSync(schema) ? validatorOfSchema() : null;
  try {
    validator?.validate(document);
    return [];
  } catch (error) {
    return [`it does not fit the schema: ${error instanceof Error ? error.message.trim() : String(error)}`];
  }
}

function validatorOfSchema(): XsdValidator {
  xmlRegisterFsInputProviders();
  using xsd = XmlDocument.fromBuffer(readFileSync(schema), { url: fileURLToPath(schema) });
  return XsdValidator.fromDoc(xsd);
}

function ruleFaults(root: Part): readonly string[] {
  const faults: string[] = [];
  const has = (name: string): boolean => root.parts.some((part) => part.name === name);
  // RFC 4575 5.2: a full document MUST have at least conference-description and users.
  if (stateOf(root) === 'full')
    for (const name of ['conference-description', 'users']) if (!has(name)) faults.push(`it is full without ${name}`);
  const users = root.parts.find(({ name }) => name === 'users');
  // RFC 4575 4.4: absent it means full, and replaces the roster, as in the example of RFC 4579.
  if (stateOf(root) === 'partial' && users !== undefined && !users.attributes.has('state'))
    faults.push('users within a partial document has no state: the roster is replaced');
  partFaults(root, 'conference-info', faults);
  return faults;
}

/** `path` names the part in what is said of it. */
function partFaults(part: Part, path: string, faults: string[]): void {
  const state = stateOf(part);
  if (state === 'deleted' && part.parts.length > 0) faults.push(`${path} is deleted and has content`);
  const keys = new Set<string>();
  for (const child of part.parts) {
    const key = keyOf(child, part.name);
    const childPath = `${path}/${child.name}${key === null ? '' : ` ${key}`}`;
    const childState = stateOf(child);
    if (state === 'full' && childState !== 'full') faults.push(`${childPath} is ${childState} within what is full`);
    if (key === '') faults.push(`${childPath} has no key`);
    if (key !== null && keys.has(`${child.name} ${key}`)) faults.push(`${childPath} is there twice`);
    if (key !== null) keys.add(`${child.name} ${key}`);
    // RFC 4575 5.7.2: in UTC.
    if (child.name === 'when' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(child.text))
      faults.push(`${childPath} is not a time in UTC: ${child.text}`);
    partFaults(child, childPath, faults);
  }
}
