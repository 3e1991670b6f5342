import { refuseAttempt } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { extensionRefused, type Refused, sdpNotAcceptable } from '../conference/requirements.ts';
import { type Context, type Turn, turnOf } from '../context.ts';
import type { Caller, InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';

/** An INVITE to a conference URI joins the conference (RFC 4579 5.2). */
export function join(context: Context, input: InviteReceived, who: { caller: Caller; conference: Conference }): Turn {
  const { conference, caller } = who;
  const refused = joinRefused(conference, input);
  if (refused !== null) return refuseAttempt(context, input, refused);
  let code: ReturnType<Conference['attendance']['join']> = null;
  const turn = turnOf(context, conference, {
    actor: caller.aor,
    body: () => {
      const role = caller.aor === conference.row.createdBy ? 'chair' : 'participant';
      code = conference.attendance.join(input, { caller, role, at: 'conference' });
    },
  });
  if (code === null) return turn;
  return refuseAttempt(context, input, { code, detail: 'The offer holds no MSRP session that takes message/cpim' });
}

/** Who may not join, and why. That conferences can be locked or full, and what is said then, is our decision. */
function joinRefused(conference: Conference, input: InviteReceived): Refused | null {
  if (conference.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  // RFC 5366 5.1: lists are the factory's; a conference URI does not support them.
  const unsupported = input.list === null ? input.requires : [...new Set([...input.requires, 'recipient-list-invite'])];
  const refused = extensionRefused(unsupported) ?? sdpNotAcceptable(input);
  if (refused !== null) return refused;
  if (conference.row.locked) return { code: 'conference-locked', detail: 'Nobody can be added' };
  const max = conference.row.maxParticipants ?? limits.participantsPerConferenceMax;
  if (conference.row.participantCount >= max) return { code: 'conference-full', detail: `At most ${max} participants` };
  return null;
}
