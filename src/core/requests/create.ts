import { refuseAttempt } from '../attempt.ts';
import { Conference } from '../conference/conference.ts';
import { planConference } from '../conference/factory.ts';
import type { Refused } from '../conference/requirements.ts';
import { type Context, isFocus, type Turn, turnOf } from '../context.ts';
import type { Caller, InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';

/** An INVITE to the factory makes a conference (RFC 4579 5.4). */
export function create(context: Context, input: InviteReceived, caller: Caller): Turn {
  const { settings, ids, directory, now } = context;
  if (context.stopping) return refuseAttempt(context, input, { code: 'stopping', detail: 'The service is stopping' });
  if (directory.count >= limits.conferencesMax)
    return refuseAttempt(context, input, { code: 'busy', detail: 'Too many conferences' });
  const plan = planConference(input, { caller, now }, { settings, ids, isFocus: (uri) => isFocus(context, uri) });
  if ('code' in plan) return refuseAttempt(context, input, plan);
  const conference = new Conference({ ids, settings, record: plan.record });
  let refused: Refused | null = null;
  const turn = turnOf(context, conference, {
    actor: caller.aor,
    body: () => {
      refused = begin(conference, { input, caller, plan });
    },
  });
  // Nothing of a refused creation is kept: the conference was never added, its effects are never performed.
  if (refused !== null) {
    directory.drop(conference);
    return refuseAttempt(context, input, refused);
  }
  if (conference.row.status !== 'ended') directory.add(conference);
  return turn;
}

type Beginning = { input: InviteReceived; caller: Caller; plan: Exclude<ReturnType<typeof planConference>, Refused> };

/** RFC 4579 5.4, RFC 5366 5: the creator is answered first, the invitations follow at once. */
function begin(conference: Conference, { input, caller, plan }: Beginning): Refused | null {
  conference.ledger.event('conference.created', { created_by: caller.aor, quirks: plan.quirks });
  conference.activate();
  const code = conference.attendance.join(input, { caller, role: 'chair', at: 'factory' });
  if (code !== null) return { code, detail: 'The offer holds no MSRP session that takes message/cpim' };
  const maxForwards = Math.min(limits.maxForwards, input.maxForwards - 1);
  // RFC 3323 5.1: whoever asked for privacy is not named to the invitees.
  const referredBy = caller.private ? null : caller.aor;
  conference.invitations.inviteAll(plan.invitees, { by: 'list', referredBy, maxForwards });
  return null;
}
