import { refuseAttempt } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { entryRefused, membershipRefused, roleFor, type Standing, standingIn } from '../conference/policy.ts';
import { extensionRefused, type Refused, sdpNotAcceptable } from '../conference/requirements.ts';
import { type Context, type Turn, turnOf } from '../context.ts';
import type { Caller, InviteReceived } from '../input.ts';

/** An INVITE to a conference URI joins the conference (RFC 4579 5.2). */
export function join(context: Context, input: InviteReceived, who: { caller: Caller; conference: Conference }): Turn {
  const { conference, caller } = who;
  const standing = standingIn(conference, { aor: caller.aor, groups: context.groups });
  const refused = joinRefused(standing, input);
  if (refused !== null) return refuseAttempt(context, input, refused);
  let code: ReturnType<Conference['attendance']['join']> = null;
  const turn = turnOf(context, conference, {
    actor: caller.aor,
    body: () => {
      code = conference.attendance.join(input, { caller, role: roleFor(standing), at: 'conference' });
    },
  });
  if (code === null) return turn;
  return refuseAttempt(context, input, { code, detail: 'The offer holds no MSRP session that takes message/cpim' });
}

/** Who may not join, and why. */
function joinRefused(standing: Standing, input: InviteReceived): Refused | null {
  if (standing.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  const closed = membershipRefused(standing);
  if (closed !== null) return closed;
  return extensionRefused(unsupportedHere(input)) ?? sdpNotAcceptable(input) ?? entryRefused(standing);
}

/** RFC 5366 5.1: lists are the factory's; neither a conference URI nor a group supports them. */
export function unsupportedHere({ list, requires }: InviteReceived): readonly string[] {
  return list === null ? requires : [...new Set([...requires, 'recipient-list-invite'])];
}
