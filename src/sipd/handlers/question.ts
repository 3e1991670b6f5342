/** What a request handler is told of a request: the query of its URL, by the names the real server uses. */

import { RemoteError } from '../../wire/remote-error.ts';
import { readAddress } from '../message/address.ts';
import { firstValue, type IncomingRequest } from '../message/incoming.ts';
import { tryUri } from '../proxy/route-information.ts';

/** A question to a request handler. `body` is the whole request, for POST; null goes by GET. */
export type Inquiry = { readonly url: string; readonly body: string | null };

/** What came back: the body, or why there is none. */
export type InquiryReply =
  | { readonly kind: 'replied'; readonly body: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The URL with the query. The daemon puts a slash behind the path; we leave it as it was configured, with its own query.
 * It adds the parameters of the Request-URI, too: those are the caller's, so that none of them may pass for one of ours.
 */
export function questionUrl(url: string, request: IncomingRequest): string {
  const uri = tryUri(request.uri);
  const told = new Map([
    ['method', request.method],
    ['domain', uri?.host ?? ''],
    ['protocol', request.from.protocol],
    ['source_address', request.from.host],
    ['fromUser', userOf(firstValue(request, 'from'))],
    ['toUser', userOf(firstValue(request, 'to'))],
    ['uriUser', uri?.user ?? ''],
    ['contentType', (firstValue(request, 'content-type') ?? '').split(';')[0]?.trim() ?? ''],
    ['uri', request.uri],
  ]);
  const ours = new Set([...told.keys(), ...new URL(url).searchParams.keys()].map((name) => name.toLowerCase()));
  for (const { name, value } of uri?.params ?? []) if (!ours.has(name)) told.set(name, value ?? '');
  const query = [...told].map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&');
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

/** User part of the URI in a From or To; empty where it has none. */
function userOf(value: string | undefined): string {
  try {
    return tryUri(readAddress(value ?? '').uri)?.user ?? '';
  } catch (error) {
    if (error instanceof RemoteError) return '';
    throw error;
  }
}

/** Percent-encodes octets, one to a character; encodeURIComponent would take them for letters. */
function escaped(octets: string): string {
  return octets.replace(/[^\w\-.~]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
