/**
 * The URI of someone to be invited, with what it asks of the request (RFC 3261 19.1.5): method, Replaces, other headers.
 * Used for the entries of a resource list and for Refer-To; the quirks that are accepted here are named QK-6, QK-7 and QK-8.
 */

import { RemoteError } from './remote-error.ts';
import { isToken, parseReplaces, type ReplacesFields, writeReplaces } from './sip-headers.ts';
import { parseSipUri, type SipUri, type UriHeader, unescapeOnce, uriParam, withoutHeaders } from './sip-uri.ts';

/** What a recipient's URI means, or why it means nothing. */
export type RecipientReading =
  | {
      readonly ok: true;
      /** What goes into the Request-URI: without headers and method. */
      readonly target: SipUri;
      /** As it came; null when absent. */
      readonly method: string | null;
      readonly replaces: ReplacesFields | null;
      /** Value of a Join header (RFC 3911 7.1), written afresh. */
      readonly join: string | null;
      /** Further headers that may be honoured, with their full names. */
      readonly headers: readonly UriHeader[];
      /** Names of the headers that were dropped. */
      readonly ignoredHeaders: readonly string[];
    }
  | { readonly ok: false; readonly status: 400 | 416; readonly reason: string };

export type RecipientUri = { readonly quirks: readonly string[]; readonly reading: RecipientReading };

// RFC 3261 19.1.5 leaves it to us which headers of a URI are honoured; whatever could mislead is not among them.
const allowedHeaders: ReadonlyMap<string, string> = new Map([
  ['replaces', 'Replaces'],
  ['join', 'Join'],
  ['subject', 'Subject'],
  ['s', 'Subject'],
  ['accept-contact', 'Accept-Contact'],
  ['a', 'Accept-Contact'],
  ['reject-contact', 'Reject-Contact'],
  ['j', 'Reject-Contact'],
  ['in-reply-to', 'In-Reply-To'],
  ['priority', 'Priority'],
]);
const onceOnly: ReadonlySet<string> = new Set(['Subject', 'Priority', 'In-Reply-To', 'Refer-To']);

export type RecipientUriOptions = {
  readonly lenient: boolean;
  /** `refer`: Refer-To is heeded too, where the method is REFER. Default: `list`. */
  readonly purpose?: 'list' | 'refer';
};

/**
 * Reads a recipient's URI. Never throws: what cannot be read has `reading.ok` false with the status to report. `lenient`
 * accepts a missing scheme (QK-6), `?Name: value` (QK-7) and an unescaped Replaces or Join (QK-8), never where the strict
 * reading is valid.
 */
export function readRecipientUri(text: string, options: RecipientUriOptions): RecipientUri {
  try {
    const { uri, quirks } = parseLeniently(text);
    if (quirks.length > 0 && !options.lenient) return { quirks: [], reading: strictRefusal(quirks) };
    return { quirks, reading: interpret(uri, options.purpose ?? 'list') };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const status = error.statusHint === 416 ? 416 : 400;
    return { quirks: [], reading: { ok: false, status, reason: error.message } };
  }
}

function strictRefusal(quirks: readonly string[]): RecipientReading {
  if (quirks.includes('QK-6')) return { ok: false, status: 416, reason: 'The URI has no scheme' };
  return { ok: false, status: 400, reason: 'A header of the URI is malformed' };
}

function parseLeniently(text: string): { readonly uri: SipUri; readonly quirks: readonly string[] } {
  // QK-6: a scheme is added only to what has a user; a bare word would become a host.
  const isBare = !/^[a-z][a-z0-9+.-]*:/i.test(text) && text.includes('@');
  const whole = isBare ? `sip:${text}` : text;
  const quirks = isBare ? ['QK-6'] : [];
  try {
    return { uri: parseSipUri(whole), quirks };
  } catch (error) {
    const query = whole.indexOf('?', whole.indexOf('@') + 1);
    if (query === -1 || !(error instanceof RemoteError) || error.statusHint !== 400) throw error;
    const uri = parseSipUri(whole.slice(0, query));
    const parts = whole
      .slice(query + 1)
      .split('&')
      .map(readHeaderPart);
    const found = new Set(parts.flatMap((part) => part.quirks));
    return { uri: { ...uri, headers: parts.map((part) => part.header) }, quirks: [...quirks, ...[...found].sort()] };
  }
}

/** One `name=value` of the headers: strictly when that is valid, else with QK-7 and QK-8. RemoteError 400. */
function readHeaderPart(part: string): { readonly header: UriHeader; readonly quirks: readonly string[] } {
  const strict = strictHeader(part);
  if (strict !== null) return { header: strict, quirks: [] };
  const match = /^([\w-]+)(=|: ?)(.*)$/s.exec(part);
  const name = match?.[1] ?? '';
  const isColon = match?.[2] !== '=';
  // QK-7: a colon stands for "=" only after a name that is known to be allowed.
  if (match === null || (isColon && !allowedHeaders.has(name.toLowerCase()))) {
    throw new RemoteError(400, 'A header of the URI is malformed');
  }
  const colon = isColon ? ['QK-7'] : [];
  const mended = strictHeader(`${name}=${match[3] ?? ''}`);
  if (mended !== null) return { header: mended, quirks: colon };
  // QK-8: Replaces and Join have a grammar of their own that tells where "=" and ";" belong.
  if (!['replaces', 'join'].includes(name.toLowerCase()))
    throw new RemoteError(400, 'A header of the URI is malformed');
  const pieces = (match[3] ?? '').split(/([=;])/).map((piece) => piece.trim());
  const value = unescapeOnce(pieces.join(''));
  return { header: { name, value }, quirks: [...colon, 'QK-8'] };
}

/** The header when the part is valid by RFC 3261 25.1, else null. */
function strictHeader(part: string): UriHeader | null {
  try {
    return parseSipUri(`sip:user@host?${part}`).headers[0] ?? null;
  } catch {
    return null;
  }
}

function interpret(uri: SipUri, purpose: 'list' | 'refer'): RecipientReading {
  const kept: UriHeader[] = [];
  const ignoredHeaders: string[] = [];
  const method = methodOf(uri);
  const isRefer = purpose === 'refer' && method?.value.toUpperCase() === 'REFER';
  for (const header of uri.headers) {
    if (header === method?.header) continue;
    const { name, value } = header;
    const lower = name.toLowerCase();
    const known = isRefer && (lower === 'refer-to' || lower === 'r') ? 'Refer-To' : allowedHeaders.get(lower);
    if (known === undefined || !isSafe(value) || isRepeated(known, kept)) ignoredHeaders.push(printable(name));
    else kept.push({ name: known, value: value.trim() });
  }
  const dialogs = kept.filter((header) => header.name === 'Replaces' || header.name === 'Join');
  // RFC 3891 3, RFC 3911 4: one of either, never both.
  if (dialogs.length > 1) throw new RemoteError(400, 'The URI has more than one Replaces or Join');
  const [dialog] = dialogs;
  const fields = dialog === undefined ? null : parseReplaces(dialog.value);
  const isJoin = dialog?.name === 'Join';
  return {
    ok: true,
    target: withoutHeaders(uri),
    method: method?.value ?? null,
    replaces: isJoin ? null : fields,
    join: isJoin && fields !== null ? writeReplaces({ ...fields, earlyOnly: false }) : null,
    headers: kept.filter((header) => header !== dialog),
    ignoredHeaders,
  };
}

/** The method that is asked for, and the header it stood in, if any. */
function methodOf(uri: SipUri): { readonly value: string; readonly header: UriHeader | null } | null {
  const value = uriParam(uri, 'method') ?? (uri.params.some((param) => param.name === 'method') ? '' : null);
  if (value !== null) return { value, header: null };
  // RFC 5368 9 writes the method as a header in its figure; taken for the method, it can never become an invitation.
  const header = uri.headers.find(({ name }) => name.toLowerCase() === 'method');
  return header === undefined ? null : { value: header.value, header };
}

/** A control character in a value is an attempt to write further header lines. */
function isSafe(value: string): boolean {
  return value.trim() !== '' && !/\p{Cc}/u.test(value);
}

function isRepeated(name: string, kept: readonly UriHeader[]): boolean {
  return onceOnly.has(name) && kept.some((header) => header.name === name);
}

function printable(name: string): string {
  return isToken(name) ? name : encodeURIComponent(name);
}
