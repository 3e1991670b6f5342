import type { RequestInput } from '../../core/input.ts';
import type { Dialog } from '../dialogs.ts';
import type { Read } from '../request-facts.ts';
import { bodyOf, descriptionIn, listTag } from './body.ts';
import { misplacedDialogName } from './dialog-names.ts';
import { type Asked, no, ok, once } from './reader.ts';
import { sessionTimerOf } from './session-timer.ts';

/** An INVITE or an UPDATE within a session. */
export function readReinvite(asked: Asked, dialog: Dialog): Read<RequestInput> {
  const { message, facts } = asked;
  if (dialog.session === null || dialog.session.ending) return no('no-such-dialog', 'No session in this dialog');
  // Our decision: a session that stands can neither take over another nor join it.
  const misplaced = misplacedDialogName(message);
  if (misplaced !== null) return no('bad-request', `${misplaced} within a session`);
  const body = bodyOf(asked);
  if (!body.ok) return body;
  const offer = descriptionIn(body.value);
  if (!offer.ok) return offer;
  return ok({
    ...facts,
    type: 'reinvite-received',
    quirks: [...facts.quirks, ...body.value.quirks, ...offer.value.quirks].filter(once),
    endpointId: dialog.session.endpointId,
    offer: offer.value.description,
    // RFC 5366 5.1: lists belong to the factory; what becomes of one here is for the core to say.
    carriesList: body.value.lists.length > 0 || facts.requires.includes(listTag),
    sessionTimer: sessionTimerOf(message),
    overlaps: asked.unanswered.some((method) => overlap(method, facts.method, offer.value.description !== null)),
  });
}

/**
 * RFC 3261 14.2, RFC 3311 5.2: an INVITE or UPDATE that comes while one before it waits for our answer overlaps it, but
 * for an UPDATE that offers nothing, which does not touch the offer of an INVITE.
 */
function overlap(before: string, method: string, offers: boolean): boolean {
  if (before === 'INVITE') return method === 'INVITE' || offers;
  return before === 'UPDATE';
}
