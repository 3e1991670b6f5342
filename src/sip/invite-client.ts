/** The INVITEs of the focus, to invitees and within sessions, from the core's effect to the facts it gets back. */
import type { SipInvite, SipReinvite } from '../core/effect.ts';
import type { Input, SessionTimerAnswer } from '../core/input.ts';
import { limits } from '../core/limits.ts';
import type { SipCause } from '../core/rows.ts';
import { refusedListsIn } from '../wire/refused-uri-list.ts';
import type { SessionDescription } from '../wire/sdp.ts';
import { parseNameAddr, splitList } from '../wire/sip-headers.ts';
import { header, headerValues, parseSipMessage, type SipMessage } from '../wire/sip-message.ts';
import { bounds } from './bounds.ts';
import { type ClientRequests, type Ending, isReliable } from './client-requests.ts';
import type { Dialogs } from './dialogs.ts';
import { associatedAorsOf, privacyAsked } from './identity.ts';
import { byeRequest, inviteRequest, type RoutingRules, reinviteRequest } from './outgoing.ts';
import { answerIn, entriesOf } from './readers/body.ts';
import { languagesOf } from './readers/languages.ts';
import { sessionTimerOf } from './readers/session-timer.ts';
import { reading, tagOf, tokens } from './request-facts.ts';
import type { Log } from './sip-log.ts';
import type { SrfAnswer, SrfMiddleware, SrfRequest } from './srf.ts';

export type InviteClientParts = {
  readonly requests: ClientRequests;
  readonly dialogs: Dialogs;
  readonly routing: RoutingRules;
  readonly lenient: boolean;
  readonly log: Log;
  readonly submit: (input: Input) => void;
  /** Takes requests that the library hands over beside the middleware. */
  readonly arrived: SrfMiddleware;
};

type Dial = {
  readonly effect: SipInvite;
  request: SrfRequest | null;
  cancelled: boolean;
  /** To tags of the 18x that the core has been told of, null for none. */
  readonly alerted: Set<string | null>;
  /** Answers that came in reliable provisional responses, by To tag. */
  readonly answers: Map<string, SessionDescription>;
};

/** What a refusal says, as the core wants to know it. */
type Refusal = Omit<Extract<Input, { type: 'endpoint-failed' }>, 'type' | 'endpointId'>;

/** One INVITE at a time per endpoint: its progress and its end go to `submit` as inputs. */
export class InviteClient {
  readonly #parts: InviteClientParts;
  /** INVITEs without a final response, by endpoint; as many as the core lets run. */
  readonly #dials = new Map<string, Dial>();

  constructor(parts: InviteClientParts) {
    this.#parts = parts;
  }

  invite(effect: SipInvite): void {
    const { dialogs, requests, routing } = this.#parts;
    const request = inviteRequest(effect, routing);
    if (request === null) {
      queueMicrotask(() => this.#failed(effect, bare({ status: 416, reason: 'Unsupported URI Scheme' })));
      return;
    }
    const dial: Dial = { effect, request: null, cancelled: false, alerted: new Set(), answers: new Map() };
    this.#dials.set(effect.endpointId, dial);
    const { endpointId, conferenceUri: contact } = effect;
    // Confirmed from the start: the ACK is ours, and no BYE is asked for before there is a 200.
    dialogs.openSession(effect.dialogId, { endpointId, contact, confirmed: true });
    requests.send(request, {
      timeoutMs: bounds.inviteTimeoutMs,
      sent: (sent) => this.#sent(dial, sent),
      provisional: (response) => this.#provisional(dial, response),
      ended: (ending) => this.#ended(dial, ending),
      late: (response, acknowledge) => this.#late(dial, { response, acknowledge }),
    });
  }

  /** An INVITE within a session. The dialog is there already and stays, whatever becomes of it. */
  reinvite(effect: SipReinvite): void {
    let request: SrfRequest | null = null;
    this.#parts.requests.send(reinviteRequest(effect), {
      timeoutMs: bounds.requestTimeoutMs,
      sent: (sent) => {
        request = sent;
        sent.on('update', this.#parts.arrived);
      },
      ended: (ending) => this.#reinviteEnded(effect.endpointId, ending, request),
      // A 2xx without ACK would cost the call.
      late: (response, acknowledge) => {
        if (response.status < 300) acknowledge();
      },
    });
  }

  /** CANCEL, now or as soon as the INVITE is out; nothing when it has already ended. */
  cancel(endpointId: string): void {
    const dial = this.#dials.get(endpointId);
    if (dial === undefined || dial.cancelled) return;
    dial.cancelled = true;
    if (dial.request !== null) this.#sendCancel(dial.request);
  }

  forgetAll(): void {
    this.#dials.clear();
  }

  #sent(dial: Dial, request: SrfRequest): void {
    dial.request = request;
    // The library hands over an UPDATE during the INVITE on its request object.
    request.on('update', this.#parts.arrived);
    if (dial.cancelled) this.#sendCancel(request);
  }

  #sendCancel(request: SrfRequest): void {
    try {
      // RFC 3261 9.1: not before a provisional response; the SIP server holds the CANCEL until one comes.
      request.cancel((error) => {
        if (error) this.#parts.log.debug({ err: error }, 'CANCEL not sent');
      });
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'CANCEL not sent');
    }
  }

  #provisional(dial: Dial, response: SrfAnswer): void {
    const reliable = isReliable(response);
    const { alerted, effect } = dial;
    if (!reliable && alerted.size >= bounds.earlyAnswersMax) return;
    const message = messageOf(response.raw);
    const remoteTag = tagOf(nameAddrOf(message, 'To')?.params ?? []);
    if (reliable) this.#answeredEarly(dial, remoteTag ?? '', message);
    const rings = response.status >= 180 && response.status <= 189;
    // One without a tag says nothing new once another has come.
    if (!rings || alerted.has(remoteTag) || (remoteTag === null && alerted.size > 0)) return;
    if (alerted.size >= bounds.earlyAnswersMax) return;
    alerted.add(remoteTag);
    this.#parts.submit({ type: 'endpoint-alerting', endpointId: effect.endpointId, remoteTag });
  }

  /** RFC 3262 5, RFC 3261 13.2.1: the first description in a reliable response is the answer; later ones count for nothing. */
  #answeredEarly({ answers }: Dial, remoteTag: string, message: SipMessage): void {
    if (answers.has(remoteTag) || answers.size >= bounds.earlyAnswersMax) return;
    const answer = answerOf(message, this.#parts.lenient);
    if (answer !== null) answers.set(remoteTag, answer);
  }

  #ended(dial: Dial, ending: Ending): void {
    const { effect } = dial;
    if (this.#dials.get(effect.endpointId) === dial) this.#dials.delete(effect.endpointId);
    if (ending.kind === 'failed') {
      // Given up while it was still ringing.
      if (dial.request !== null && !dial.cancelled) this.#sendCancel(dial.request);
      this.#failed(effect, bare(ending.cause));
    } else if (ending.response.status < 300) {
      this.#answered(dial, ending);
    } else {
      this.#failed(effect, refusalIn(ending.response, this.#parts.lenient));
    }
  }

  #reinviteEnded(endpointId: string, ending: Ending, request: SrfRequest | null): void {
    if (ending.kind === 'failed') {
      // Of a peer that does not answer the SIP server tells itself: this says nothing of the peer.
      const givenUp = ending.cause.status === 408;
      if (givenUp && request !== null) this.#sendCancel(request);
      this.#parts.submit({ type: 'reinvite-failed', endpointId, cause: givenUp ? null : ending.cause });
      return;
    }
    const { status, reason, raw } = ending.response;
    if (status >= 300) {
      this.#parts.submit({ type: 'reinvite-failed', endpointId, cause: { status, reason } });
      return;
    }
    ending.acknowledge();
    const message = messageOf(raw);
    const sessionTimer = sessionTimerIn(message);
    this.#parts.submit({
      type: 'reinvite-answered',
      endpointId,
      answer: answerOf(message, this.#parts.lenient),
      sessionTimer,
    });
  }

  #answered({ effect, answers }: Dial, { response, acknowledge }: Extract<Ending, { kind: 'answered' }>): void {
    // RFC 3261 13.2.2.4: the ACK goes out whatever the answer means.
    acknowledge();
    const message = messageOf(response.raw);
    const contact = nameAddrOf(message, 'Contact');
    // RFC 3261 12.1.2: it is where requests of the dialog go. Without it the SIP server sends neither ACK nor BYE.
    if (contact === null || !/^sips?:/i.test(contact.uri)) {
      this.#hangUp(effect, 'No Contact in the answer');
      this.#failed(effect, bare({ status: 400, reason: 'No Contact in the answer' }));
      return;
    }
    const remoteTag = tagOf(nameAddrOf(message, 'To')?.params ?? []) ?? '';
    const isPrivate = privacyAsked(message);
    const trusted = this.#parts.routing.isTrustedPeer(response.source_address);
    const associatedAors = reading('bad-request', () => (trusted ? associatedAorsOf(message, true) : []));
    this.#parts.submit({
      type: 'endpoint-answered',
      endpointId: effect.endpointId,
      dialogId: effect.dialogId,
      contact: contact.uri,
      remoteTag,
      displayName: isPrivate ? null : ((trusted ? assertedName(message) : null) ?? contact.displayName),
      private: isPrivate,
      languages: languagesOf(message),
      associatedAors: associatedAors.ok ? associatedAors.value : [],
      answer: answers.get(remoteTag) ?? answerOf(message, this.#parts.lenient),
      sessionTimer: sessionTimerIn(message),
    });
  }

  #failed(effect: SipInvite, refusal: Refusal): void {
    this.#parts.dialogs.closeSession(effect.dialogId);
    this.#parts.submit({ type: 'endpoint-failed', endpointId: effect.endpointId, ...refusal });
  }

  /** Someone answered an INVITE that was given up: nobody would ever hang that call up. */
  #late(dial: Dial, { response, acknowledge }: { response: SrfAnswer; acknowledge: () => void }): void {
    if (response.status >= 300) return;
    acknowledge();
    this.#hangUp(dial.effect, 'Answered too late');
  }

  /** Ends a call that the core does not know of. */
  #hangUp({ dialogId }: SipInvite, reason: string): void {
    const timeoutMs = bounds.requestTimeoutMs;
    this.#parts.requests.send(byeRequest(dialogId, reason), { timeoutMs, ended: () => undefined });
  }
}

/** RFC 3325: the name of who answered, where that is believed. */
function assertedName(message: SipMessage): string | null {
  return nameAddrOf(message, 'P-Asserted-Identity')?.displayName ?? null;
}

/** The response read with our own parser; one without headers when even that cannot be. */
function messageOf(raw: string): SipMessage {
  const message = reading('bad-request', () => parseSipMessage(raw));
  return message.ok ? message.value : { kind: 'response', status: 0, reason: '', headers: [], body: '' };
}

/** The readable session description of a 2xx. */
function answerOf(message: SipMessage, lenient: boolean): SessionDescription | null {
  const answer = answerIn(message, lenient);
  return answer === 'unreadable' ? null : answer;
}

/** A refusal that was made up here: it says nothing but its cause. */
function bare(cause: SipCause): Refusal {
  return { cause, unsupported: [], reasonHeader: null, minSe: null, members: null };
}

/** What a final answer of 300 or more says. */
function refusalIn({ status, reason, raw }: SrfAnswer, lenient: boolean): Refusal {
  const message = messageOf(raw);
  const unsupported = reading('bad-request', () => tokens(message, 'Unsupported'));
  return {
    cause: { status, reason },
    unsupported: unsupported.ok ? unsupported.value : [],
    reasonHeader: header(message, 'Reason') ?? null,
    minSe: sessionTimerOf(message).minSe,
    // RFC 5318 6: the header has a meaning in a 403 only.
    members: status === 403 ? membersIn(message, lenient) : null,
  };
}

/** Who is behind a URI that was refused as a list; null when it is not told, or not to be read. */
function membersIn(message: SipMessage, lenient: boolean): Refusal['members'] {
  if (Buffer.byteLength(message.body) > limits.bodyBytesMax) return null;
  const bounds = { partsMax: limits.multipartPartsMax, depthMax: limits.multipartDepthMax, lenient };
  const lists = reading('bad-list', () => entriesOf(refusedListsIn(message, bounds) ?? [], lenient));
  return lists.ok ? (lists.value?.entries ?? null) : null;
}

/** RFC 4028 7.2: the session expires if the 2xx says so; whoever names no refresher leaves that to who asked. */
function sessionTimerIn(message: SipMessage): SessionTimerAnswer | null {
  const { expires, refresher } = sessionTimerOf(message);
  if (expires === null) return null;
  return { expires: Math.max(limits.sessionSecondsMin, expires), refresher: refresher ?? 'uac' };
}

function nameAddrOf(message: SipMessage, name: string): ReturnType<typeof parseNameAddr> | null {
  const read = reading('bad-request', () => {
    const [value] = headerValues(message, name).flatMap(splitList);
    return value === undefined ? null : parseNameAddr(value, { lenient: true });
  });
  return read.ok ? read.value : null;
}
