/** P-Refused-URI-List (RFC 5318): URIs of a refused request that are lists themselves, and who is on them. */

import { type BodyPart, splitMultipart } from './multipart.ts';
import { RemoteError } from './remote-error.ts';
import { parseMediaType, parseNameAddr, splitList } from './sip-headers.ts';
import { headerValues, type SipMessage } from './sip-message.ts';
import { unescapeOnce } from './sip-uri.ts';

/** All multiparts together, and multiparts within multiparts. */
export type RefusedListBounds = { readonly partsMax: number; readonly depthMax: number; readonly lenient: boolean };

/**
 * The resource lists that a refusal names as the members of refused URIs, in the order of the body. Null when it has no
 * P-Refused-URI-List, or one that names no part there is. Throws RemoteError 400 for what cannot be read.
 */
export function refusedListsIn(message: SipMessage, bounds: RefusedListBounds): readonly string[] | null {
  const wanted = new Set(
    headerValues(message, 'P-Refused-URI-List')
      .flatMap(splitList)
      .flatMap((element) => membersId(element, bounds)),
  );
  if (wanted.size === 0) return null;
  const found: Found = { wanted, lists: [], partsLeft: bounds.partsMax, depthMax: bounds.depthMax };
  walk(message, 0, found);
  return found.lists.length === 0 ? null : found.lists;
}

/** RFC 5318: the grammar has the value in quotes, the examples without; both are taken. */
function membersId(element: string, { lenient }: RefusedListBounds): readonly string[] {
  const { params } = parseNameAddr(element, { lenient });
  const value = params.find(({ name }) => name === 'members')?.value ?? null;
  if (value === null) return [];
  const url = /^<?\s*cid:([^>]+)>?$/i.exec(value.trim())?.[1];
  if (url === undefined) throw new RemoteError(400, 'members of P-Refused-URI-List is no cid URL');
  // RFC 2392 2: a Content-ID in a URL is percent-encoded.
  return [unescapeOnce(url.trim())];
}

type Found = {
  readonly wanted: ReadonlySet<string>;
  readonly lists: string[];
  partsLeft: number;
  readonly depthMax: number;
};

function walk(part: Pick<BodyPart, 'headers' | 'body'>, depth: number, found: Found): void {
  const { type, params } = parseMediaType(headerValues(part, 'Content-Type')[0] ?? 'text/plain');
  const id = headerValues(part, 'Content-ID')[0]
    ?.trim()
    .replace(/^<(.*)>$/, '$1');
  if (id !== undefined && found.wanted.has(id) && type === 'application/resource-lists+xml')
    found.lists.push(part.body);
  if (!type.startsWith('multipart/') || depth >= found.depthMax) return;
  const boundary = params.find(({ name }) => name === 'boundary')?.value ?? '';
  const parts = splitMultipart(part.body, boundary, { parts: found.partsLeft });
  found.partsLeft -= parts.length;
  for (const inner of parts) walk(inner, depth + 1, found);
}
