import type { Conference } from '../conference/conference.ts';
import { grantedExpires } from '../conference/notifier.ts';
import { mayJoinGroup, standingIn, watchRefused } from '../conference/policy.ts';
import { conferenceInfoNotAcceptable, extensionRefused, type Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn, turnOf } from '../context.ts';
import type { SubscribeReceived, SubscriptionRefreshed } from '../input.ts';
import { limits } from '../limits.ts';
import type { GroupRow } from '../rows.ts';
import { notTheOwner } from './owner.ts';

/** A SUBSCRIBE to a conference, or to a group for the session that runs (RFC 4575 3, RFC 6665 4.2.1). */
export function subscribe(context: Context, input: SubscribeReceived): Turn {
  const found = watched(context, input);
  if ('code' in found) return refuse(input.reply, found);
  const { conference, subscriber, target, expires } = found;
  return turnOf(context, conference, {
    actor: subscriber,
    body: () => conference.notifier.subscribe(input, { subscriber, target }, expires),
  });
}

/** What is to be watched, by the URI that was asked for. */
type Found = { readonly conference: Conference; readonly target: string };
type Watched = Found & { readonly subscriber: string; readonly expires: number };

/** The conference to watch, or why it is refused, in the order in which RFC 6665 4.2.1.1 looks at a SUBSCRIBE. */
function watched(context: Context, input: SubscribeReceived): Watched | Refused {
  if (input.caller === null) return { code: 'unauthenticated', detail: 'SUBSCRIBE' };
  const subscriber = input.caller.aor;
  if (input.event !== 'conference') return { code: 'bad-event', detail: input.event ?? 'no Event header' };
  const found = running(context, input, subscriber);
  if ('code' in found) return found;
  const { conference, target } = found;
  // RFC 3261 8.2: authorization comes before extensions and content, so that nobody else learns of a group's session.
  const refused =
    watchRefused(standingIn(conference, { aor: subscriber, groups: context.groups })) ??
    extensionRefused(input.requires) ??
    conferenceInfoNotAcceptable(input);
  if (refused !== null) return refused;
  if (conference.ledger.subscriptions.length >= limits.subscriptionsPerConferenceMax)
    return { code: 'busy', detail: 'Too many subscriptions' };
  const expires = grantedExpires(input.expires);
  return expires === 'too-brief' ? tooBrief() : { conference, target, subscriber, expires };
}

/** The running conference that the Request-URI means. */
function running({ directory, now }: Context, input: SubscribeReceived, subscriber: string): Found | Refused {
  const found = directory.target(input.target, now);
  if (found.kind === 'group') return sessionOf(found, subscriber);
  if (found.kind === 'ended') return { code: 'conference-ended', detail: 'The conference is over' };
  if (found.kind !== 'conference')
    return { code: 'no-such-conference', detail: 'The Request-URI names no running conference' };
  const { conference } = found;
  if (conference.row.status !== 'active') return { code: 'conference-ended', detail: 'The conference is ending' };
  return { conference, target: conference.row.uri };
}

/** Whether a group is in session is for those to know who might take part in it, or watch. */
function sessionOf(
  { group, conference }: { group: GroupRow; conference: Conference | null },
  subscriber: string,
): Found | Refused {
  if (conference?.row.status === 'active') return { conference, target: group.uri };
  const mayKnow = group.policy.subscribe === 'anyone' || mayJoinGroup(group, subscriber);
  return mayKnow
    ? { code: 'no-session', detail: 'Nobody has called the group' }
    : { code: 'not-a-participant', detail: 'Only participants may watch' };
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
