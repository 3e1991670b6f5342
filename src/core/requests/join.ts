import { refuseAttempt } from '../attempt.ts';
import type { Arriving, NotTakenIn } from '../conference/attendance.ts';
import type { Conference } from '../conference/conference.ts';
import { entryRefused, membershipRefused, roleFor, type Standing, standingIn } from '../conference/policy.ts';
import { extensionRefused, type Refused, sessionRefused } from '../conference/requirements.ts';
import { type Context, type Turn, turnOf } from '../context.ts';
import type { Target } from '../directory.ts';
import type { Caller, InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';
import type { ReplacesValue } from '../rows.ts';

/** An INVITE to a conference URI joins the conference (RFC 4579 5.2). */
export function join(context: Context, input: InviteReceived, who: { caller: Caller; conference: Conference }): Turn {
  const standing = standingIn(who.conference, { aor: who.caller.aor, groups: context.groups });
  const refused = joinRefused(context, standing, input);
  if (refused !== null) return refuseAttempt(context, input, refused);
  const { caller, conference } = who;
  return takenIn(context, input, { conference, caller, role: roleFor(standing) });
}

/** Takes the caller in; `replaces`: the endpoint whose place the new one takes. */
export function takenIn(
  context: Context,
  input: InviteReceived,
  { conference, caller, role, replaces }: Omit<Arriving, 'at'> & { conference: Conference },
): Turn {
  let code: NotTakenIn | null = null;
  const turn = turnOf(context, conference, {
    actor: caller.aor,
    body() {
      code = conference.attendance.join(input, { caller, role, at: 'conference', replaces });
    },
  });
  return code === null ? turn : refuseAttempt(context, input, entranceRefused(code));
}

/** What is said to somebody whom the conference would take, but not in this way. */
export function entranceRefused(code: NotTakenIn): Refused {
  return { code, detail: notTakenIn[code] };
}

const notTakenIn: Readonly<Record<NotTakenIn, string>> = {
  'conference-full': `More than ${limits.endpointsPerParticipantMax} devices of one user`,
  'media-not-acceptable': 'The offer holds no MSRP session that takes message/cpim',
};

/** What an INVITE with Join (RFC 3911 4) is for: what its URI names, or the conference of the dialog; or why it is refused. */
export function targetOfJoin(context: Context, named: ReplacesValue, target: Target): Target | Refused {
  const owner = context.directory.dialogNamed(named, context.now);
  if (owner === 'gone') return { code: 'dialog-ended', detail: 'The dialog to join has ended' };
  // RFC 3911 4: at a conference URI, and so at a group's, a Join that names nothing there is as if it had not come.
  if (target.kind !== 'factory' && target.kind !== 'unknown') return target;
  if (owner === undefined) return { code: 'no-such-dialog', detail: 'No such dialog to join' };
  return { kind: 'conference', conference: owner.conference };
}

/** Who may not join, and why. */
function joinRefused({ settings }: Context, standing: Standing, input: InviteReceived): Refused | null {
  if (standing.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  const closed = membershipRefused(standing);
  if (closed !== null) return closed;
  return extensionRefused(unsupportedHere(input)) ?? sessionRefused(input, settings) ?? entryRefused(standing);
}

/** RFC 5366 5.1: lists are the factory's; neither a conference URI nor a group supports them. */
export function unsupportedHere({ list, requires }: InviteReceived): readonly string[] {
  return list === null ? requires : [...requires, 'recipient-list-invite'];
}
