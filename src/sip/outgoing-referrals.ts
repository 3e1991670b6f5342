/** What the focus sends because of a REFER: how it goes, and a REFER of its own. */
import type { SipNotifyReferral, SipRefer } from '../core/effect.ts';
import { parseSipUri, writeSipUri } from '../wire/sip-uri.ts';
import { sipfragType, writeStatusFragment } from '../wire/sipfrag.ts';
import { allow, allowEvents, focusContact, product } from './capabilities.ts';
import type { LeftDialog } from './dialogs.ts';
import {
  farewellOf,
  headOutside,
  nextHop,
  notifyOf,
  type OutgoingRequest,
  oneLine,
  type RoutingRules,
  reachableTarget,
  type Told,
} from './outgoing.ts';
import { multipartOf, tokenParts } from './outgoing-body.ts';

/** A NOTIFY of the refer package (RFC 3515 2.4.4, 2.4.5). */
export function notifyReferralRequest(effect: SipNotifyReferral): OutgoingRequest {
  return notifyOf(effect, told(effect.eventId, effect.cause));
}

/** The last NOTIFY of a referral that nobody follows any more. */
export function referralFarewell(left: LeftDialog): OutgoingRequest {
  const lost = told(left.eventId ?? null, { status: 503, reason: 'Service Unavailable' });
  return farewellOf(left, { ...lost, reason: 'noresource' });
}

/** RFC 3515 2.4.6, 2.4.5: the CSeq number of a REFER that was not the first of its dialog, and a status line. */
function told(eventId: number | null, cause: SipNotifyReferral['cause']): Told {
  const event = eventId === null ? 'refer' : `refer;id=${eventId}`;
  return { event, document: { type: sipfragType, text: writeStatusFragment(cause) } };
}

/** The REFER that asks somebody to call in, or null when its target cannot be reached by SIP: tel without a SIP core. */
export function referRequest(effect: SipRefer, rules: RoutingRules): OutgoingRequest | null {
  const target = reachableTarget(parseSipUri(effect.uri), rules.sipCore);
  if (target === null) return null;
  const token = tokenParts(effect.referral?.token ?? null);
  const body = token.length === 0 ? null : multipartOf(token, effect.fromTag);
  const headers = {
    ...headOutside(effect, { target, displayName: null }, rules),
    'Contact': focusContact(effect.conferenceUri),
    // RFC 4579 5.7.
    'Refer-To': `<${effect.conferenceUri}>`,
    // RFC 4488 4: the answer is all we want to know. Not required: whoever does not know that is asked in all the same.
    'Refer-Sub': 'false',
    'Supported': 'norefersub',
    'Allow': allow,
    'Allow-Events': allowEvents,
    'User-Agent': product,
    ...(body === null ? {} : { 'Content-Type': body.contentType }),
  };
  const text = body === null ? {} : { body: body.text };
  const options = { method: 'REFER', headers: oneLine(headers), ...text, ...nextHop(rules) };
  return { uri: writeSipUri(target), options };
}
