import { RemoteError } from '../../wire/remote-error.ts';
import { parseNameAddr, splitList } from '../../wire/sip-headers.ts';
import { headerValues, type SipRequest } from '../../wire/sip-message.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';

/** RFC 3261 8.1.1.8: exactly one URI, and one that SIP can reach. RemoteError 400. */
export function contactOf(
  message: SipRequest,
  lenient: boolean,
): { readonly uri: string; readonly isFocus: boolean; readonly quirks: readonly string[] } {
  const [value] = headerValues(message, 'Contact').flatMap(splitList);
  if (value === undefined) throw new RemoteError(400, 'Contact is missing');
  const { uri, params, quirks } = parseNameAddr(value, { lenient });
  if (!/^sips?:/i.test(uri)) throw new RemoteError(400, 'Contact is no SIP URI');
  parseSipUri(uri);
  // RFC 3840 10.2.13, RFC 4579 5.4: a parameter of the header, not of the URI.
  return { uri, isFocus: params.some(({ name }) => name === 'isfocus'), quirks };
}
