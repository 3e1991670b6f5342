import type { Conference } from '../conference/conference.ts';
import { extensionRefused, type Refused, sessionRefused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { ReinviteReceived } from '../input.ts';
import type { RefusalCode } from '../refusal.ts';
import { notTheOwner } from './owner.ts';

/** An INVITE or an UPDATE within a session (RFC 3261 14.2, RFC 3311 5.2). */
export function reinvite(context: Context, input: ReinviteReceived): Turn {
  const conference = context.directory.byEndpoint(input.endpointId);
  const found = conference?.ledger.participantOf(input.endpointId);
  if (conference === undefined || found === undefined) {
    return refuse(input.reply, { code: 'no-such-dialog', detail: 'No such session' });
  }
  // Whoever was called may have another name where he is, and changes but his own session.
  const isCalled = found.endpoint.joiningMethod === 'dialed-out';
  const owner = { aor: found.participant.uri, known: true };
  const refused =
    (isCalled ? null : notTheOwner(context, input.caller, owner)) ??
    reinviteRefused(context, input) ??
    crossingRefused(context, conference.attendance.crossing(input, found.endpoint, context.now));
  if (refused !== null) return refuse(input.reply, refused);
  let code: ReturnType<Conference['attendance']['reinvite']> = null;
  const turn = turnOf(context, conference, {
    actor: found.participant.uri,
    body: () => {
      code = conference.attendance.reinvite(input);
    },
  });
  return code === null ? turn : refuse(input.reply, { code, detail: 'The new offer cannot be used' });
}

function reinviteRefused({ settings }: Context, input: ReinviteReceived): Refused | null {
  // RFC 5366 5.1: within the session the list's option is unknown, and the session stays as it was.
  const refused = extensionRefused(input.requires) ?? sessionRefused(input, settings);
  if (refused !== null || !input.carriesList) return refused;
  return { code: 'unsupported-body', detail: 'A resource list has no meaning within a session' };
}

/** RFC 3261 14.2, RFC 3311 5.2: glare with an offer of ours is 491; of two of the peer's, the second is 500, to come again. */
function crossingRefused({ ids }: Context, code: RefusalCode | null): Refused | null {
  if (code !== 'request-overlaps')
    return code === null ? null : { code, detail: 'The focus has made an offer of its own' };
  const headers = { 'Retry-After': String(ids.retryAfter()) };
  return { code, detail: 'The request before it is still to be answered', headers };
}
