/** What the focus itself wraps in message/cpim (RFC 3862). */

import type { MsrpNotice } from '../core/effect.ts';
import type { Instant } from '../core/rows.ts';
import { writeCpim } from '../wire/cpim.ts';
import type { MsrpHeader } from '../wire/msrp.ts';

type FromTo = { readonly from: string; readonly to: string; readonly sentAt: Instant };

/** What the focus says, from the conference to the conference. */
export function noticeContent({ contentType, text, sentAt }: MsrpNotice, conferenceUri: string): Buffer {
  // RFC 2046 4.1.2: text without a charset would be ASCII.
  const contentHeaders = [{ name: 'Content-Type', value: `${contentType};charset=utf-8` }];
  return fromTo({ from: conferenceUri, to: conferenceUri, sentAt }, contentHeaders, Buffer.from(text));
}

/** What stands before a file, so that its receivers know whose it is and what it is called. */
export function fileWrapper(
  way: FromTo,
  { name, type }: { readonly name: string | null; readonly type: string },
): Buffer {
  const contentHeaders = [
    { name: 'Content-Type', value: type },
    { name: 'Content-Disposition', value: attachment(name) },
  ];
  return fromTo(way, contentHeaders, Buffer.alloc(0));
}

function fromTo({ from, to, sentAt }: FromTo, contentHeaders: readonly MsrpHeader[], body: Buffer): Buffer {
  const headers = [
    { name: 'From', params: [], value: `<${from}>` },
    { name: 'To', params: [], value: `<${to}>` },
    { name: 'DateTime', params: [], value: new Date(sentAt).toISOString() },
  ];
  return writeCpim({ headers, contentHeaders, body });
}

/** RFC 2183 2.3; RFC 2231 4: what is not ASCII is escaped. */
function attachment(name: string | null): string {
  if (name === null) return 'attachment';
  if (/^[ -~]*$/.test(name)) return `attachment; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  const escaped = encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `attachment; filename*=UTF-8''${escaped}`;
}
