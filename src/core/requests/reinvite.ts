import type { Conference } from '../conference/conference.ts';
import { extensionRefused, type Refused, sdpNotAcceptable } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { ReinviteReceived } from '../input.ts';
import { notTheOwner } from './owner.ts';

/** An INVITE or an UPDATE within a session (RFC 3261 14.2, RFC 3311 5.2). */
export function reinvite(context: Context, input: ReinviteReceived): Turn {
  const conference = context.directory.byEndpoint(input.endpointId);
  const found = conference?.ledger.participantOf(input.endpointId);
  if (conference === undefined || found === undefined) {
    return refuse(input.reply, { code: 'no-such-dialog', detail: 'No such session' });
  }
  const owner = { aor: found.participant.uri, known: found.endpoint.joiningMethod === 'dialed-in' };
  const refused = notTheOwner(context, input.caller, owner) ?? reinviteRefused(input);
  if (refused !== null) return refuse(input.reply, refused);
  // RFC 3261 14.2: not while an INVITE of ours is in progress.
  if (conference.attendance.isAsking(input.endpointId)) {
    return refuse(input.reply, { code: 'request-pending', detail: 'The focus has sent an offer of its own' });
  }
  let code: ReturnType<Conference['attendance']['reinvite']> = null;
  const turn = turnOf(context, conference, {
    actor: found.participant.uri,
    body: () => {
      code = conference.attendance.reinvite(input);
    },
  });
  return code === null ? turn : refuse(input.reply, { code, detail: 'The new offer cannot be used' });
}

function reinviteRefused(input: ReinviteReceived): Refused | null {
  // RFC 5366 5.1: within the session the list's option is unknown, and the session stays as it was.
  const refused = extensionRefused(input.requires) ?? sdpNotAcceptable(input);
  if (refused !== null || !input.carriesList) return refused;
  return { code: 'unsupported-body', detail: 'A resource list has no meaning within a session' };
}
