/**
 * XML put together as text, the very text that `writeXml` would give, without a tree and several times as fast: for what
 * is written for many readers at each change. Names are the caller's and not looked at, values may hold any characters.
 */

// XML 1.0 2.2, 2.4: all but what is written as a reference here or forbidden. These look at halves of surrogate pairs.
const unlikeText = /[^\t\n -%'-;=?-\uD7FF\uE000-\uFFFD]/;
const unlikeValue = /[^ !#-%'-;=?-\uD7FF\uE000-\uFFFD]/;
// The same, looking at whole characters.
const notText = /[^\t\n -%'-;=?-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const notValue = /[^ !#-%'-;=?-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const references = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  // XML 1.0 2.11, 3.3.3: readers would take these for others.
  ['\r', '&#13;'],
  ['\t', '&#9;'],
  ['\n', '&#10;'],
]);

/** An element around `content`, which is XML; an empty-element tag when there is none. `attributes` as `attribute` gives. */
export function element(name: string, content: string, attributes = ''): string {
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

/** An element around a text; nothing for null. */
export function textElement(name: string, text: string | null): string {
  if (text === null) return '';
  return `<${name}>${unlikeText.test(text) ? text.replace(notText, referenceTo) : text}</${name}>`;
}

/** An attribute with the blank before it. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${unlikeValue.test(value) ? value.replace(notValue, referenceTo) : value}"`;
}

/** What stands for a character; U+FFFD for one that XML forbids. */
function referenceTo(character: string): string {
  return references.get(character) ?? '\uFFFD';
}
