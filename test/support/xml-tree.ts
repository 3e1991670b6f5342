/** XML as a tree, read by libxml2, which shares no line with the service's own reader. */
import { XmlDocument } from 'libxml2-wasm';

/** An element. Of whitespace between elements nothing is kept. */
export type Part = {
  /** Local name; `{namespace}name` when its namespace is not the root's. */
  readonly name: string;
  /** By name, `{namespace}name` for those in a namespace. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly parts: readonly Part[];
  /** All there is when `parts` is empty. */
  readonly text: string;
};

export type XmlTree = { readonly namespace: string; readonly root: Part };

/** Throws when `xml` is not well-formed; `look` sees the document before it is disposed of. */
export function readXmlTree(xml: string, look: (document: XmlDocument) => void = () => undefined): XmlTree {
  using document = XmlDocument.fromString(xml);
  const tree = treeOf(document.canonicalizeToString());
  look(document);
  return tree;
}

/** `<status>connected</status>`: one text for all ways of writing the same. */
export function textOfPart({ name, attributes, parts, text }: Part): string {
  const pairs = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ` ${key}="${value}"`);
  return `<${name}${pairs.join('')}>${parts.length === 0 ? text : parts.map(textOfPart).join('')}</${name}>`;
}

type Scope = ReadonlyMap<string, string>;
type Open = { readonly part: Part & { readonly parts: Part[]; text: string }; readonly scope: Scope };

// Canonical XML has no empty-element tags, no CDATA, no comments and no DOCTYPE, and quotes every attribute with `"`.
const tokens = /<\/[^>]*>|<\?.*?\?>|<([^\s>/?]+)((?:\s+[^\s=]+="[^"]*")*)>|([^<]+)/gs;
const attributePairs = /([^\s=]+)="([^"]*)"/g;

function treeOf(canonical: string): XmlTree {
  const open: Open[] = [];
  let rootNamespace = '';
  let root: Part | undefined;
  for (const [token, tag, attributes = '', text] of canonical.matchAll(tokens)) {
    const within = open.at(-1);
    if (tag !== undefined) {
      const pairs = [...attributes.matchAll(attributePairs)].map(([, key = '', value = '']) => ({ key, value }));
      const scope = scopeOf(within?.scope, pairs);
      if (root === undefined) rootNamespace = namespaceOf(tag, scope);
      const part = {
        name: nameIn(tag, scope, rootNamespace),
        attributes: attributesOf(pairs, scope),
        parts: [],
        text: '',
      };
      within?.part.parts.push(part);
      open.push({ part, scope });
      root ??= part;
    } else if (text !== undefined && within !== undefined) within.part.text += unescaped(text);
    else if (token.startsWith('</')) open.pop();
  }
  if (root === undefined) throw new Error('canonical XML without a root');
  return { namespace: rootNamespace, root };
}

type Pair = { readonly key: string; readonly value: string };

function scopeOf(outer: Scope = new Map(), pairs: readonly Pair[]): Scope {
  const declared = pairs.filter(({ key }) => key === 'xmlns' || key.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  return new Map([...outer, ...declared.map(({ key, value }): [string, string] => [key.slice(6), unescaped(value)])]);
}

function attributesOf(pairs: readonly Pair[], scope: Scope): ReadonlyMap<string, string> {
  const own = pairs.filter(({ key }) => key !== 'xmlns' && !key.startsWith('xmlns:'));
  return new Map(
    own.map(({ key, value }) => [key.includes(':') ? nameIn(key, scope, '') : key, unescaped(value)] as const),
  );
}

function namespaceOf(tag: string, scope: Scope): string {
  return scope.get(tag.includes(':') ? tag.slice(0, tag.indexOf(':')) : '') ?? '';
}

function nameIn(tag: string, scope: Scope, known: string): string {
  const namespace = namespaceOf(tag, scope);
  const local = tag.slice(tag.indexOf(':') + 1);
  return namespace === known ? local : `{${namespace}}${local}`;
}

const characters: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x9;': '\t',
  '&#xA;': '\n',
  '&#xD;': '\r',
};

/** Canonical XML escapes these and no others. */
function unescaped(text: string): string {
  return text.includes('&') ? text.replace(/&[^;]+;/g, (escaped) => characters[escaped] ?? escaped) : text;
}
