/**
 * The two things the stack itself needs of a From, To, Contact or Route value: the URI and a parameter. Read leniently
 * (blanks in the angle brackets, odd display names pass: the application judges them), but never past an open quote.
 */

import { RemoteError } from '../../wire/remote-error.ts';
import { scanParam } from '../../wire/via.ts';

export type Address = { readonly uri: string; readonly params: string };

/** URI (trimmed) and the header parameters from their first semicolon on. Throws RemoteError 400 (RFC 4475 quotbal). */
export function readAddress(value: string): Address {
  const open = value.indexOf('<', afterQuotes(value));
  if (open === -1) {
    const semicolon = value.indexOf(';');
    if (semicolon === -1) return { uri: value.trim(), params: '' };
    return { uri: value.slice(0, semicolon).trim(), params: value.slice(semicolon) };
  }
  const close = value.indexOf('>', open);
  if (close === -1) throw new RemoteError(400, 'An angle bracket is not closed', open);
  const params = value.slice(close + 1).trimStart();
  return { uri: value.slice(open + 1, close).trim(), params: params.startsWith(';') ? params : '' };
}

/** Whether the value can be read at all. */
export function isAddress(value: string): boolean {
  try {
    tagOf(value);
    return true;
  } catch (error) {
    if (error instanceof RemoteError) return false;
    throw error;
  }
}

/** The tag of a From or To value, null without one. Throws RemoteError 400. */
export function tagOf(value: string): string | null {
  const { params } = readAddress(value);
  return params === '' ? null : (paramOf(params, 'tag') ?? null);
}

/** The value with a tag behind it. A bare URI needs no brackets: what follows its semicolon is the header's (20.10). */
export function withTag(value: string, tag: string): string {
  return `${value};tag=${tag}`;
}

/** Value of a `;name=value` parameter: null when it has none, undefined when it is absent. Throws RemoteError 400. */
export function paramOf(params: string, name: string): string | null | undefined {
  let start = 0;
  while (start < params.length) {
    const { equals, end, open } = scanParam(params, start + 1);
    if (open) throw new RemoteError(400, 'A quote is not closed', start);
    const split = equals === -1 ? end : equals;
    const found = params
      .slice(start + 1, split)
      .trim()
      .toLowerCase();
    if (found === name) return split === end ? null : params.slice(split + 1, end).trim();
    start = end;
  }
  return undefined;
}

/**
 * A From or To value as we write it in requests of ours: the URI in angle brackets (QK-37), without the blanks a peer has
 * put at its ends or behind its scheme (QK-34). RFC 3261 12.2.1.1: only its URI and tag need be those the peer gave. Throws
 * RemoteError 400.
 */
export function tidyAddress(value: string): string {
  const open = value.indexOf('<', afterQuotes(value));
  const { uri, params } = readAddress(value);
  const display = open === -1 ? '' : value.slice(0, open);
  return `${display}<${uri.replace(/^([a-z][a-z0-9+.-]*:)[ \t]+/i, '$1')}>${params}`;
}

/** URI of the first Contact. Throws RemoteError 400. */
export function contactUri(value: string): string | null {
  const [first] = addressList(value);
  return first === undefined ? null : usableUri(first);
}

/** URI of an address that we may have to send to: as a Request-URI it stands between blanks. Throws RemoteError 400. */
export function usableUri(value: string): string {
  const { uri } = readAddress(value);
  for (let at = 0; at < uri.length; at += 1) {
    const code = uri.charCodeAt(at);
    if (code <= 32 || code === 127) throw new RemoteError(400, 'A URI with a blank in it', at);
  }
  if (uri === '') throw new RemoteError(400, 'An empty URI');
  return uri;
}

/** Elements of a comma list, not split within quotes or angle brackets; empty ones fall out. Throws RemoteError 400. */
export function addressList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let at = 0;
  while (at < value.length) {
    const character = value.charAt(at);
    if (character === '"') at = quoteEnd(value, at);
    else if (character === '<') at = bracketEnd(value, at);
    else {
      if (character === ',') {
        elements.push(value.slice(start, at).trim());
        start = at + 1;
      }
      at += 1;
    }
  }
  elements.push(value.slice(start).trim());
  return elements.filter((element) => element !== '');
}

/** Index after a leading display name in quotes; 0 when there is none. */
function afterQuotes(value: string): number {
  const quote = value.indexOf('"');
  const open = value.indexOf('<');
  // A quote in the parameters of a bare URI or behind the angle brackets begins no display name.
  if (quote === -1 || (open !== -1 && open < quote) || (open === -1 && value.lastIndexOf(';', quote) !== -1)) return 0;
  return quoteEnd(value, quote);
}

function bracketEnd(value: string, open: number): number {
  const close = value.indexOf('>', open);
  if (close === -1) throw new RemoteError(400, 'An angle bracket is not closed', open);
  return close + 1;
}

function quoteEnd(value: string, quote: number): number {
  for (let at = quote + 1; at < value.length; at += 1) {
    const character = value[at];
    if (character === '\\') at += 1;
    else if (character === '"') return at + 1;
  }
  throw new RemoteError(400, 'A quote is not closed', quote);
}
