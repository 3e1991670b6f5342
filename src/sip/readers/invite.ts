import type { InviteReceived } from '../../core/input.ts';
import { maxForwardsOf, only, type Read, reading } from '../request-facts.ts';
import { bodyOf, descriptionIn, entriesOf } from './body.ts';
import { contactOf } from './contact.ts';
import { type Asked, ok, once } from './reader.ts';

/** An INVITE outside any dialog. */
export function readInvite(asked: Asked): Read<InviteReceived> {
  const { message, facts, lenient } = asked;
  const contact = reading('bad-request', () => contactOf(message, lenient));
  if (!contact.ok) return contact;
  const body = bodyOf(asked);
  if (!body.ok) return body;
  const offer = descriptionIn(body.value);
  if (!offer.ok) return offer;
  const list = reading('bad-list', () => entriesOf(body.value.lists, lenient));
  if (!list.ok) return list;
  const subject = only(message, 'Subject').trim();
  return ok({
    ...facts,
    type: 'invite-received',
    quirks: [...facts.quirks, ...contact.value.quirks, ...body.value.quirks, ...(list.value?.quirks ?? [])].filter(
      once,
    ),
    contact: contact.value.uri,
    subject: subject === '' ? null : subject,
    maxForwards: maxForwardsOf(message),
    offer: offer.value,
    list: list.value?.entries ?? null,
    replaces: null,
    join: null,
    referredBy: null,
    sessionTimer: { expires: null, refresher: null, minSe: null },
    fromFocus: contact.value.isFocus,
  });
}
