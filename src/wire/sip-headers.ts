/** Values of SIP header fields (RFC 3261 20, 25.1; Replaces RFC 3891 6.1; Event RFC 6665 8.2.1). One value at a time. */

import { strict as assert } from 'node:assert';
import { RemoteError } from './remote-error.ts';

/** A header parameter: name lower case, quotes of the value undone, null when there is no `=`. */
export type HeaderParam = { readonly name: string; readonly value: string | null };

export type NameAddr = {
  readonly displayName: string | null;
  readonly uri: string;
  readonly params: readonly HeaderParam[];
};

/** RFC 3891 6.1. Call-ID and tags as they stand in a header. */
export type ReplacesFields = {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  readonly earlyOnly: boolean;
};

const token = "[A-Za-z0-9\\-.!%*_+`'~]+";
const tokenPattern = new RegExp(`^${token}$`);
const tokenWithParams = new RegExp(`^(${token})\\s*(;.*)?$`, 's');
const paramPattern = new RegExp(`^;\\s*(${token})\\s*(?:(=)\\s*)?`);
const mediaTypePattern = new RegExp(`^(${token})\\s*/\\s*(${token})\\s*(;.*)?$`, 's');
const cseqPattern = new RegExp(`^(\\d{1,32})\\s+(${token})$`);
// RFC 3261 25.1: callid = word [ "@" word ].
const callIdPattern = /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/;

/** Whether the text is a token (RFC 3261 25.1): methods, option tags, tags, parameter names. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/**
 * Reads name-addr or addr-spec with the header's parameters, as in From, To, Contact, Referred-By. The URI is handed on
 * as text, its scheme unjudged. `lenient` (default false) trims blanks in the URI and takes display names that should be
 * quoted; the quirks that were needed are named. Throws RemoteError 400.
 */
export function parseNameAddr(
  text: string,
  options: { readonly lenient: boolean } = { lenient: false },
): NameAddr & { readonly quirks: readonly string[] } {
  const value = text.trim();
  const open = findAngle(value);
  if (open === -1) return parseAddrSpec(value, options.lenient);
  const displayName = parseDisplayName(value.slice(0, open).trim(), options.lenient);
  const close = value.indexOf('>', open);
  if (close === -1) throw new RemoteError(400, 'An angle bracket is not closed', open);
  const address = tidyAddress(value.slice(open + 1, close), options.lenient);
  return { displayName, uri: address.uri, params: headerParams(value.slice(close + 1)), quirks: address.quirks };
}

/** The text of a name-addr, always with angle brackets; the display name quoted, its control characters made blanks. */
export function writeNameAddr(value: NameAddr): string {
  assert(/^[^\s<>"]+$/.test(value.uri), 'a URI for a header holds no blanks, quotes or angle brackets');
  const name = value.displayName === null || value.displayName === '' ? '' : `${quote(value.displayName)} `;
  return `${name}<${value.uri}>${writeParams(value.params)}`;
}

/** Splits a header value at its commas, but not within quotes or angle brackets; empty elements fall out. RemoteError 400. */
export function splitList(value: string): string[] {
  const elements: string[] = [];
  let from = 0;
  let at = 0;
  while (at < value.length) {
    const character = value[at];
    if (character === '"') at = quotedEnd(value, at);
    else if (character === '<') at = angleEnd(value, at);
    else {
      if (character === ',') {
        elements.push(value.slice(from, at));
        from = at + 1;
      }
      at += 1;
    }
  }
  elements.push(value.slice(from));
  return elements.map((element) => element.trim()).filter((element) => element !== '');
}

/** Reads a Replaces value (RFC 3891 6.1). Blanks around `=` and `;` are legal; other parameters are ignored. RemoteError 400. */
export function parseReplaces(value: string): ReplacesFields {
  const semicolon = value.indexOf(';');
  const callId = (semicolon === -1 ? value : value.slice(0, semicolon)).trim();
  if (!callIdPattern.test(callId)) throw new RemoteError(400, 'Replaces has no valid Call-ID');
  const params = semicolon === -1 ? [] : parseParams(value.slice(semicolon));
  const earlyOnly = params.filter((param) => param.name === 'early-only');
  if (earlyOnly.length > 1 || earlyOnly.some((param) => param.value !== null)) {
    throw new RemoteError(400, 'early-only of Replaces is a flag that stands once');
  }
  return {
    callId,
    toTag: onlyTag(params, 'to-tag'),
    fromTag: onlyTag(params, 'from-tag'),
    earlyOnly: earlyOnly.length === 1,
  };
}

/** The text of a Replaces header: `callid;to-tag=X;from-tag=Y[;early-only]`. */
export function writeReplaces(value: ReplacesFields): string {
  assert(
    callIdPattern.test(value.callId) && isToken(value.toTag) && isToken(value.fromTag),
    'Replaces fields are tokens',
  );
  return `${value.callId};to-tag=${value.toTag};from-tag=${value.fromTag}${value.earlyOnly ? ';early-only' : ''}`;
}

/** Reads a CSeq value. RFC 3261 8.1.1.5: the number is below 2**31. RemoteError 400. */
export function parseCSeq(value: string): { readonly number: number; readonly method: string } {
  const match = cseqPattern.exec(value.trim());
  const number = Number(match?.[1]);
  if (match?.[2] === undefined || number >= 2 ** 31) throw new RemoteError(400, 'CSeq is malformed');
  return { number, method: match[2] };
}

/** Reads a media type with its parameters (Content-Type, an element of Accept); the type comes in lower case. RemoteError 400. */
export function parseMediaType(value: string): { readonly type: string; readonly params: readonly HeaderParam[] } {
  const match = mediaTypePattern.exec(value.trim());
  if (match?.[1] === undefined || match[2] === undefined) throw new RemoteError(400, 'The media type is malformed');
  return { type: `${match[1]}/${match[2]}`.toLowerCase(), params: parseParams(match[3] ?? '') };
}

/**
 * Reads a Content-Disposition (RFC 3261 20.11): the type in lower case, and whether the body may be passed over.
 * RemoteError 400.
 */
export function parseContentDisposition(value: string): {
  readonly type: string;
  readonly handling: 'required' | 'optional';
} {
  const match = tokenWithParams.exec(value.trim());
  if (match?.[1] === undefined) throw new RemoteError(400, 'Content-Disposition is malformed');
  const handling = parseParams(match[2] ?? '').find((param) => param.name === 'handling')?.value;
  // RFC 3261 20.11: without the parameter, handling is required.
  return { type: match[1].toLowerCase(), handling: handling?.toLowerCase() === 'optional' ? 'optional' : 'required' };
}

/** Reads an Event value (RFC 6665 8.2.1): the package as it came, its id or null, all parameters. RemoteError 400. */
export function parseEvent(value: string): {
  readonly type: string;
  readonly id: string | null;
  readonly params: readonly HeaderParam[];
} {
  const match = tokenWithParams.exec(value.trim());
  if (match?.[1] === undefined) throw new RemoteError(400, 'Event is malformed');
  const params = parseParams(match[2] ?? '');
  return { type: match[1], id: params.find((param) => param.name === 'id')?.value ?? null, params };
}

/** Reads delta-seconds (RFC 3261 20.19: up to 2**32 - 1); null when it is anything else, which then counts as absent. */
export function parseExpires(value: string): number | null {
  const text = value.trim();
  if (!/^\d{1,32}$/.test(text)) return null;
  const seconds = Number(text);
  return seconds < 2 ** 32 ? seconds : null;
}

/**
 * Reads `;name=value;flag` with tokens or quoted strings as values, blanks around `;` and `=` allowed, repeated names
 * kept in order. Throws RemoteError 400.
 */
export function parseParams(text: string): readonly HeaderParam[] {
  const params: HeaderParam[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = paramPattern.exec(rest);
    if (match?.[1] === undefined) throw new RemoteError(400, 'A header parameter is malformed');
    const name = match[1].toLowerCase();
    rest = rest.slice(match[0].length);
    if (match[2] === undefined) {
      params.push({ name, value: null });
    } else {
      const end = rest.startsWith('"') ? quotedEnd(rest, 0) : (/^[^\s;,"]*/.exec(rest)?.[0].length ?? 0);
      params.push({ name, value: unquote(rest.slice(0, end)) });
      rest = rest.slice(end).trimStart();
    }
  }
  return params;
}

/** The text of header parameters, each with its semicolon; values that are no token or host are quoted. */
export function writeParams(params: readonly HeaderParam[]): string {
  return params
    .map(({ name, value }) => {
      assert(isToken(name), 'a parameter name is a token');
      if (value === null) return `;${name}`;
      return `;${name}=${/^[A-Za-z0-9\-.!%*_+`'~[\]:]+$/.test(value) ? value : quote(value)}`;
    })
    .join('');
}

/** Index of the `<` that opens the address, -1 when the value is a bare addr-spec. */
function findAngle(value: string): number {
  if (!value.startsWith('"')) {
    const open = value.indexOf('<');
    // RFC 3261 20.10: without brackets everything from the first semicolon on is header parameters, brackets in them too.
    return /^[a-z][a-z0-9+.-]*:[^<]*;/i.test(value.slice(0, Math.max(open, 0))) ? -1 : open;
  }
  const end = quotedEnd(value, 0);
  const blanks = value.slice(end).search(/\S/);
  if (blanks === -1 || value[end + blanks] !== '<')
    throw new RemoteError(400, 'A display name is not followed by <', end);
  return end + blanks;
}

function parseDisplayName(text: string, lenient: boolean): string | null {
  if (text === '') return null;
  if (text.startsWith('"')) return unquote(text);
  const isTokens = text.split(/\s+/).every(isToken);
  // RFC 4475 3.1.2.15: a bare display name with other characters may be taken by a lenient parser; a stray quote never.
  if (!isTokens && (!lenient || /["<>\p{Cc}]/u.test(text))) throw new RemoteError(400, 'The display name is malformed');
  return text;
}

// RFC 3261 20: without angle brackets a URI holds no comma, question mark or semicolon; parameters are the header's.
function parseAddrSpec(value: string, lenient: boolean): NameAddr & { readonly quirks: readonly string[] } {
  const semicolon = value.indexOf(';');
  const address = tidyAddress(semicolon === -1 ? value : value.slice(0, semicolon).trimEnd(), lenient);
  if (/[,?]/.test(address.uri)) throw new RemoteError(400, 'A URI with comma or question mark needs angle brackets');
  const params = semicolon === -1 ? [] : headerParams(value.slice(semicolon));
  return { displayName: null, uri: address.uri, params, quirks: address.quirks };
}

/** QK-19: blanks after `<`. QK-34: blanks after the scheme or before `>`. Blanks elsewhere are never taken. */
function tidyAddress(text: string, lenient: boolean): { readonly uri: string; readonly quirks: readonly string[] } {
  const leading = text.trimStart();
  const uri = leading.trimEnd().replace(/^([a-z][a-z0-9+.-]*:)[ \t]+/i, '$1');
  const quirks = [...(leading === text ? [] : ['QK-19']), ...(uri === leading ? [] : ['QK-34'])];
  if (quirks.length > 0 && !lenient) throw new RemoteError(400, 'There are blanks in the URI');
  if (uri === '' || /[\s<>"\p{Cc}]/u.test(uri)) throw new RemoteError(400, 'The URI is malformed');
  return { uri, quirks };
}

function headerParams(text: string): readonly HeaderParam[] {
  const params = parseParams(text);
  // RFC 3261 7.3.1: a parameter stands once; of two tags nobody could say which names the dialog.
  if (params.filter((param) => param.name === 'tag').length > 1) throw new RemoteError(400, 'There are two tags');
  return params;
}

/** Index after the closing quote of the quoted string that starts at `start`. */
function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  throw new RemoteError(400, 'A quote is not closed', start);
}

function angleEnd(text: string, start: number): number {
  const close = text.indexOf('>', start);
  if (close === -1) throw new RemoteError(400, 'An angle bracket is not closed', start);
  return close + 1;
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/gs, '$1');
}

function quote(text: string): string {
  return `"${text.replace(/\p{Cc}+/gu, ' ').replace(/["\\]/g, '\\$&')}"`;
}

function onlyTag(params: readonly HeaderParam[], name: string): string {
  const [first, ...others] = params.filter((param) => param.name === name);
  if (first?.value === undefined || first.value === null || !isToken(first.value) || others.length > 0) {
    throw new RemoteError(400, `Replaces needs exactly one ${name}`);
  }
  return first.value;
}
