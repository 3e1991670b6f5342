import { aorOf } from '../../wire/sip-uri.ts';
import { refuseAttempt } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { consentRefused, permissionUri } from '../conference/consent.ts';
import { historyOf, type Invitee } from '../conference/invitees.ts';
import { isPresent } from '../conference/participant.ts';
import { standingIn } from '../conference/policy.ts';
import { grantedReferralExpires, type ReferralTarget } from '../conference/referrals.ts';
import { extensionRefused, type Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { ReferReceived, ReferralRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import type { EndpointRow, ParticipantRow, ReferTargetRow } from '../rows.ts';
import { notTheOwner } from './owner.ts';
import { rateRefused } from './permission.ts';
import { outcomeOf, planOf, type ReferPlan, type ReferScene } from './refer-plan.ts';

/** A REFER asks the focus to invite, to remove, or to have somebody call in (RFC 4579 5.5 to 5.11). */
export function refer(context: Context, input: ReferReceived): Turn {
  const scene = sceneOf(context, input);
  if ('code' in scene) return refusedReferral(context, input, scene);
  const { conference, referrer } = scene;
  const refused = requestRefused(input, scene);
  if (refused !== null) return refusedReferral(context, input, refused);
  const plans = planOf(input.targets, scene);
  if ('code' in plans) return refusedReferral(context, input, plans);
  const inVain = refusedAtOnce(plans, input) ?? invitationsRefused(plans, { input, scene });
  if (inVain !== null) return refusedReferral(context, input, inVain);
  return turnOf(context, conference, {
    actor: referrer.aor,
    body: () => carryOut(plans, { input, scene }),
  });
}

/** What leaves no referral is kept as an attempt, but for strangers', who leave no trace. */
function refusedReferral(context: Context, input: ReferReceived, refused: Refused): Turn {
  const isStranger = refused.code === 'unauthenticated';
  return isStranger ? refuse(input.reply, refused) : refuseAttempt(context, input, refused);
}

const unauthenticated: Refused = { code: 'unauthenticated', detail: 'REFER' };

type Referring = { readonly input: ReferReceived; readonly scene: ReferScene };

/** Where the REFER goes and who sent it, or why there is nothing of it. */
function sceneOf(context: Context, input: ReferReceived): ReferScene | Refused {
  const conference = conferenceOf(context, input);
  // Nobody unknown learns what is here and what is not.
  const isUnknown = input.caller === null && input.endpointId === null;
  if ('code' in conference) return isUnknown ? unauthenticated : conference;
  const participant = referrerOf(context, input, conference);
  if ('code' in participant) return participant;
  const referrer = standingIn(conference, { aor: participant.uri, groups: context.groups });
  const maxForwards = Math.min(limits.maxForwards, input.maxForwards - 1);
  return { context, conference, referrer, maxForwards };
}

function conferenceOf(context: Context, input: ReferReceived): Conference | Refused {
  const { directory, now } = context;
  if (input.endpointId !== null)
    return directory.byEndpoint(input.endpointId) ?? { code: 'no-such-dialog', detail: 'No such session' };
  const target = directory.target(input.target, now);
  switch (target.kind) {
    case 'conference':
      return target.conference;
    case 'group':
      return target.conference ?? { code: 'no-session', detail: 'Nobody is in the group now' };
    case 'factory':
      return { code: 'not-allowed', detail: 'The factory takes no REFER' };
    case 'ended':
      return { code: 'conference-ended', detail: 'The conference is over' };
    case 'unknown':
      return { code: 'no-such-conference', detail: 'The Request-URI names no running conference' };
  }
}

/** Who sent it: whose the session is that it came in, or that it names, else who its sender is known to be. */
function referrerOf(context: Context, input: ReferReceived, conference: Conference): ParticipantRow | Refused {
  const { ledger } = conference;
  const session = input.endpointId === null ? undefined : ledger.participantOf(input.endpointId);
  if (input.endpointId !== null) {
    if (session === undefined) return { code: 'no-such-dialog', detail: 'No such session' };
    return notTheOwner(context, input.caller, ownerOf(session)) ?? session.participant;
  }
  const named = sessionNamed(context, input, conference);
  if (named !== undefined && notTheOwner(context, input.caller, ownerOf(named)) === null) return named.participant;
  if (input.caller === null) return unauthenticated;
  const known = ledger.participantByUri(input.caller.aor);
  // Our rule: who is not in the conference has no say in it.
  if (known !== undefined && isPresent(known.status)) return known;
  return { code: 'not-a-participant', detail: 'Only participants may refer' };
}

type Session = { readonly participant: ParticipantRow; readonly endpoint: EndpointRow };

/** RFC 4538 5: the session that Target-Dialog names speaks for who is in it, as if the REFER had come in it. */
function sessionNamed(context: Context, input: ReferReceived, conference: Conference): Session | undefined {
  if (input.targetDialog === null) return undefined;
  const owner = context.directory.dialogNamed(input.targetDialog, context.now);
  if (owner === undefined || owner === 'gone' || owner.conference !== conference) return undefined;
  const session = conference.ledger.participantOf(owner.endpointId);
  return session !== undefined && isPresent(session.endpoint.status) ? session : undefined;
}

function ownerOf({ participant, endpoint }: Session): { aor: string; known: boolean } {
  return { aor: participant.uri, known: endpoint.joiningMethod === 'dialed-in' };
}

/** What is wrong with the request, whatever it asks for. */
function requestRefused(input: ReferReceived, { conference, referrer }: ReferScene): Refused | null {
  if (conference.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  const unknown = extensionRefused(input.requires);
  if (unknown !== null) return unknown;
  if (input.targets.length > limits.listEntriesMax)
    return { code: 'list-too-long', detail: `More than ${limits.listEntriesMax} entries` };
  const { referredBy } = input;
  const names = new Set([referrer.aor, input.caller?.aor]);
  // RFC 3892 2.2 has it passed on as it came, so it must not name anybody but its sender (our rule).
  if (referredBy !== null && !names.has(aorOf(referredBy.uri)))
    return { code: 'wrong-referrer', detail: aorOf(referredBy.uri) };
  const { openIds } = conference.referrals;
  const isBusy =
    openIds.length >= limits.referralsPerConferenceMax ||
    conference.referrals.countIn(input.dialogId) >= limits.referralsPerDialogMax;
  return isBusy ? { code: 'busy', detail: 'Too many referrals under way' } : null;
}

/**
 * What is known at once of the one URI that a REFER names is its answer. Our choice: that somebody is not here is told by
 * a NOTIFY where one is wanted.
 */
function refusedAtOnce(plans: readonly ReferPlan[], input: ReferReceived): Refused | null {
  const [only] = plans;
  if (input.viaList || only?.what.kind !== 'nothing' || only.what.refused === null) return null;
  return only.what.refused.code === 'no-such-participant' && input.wantsSubscription ? null : only.what.refused;
}

/**
 * RFC 5363 5.2, 5.3: nobody is invited by a list without having agreed, and one user may not have many called. Ours: nor is
 * anybody named alone, or a list could be asked in one by one.
 */
function invitationsRefused(plans: readonly ReferPlan[], { scene }: Referring): Refused | null {
  const uris = plans.flatMap(({ what }) => {
    if (what.kind === 'invite') return what.invitee.target === null ? [] : [permissionUri(what.invitee.target)];
    return what.kind === 'call-in' ? [permissionUri(what.callee)] : [];
  });
  const asked = { creations: 0, invitations: uris.length } as const;
  return consentRefused(uris, scene.context) ?? rateRefused(scene.context, scene.referrer.aor, asked);
}

/** Does what was asked for. Who is invited is dialled at the turn's end, after the answer and the first NOTIFY. */
function carryOut(plans: readonly ReferPlan[], { input, scene }: Referring): void {
  const { conference, referrer } = scene;
  // RFC 3323 5.1: whoever asked for privacy is not named, unless by himself.
  const isHidden = referrer.participant?.private === true || input.caller?.private === true;
  const referredBy = isHidden ? null : referrer.aor;
  const invitees = plans.flatMap(({ what }) => (what.kind === 'invite' ? [what.invitee] : []));
  // RFC 5368 8: who was in a list with others is told of them, as by an INVITE to the factory.
  const history = input.viaList ? historyOf(invitees) : null;
  const inviting = {
    by: 'refer',
    referral: input.referredBy,
    referredBy,
    maxForwards: scene.maxForwards,
    history,
  } as const;
  const targets = plans.map(({ row, what }): ReferralTarget => {
    if (what.kind === 'invite') return invited(row, what.invitee, { conference, inviting });
    if (what.kind === 'call-in') return { row, endpointId: null, callee: what.callee };
    return { row: { ...row, ...settled(what) }, endpointId: null, callee: null };
  });
  conference.referrals.accept(input, { by: referrer.aor, referredBy, targets });
  for (const { what } of plans) {
    if (what.kind === 'remove') conference.removeFor(what.participant, referrer.aor);
  }
}

type Settled = Extract<ReferPlan['what'], { kind: 'remove' | 'nothing' }>;

/** What is so at once: a BYE ends a session as it is sent (RFC 3261 15). */
function settled(what: Settled): Pick<ReferTargetRow, 'participantId' | 'outcome'> {
  const participantId = what.kind === 'remove' ? what.participant.id : null;
  const refused = what.kind === 'nothing' ? what.refused : null;
  return { participantId, outcome: refused === null ? { status: 200, reason: 'OK' } : outcomeOf(refused) };
}

type Invited = {
  readonly conference: Conference;
  readonly inviting: Parameters<Conference['invitations']['invite']>[1];
};

/** Our choice: whoever is being called already is not called twice; the referral shares the outcome. */
function invited(row: ReferTargetRow, invitee: Invitee, { conference, inviting }: Invited): ReferralTarget {
  const { ledger, invitations } = conference;
  const known = ledger.participantByUri(invitee.aor);
  const isCalled = known !== undefined && !isPresent(known.status) && known.status !== 'disconnected';
  const participant = isCalled ? known : invitations.invite(invitee, inviting);
  const endpoint = participant.endpoints.findLast(({ status }) => status !== 'disconnected');
  return { row: { ...row, participantId: participant.id }, endpointId: endpoint?.id ?? null, callee: null };
}

/** A SUBSCRIBE within a REFER's dialog: more time for its NOTIFYs, or no more of them (RFC 3515 2.4.4). */
export function refreshReferral(context: Context, input: ReferralRefreshed): Turn {
  const conference = context.directory.byReferral(input.referralId);
  const sent = conference?.referrals.told(input.referralId);
  if (conference === undefined || sent === undefined) {
    return refuse(input.reply, { code: 'no-such-dialog', detail: 'No such referral' });
  }
  const session = conference.ledger.endpoints.find(({ dialogId }) => dialogId === sent.dialogId);
  const owner = { aor: sent.by, known: session?.joiningMethod !== 'dialed-out' };
  const refused = notTheOwner(context, input.caller, owner) ?? extensionRefused(input.requires);
  if (refused !== null) return refuse(input.reply, refused);
  return turnOf(context, conference, {
    actor: sent.by,
    body: () => conference.referrals.refresh(input, grantedReferralExpires(input.expires)),
  });
}
