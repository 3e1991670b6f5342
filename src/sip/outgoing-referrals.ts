/** What the focus sends because of a REFER: how it goes, and a REFER of its own. */
import type { SipNotifyReferral, SipRefer } from '../core/effect.ts';
import { writeNameAddr } from '../wire/sip-headers.ts';
import { parseSipUri, writeSipUri } from '../wire/sip-uri.ts';
import { sipfragType, writeStatusFragment } from '../wire/sipfrag.ts';
import { allow, allowEvents, focusContact, product } from './capabilities.ts';
import type { LeftDialog } from './dialogs.ts';
import {
  inDialog,
  isTrustedHop,
  type OutgoingRequest,
  oneLine,
  type RoutingRules,
  reachableTarget,
} from './outgoing.ts';
import { multipartOf, tokenParts } from './outgoing-body.ts';

/** A NOTIFY of the refer package (RFC 3515 2.4.4, 2.4.5). */
export function notifyReferralRequest(effect: SipNotifyReferral): OutgoingRequest {
  const { state } = effect;
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: effect.dialogId,
    headers: oneLine({
      // RFC 6665 4.3: NOTIFY is a target refresh request; the SIP server adds no Contact by itself.
      'Contact': focusContact(effect.conferenceUri),
      'Event': referEvent(effect.eventId),
      'Subscription-State':
        state.name === 'terminated' ? `terminated;reason=${state.reason}` : `active;expires=${state.expires}`,
      'Allow-Events': allowEvents,
      'User-Agent': product,
      'Content-Type': sipfragType,
    }),
    body: writeStatusFragment(effect.cause),
  });
}

/** The last NOTIFY of a referral that nobody follows any more. */
export function referralFarewell(left: LeftDialog): OutgoingRequest {
  const contact = left.contact === undefined ? {} : { 'Contact': focusContact(left.contact) };
  return inDialog({
    method: 'NOTIFY',
    stackDialogId: left.dialogId,
    headers: oneLine({
      ...contact,
      'Event': referEvent(left.eventId ?? null),
      'Subscription-State': 'terminated;reason=noresource',
      'User-Agent': product,
      'Content-Type': sipfragType,
    }),
    // RFC 3515 2.4.5: every NOTIFY of a REFER has a status line.
    body: writeStatusFragment({ status: 503, reason: 'Service Unavailable' }),
  });
}

/** The REFER that asks somebody to call in, or null when its target cannot be reached by SIP: tel without a SIP core. */
export function referRequest(effect: SipRefer, rules: RoutingRules): OutgoingRequest | null {
  const target = reachableTarget(parseSipUri(effect.uri), rules.sipCore);
  if (target === null) return null;
  const uri = writeSipUri(target);
  const token = tokenParts(effect.referral?.token ?? null);
  const body = token.length === 0 ? null : multipartOf(token, effect.fromTag);
  const referredBy = effect.referral?.value ?? (effect.referredBy === null ? null : `<${effect.referredBy}>`);
  const headers = {
    'To': writeNameAddr({ displayName: null, uri, params: [] }),
    'From': writeNameAddr({
      displayName: null,
      uri: effect.conferenceUri,
      params: [{ name: 'tag', value: effect.fromTag }],
    }),
    'Call-ID': effect.callId,
    'Max-Forwards': String(effect.maxForwards),
    'Contact': focusContact(effect.conferenceUri),
    // RFC 3325 9.1: the focus asserts itself, but only towards those who trust it.
    ...(isTrustedHop(target, rules) ? { 'P-Asserted-Identity': `<${effect.conferenceUri}>` } : {}),
    // RFC 4579 5.7.
    'Refer-To': `<${effect.conferenceUri}>`,
    ...(referredBy === null ? {} : { 'Referred-By': referredBy }),
    // RFC 4488 4: the answer is all we want to know. Not required, so that whoever does not know it is asked in all the same.
    'Refer-Sub': 'false',
    'Supported': 'norefersub',
    'Allow': allow,
    'Allow-Events': allowEvents,
    'User-Agent': product,
    ...(body === null ? {} : { 'Content-Type': body.contentType }),
  };
  const proxy = rules.sipCore === null ? {} : { proxy: writeSipUri(rules.sipCore) };
  const text = body === null ? {} : { body: body.text };
  return { uri, options: { method: 'REFER', headers: oneLine(headers), ...text, ...proxy } };
}

/** RFC 3515 2.4.6: `refer`, with the CSeq number of the REFER where it was not the first of its dialog. */
function referEvent(id: number | null): string {
  return id === null ? 'refer' : `refer;id=${id}`;
}
