/** What the lines of a scenario's ladder say of the core's effects. */
import type { Effect, Outcome, SipInvite, SipNotify, SipNotifyReferral } from '../../src/core/effect.ts';
import { refusal } from '../../src/core/refusal.ts';
import type { Change } from '../../src/core/rows.ts';
import {
  type ConferenceInfoEndpoint,
  type ConferenceInfoUser,
  parseConferenceInfo,
} from '../../src/wire/conference-info.ts';
import { nameOf } from './fixtures.ts';

/** Whom an id means. */
export type Names = Readonly<Record<'endpoint' | 'subscription' | 'referral', (id: string) => string>>;

/** To whom an effect goes and what it says; null for what is no line of a ladder. */
export function lineOf(effect: Effect, names: Names): { to: string; what: string } | null {
  switch (effect.type) {
    case 'store.save':
      return { to: 'store', what: saveLine(effect.change) };
    case 'reply':
      return { to: effect.to.split(':')[1] ?? effect.to, what: replyLine(effect.outcome) };
    case 'sip.invite':
      return { to: nameOf(effect.target), what: `INVITE${replacesLine(effect)}${againLine(effect)}` };
    case 'sip.reinvite':
      return { to: names.endpoint(effect.endpointId), what: 'INVITE (again)' };
    case 'sip.cancel':
      return { to: names.endpoint(effect.endpointId), what: 'CANCEL' };
    case 'sip.bye':
      return { to: names.endpoint(effect.endpointId), what: `BYE (${effect.reason})` };
    case 'sip.notify':
      return { to: names.subscription(effect.subscriptionId), what: notifyLine(effect) };
    case 'sip.notify-referral':
      return { to: names.referral(effect.referralId), what: referralLine(effect) };
    case 'sip.refer':
      return { to: nameOf(effect.uri), what: `REFER Refer-To: <${effect.conferenceUri}>` };
    case 'msrp.notice':
      return { to: effect.to?.map(names.endpoint).join('+') ?? 'all', what: `SEND "${effect.text}"` };
    case 'sip.release':
      return { to: 'sipd', what: `release ${names.subscription(effect.subscriptionId)}` };
    case 'sip.release-referral':
      return { to: 'sipd', what: `release REFER of ${names.referral(effect.referralId)}` };
    default:
      return null;
  }
}

function saveLine(change: Change): string {
  if (change.attempts.length > 0) return `attempt ${change.attempts[0]?.code}`;
  const version = change.conferences[0]?.version;
  return version === undefined ? 'save' : `save v${version}`;
}

/** How the core answers a request. */
function replyLine(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'refused':
      return `${refusal(outcome.code).sip} ${outcome.code}`;
    case 'session-accepted':
      return `200 INVITE <${outcome.contact}>;isfocus`;
    case 'subscription-accepted':
      return `200 SUBSCRIBE Expires: ${outcome.expires}`;
    case 'referral-accepted':
      return outcome.subscribes ? '200 REFER' : '200 REFER Refer-Sub: false';
    case 'referral-refreshed':
      return `200 SUBSCRIBE Expires: ${outcome.expires}`;
    case 'nickname-answered':
      return `${outcome.status} NICKNAME`;
    case 'capabilities':
      return `200 OPTIONS as ${outcome.at}`;
    default:
      return outcome.kind;
  }
}

/** What an INVITE says of the call to replace. */
function replacesLine(invite: SipInvite): string {
  const { replaces } = invite;
  return replaces === null ? '' : ` Replaces: ${replaces.callId};to-tag=${replaces.toTag};from-tag=${replaces.fromTag}`;
}

/** Whether an INVITE is one that was sent before, changed (RFC 4028 7.3). */
function againLine({ cseq, sessionTimer }: SipInvite): string {
  return cseq === 1 ? '' : ` CSeq: ${cseq} Session-Expires: ${sessionTimer?.expires}`;
}

/** What a NOTIFY says: state, version, and who is in the roster. */
function notifyLine(notify: SipNotify): string {
  const state = notify.state.name === 'terminated' ? `terminated;${notify.state.reason}` : notify.state.name;
  if (notify.body === null) return `NOTIFY ${state}`;
  const document = parseConferenceInfo(notify.body);
  const told = `NOTIFY ${state} v${document.version}`;
  if (document.state === 'deleted') return `${told} deleted`;
  const users = (document.users ?? []).map((user) => `${nameOf(user.entity)}:${userWord(user)}`);
  return `${told}${document.state === 'partial' ? ' partial' : ''} [${users.join(' ')}]`;
}

/** The statuses of those endpoints that are told of; `-`: of none. */
function userWord({ state, endpoints }: ConferenceInfoUser): string {
  if (state === 'deleted') return 'deleted';
  const word = (endpoint: ConferenceInfoEndpoint) => (endpoint.state === 'deleted' ? 'gone' : endpoint.status);
  return endpoints.map(word).join('+') || '-';
}

/** What a NOTIFY of a REFER says: which one, its state, and how it goes. */
function referralLine({ eventId, state, cause }: SipNotifyReferral): string {
  const named = state.name === 'terminated' ? `terminated;${state.reason}` : state.name;
  return `NOTIFY refer${eventId === null ? '' : `;id=${eventId}`} ${named} ${cause.status} ${cause.reason}`;
}
