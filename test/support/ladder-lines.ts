/** What the lines of a scenario's ladder say of the core's effects. */
import type { Outcome, SipInvite, SipNotify } from '../../src/core/effect.ts';
import { refusal } from '../../src/core/refusal.ts';
import { parseConferenceInfo } from '../../src/wire/conference-info.ts';
import { nameOf } from './fixtures.ts';

/** How the core answers a request. */
export function replyLine(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'refused':
      return `${refusal(outcome.code).sip} ${outcome.code}`;
    case 'session-accepted':
      return `200 INVITE <${outcome.contact}>;isfocus`;
    case 'subscription-accepted':
      return `200 SUBSCRIBE Expires: ${outcome.expires}`;
    case 'capabilities':
      return `200 OPTIONS as ${outcome.at}`;
    default:
      return outcome.kind;
  }
}

/** What an INVITE says of the call to replace. */
export function replacesLine(invite: SipInvite): string {
  const { replaces } = invite;
  return replaces === null ? '' : ` Replaces: ${replaces.callId};to-tag=${replaces.toTag};from-tag=${replaces.fromTag}`;
}

/** What a NOTIFY says: state, version, and who is in the roster. */
export function notifyLine(notify: SipNotify): string {
  const state = notify.state.name === 'terminated' ? `terminated;${notify.state.reason}` : notify.state.name;
  if (notify.body === null) return `NOTIFY ${state}`;
  const document = parseConferenceInfo(notify.body);
  const users = (document.users ?? []).map((user) => `${nameOf(user.entity)}:${user.endpoints[0]?.status ?? '-'}`);
  return `NOTIFY ${state} v${document.version} ${document.state === 'deleted' ? 'deleted' : `[${users.join(' ')}]`}`;
}
