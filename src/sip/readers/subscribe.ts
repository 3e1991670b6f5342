import type { RequestInput } from '../../core/input.ts';
import { parseEvent, parseExpires } from '../../wire/sip-headers.ts';
import { headerValues, type SipMessage } from '../../wire/sip-message.ts';
import { referralNamed } from '../dialogs.ts';
import { type Read, reading } from '../request-facts.ts';
import { contactOf } from './contact.ts';
import { type Asked, no, ok } from './reader.ts';

/** A SUBSCRIBE, outside dialogs, within a subscription's, or within a REFER's. */
export function readSubscribe({ message, facts, dialog, lenient }: Asked): Read<RequestInput> {
  const contact = reading('bad-request', () => contactOf(message, lenient));
  if (!contact.ok) return contact;
  // RFC 4575 3.2 defines no body for SUBSCRIBE.
  if (message.body !== '') return no('unsupported-body', 'A SUBSCRIBE has no body here');
  const header = headerValues(message, 'Event')[0];
  const event = reading('bad-event', () => (header === undefined ? null : parseEvent(header)));
  if (!event.ok) return event;
  const expiry = headerValues(message, 'Expires')[0];
  const expires = expiry === undefined ? null : parseExpires(expiry);
  if (dialog !== null && event.value?.type === 'refer') {
    const referral = referralNamed(dialog, event.value.id);
    if (referral === null) return no('no-such-dialog', 'No such referral');
    return ok({ ...facts, type: 'referral-refreshed', referralId: referral.referralId, expires });
  }
  const asks = { event: event.value?.type ?? null, expires, lastNotifyVersion: lastNotifyVersionOf(message) };
  const subscription = dialog?.subscription ?? null;
  if (subscription === null) {
    // RFC 6665 4.5.2: to share the dialog of an INVITE is an old form of subscribing, taken all the same.
    return ok({ ...facts, ...asks, type: 'subscribe-received' });
  }
  if (subscription.ending) return no('no-such-dialog', 'The subscription has ended');
  return ok({ ...facts, ...asks, type: 'subscription-refreshed', subscriptionId: subscription.subscriptionId });
}

/** No RFC has this header; liblinphone says with it what it already knows. Our versions count on from it, with room to. */
function lastNotifyVersionOf(message: SipMessage): number | null {
  const value = headerValues(message, 'Last-Notify-Version')[0]?.trim() ?? '';
  return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 30 ? Number(value) : null;
}
