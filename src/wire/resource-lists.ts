/** Resource lists (RFC 4826 3.1) as recipient lists of an INVITE (RFC 5366 4) with copy control (RFC 5364). */

import { type RecipientReading, type RecipientUriOptions, readRecipientUri } from './recipient-uri.ts';
import { RemoteError } from './remote-error.ts';
import { attributeOf, childElements, parseXml, textOf, type XmlElement } from './xml.ts';

export type CopyControl = 'to' | 'cc' | 'bcc';

/** One entry as it came and as it was read. */
export type RecipientEntry = {
  /** The `uri` attribute, XML references expanded. */
  readonly raw: string;
  /** Position in the flattened list, from 0. */
  readonly position: number;
  readonly displayName: string | null;
  readonly copyControl: CopyControl;
  readonly anonymize: boolean;
  /** Quirks that were needed to read the URI, e.g. `QK-7`. */
  readonly quirks: readonly string[];
  readonly reading: RecipientReading;
};

export type RecipientList = {
  /** Document order, nested lists flattened, duplicates kept. */
  readonly entries: readonly RecipientEntry[];
  /** How many entry-ref and external elements were passed over; they are never fetched. */
  readonly ignoredRefs: number;
  /** Quirks of all entries, each once. */
  readonly quirks: readonly string[];
};

/** `depthMax` bounds lists within lists; the other two the whole document. */
export type ResourceListOptions = RecipientUriOptions & {
  readonly bytesMax: number;
  readonly elementsMax: number;
  readonly depthMax: number;
};

const namespace = 'urn:ietf:params:xml:ns:resource-lists';
// RFC 5364 5 and the other spelling of RFC 5366 6.
const copyControlNamespaces = ['urn:ietf:params:xml:ns:copycontrol', 'urn:ietf:params:xml:ns:copyControl'];
// The root, an entry's display-name and room for elements of other namespaces.
const depthBesidesLists = 8;

/**
 * Reads a resource list. A URI that cannot be read spoils its own entry only; a document that is not a resource list
 * throws RemoteError 400 (413 when too long, 415 for its encoding).
 */
export function parseResourceList(text: string, options: ResourceListOptions): RecipientList {
  const root = parseXml(text, {
    bytes: options.bytesMax,
    elements: options.elementsMax,
    depth: options.depthMax + depthBesidesLists,
  });
  if (root.name !== 'resource-lists' || root.namespace !== namespace) {
    throw new RemoteError(400, 'The document is not a resource list');
  }
  const flat: Flat = { entries: [], ignoredRefs: 0, options };
  for (const child of ownChildren(root)) {
    if (child.name !== 'list') throw new RemoteError(400, `Element ${child.name} stands outside a list`);
    flatten(child, { depth: 1, anonymize: false }, flat);
  }
  const quirks = [...new Set(flat.entries.flatMap((entry) => entry.quirks))];
  return { entries: flat.entries, ignoredRefs: flat.ignoredRefs, quirks };
}

type Flat = { readonly entries: RecipientEntry[]; ignoredRefs: number; readonly options: ResourceListOptions };
type Place = { readonly depth: number; readonly anonymize: boolean };

function flatten(list: XmlElement, place: Place, flat: Flat): void {
  if (place.depth > flat.options.depthMax) throw new RemoteError(400, 'The lists are nested too deep');
  // RFC 5364 4: any child of a list may carry it; a list that hides its members is not undone by them.
  const anonymize = place.anonymize || readAnonymize(list);
  for (const child of ownChildren(list)) {
    if (child.name === 'list') {
      flatten(child, { depth: place.depth + 1, anonymize }, flat);
    } else if (child.name === 'entry') {
      flat.entries.push(readEntry(child, { depth: place.depth, anonymize }, flat));
    } else if (child.name === 'entry-ref' || child.name === 'external') {
      flat.ignoredRefs += 1;
    } else if (child.name !== 'display-name') {
      throw new RemoteError(400, `A list has no element ${child.name}`);
    }
  }
}

function readEntry(entry: XmlElement, place: Place, flat: Flat): RecipientEntry {
  const raw = attributeOf(entry, 'uri');
  if (raw === undefined) throw new RemoteError(400, 'An entry has no uri');
  return {
    raw,
    position: flat.entries.length,
    displayName: readDisplayName(entry),
    copyControl: readCopyControl(entry),
    anonymize: place.anonymize || readAnonymize(entry),
    // The attribute is an xs:anyURI: blanks around it are no part of it.
    ...readRecipientUri(raw.trim(), flat.options),
  };
}

/** Child elements of the namespace; those of others are passed over. Text between elements is refused, not lost. */
function ownChildren(element: XmlElement): readonly XmlElement[] {
  if (textOf(element).trim() !== '') throw new RemoteError(400, `There is text in element ${element.name}`);
  return element.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && child.namespace === namespace,
  );
}

function readDisplayName(entry: XmlElement): string | null {
  const [element] = childElements(entry, 'display-name');
  const text = element === undefined ? '' : textOf(element).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text;
}

function copyControlAttribute(element: XmlElement, name: string): string | undefined {
  return copyControlNamespaces.map((each) => attributeOf(element, name, each)).find((value) => value !== undefined);
}

function readCopyControl(entry: XmlElement): CopyControl {
  // RFC 5364 4: absence MUST be treated as bcc.
  const value = copyControlAttribute(entry, 'copyControl') ?? 'bcc';
  if (value === 'to' || value === 'cc' || value === 'bcc') return value;
  throw new RemoteError(400, 'copyControl is neither to, cc nor bcc');
}

function readAnonymize(element: XmlElement): boolean {
  // RFC 5364 5: an xs:boolean, so 1 and 0 too, and blanks around it do not count.
  const value = (copyControlAttribute(element, 'anonymize') ?? 'false').trim();
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new RemoteError(400, 'anonymize is not a boolean');
}
