/**
 * The characters and tokens of an XML 1.0 document (fifth edition): whether a text is well-formed, within bounds.
 * The library that builds the tree lets much through that XML forbids; what is left here it reads in one way only.
 */

import { RemoteError } from './remote-error.ts';

/** Bounds of one document: octets in UTF-8, elements, nesting depth (the root is depth 1). */
export type XmlLimits = { readonly bytes: number; readonly elements: number; readonly depth: number };

const blank = '[ \\t\\r\\n]';
// XML 1.0 2.3, without the colon: Namespaces in XML 1.0 3 gives that its own meaning.
const nameStart =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const ncName = `[${nameStart}][${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*`;
const qName = `${ncName}(?::${ncName})?`;

const declarationPattern = new RegExp(
  `^<\\?xml${blank}+version${blank}*=${blank}*(?:"1\\.\\d+"|'1\\.\\d+')` +
    `(?:${blank}+encoding${blank}*=${blank}*(?:"([A-Za-z][\\w.-]*)"|'([A-Za-z][\\w.-]*)'))?` +
    `(?:${blank}+standalone${blank}*=${blank}*(?:"(?:yes|no)"|'(?:yes|no)'))?${blank}*\\?>`,
);
const startTag = new RegExp(
  `<(${qName})((?:${blank}+${qName}${blank}*=${blank}*(?:"[^"<]*"|'[^'<]*'))*)${blank}*(/?)>`,
  'uy',
);
const endTag = new RegExp(`</(${qName})${blank}*>`, 'uy');
const instruction = new RegExp(`<\\?(${ncName})(?:${blank}(?:[^?]|\\?(?!>))*)?\\?>`, 'uy');
const comment = /<!--(?:[^-]|-(?!-))*-->/y;
const attributeName = new RegExp(`${blank}(${qName})${blank}*=${blank}*(?:"[^"]*"|'[^']*')`, 'uy');
const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const reference = /&[^;&]{0,12};?/g;
const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', apos: "'", quot: '"' };

/** Whether XML 1.0 2.2 allows every character of the text; controls and halves of surrogate pairs are not. */
export function areXmlChars(text: string): boolean {
  return !forbidden.test(text);
}

/**
 * The text of a document (without byte order mark) reduced to its elements and character data: declaration, comments and
 * processing instructions are left out. Throws RemoteError 400 unless it is well-formed, without DOCTYPE and without
 * entities other than the five predefined, within `limits`; 413 when it is too long, 415 for an encoding other than
 * UTF-8 and UTF-16 in its declaration.
 */
export function wellFormed(text: string, limits: XmlLimits): string {
  if (Buffer.byteLength(text) > limits.bytes) throw new RemoteError(413, 'The XML document is too long');
  if (!areXmlChars(text)) throw new RemoteError(400, 'A character is forbidden in XML', text.search(forbidden));
  const nesting: Nesting = { open: [], elements: 0, limits };
  const kept: string[] = [];
  for (let at = checkDeclaration(text); at < text.length; ) {
    const end = checkToken(text, at, nesting);
    if (!/^<(?:!--|\?)/.test(text.slice(at, at + 4))) kept.push(text.slice(at, end));
    at = end;
  }
  if (nesting.open.length > 0 || nesting.elements === 0) {
    throw new RemoteError(400, 'The XML document is not complete', text.length);
  }
  return kept.join('');
}

type Nesting = { readonly open: string[]; elements: number; readonly limits: XmlLimits };

/** Checks the token that starts at `at`; the index after it. */
function checkToken(text: string, at: number, nesting: Nesting): number {
  const isInside = nesting.open.length > 0;
  if (text[at] !== '<') return characterData(text, at, isInside);
  if (text.startsWith('<!', at)) return commentOrCdata(text, at, isInside);
  if (text.startsWith('<?', at)) return processingInstruction(text, at);
  if (!text.startsWith('</', at)) return openElement(text, at, nesting);
  const match = matchAt(endTag, text, at);
  if (match[1] !== nesting.open.pop()) throw new RemoteError(400, 'An XML end tag has no start tag', at);
  return at + match[0].length;
}

function openElement(text: string, at: number, nesting: Nesting): number {
  if (nesting.open.length === 0 && nesting.elements > 0) {
    throw new RemoteError(400, 'The XML document has two roots', at);
  }
  const match = matchAt(startTag, text, at);
  checkAttributes(match[2] ?? '', at);
  nesting.elements += 1;
  nesting.open.push(match[1] ?? '');
  if (nesting.elements > nesting.limits.elements)
    throw new RemoteError(400, 'The XML document has too many elements', at);
  if (nesting.open.length > nesting.limits.depth) throw new RemoteError(400, 'The XML document is nested too deep', at);
  if (match[3] === '/') nesting.open.pop();
  return at + match[0].length;
}

/** Replaces references by what they stand for. `wellFormed` has seen to it that all can be replaced. */
export function expandReferences(text: string): string {
  return text.replace(reference, (each) => referenced(each) ?? each);
}

/** What a reference stands for: one of the five predefined entities or an allowed character; null for anything else. */
function referenced(text: string): string | null {
  const body = text.endsWith(';') ? text.slice(1, -1) : '';
  if (Object.hasOwn(predefined, body)) return predefined[body] ?? null;
  const digits = /^#(?:(\d+)|x([\da-fA-F]+))$/.exec(body);
  if (digits === null) return null;
  const code = digits[1] === undefined ? Number.parseInt(digits[2] ?? '', 16) : Number(digits[1]);
  if (code > 0x10_ffff) return null;
  const character = String.fromCodePoint(code);
  return areXmlChars(character) ? character : null;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw new RemoteError(400, 'The XML document is not well-formed', at);
  return match;
}

/** Length of the XML declaration, 0 when there is none. */
function checkDeclaration(text: string): number {
  if (!/^<\?xml[ \t\r\n?]/.test(text)) return 0;
  const match = declarationPattern.exec(text);
  if (match === null) throw new RemoteError(400, 'The XML declaration is malformed', 0);
  const encoding = (match[1] ?? match[2] ?? 'utf-8').toLowerCase();
  if (!['utf-8', 'utf-16', 'us-ascii'].includes(encoding))
    throw new RemoteError(415, 'The XML encoding is not supported');
  return match[0].length;
}

/** Index after the text that starts at `start`. */
function characterData(text: string, start: number, isInside: boolean): number {
  const next = text.indexOf('<', start);
  const data = text.slice(start, next === -1 ? text.length : next);
  if (isInside) checkReferences(data, start);
  else if (/[^ \t\r\n]/.test(data)) throw new RemoteError(400, 'There is text outside the XML root', start);
  // XML 1.0 2.4: this sequence may not stand in text.
  if (data.includes(']]>')) throw new RemoteError(400, 'A CDATA end stands alone in the XML document', start);
  return start + data.length;
}

function commentOrCdata(text: string, start: number, isInside: boolean): number {
  if (text.startsWith('<!--', start)) return start + matchAt(comment, text, start)[0].length;
  if (isInside && text.startsWith('<![CDATA[', start)) {
    const end = text.indexOf(']]>', start);
    if (end === -1) throw new RemoteError(400, 'A CDATA section of the XML document has no end', start);
    return end + 3;
  }
  throw new RemoteError(400, 'A DOCTYPE or other declaration is not allowed in the XML document', start);
}

function processingInstruction(text: string, start: number): number {
  const match = matchAt(instruction, text, start);
  // XML 1.0 2.6: the target xml, in any case, is reserved.
  if (match[1]?.toLowerCase() === 'xml')
    throw new RemoteError(400, 'An XML declaration stands in the wrong place', start);
  return start + match[0].length;
}

function checkAttributes(text: string, at: number): void {
  checkReferences(text, at);
  const names = new Set<string>();
  for (let from = 0; from < text.length; ) {
    const start = from + text.slice(from).search(/[^ \t\r\n]/) - 1;
    const match = matchAt(attributeName, text, start);
    const name = match[1] ?? '';
    // XML 1.0 3.1: no attribute name may appear more than once in the same tag.
    if (names.has(name)) throw new RemoteError(400, 'An XML attribute is repeated', at);
    names.add(name);
    from = start + match[0].length;
  }
}

/** XML 1.0 4.1: every ampersand begins a reference. */
function checkReferences(text: string, at: number): void {
  const isUnknown = (match: RegExpExecArray): boolean => referenced(match[0]) === null;
  if ([...text.matchAll(reference)].some(isUnknown)) throw new RemoteError(400, 'An XML entity is not allowed', at);
}
