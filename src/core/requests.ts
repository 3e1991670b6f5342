import { refuseAttempt, refuseUnread } from './attempt.ts';
import { Conference } from './conference/conference.ts';
import { planConference } from './conference/factory.ts';
import { grantedExpires } from './conference/notifier.ts';
import {
  conferenceInfoNotAcceptable,
  extensionRefused,
  type Refused,
  sdpNotAcceptable,
} from './conference/requirements.ts';
import { type Context, isFocus, loose, refuse, type Turn, turnOf } from './context.ts';
import type {
  Caller,
  InviteReceived,
  OptionsReceived,
  ReinviteReceived,
  RequestInput,
  RequestRefused,
  SubscribeReceived,
  SubscriptionRefreshed,
} from './input.ts';
import { limits } from './limits.ts';

/** What SIP asks of us, judged and done. Each request gets exactly one reply. */
export function handleRequest(context: Context, input: RequestInput): Turn {
  switch (input.type) {
    case 'invite-received':
      return invite(context, input);
    case 'reinvite-received':
      return reinvite(context, input);
    case 'subscribe-received':
      return subscribe(context, input);
    case 'subscription-refreshed':
      return refresh(context, input);
    case 'options-received':
      return options(context, input);
    case 'request-refused':
      return unread(context, input);
  }
}

function invite(context: Context, input: InviteReceived): Turn {
  // RFC 5363 3.2: nobody unknown causes any work, least of all requests to others.
  if (input.caller === null) return refuse(input.reply, { code: 'unauthenticated', detail: 'INVITE' });
  if (input.contact.length > limits.uriCharactersMax) {
    return refuseAttempt(context, input, {
      code: 'uri-too-long',
      detail: `Contact over ${limits.uriCharactersMax} characters`,
    });
  }
  const target = context.directory.target(input.target, context.now);
  if (target.kind === 'factory') return create(context, input, input.caller);
  if (target.kind === 'conference')
    return dialIn(context, input, { caller: input.caller, conference: target.conference });
  const code = target.kind === 'ended' ? 'conference-ended' : 'no-such-conference';
  return refuseAttempt(context, input, { code, detail: 'The Request-URI names no running conference' });
}

function create(context: Context, input: InviteReceived, caller: Caller): Turn {
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
  conference.invitations.inviteAll(plan.invitees, { referredBy: caller.private ? null : caller.aor, maxForwards });
  return null;
}

function dialIn(context: Context, input: InviteReceived, who: { caller: Caller; conference: Conference }): Turn {
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

function reinvite(context: Context, input: ReinviteReceived): Turn {
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

/**
 * Our rule: where credentials count, a dialog is acted in only by whom it belongs to. Whoever was called where he is
 * never had to say who he was (`known` is false): the dialog's unguessable tags speak for him.
 */
function notTheOwner(context: Context, caller: Caller | null, owner: { aor: string; known: boolean }): Refused | null {
  if (context.settings.auth === 'open') return null;
  if (caller === null) return owner.known ? { code: 'unauthenticated', detail: 'Within the dialog' } : null;
  return caller.aor === owner.aor ? null : { code: 'not-allowed', detail: 'The dialog is somebody else’s' };
}

function subscribe(context: Context, input: SubscribeReceived): Turn {
  const found = context.directory.target(input.target, context.now);
  const expires = grantedExpires(input.expires);
  const refused = subscribeRefused(input, { found, expires });
  if (refused !== null) return refuse(input.reply, refused);
  if (found.kind !== 'conference' || expires === 'too-brief' || input.caller === null)
    throw new Error('a refused SUBSCRIBE went on');
  const subscriber = input.caller.aor;
  return turnOf(context, found.conference, {
    actor: subscriber,
    body: () => found.conference.notifier.subscribe(input, subscriber, expires),
  });
}

type Watched = { found: ReturnType<Context['directory']['target']>; expires: number | 'too-brief' };

/** Why a SUBSCRIBE is refused, in the order in which RFC 6665 4.2.1.1 looks at it; null when it is not. */
function subscribeRefused(input: SubscribeReceived, { found, expires }: Watched): Refused | null {
  if (input.caller === null) return { code: 'unauthenticated', detail: 'SUBSCRIBE' };
  if (input.event !== 'conference') return { code: 'bad-event', detail: input.event ?? 'no Event header' };
  if (found.kind === 'ended') return { code: 'conference-ended', detail: 'The conference is over' };
  if (found.kind !== 'conference')
    return { code: 'no-such-conference', detail: 'The Request-URI names no running conference' };
  const { conference } = found;
  if (conference.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  const refused = extensionRefused(input.requires) ?? conferenceInfoNotAcceptable(input);
  if (refused !== null) return refused;
  if (!mayWatch(conference, input.caller)) return { code: 'not-a-participant', detail: 'Only participants may watch' };
  if (conference.ledger.subscriptions.length >= limits.subscriptionsPerConferenceMax)
    return { code: 'busy', detail: 'Too many subscriptions' };
  return expires === 'too-brief' ? tooBrief() : null;
}

/** RFC 4575 3.5: participants may watch; who was removed may not, who left may. */
function mayWatch(conference: Conference, caller: Caller): boolean {
  const participant = conference.ledger.participantByUri(caller.aor);
  return participant !== undefined && participant.disconnection?.method !== 'booted';
}

function refresh(context: Context, input: SubscriptionRefreshed): Turn {
  const conference = context.directory.bySubscription(input.subscriptionId);
  const row = conference?.ledger.subscription(input.subscriptionId);
  if (conference === undefined || row === undefined) {
    return refuse(input.reply, { code: 'no-such-dialog', detail: 'No such subscription' });
  }
  const expires = grantedExpires(input.expires);
  const refused = notTheOwner(context, input.caller, { aor: row.subscriber, known: true }) ?? refreshRefused(input);
  if (refused !== null) return refuse(input.reply, refused);
  if (expires === 'too-brief') return refuse(input.reply, tooBrief());
  return turnOf(context, conference, {
    actor: row.subscriber,
    body: () => conference.notifier.refresh(input, row, expires),
  });
}

function refreshRefused(input: SubscriptionRefreshed): Refused | null {
  if (input.event !== 'conference') return { code: 'bad-event', detail: input.event ?? 'no Event header' };
  return extensionRefused(input.requires) ?? conferenceInfoNotAcceptable(input);
}

function tooBrief(): Refused {
  const minimum = String(limits.subscriptionExpiresMin);
  return { code: 'interval-too-brief', detail: `At least ${minimum} seconds`, headers: { 'Min-Expires': minimum } };
}

function options(context: Context, input: OptionsReceived): Turn {
  const refused = extensionRefused(input.requires);
  if (refused !== null) return refuse(input.reply, refused);
  const target = context.directory.target(input.target, context.now);
  const to = input.reply;
  const answer = (at: 'factory' | 'conference' | 'server', contact: string | null): Turn =>
    loose([{ type: 'reply', to, outcome: { kind: 'capabilities', at, contact } }]);
  if (target.kind === 'conference') return answer('conference', target.conference.row.uri);
  if (target.kind === 'factory') return answer('factory', null);
  if (input.target.user === null && context.settings.ownHosts.has(input.target.host)) return answer('server', null);
  if (target.kind === 'ended') return refuse(to, { code: 'conference-ended', detail: 'The conference is over' });
  return refuse(to, { code: 'no-such-identity', detail: 'The Request-URI names nobody here' });
}

/** Only creations and joins are worth a place in the attempts log; where credentials count, strangers leave no trace in it. */
function unread(context: Context, input: RequestRefused): Turn {
  if (input.method !== 'INVITE') return refuse(input.reply, input);
  const stranger = input.caller === null && context.settings.auth === 'digest';
  return stranger
    ? refuse(input.reply, { code: 'unauthenticated', detail: input.detail })
    : refuseUnread(context, input);
}
