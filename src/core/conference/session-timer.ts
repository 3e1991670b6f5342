/** Session timers (RFC 4028 9): what is granted to a peer's INVITE or UPDATE. The SIP server runs them. */
import type { SessionTimerGrant } from '../effect.ts';
import type { SessionTimerAnswer, SessionTimerAsk, SipRequestFacts } from '../input.ts';
import { limits } from '../limits.ts';
import type { SessionTimerRow } from '../rows.ts';
import type { Settings } from '../settings.ts';

type Asking = Pick<SipRequestFacts, 'supports'> & { readonly sessionTimer: SessionTimerAsk };
type Rules = Pick<Settings, 'sessionExpires' | 'minSe'>;

/**
 * What our 2xx says; null: the session does not expire. Whoever asks for nothing is asked, since a peer that has gone
 * without a word is found out in no other way. `running` is what held in the session so far.
 */
export function grantedTimer(asking: Asking, rules: Rules, running: SessionTimerRow | null): SessionTimerGrant | null {
  const { expires, minSe } = asking.sessionTimer;
  // RFC 4028 5, 9: shorter than any may be, and we may not raise it.
  if (expires !== null && expires < limits.sessionSecondsMin) return null;
  // RFC 4028 9: it may be lowered, but not below the request's Min-SE.
  const most = Math.max(rules.sessionExpires, minSe ?? 0);
  const seconds = expires === null ? most : Math.min(expires, most);
  if (seconds > limits.sessionSecondsMax) return null;
  return {
    expires: seconds,
    refresher: refresherFor(asking, running),
    // RFC 4028 9: with uac it must be there, with uas it should, but never for who does not know it.
    required: knowsTimer(asking),
  };
}

/** The same as the endpoint's row has it. */
export function timerRow(grant: SessionTimerGrant | null): SessionTimerRow | null {
  return grant === null ? null : { expires: grant.expires, refresher: grant.refresher === 'uac' ? 'peer' : 'focus' };
}

/** What the 2xx to an INVITE of ours has agreed (RFC 4028 7.2): its UAC is the focus. */
export function agreedTimer(said: SessionTimerAnswer | null): SessionTimerRow | null {
  return said === null ? null : { expires: said.expires, refresher: said.refresher === 'uac' ? 'focus' : 'peer' };
}

/** The same for an INVITE of ours within the session (RFC 4028 7.4): what runs goes on. */
export function keptTimer(running: SessionTimerRow | null): SessionTimerAnswer | null {
  return running === null
    ? null
    : { expires: running.expires, refresher: running.refresher === 'focus' ? 'uac' : 'uas' };
}

/** RFC 4028 9, table 2: whom the request names; else as it was; else the peer, where it knows how. */
function refresherFor(asking: Asking, running: SessionTimerRow | null): SessionTimerGrant['refresher'] {
  if (!knowsTimer(asking)) return 'uas';
  const usual = running?.refresher === 'focus' ? 'uas' : 'uac';
  return asking.sessionTimer.refresher ?? usual;
}

/** RFC 4028 4. */
export function knowsTimer({ supports }: Pick<SipRequestFacts, 'supports'>): boolean {
  return supports.includes('timer');
}
