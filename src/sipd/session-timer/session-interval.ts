/** What RFC 4028 says in headers: for how long a session lives without a refresh, and who refreshes it. */

import type { ScannedHeader } from '../../wire/sip-message.ts';
import { allValues, firstValue } from '../message/incoming.ts';

/** Of a request: `uac` is who sent that request. */
export type Refresher = 'uac' | 'uas';

/** Seconds, and the refresher if one is named. */
export type SessionInterval = { readonly seconds: number; readonly refresher: Refresher | null };

type Headers = { readonly headers: readonly ScannedHeader[] };

/** RFC 4028 5: no interval is below 90 seconds. */
export const leastInterval = 90;

/** Why a call ends that nobody has refreshed: the text of the Reason of its BYE, which applications are shown. */
export const sessionExpired = 'Session timer expired';

/** The Session-Expires of a message; null without one that can be read. */
export function sessionExpires(message: Headers): SessionInterval | null {
  const value = firstValue(message, 'session-expires');
  if (value === undefined) return null;
  const [number = '', ...params] = value.split(';').map((part) => part.trim());
  if (!/^\d{1,9}$/.test(number)) return null;
  const refresher = params
    .find((param) => /^refresher\s*=/i.test(param))
    ?.split('=')[1]
    ?.trim()
    .toLowerCase();
  return { seconds: Number(number), refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null };
}

/** The Min-SE of a message in seconds; the least there is without one. */
export function leastAccepted(message: Headers): number {
  const number = (firstValue(message, 'min-se') ?? '').split(';')[0]?.trim() ?? '';
  return /^\d{1,9}$/.test(number) ? Math.max(leastInterval, Number(number)) : leastInterval;
}

/** RFC 4028 4: whether the sender knows session timers. */
export function supportsTimer(message: Headers): boolean {
  return lists(message, 'supported', 'timer') || requiresTimer(message);
}

/** Whether it says so in a way that the receiver must understand. */
export function requiresTimer(message: Headers): boolean {
  return lists(message, 'require', 'timer');
}

/** Whether the sender says that it takes UPDATE; null when it does not say what it takes. */
export function allowsUpdate(message: Headers): boolean | null {
  return firstValue(message, 'allow') === undefined ? null : lists(message, 'allow', 'update');
}

function lists(message: Headers, key: string, wanted: string): boolean {
  return allValues(message, key).some((value) =>
    value.split(',').some((element) => element.trim().toLowerCase() === wanted),
  );
}
