import type { Conference } from '../conference/conference.ts';
import { grantedExpires } from '../conference/notifier.ts';
import { conferenceInfoNotAcceptable, extensionRefused, type Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { Caller, SubscribeReceived, SubscriptionRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import { notTheOwner } from './owner.ts';

/** A SUBSCRIBE to a conference (RFC 4575 3, RFC 6665 4.2.1). */
export function subscribe(context: Context, input: SubscribeReceived): Turn {
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

/** A SUBSCRIBE within a subscription's dialog: a refresh, or its end (RFC 6665 4.2.1.1). */
export function refresh(context: Context, input: SubscriptionRefreshed): Turn {
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
