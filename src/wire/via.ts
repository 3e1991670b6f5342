/** Via (RFC 3261 20.42, 18.2; rport: RFC 3581), read on every message and therefore without regular expressions. */

import { RemoteError } from './remote-error.ts';

const quoteCode = 34;
const commaCode = 44;
const semicolonCode = 59;
const equalsCode = 61;
const backslashCode = 92;

export type ViaParam = { readonly name: string; readonly value: string | null };

/** One hop: transport in upper case, host in lower case, parameter names in lower case. */
export type Via = {
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly params: readonly ViaParam[];
};

/** Splits a Via value after its first hop; `rest` is what follows the comma, or empty. */
export function firstVia(value: string): { readonly first: string; readonly rest: string } {
  const comma = unquotedComma(value);
  if (comma === -1) return { first: value, rest: '' };
  return { first: value.slice(0, comma).trim(), rest: value.slice(comma + 1).trim() };
}

/** Reads one hop; blanks around its separators are legal. Throws RemoteError 400. */
export function parseVia(hop: string): Via {
  const firstSlash = hop.indexOf('/');
  const secondSlash = hop.indexOf('/', firstSlash + 1);
  const isSip2 =
    firstSlash > 0 &&
    secondSlash > firstSlash &&
    hop.slice(0, firstSlash).trim().toUpperCase() === 'SIP' &&
    hop.slice(firstSlash + 1, secondSlash).trim() === '2.0';
  if (!isSip2) throw new RemoteError(400, 'Via is malformed');
  const semicolon = hop.indexOf(';', secondSlash);
  const end = semicolon === -1 ? hop.length : semicolon;
  const sent = hop.slice(secondSlash + 1, end).trim();
  const blank = firstBlank(sent);
  if (blank <= 0) throw new RemoteError(400, 'Via has no sent-by');
  return {
    transport: sent.slice(0, blank).toUpperCase(),
    ...sentBy(sent.slice(blank + 1).trim()),
    params: semicolon === -1 ? [] : viaParams(hop, semicolon),
  };
}

/** Value of a parameter: null when it has none, undefined when it is absent. */
export function viaParam(via: Via, name: string): string | null | undefined {
  return via.params.find((each) => each.name === name)?.value;
}

/** The text of one hop. */
export function writeVia(via: Via): string {
  let text = `SIP/2.0/${via.transport} ${via.host}`;
  if (via.port !== null) text += `:${via.port}`;
  for (const { name, value } of via.params) text += value === null ? `;${name}` : `;${name}=${value}`;
  return text;
}

/**
 * The hop as a server notes down where it came from. RFC 3581 4: rport gets the source port, here whether asked for or
 * not; RFC 3261 18.2.1: `received` when the host is another.
 */
export function markVia(via: Via, source: { readonly host: string; readonly port: number }): Via {
  const params = via.params.filter(({ name }) => name !== 'rport' && name !== 'received');
  const bare = via.host.startsWith('[') ? via.host.slice(1, -1) : via.host;
  if (bare !== source.host) params.push({ name: 'received', value: source.host });
  params.push({ name: 'rport', value: String(source.port) });
  return { ...via, params };
}

function sentBy(text: string): { readonly host: string; readonly port: number | null } {
  const colon = text.indexOf(':', text.startsWith('[') ? text.indexOf(']') : 0);
  const host = (colon === -1 ? text : text.slice(0, colon)).trimEnd().toLowerCase();
  if (host === '' || firstBlank(host) !== -1 || host.includes(',') || host.includes('"')) {
    throw new RemoteError(400, 'Via has a malformed host');
  }
  if (colon === -1) return { host, port: null };
  const digits = text.slice(colon + 1).trim();
  const port = Number(digits);
  if (digits === '' || digits.length > 5 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RemoteError(400, 'Via has a malformed port');
  }
  return { host, port };
}

/** Parameters of `;name=value;…`, `at` being the first semicolon. */
function viaParams(text: string, at: number): ViaParam[] {
  const params: ViaParam[] = [];
  let start = at;
  while (start < text.length) {
    const { equals, end } = scanParam(text, start + 1);
    const split = equals === -1 ? end : equals;
    const name = text
      .slice(start + 1, split)
      .trim()
      .toLowerCase();
    // RFC 4475 3.1.2.1: stray separators make the message malformed.
    if (name === '' || firstBlank(name) !== -1 || name.includes(',')) {
      throw new RemoteError(400, 'Via has a malformed parameter');
    }
    params.push({ name, value: split === end ? null : text.slice(split + 1, end).trim() });
    start = end;
  }
  return params;
}

export type ParamBounds = {
  /** Index of the first `=`, -1 when there is none. */
  readonly equals: number;
  /** Index of the semicolon that ends the parameter, or the text's length. */
  readonly end: number;
  /** Whether a quoted string in it is not closed. */
  readonly open: boolean;
};

/** Where the parameter that begins at `from` ends; what is quoted does not count. Looks at nothing beyond its end. */
export function scanParam(text: string, from: number): ParamBounds {
  let equals = -1;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === semicolonCode) return { equals, end: at, open: false };
    if (code === equalsCode && equals === -1) equals = at;
    else if (code === quoteCode) {
      at = closingQuote(text, at);
      if (at === -1) return { equals, end: text.length, open: true };
    }
  }
  return { equals, end: text.length, open: false };
}

/** Index of the quote that closes the string opened at `quote`, -1 when none does. */
function closingQuote(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === backslashCode) at += 1;
    else if (code === quoteCode) return at;
  }
  return -1;
}

/** Index of the first comma outside quoted strings, or -1. */
function unquotedComma(text: string): number {
  if (!text.includes('"')) return text.indexOf(',');
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === commaCode) return at;
    if (code === quoteCode) {
      at = closingQuote(text, at);
      if (at === -1) return -1;
    }
  }
  return -1;
}

function firstBlank(text: string): number {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 9) return at;
  }
  return -1;
}
