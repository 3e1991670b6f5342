/** Refer-To (RFC 3515 2.1, RFC 8217): what a REFER points at. */

import { RemoteError } from './remote-error.ts';
import { parseNameAddr } from './sip-headers.ts';

/** One URI, whose text is still to be read, or a list in the body (RFC 5368 7), by its Content-ID. */
export type ReferTo =
  | {
      readonly kind: 'uri';
      readonly displayName: string | null;
      readonly uri: string;
      readonly quirks: readonly string[];
    }
  | { readonly kind: 'list'; readonly contentId: string };

/**
 * Reads the value of a Refer-To. `lenient` takes display names that should be quoted and blanks around the URI. Blanks
 * within it are left to whoever reads it, since a Replaces there may have them (QK-8). RemoteError 400.
 */
export function parseReferTo(value: string, options: { readonly lenient: boolean }): ReferTo {
  const { displayName, uri, quirks, params } = addressOf(value.trim(), options);
  // RFC 8217 3: without angle brackets it is a parameter of the header; an INVITE is not what was meant.
  if (params.some(({ name }) => name === 'method')) throw new RemoteError(400, 'Refer-To needs angle brackets');
  const pointer = /^cid:(.+)$/is.exec(uri)?.[1];
  if (pointer === undefined) return { kind: 'uri', displayName, uri, quirks };
  return { kind: 'list', contentId: unescaped(pointer) };
}

const placeholder = 'sip:placeholder.invalid';

function addressOf(value: string, options: { readonly lenient: boolean }): ReturnType<typeof parseNameAddr> {
  const open = openingBracket(value);
  const close = value.indexOf('>', open);
  if (open === -1 || close === -1) return parseNameAddr(value, options);
  const inner = value.slice(open + 1, close);
  // What stands around the URI is read by the grammar of all addresses, the URI by nobody yet.
  const around = parseNameAddr(`${value.slice(0, open)}<${placeholder}>${value.slice(close + 1)}`, options);
  // Brackets in a parameter of a bare URI are no address.
  if (around.uri !== placeholder) return parseNameAddr(value, options);
  const uri = inner.trim();
  const quirks = [...(/^\s/.test(inner) ? ['QK-19'] : []), ...(/\s$/.test(inner) ? ['QK-34'] : [])];
  if (quirks.length > 0 && !options.lenient) throw new RemoteError(400, 'There are blanks around the URI of Refer-To');
  if (uri === '' || /[<"\p{Cc}]/u.test(uri)) throw new RemoteError(400, 'The URI of Refer-To is malformed');
  return { ...around, uri, quirks };
}

/** Index of the `<` that opens the address, not of one in a quoted display name; -1 when there is none. */
function openingBracket(value: string): number {
  const quoted = /^"(?:[^"\\]|\\.)*"/s.exec(value)?.[0] ?? '';
  return value.indexOf('<', quoted.length);
}

/** RFC 2392 2: in a cid URL the Content-ID is percent-encoded where a URL asks for it. */
function unescaped(pointer: string): string {
  try {
    return decodeURIComponent(pointer);
  } catch {
    throw new RemoteError(400, 'The cid of Refer-To is malformed');
  }
}
