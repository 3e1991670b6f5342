/** SIP and SIPS URIs (RFC 3261 19.1) and tel URIs (RFC 3966): parse, write, compare. */

import { canonicalIp, ipOctets } from './ip-address.ts';
import { RemoteError } from './remote-error.ts';

/** A header of a URI (`?name=value`), both percent-decoded once. */
export type UriHeader = { readonly name: string; readonly value: string };

/** A URI parameter: name lower case, value still escaped as it came, null when there is no `=`. */
export type UriParam = { readonly name: string; readonly value: string | null };

export type SipUri = {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** Still escaped as it came, see `unescapeUser`; the number of a tel URI. */
  readonly user: string | null;
  readonly password: string | null;
  /** Lower case; IPv6 in brackets; empty for tel. */
  readonly host: string;
  readonly port: number | null;
  readonly params: readonly UriParam[];
  readonly headers: readonly UriHeader[];
};

// RFC 3261 25.1, each with `escaped`.
const userPattern = /^(?:[\w\-.!~*'()&=+$,;?/]|%[0-9a-f]{2})+$/i;
const passwordPattern = /^(?:[\w\-.!~*'()&=+$,]|%[0-9a-f]{2})*$/i;
const paramPattern = /^(?:[\w\-.!~*'()[\]/:&+$]|%[0-9a-f]{2})*$/i;
const headerPattern = /^(?:[\w\-.!~*'()[\]/?:+$]|%[0-9a-f]{2})*$/i;
// RFC 3966 3, with the visual separators.
const globalNumberPattern = /^\+[\d\-.()]*\d[\d\-.()]*$/;
const localNumberPattern = /^[\da-f*#\-.()]*[\da-f*#][\da-f*#\-.()]*$/i;

/**
 * Reads a sip, sips or tel URI. Throws RemoteError 416 for any other scheme, 400 for what the grammar does not allow;
 * no blanks are trimmed and no missing scheme is guessed here.
 */
export function parseSipUri(text: string): SipUri {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new RemoteError(400, 'The URI has no scheme');
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'tel') return parseTel(rest);
  if (scheme !== 'sip' && scheme !== 'sips') throw new RemoteError(416, 'The URI scheme is not sip, sips or tel');
  // RFC 3261 25.1: "@" is escaped everywhere but after the userinfo, while ";" and "?" may stand in a user part.
  const at = rest.indexOf('@');
  const userinfo = at === -1 ? null : parseUserinfo(rest.slice(0, at));
  const [hostAndParams, headers] = cut(rest.slice(at + 1), '?');
  const [hostport, params] = cut(hostAndParams, ';');
  return {
    scheme,
    user: userinfo?.user ?? null,
    password: userinfo?.password ?? null,
    ...parseHostport(hostport),
    params: params === null ? [] : parseUriParams(params),
    headers: headers === null ? [] : parseUriHeaders(headers),
  };
}

/** The same for whoever wants nothing to be thrown: null for what cannot be read. */
export function readableSipUri(text: string): SipUri | null {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof RemoteError) return null;
    throw error;
  }
}

/** The text of a URI; header values are percent-encoded, user and parameters go out as they came. */
export function writeSipUri(uri: SipUri): string {
  const params = uri.params.map((param) => `;${param.name}${param.value === null ? '' : `=${param.value}`}`).join('');
  if (uri.scheme === 'tel') return `tel:${uri.user ?? ''}${params}`;
  const headers = uri.headers.map((header) => `${escapeHeaderPart(header.name)}=${escapeHeaderPart(header.value)}`);
  const query = headers.length === 0 ? '' : `?${headers.join('&')}`;
  return `${uri.scheme}:${writeUserinfo(uri)}${writeHostport(uri.host, uri.port)}${params}${query}`;
}

/** RFC 3261 19.1.4 for sip and sips (addresses by RFC 5954 4.2), RFC 3966 4 for tel. */
export function sameUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false;
  if (a.scheme === 'tel') return sameTel(a, b);
  return (
    samePart(a.user, b.user) &&
    samePart(a.password, b.password) &&
    canonicalHost(a.host) === canonicalHost(b.host) &&
    // RFC 3261 19.1.4: an explicit default port differs from no port.
    a.port === b.port &&
    sameParams(a, b) &&
    sameHeaders(a.headers, b.headers)
  );
}

/**
 * The address of record: scheme, user, host and explicit port, no password, parameters or headers; equal for URIs that
 * name the same user. Of a tel URI what RFC 3966 4 makes part of the number: digits, phone-context, ext, isub.
 */
export function aorOf(uri: SipUri): string {
  if (uri.scheme === 'tel') return `tel:${plainNumber(uri)}${telIdentity(uri)}`;
  const user = uri.user === null ? '' : `${normalizeEscapes(uri.user)}@`;
  return `${uri.scheme}:${user}${writeHostport(canonicalHost(uri.host), uri.port)}`;
}

/** RFC 3261 19.1.5: what goes into a Request-URI, without headers and without the method parameter. */
export function withoutHeaders(uri: SipUri): SipUri {
  return { ...uri, params: uri.params.filter((param) => param.name !== 'method'), headers: [] };
}

/** Value of a parameter, needless escapes undone: null when it has none, undefined when the parameter is absent. */
export function uriParam(uri: SipUri, name: string): string | null | undefined {
  const param = uri.params.find((each) => each.name === name.toLowerCase());
  if (param === undefined || param.value === null) return param?.value;
  return normalizeEscapes(param.value);
}

/** The host that a request to `uri` goes to, lower case: its own, unless maddr stands in for that (RFC 3263 4). */
export function destinationHost(uri: SipUri): string {
  return uriParam(uri, 'maddr')?.toLowerCase() ?? uri.host;
}

// RFC 3261 25.1: a user part, a colon, a password, and the @ without which it is host and port.
const passwordInText = /(\bsips?:[^\s:@<>"]+:)[\w\-.!~*'()&=+$,%]*@/gi;

/** RFC 3261 19.1.1: a password in a URI is better not there; where `text` is kept or shown it is not. */
export function withoutPasswords(text: string): string {
  return text.replace(passwordInText, '$1…@');
}

/** The user part for people to read: unescaped once; left as it is where its octets are not UTF-8. */
export function unescapeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** Splits at the first `mark`; the second half is null when there is no mark. */
function cut(text: string, mark: string): readonly [string, string | null] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + mark.length)];
}

function parseUserinfo(text: string): { readonly user: string; readonly password: string | null } {
  const [user, password] = cut(text, ':');
  if (!userPattern.test(user)) throw new RemoteError(400, 'The user part of the URI is malformed');
  if (password !== null && !passwordPattern.test(password)) {
    throw new RemoteError(400, 'The password of the URI is malformed');
  }
  return { user, password };
}

function parseHostport(text: string): { readonly host: string; readonly port: number | null } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1]?.toLowerCase() ?? '';
  if (!isHost(host)) throw new RemoteError(400, 'The host of the URI is malformed');
  const digits = match?.[2];
  if (digits === undefined) return { host, port: null };
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw new RemoteError(400, 'The port of the URI is out of range');
  return { host, port };
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return host.includes(':') && ipOctets(host.slice(1, -1)) !== null;
  // RFC 3261 25.1: a last label that is a number can only be the end of an IPv4 address.
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(host)) return ipOctets(host) !== null;
  // The underscore is no host name character, yet common in private names.
  return host.length <= 255 && /^[a-z0-9_](?:[a-z0-9_-]|\.(?!\.))*$/.test(host);
}

function parseUriParams(text: string): readonly UriParam[] {
  const params = text.split(';').map((part) => {
    const [name, value] = cut(part, '=');
    if (name === '' || !paramPattern.test(name) || (value !== null && !paramPattern.test(value))) {
      throw new RemoteError(400, 'A parameter of the URI is malformed');
    }
    return { name: normalizeEscapes(name).toLowerCase(), value };
  });
  // RFC 3261 19.1.1: any given parameter name must not appear more than once.
  if (new Set(params.map((param) => param.name)).size !== params.length) {
    throw new RemoteError(400, 'A parameter of the URI is repeated');
  }
  return params;
}

function parseUriHeaders(text: string): readonly UriHeader[] {
  return text.split('&').map((part) => {
    const [name, value] = cut(part, '=');
    if (name === '' || value === null || !headerPattern.test(name) || !headerPattern.test(value)) {
      throw new RemoteError(400, 'A header of the URI is malformed');
    }
    return { name: unescapeOnce(name), value: unescapeOnce(value) };
  });
}

/** Percent-decodes once (`%2541` becomes `%41`); throws RemoteError 400 when an escape is none or the octets are not UTF-8. */
export function unescapeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RemoteError(400, 'A percent escape of the URI is malformed');
  }
}

function escapeHeaderPart(text: string): string {
  // Half a surrogate pair has no UTF-8 form.
  const whole = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  // RFC 3261 25.1 hnv-unreserved: [ ] / ? : + $ stand for themselves.
  return encodeURIComponent(whole).replace(/%(?:5B|5D|2F|3F|3A|2B|24)/g, decodeURIComponent);
}

function writeUserinfo(uri: SipUri): string {
  if (uri.user === null) return '';
  return uri.password === null ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
}

function writeHostport(host: string, port: number | null): string {
  return port === null ? host : `${host}:${port}`;
}

/** RFC 3261 19.1.4: unreserved characters equal their escapes, reserved ones do not; hex digits in upper case. */
function normalizeEscapes(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w\-.!~*'()]/.test(character) ? character : encoded.toUpperCase();
  });
}

/** RFC 5954 4.2: addresses compare by value, whichever way they are written. */
function canonicalHost(host: string): string {
  if (!host.startsWith('[')) return host;
  return `[${canonicalIp(host.slice(1, -1)) ?? host.slice(1, -1)}]`;
}

function samePart(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b;
  return normalizeEscapes(a) === normalizeEscapes(b);
}

// RFC 3261 19.1.4: these never match when only one of the URIs has them; any other is then ignored.
const decisiveParams: ReadonlySet<string> = new Set(['user', 'ttl', 'method', 'maddr', 'transport']);

function sameParams(a: SipUri, b: SipUri): boolean {
  const names = new Set([...a.params, ...b.params].map((param) => param.name));
  return [...names].every((name) => {
    const [left, right] = [uriParam(a, name), uriParam(b, name)];
    if (left === undefined || right === undefined) return !decisiveParams.has(name);
    return left?.toLowerCase() === right?.toLowerCase();
  });
}

/** RFC 3261 19.1.4: headers are never ignored, their order does not matter. */
function sameHeaders(a: readonly UriHeader[], b: readonly UriHeader[]): boolean {
  const sorted = (headers: readonly UriHeader[]): string =>
    JSON.stringify(headers.map((header) => [header.name.toLowerCase(), header.value]).sort(byText));
  return a.length === b.length && sorted(a) === sorted(b);
}

function byText(a: readonly string[], b: readonly string[]): number {
  const [left, right] = [a.join('='), b.join('=')];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function parseTel(text: string): SipUri {
  const [number, rest] = cut(text, ';');
  const params = rest === null ? [] : parseUriParams(rest);
  const isGlobal = globalNumberPattern.test(number);
  if (!isGlobal && !localNumberPattern.test(number)) throw new RemoteError(400, 'The telephone number is malformed');
  // RFC 3966 5.1.5: a local number means nothing without its context.
  if (!isGlobal && !params.some((param) => param.name === 'phone-context' && param.value)) {
    throw new RemoteError(400, 'The local telephone number has no phone-context');
  }
  return { scheme: 'tel', user: number, password: null, host: '', port: null, params, headers: [] };
}

function withoutSeparators(text: string): string {
  return text.replace(/[-.()]/g, '').toLowerCase();
}

function plainNumber(uri: SipUri): string {
  return withoutSeparators(uri.user ?? '');
}

/** The value of a tel parameter in the form in which RFC 3966 4 compares it. */
function telParam(uri: SipUri, name: string): string | null | undefined {
  const value = uriParam(uri, name);
  if (value === undefined || value === null) return value;
  const isNumber = name === 'ext' || (name === 'phone-context' && value.startsWith('+'));
  return isNumber ? withoutSeparators(value) : value.toLowerCase();
}

function telIdentity(uri: SipUri): string {
  return ['phone-context', 'ext', 'isub']
    .map((name) => [name, telParam(uri, name)] as const)
    .flatMap(([name, value]) => (value === undefined ? [] : [`;${name}${value === null ? '' : `=${value}`}`]))
    .join('');
}

// RFC 3966 4: visual separators do not count, and a parameter that only one URI has makes them differ.
function sameTel(a: SipUri, b: SipUri): boolean {
  const names = new Set([...a.params, ...b.params].map((param) => param.name));
  return plainNumber(a) === plainNumber(b) && [...names].every((name) => telParam(a, name) === telParam(b, name));
}
