/** The core's outcome of a request -> status, headers and body of our response. */
import type { Outcome, Place, SessionTimerGrant } from '../core/effect.ts';
import { limits } from '../core/limits.ts';
import { refusal } from '../core/refusal.ts';
import { bounds } from './bounds.ts';
import {
  acceptAt,
  acceptToldAt,
  allow,
  allowEvents,
  focusContact,
  focusSessionContact,
  isFocusAt,
  product,
  supportedAt,
} from './capabilities.ts';
import { multipartOf, type OutgoingBody } from './outgoing-body.ts';
import { phrase } from './phrase.ts';

/** A header of one name may stand several times. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export type Answer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: string | null;
  /** Our tag, when this answer makes a dialog. */
  readonly toTag: string | null;
};

export type AnswerRules = {
  readonly method: string;
  readonly isWithinDialog: boolean;
  /** Host that stands in Warning (RFC 3261 20.43). */
  readonly agent: string;
  /** Values of WWW-Authenticate. */
  readonly challenges: (stale: boolean) => readonly string[];
};

type Of<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** The response to send. Total: an outcome that belongs to another protocol becomes a 500. */
export function answerFor(outcome: Outcome, rules: AnswerRules): Answer {
  switch (outcome.kind) {
    case 'refused':
      return refused(outcome, rules);
    case 'session-accepted':
      return sessionAccepted(outcome);
    case 'subscription-accepted':
      return subscriptionAccepted(outcome);
    case 'referral-accepted':
      return referralAccepted(outcome);
    case 'referral-refreshed':
      return referralRefreshed(outcome);
    case 'capabilities':
      return capabilities(outcome);
    default:
      return refused({ kind: 'refused', code: 'internal-error', detail: '' }, rules);
  }
}

function sessionAccepted(outcome: Of<'session-accepted'>): Answer {
  const headers: HeaderList = [
    ['Contact', focusSessionContact(outcome.contact)],
    // RFC 4579 5.13: a focus says in its 2xx what it can do.
    ...capabilityHeaders(outcome.at, acceptAt(outcome.at)),
    ...timerHeaders(outcome.sessionTimer),
    ['Server', product],
    ...(outcome.sdp === null ? [] : ([['Content-Type', 'application/sdp']] as const)),
  ];
  return { status: 200, reason: 'OK', headers, body: outcome.sdp, toTag: outcome.toTag };
}

/** RFC 4028 9. The SIP server runs the timer by what stands here. */
function timerHeaders(timer: SessionTimerGrant | null): HeaderList {
  if (timer === null) return [];
  const { expires, refresher, required } = timer;
  return [
    ['Session-Expires', `${expires};refresher=${refresher}`],
    ...(required ? ([['Require', 'timer']] as const) : []),
  ];
}

function subscriptionAccepted(outcome: Of<'subscription-accepted'>): Answer {
  const headers: HeaderList = [
    ['Contact', focusContact(outcome.contact)],
    // RFC 6665 4.2.1.1: Expires must be there, and is never more than was asked for.
    ['Expires', String(outcome.expires)],
    ['Allow-Events', allowEvents],
    ['Server', product],
  ];
  // RFC 6665 8.3.1: 200; 202 is deprecated.
  return { status: 200, reason: 'OK', headers, body: null, toTag: outcome.toTag };
}

function referralAccepted({ contact, toTag, subscribes }: Of<'referral-accepted'>): Answer {
  const headers: HeaderList = [
    // RFC 3515 2.2: a 2xx to REFER has one.
    ['Contact', focusContact(contact)],
    // RFC 4488 4: no subscription, and hence no dialog.
    ...(subscribes ? [] : ([['Refer-Sub', 'false']] as const)),
    ['Server', product],
  ];
  // RFC 7647 5: 200; 202 must not be used any more.
  return { status: 200, reason: 'OK', headers, body: null, toTag };
}

function referralRefreshed({ contact, expires }: Of<'referral-refreshed'>): Answer {
  const headers: HeaderList = [
    ['Contact', focusContact(contact)],
    ['Expires', String(expires)],
    ['Server', product],
  ];
  return { status: 200, reason: 'OK', headers, body: null, toTag: null };
}

function capabilities(outcome: Of<'capabilities'>): Answer {
  const contact: HeaderList =
    outcome.contact === null
      ? []
      : [['Contact', isFocusAt(outcome.at) ? focusContact(outcome.contact) : `<${outcome.contact}>`]];
  const headers: HeaderList = [
    ...contact,
    ...capabilityHeaders(outcome.at, acceptToldAt(outcome.at)),
    ['Server', product],
  ];
  return { status: 200, reason: 'OK', headers, body: null, toTag: null };
}

function capabilityHeaders(at: Place, accept: string): HeaderList {
  return [
    ['Allow', allow],
    ['Allow-Events', allowEvents],
    ['Accept', accept],
    ['Supported', supportedAt(at)],
  ];
}

function refused(outcome: Of<'refused'>, rules: AnswerRules): Answer {
  const { sip, text, warning } = refusal(outcome.code);
  const given: HeaderList = Object.entries(outcome.headers ?? {});
  const own = explanatoryHeaders(outcome, rules).filter(
    ([name]) => !given.some(([other]) => other.toLowerCase() === name.toLowerCase()),
  );
  const detail = phrase(outcome.detail);
  const warned: HeaderList =
    warning === undefined && detail === ''
      ? []
      : [['Warning', `${warning ?? 399} ${rules.agent} "${detail === '' ? text : detail}"`]];
  const body = outcome.body === undefined ? null : partNamed(outcome.body);
  const type: HeaderList = body === null ? [] : [['Content-Type', body.contentType]];
  const headers: HeaderList = [...given, ...own, ...warned, ['Server', product], ...type];
  return { status: sip, reason: text, headers, body: body?.text ?? null, toTag: null };
}

/** A body that a header points at (RFC 2392): the one part of a multipart, where every peer looks for a Content-ID. */
function partNamed({ contentId, type, text }: NonNullable<Of<'refused'>['body']>): OutgoingBody {
  const headers = [
    { name: 'Content-Type', value: type },
    { name: 'Content-ID', value: `<${contentId}>` },
  ];
  return multipartOf([{ headers, body: text }], contentId);
}

/** What the body of a request may be. RFC 5366 5.1: within a session a list has no meaning. */
function acceptedIn({ method, isWithinDialog }: AnswerRules, at: Place = 'factory'): string {
  if (method === 'INVITE' || method === 'UPDATE') return acceptAt(isWithinDialog ? 'conference' : at);
  // RFC 5368 7: the list that Refer-To points at.
  return method === 'REFER' ? 'multipart/mixed, application/resource-lists+xml' : '';
}

/** What a response of this status must carry to be of use. */
function explanatoryHeaders({ code, stale = false, at }: Of<'refused'>, rules: AnswerRules): HeaderList {
  switch (refusal(code).sip) {
    case 401:
      return rules.challenges(stale).map((challenge) => ['WWW-Authenticate', challenge] as const);
    case 405:
      // RFC 3261 8.2.1.
      return [['Allow', allow]];
    case 415:
      // RFC 3261 8.2.3. Where nobody knows what was called, what the factory takes; a SUBSCRIBE and others may have no body at all.
      return [
        ['Accept', acceptedIn(rules, at)],
        ['Accept-Encoding', 'identity'],
      ];
    case 423:
      return [['Min-Expires', String(limits.subscriptionExpiresMin)]];
    case 489:
      return [['Allow-Events', allowEvents]];
    case 503:
      return [['Retry-After', String(bounds.retryAfterSeconds)]];
    default:
      return [];
  }
}
