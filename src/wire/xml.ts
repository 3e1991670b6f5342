/** XML documents as plain trees, read and written; the only file that knows the two XML packages. */

import { XMLParser } from 'fast-xml-parser';
import { create } from 'xmlbuilder2';
import { RemoteError } from './remote-error.ts';
import { areXmlChars, expandReferences, wellFormed, type XmlLimits } from './xml-lexis.ts';

export type XmlAttribute = { readonly name: string; readonly namespace: string | null; readonly value: string };

/** An element as read: local name, namespace resolved, references expanded, adjacent text joined, no declarations. */
export type XmlElement = {
  readonly name: string;
  readonly namespace: string | null;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
};

/** An element to write: a name and attributes as they shall stand in the text, `xmlns` among them. */
export type XmlNode = {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly (XmlNode | string)[];
};

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

type Prefixes = ReadonlyMap<string, string>;
type RawNode = Readonly<Record<string, unknown>>;

const attributesKey = ':@';
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: '#cdata',
  onDangerousProperty: (name) => name,
});

/**
 * Reads a document. Throws RemoteError 400 when it is not namespace-well-formed XML 1.0, has a DOCTYPE, an entity other
 * than the five predefined, or more elements or depth than `limits` allow; 413 when too long; 415 for its encoding.
 */
export function parseXml(text: string, limits: XmlLimits): XmlElement {
  const document = wellFormed(text.startsWith('\uFEFF') ? text.slice(1) : text, limits);
  // XML 1.0 2.11: line ends are read as LF.
  const [root, ...others] = readRaw(document.replace(/\r\n?/g, '\n')).filter((node) => elementName(node) !== null);
  if (root === undefined || others.length > 0) throw new RemoteError(400, 'The XML document has no single root');
  return resolveElement(root, new Map([['xml', xmlNamespace]]));
}

/** The text of a document, on one line after its declaration. Characters that XML 1.0 forbids become U+FFFD. */
export function writeXml(root: XmlNode): string {
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  append(document, root);
  return document.end({ prettyPrint: false });
}

/** The child elements of that name and namespace, in order. */
export function childElements(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement =>
      typeof child !== 'string' && child.name === name && child.namespace === element.namespace,
  );
}

/** The text in an element, that of child elements left out. */
export function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}

/** The value of an attribute; without `namespace` the one that has no prefix. Undefined when absent. */
export function attributeOf(element: XmlElement, name: string, namespace: string | null = null): string | undefined {
  return element.attributes.find((each) => each.name === name && each.namespace === namespace)?.value;
}

function readRaw(document: string): readonly RawNode[] {
  try {
    return parser.parse(document);
  } catch (error) {
    // The package refuses names such as __proto__, which are good XML but nobody's vocabulary.
    throw new RemoteError(
      400,
      `The XML document cannot be read: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
}

/** The qualified name of a raw element; null for text and CDATA. */
function elementName(node: RawNode): string | null {
  const name = Object.keys(node).find((key) => key !== attributesKey) ?? '';
  return name === '' || name.startsWith('#') ? null : name;
}

function resolveElement(node: RawNode, outer: Prefixes): XmlElement {
  const qualified = elementName(node) ?? '';
  const raw = Object.entries((node[attributesKey] ?? {}) as Readonly<Record<string, string>>);
  const values = raw.map(([name, value]) => [name, attributeValue(value)] as const);
  const prefixes = declaredPrefixes(values, outer);
  const attributes = values
    .filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'))
    .map(([name, value]) => ({ ...resolveName(name, prefixes, null), value }));
  // Namespaces in XML 1.0 6.3: attributes are unique by namespace and local name.
  if (new Set(attributes.map((each) => `${each.name} ${each.namespace}`)).size !== attributes.length) {
    throw new RemoteError(400, 'An XML attribute is repeated');
  }
  const name = resolveName(qualified, prefixes, prefixes.get('') ?? null);
  return { ...name, attributes, children: resolveChildren(node[qualified] as readonly RawNode[], prefixes) };
}

function resolveChildren(nodes: readonly RawNode[], prefixes: Prefixes): readonly (XmlElement | string)[] {
  const children: (XmlElement | string)[] = [];
  for (const node of nodes) {
    const text = rawText(node);
    const last = children.at(-1);
    if (text === null) children.push(resolveElement(node, prefixes));
    else if (typeof last === 'string') children[children.length - 1] = last + text;
    else if (text !== '') children.push(text);
  }
  return children;
}

/** Text of a raw text or CDATA node; null for an element. References mean nothing in CDATA. */
function rawText(node: RawNode): string | null {
  if (typeof node['#text'] === 'string') return expandReferences(node['#text']);
  const cdata = node['#cdata'] as readonly RawNode[] | undefined;
  return cdata === undefined ? null : cdata.map((part) => String(part['#text'] ?? '')).join('');
}

/** XML 1.0 3.3.3: white space in an attribute is a blank each, unless written as a reference. */
function attributeValue(raw: string): string {
  return expandReferences(raw.replace(/[\t\n]/g, ' '));
}

function declaredPrefixes(attributes: readonly (readonly [string, string])[], outer: Prefixes): Prefixes {
  const declarations = attributes.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declarations.length === 0) return outer;
  const prefixes = new Map(outer);
  for (const [name, namespace] of declarations) {
    const prefix = name.slice('xmlns:'.length);
    // Namespaces in XML 1.0 3 and 5: xml and xmlns keep their meaning, and only the default namespace can be undeclared.
    const isReserved =
      prefix === 'xmlns' || namespace === xmlnsNamespace || (prefix === 'xml') !== (namespace === xmlNamespace);
    if (isReserved || (prefix !== '' && namespace === '')) throw new RemoteError(400, 'An XML namespace is misused');
    if (namespace === '') prefixes.delete('');
    else prefixes.set(prefix, namespace);
  }
  return prefixes;
}

function resolveName(
  qualified: string,
  prefixes: Prefixes,
  unprefixed: string | null,
): { readonly name: string; readonly namespace: string | null } {
  const colon = qualified.indexOf(':');
  if (colon === -1) return { name: qualified, namespace: unprefixed };
  const namespace = prefixes.get(qualified.slice(0, colon));
  if (namespace === undefined) throw new RemoteError(400, 'An XML namespace prefix is not declared');
  return { name: qualified.slice(colon + 1), namespace };
}

type Builder = ReturnType<typeof create>;

function append(parent: Builder, node: XmlNode): void {
  const attributes = Object.entries(node.attributes ?? {}).map(([name, value]) => [name, escapeAttribute(value)]);
  const element = parent.ele(node.name, Object.fromEntries(attributes));
  for (const child of node.children ?? []) {
    if (typeof child === 'string') element.txt(escapeText(child));
    else append(element, child);
  }
}

/**
 * The package takes an ampersand that begins a reference for a reference already written, so that `&lt;` in a name would
 * come out as `<`; hence ampersands are escaped before it sees them, and likewise the CR that readers would turn into LF.
 */
function escapeText(text: string): string {
  return allowedText(text).replaceAll('&', '&amp;').replaceAll('\r', '&#13;');
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('\t', '&#9;').replaceAll('\n', '&#10;');
}

function allowedText(text: string): string {
  if (areXmlChars(text)) return text;
  return [...text].map((character) => (areXmlChars(character) ? character : '\uFFFD')).join('');
}
