import type { RequestInput } from '../../core/input.ts';
import type { Dialog } from '../dialogs.ts';
import type { Read } from '../request-facts.ts';
import { bodyOf, descriptionIn, listTag } from './body.ts';
import { type Asked, no, ok } from './reader.ts';

/** An INVITE within a session. */
export function readReinvite(asked: Asked, dialog: Dialog): Read<RequestInput> {
  if (dialog.session === null || dialog.session.ending) return no('no-such-dialog', 'No session in this dialog');
  const body = bodyOf(asked);
  if (!body.ok) return body;
  const offer = descriptionIn(body.value);
  if (!offer.ok) return offer;
  return ok({
    ...asked.facts,
    type: 'reinvite-received',
    endpointId: dialog.session.endpointId,
    offer: offer.value,
    // RFC 5366 5.1: lists belong to the factory; what becomes of one here is for the core to say.
    carriesList: body.value.lists.length > 0 || asked.facts.requires.includes(listTag),
    sessionTimer: { expires: null, refresher: null, minSe: null },
  });
}
