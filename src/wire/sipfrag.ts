/** Fragments of SIP messages (RFC 3420) as the bodies of a REFER's NOTIFYs (RFC 3515 2.4.5). */

import { strict as assert } from 'node:assert';

/** RFC 3515 2.4.5: Content-Type of a NOTIFY that tells how a referral goes. */
export const sipfragType = 'message/sipfrag;version=2.0';

/** The fragment that is one status line, with its line end; control characters of the reason become blanks. */
export function writeStatusFragment({ status, reason }: { readonly status: number; readonly reason: string }): string {
  assert(Number.isInteger(status) && status >= 100 && status <= 699, 'a status has three digits');
  return `SIP/2.0 ${status} ${reason.replace(/\p{Cc}+/gu, ' ').trim()}\r\n`;
}
