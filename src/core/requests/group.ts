import { refuseAttempt } from '../attempt.ts';
import { chatRefused } from '../chat-policy.ts';
import type { Conference } from '../conference/conference.ts';
import { newConference } from '../conference/factory.ts';
import { readList } from '../conference/invitation-list.ts';
import { memberEntries, refusedToFocus } from '../conference/own-groups.ts';
import { mayJoinGroup, memberOf, roleFor } from '../conference/policy.ts';
import { extensionRefused, type Refused, sessionRefused } from '../conference/requirements.ts';
import type { Context, Turn } from '../context.ts';
import { found, foundingRefused } from '../founding.ts';
import type { Caller, InviteReceived } from '../input.ts';
import type { GroupRow } from '../rows.ts';
import { inviting } from './inviting.ts';
import { entranceRefused, join, unsupportedHere } from './join.ts';
import { creatorRefused, rateRefused } from './permission.ts';

/** An INVITE to a group joins its session, of which there is one at a time, or starts it and invites the members. */
export function callGroup(
  context: Context,
  input: InviteReceived,
  asked: { readonly caller: Caller; readonly group: GroupRow; readonly session: Conference | null },
): Turn {
  const { caller, group, session } = asked;
  if (input.fromFocus) return refuseAttempt(context, input, refusedToFocus(context, group, caller.aor));
  // A session that is ending is none any more.
  if (session?.row.status === 'active') return join(context, input, { caller, conference: session });
  return start(context, input, { caller, group });
}

function start(context: Context, input: InviteReceived, asked: { caller: Caller; group: GroupRow }): Turn {
  const { caller, group } = asked;
  const refused = startRefused(context, input, asked);
  if (refused !== null) return refuseAttempt(context, input, refused);
  const row = newConference(context, {
    kind: 'pre_arranged',
    groupId: group.id,
    factoryUri: null,
    subject: group.subject ?? input.subject,
    locked: false,
    maxParticipants: group.maxParticipants,
    policy: group.policy,
    createdBy: caller.aor,
    labels: {},
  });
  const begin = (conference: Conference): Refused | null => {
    conference.ledger.event('conference.created', { created_by: caller.aor, group_id: group.id, quirks: input.quirks });
    conference.activate();
    const role = roleFor({ aor: caller.aor, row, group });
    const code = conference.attendance.join(input, { caller, role, at: 'conference' });
    if (code !== null) return entranceRefused(code);
    conference.invitations.inviteAll(readList(context, memberEntries(group), caller.aor), {
      by: 'group',
      ...inviting(input, caller),
      roleOf: (aor) => memberOf(group, aor)?.role ?? 'participant',
    });
    return null;
  };
  const made = found(context, { row, begin });
  return 'code' in made ? refuseAttempt(context, input, made) : made.turn;
}

/** Members have agreed to be called by being members, and their number is the operator's: neither is judged again. */
function startRefused(
  context: Context,
  input: InviteReceived,
  { caller, group }: { caller: Caller; group: GroupRow },
): Refused | null {
  if (!mayJoinGroup(group, caller.aor)) return { code: 'not-a-member', detail: 'Only members may call this group' };
  return (
    creatorRefused(context, caller.aor) ??
    foundingRefused(context) ??
    mediaRefused(context, group) ??
    extensionRefused(unsupportedHere(input)) ??
    sessionRefused(input, context.settings) ??
    rateRefused(context, caller.aor, { creations: 1, invitations: 0 })
  );
}

/** What the operator wanted of the group once may be what the service has no longer. */
function mediaRefused({ settings }: Context, { policy }: GroupRow): Refused | null {
  const detail = chatRefused(policy, settings);
  return detail === null ? null : { code: 'media-not-acceptable', detail };
}
