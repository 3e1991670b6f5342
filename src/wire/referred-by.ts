/** Referred-By (RFC 3892 3): who asks for what a REFER brings about, and a pointer to the token that proves it. */

import { RemoteError } from './remote-error.ts';
import { parseNameAddr } from './sip-headers.ts';
import { parseSipUri, type SipUri } from './sip-uri.ts';

export type ReferredByFields = {
  readonly uri: SipUri;
  /** Content-ID of the body part with the token, without angle brackets; null when there is none. */
  readonly contentId: string | null;
  /** Those that were needed to read it. */
  readonly quirks: readonly string[];
};

/** Reads the value of a Referred-By. `lenient` trims blanks in its URI. RemoteError 400, or 416 for a foreign scheme. */
export function parseReferredBy(value: string, options: { readonly lenient: boolean }): ReferredByFields {
  const { uri, params, quirks } = parseNameAddr(value, options);
  const cids = params.filter(({ name }) => name === 'cid');
  const contentId = cids[0]?.value ?? null;
  if (cids.length > 1 || (cids.length === 1 && contentId === null))
    throw new RemoteError(400, 'Referred-By has no single cid');
  // RFC 3892 3: a msg-id without its angle brackets; some write them all the same.
  const id = contentId === null ? null : contentId.replace(/^<(.*)>$/, '$1');
  return { uri: parseSipUri(uri), contentId: id, quirks };
}
