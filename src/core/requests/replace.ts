import { aorOf } from '../../wire/sip-uri.ts';
import { refuseAttempt } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { isPresent } from '../conference/participant.ts';
import { entryRefused, membershipRefused, roleFor, standingIn } from '../conference/policy.ts';
import { extensionRefused, type Refused, sessionRefused } from '../conference/requirements.ts';
import type { Place } from '../conference/session-changes.ts';
import type { Context, Turn } from '../context.ts';
import type { Target } from '../directory.ts';
import type { Caller, InviteReceived } from '../input.ts';
import type { ReplacesValue } from '../rows.ts';
import { takenIn, unsupportedHere } from './join.ts';

/** Which of our dialogs an INVITE is to take over. */
type Replacing = { readonly conference: Conference; readonly place: Place };

/** An INVITE with Replaces takes over one of our dialogs: its user goes on with another device (RFC 3891 3, RFC 4579 5.9). */
export function replace(
  context: Context,
  input: InviteReceived,
  asked: { readonly caller: Caller; readonly target: Target; readonly named: ReplacesValue },
): Turn {
  const { caller } = asked;
  const refused = extensionRefused(unsupportedHere(input)) ?? sessionRefused(input, context.settings);
  if (refused !== null) return refuseAttempt(context, input, refused);
  const found = dialogToReplace(context, asked);
  if ('code' in found) return refuseAttempt(context, input, found);
  const { conference, place } = found;
  const standing = standingIn(conference, { aor: caller.aor, groups: context.groups });
  const notAllowed = takeOverRefused(input, { caller, place }) ?? comingRefused(standing, place);
  if (notAllowed !== null) return refuseAttempt(context, input, notAllowed);
  const replaces = place.endpoint.id;
  return takenIn(context, input, { conference, caller, role: roleFor(standing), replaces });
}

/** RFC 3891 3: the one dialog that is meant, if it is in a state that can be replaced. */
function dialogToReplace(
  { directory, now }: Context,
  { target, named }: { readonly target: Target; readonly named: ReplacesValue },
): Replacing | Refused {
  const owner = directory.dialogNamed(named, now);
  if (owner === 'gone') return ended;
  // Our dialogs are with conferences: at any other URI of ours, or another conference's, this one is not to be found.
  const meant = target.kind === 'conference' || target.kind === 'group' ? target.conference : null;
  const place = owner?.conference === meant ? owner?.conference.ledger.participantOf(owner.endpointId) : undefined;
  if (owner === undefined || place === undefined)
    return { code: 'no-such-dialog', detail: 'No such dialog to replace' };
  const { status } = place.endpoint;
  // Its INVITE is being cancelled: nobody waits for what becomes of it.
  if (status === 'disconnecting' || owner.conference.row.status !== 'active') return ended;
  if (isPresent(status) && named.earlyOnly)
    return { code: 'dialog-confirmed', detail: 'The dialog to replace is confirmed' };
  return { conference: owner.conference, place };
}

const ended: Refused = { code: 'dialog-ended', detail: 'The dialog to replace has ended' };

/** RFC 3891 3: a dialog is taken over by its own user, or on the word of its own user (RFC 3892). */
function takeOverRefused(
  { referredBy }: InviteReceived,
  { caller, place }: { readonly caller: Caller; readonly place: Place },
): Refused | null {
  const { uri } = place.participant;
  if (caller.aor === uri || (referredBy !== null && aorOf(referredBy.uri) === uri)) return null;
  return { code: 'not-your-dialog', detail: 'The dialog to replace is somebody else’s' };
}

/** Whoever changes devices adds nobody; whoever takes over from somebody else comes in, but into the place of one who goes. */
function comingRefused(standing: ReturnType<typeof standingIn>, { participant, endpoint }: Place): Refused | null {
  if (participant.uri === standing.aor) return null;
  const refused = membershipRefused(standing) ?? entryRefused(standing);
  if (refused?.code !== 'conference-full') return refused;
  const present = participant.endpoints.filter(({ status }) => isPresent(status));
  return present.length === 1 && present[0]?.id === endpoint.id ? null : refused;
}
