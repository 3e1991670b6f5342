import type { Conference } from './conference/conference.ts';
import { consentRefused, permissionUri } from './conference/consent.ts';
import { listReading } from './conference/invitation-list.ts';
import { shortened } from './conference/participant.ts';
import { type Context, loose, type Turn, turnOf } from './context.ts';
import type { DefinitionInput, FactInput } from './input.ts';
import { rateRefused } from './requests/permission.ts';

/** What has happened outside. A fact about something long gone changes nothing. */
export function handleFact(context: Context, input: Fact): readonly Turn[] {
  if (input.type === 'sip-server-lost') return serverLost(context, input.conferenceId);
  const conference = conferenceOf(context, input);
  if (conference === undefined) return orphan(input);
  const change = {
    actor: null,
    body() {
      apply(context, conference, input);
    },
  };
  return [turnOf(context, conference, change)];
}

type Fact = Exclude<FactInput, DefinitionInput>;
type ConferenceFact = Exclude<Fact, { type: 'sip-server-lost' }>;

function conferenceOf({ directory }: Context, input: ConferenceFact): Conference | undefined {
  // What the last messages came to is told when the conference is over.
  if (input.type === 'messages-switched') return directory.lately(input.conferenceId);
  if ('conferenceId' in input) return directory.byId(input.conferenceId);
  if ('endpointId' in input) return directory.byEndpoint(input.endpointId);
  if ('subscriptionId' in input) return directory.bySubscription(input.subscriptionId);
  if ('referralId' in input) return directory.byReferral(input.referralId);
  if ('dialogId' in input) return directory.byDialog(input.dialogId);
  return directory.byId(input.timer.split(':')[1] ?? '');
}

function apply(context: Context, conference: Conference, input: ConferenceFact): void {
  const { attendance, dialler, ledger, notifier, referrals } = conference;
  switch (input.type) {
    case 'invite-cancelled':
      return attendance.withdrawn(input.dialogId);
    case 'ack-received':
      return attendance.acknowledged(input.endpointId, input.answer === 'unreadable' ? null : input.answer);
    case 'dialog-ended':
      return attendance.departed(input.endpointId, {
        method: input.by === 'peer' ? 'departed' : 'failed',
        sipStatus: null,
        reason: input.reason === null ? null : shortened(input.reason),
      });
    case 'endpoint-alerting':
      return withEndpoint(conference, input.endpointId, ({ participant, endpoint }) =>
        dialler.alerting(participant, endpoint, input.remoteTag),
      );
    case 'endpoint-answered':
      return attendance.answered(input.endpointId, input);
    case 'endpoint-failed':
      return conference.invitations.refused(input.endpointId, input, {
        ...listReading(context),
        askIn: (by, invitations) => rateRefused(context, by, { creations: 0, invitations }) === null,
        beInvited: (target) => consentRefused([permissionUri(target)], context) === null,
      });
    case 'reinvite-answered':
      return attendance.agreed(input.endpointId, input);
    case 'reinvite-failed':
      return attendance.notAgreed(input.endpointId, input.cause);
    case 'notify-answered': {
      const row = ledger.subscription(input.subscriptionId);
      return row === undefined ? undefined : notifier.answered(row, input.status);
    }
    case 'referral-notify-answered':
      return referrals.notifyAnswered(input.referralId, input.status);
    case 'refer-answered':
      return referrals.referAnswered(input.referralId, input.target, input.cause);
    case 'msrp-closed':
      return attendance.mediaLost(input.endpointId, input);
    case 'messages-switched':
      return conference.messages.switched(input);
    case 'timer-fired': {
      const [kind = '', , item = ''] = input.timer.split(':');
      return conference.timerFired(kind, item);
    }
  }
}

type Found = NonNullable<ReturnType<Conference['ledger']['participantOf']>>;

function withEndpoint(conference: Conference, endpointId: string, use: (found: Found) => void): void {
  const found = conference.ledger.participantOf(endpointId);
  if (found !== undefined) use(found);
}

/** RFC 3261 9.1, 15: whoever answers when nobody waits any more is hung up. */
function orphan(input: ConferenceFact): readonly Turn[] {
  if (input.type !== 'endpoint-answered') return [];
  const { endpointId, dialogId } = input;
  return [loose([{ type: 'sip.bye', endpointId, dialogId, reason: 'Conference ended' }])];
}

/** Every dialog lived in the SIP server's connection; peers get 481 from now on, so no conference can go on. */
function serverLost(context: Context, conferenceId: string | null): readonly Turn[] {
  const ending = {
    reason: 'error',
    by: null,
    text: 'Connection to the SIP server lost',
    subscriptions: 'deactivated',
  } as const;
  return context.directory.conferences
    .filter((conference) => conferenceId === null || conference.row.id === conferenceId)
    .map((conference) => turnOf(context, conference, { actor: null, body: () => conference.lose(ending) }));
}
