/** What a request says of session timers (RFC 4028 4, 5). */
import type { SessionTimerAsk } from '../../core/input.ts';
import { header, type SipMessage } from '../../wire/sip-message.ts';

/** Headers that cannot be read count as absent: nothing is granted by mistake. */
export function sessionTimerOf(message: SipMessage): SessionTimerAsk {
  const asked = /^(\d{1,9})\s*(?:;(.*))?$/.exec((header(message, 'Session-Expires') ?? '').trim());
  const least = /^(\d{1,9})\s*(?:;|$)/.exec((header(message, 'Min-SE') ?? '').trim());
  const refresher = /(?:^|;)\s*refresher\s*=\s*(ua[cs])\s*(?:;|$)/i.exec(asked?.[2] ?? '')?.[1]?.toLowerCase();
  return {
    expires: asked?.[1] === undefined ? null : Number(asked[1]),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null,
    minSe: least?.[1] === undefined ? null : Number(least[1]),
  };
}
