/** What comes up from the SIP server, and the answers to it. */
import type { Outcome } from '../core/effect.ts';
import type { Input, ReplyTo } from '../core/input.ts';
import type { Clock } from '../core/ports.ts';
import type { RefusalCode } from '../core/refusal.ts';
import { parseCSeq, parseParams } from '../wire/sip-headers.ts';
import { header, parseSipMessage, type SipMessage } from '../wire/sip-message.ts';
import { product } from './capabilities.ts';
import { type ChallengeRules, challenges } from './challenge.ts';
import type { Dialog, Dialogs } from './dialogs.ts';
import type { HeldByes } from './held-byes.ts';
import type { IdentityRules } from './identity.ts';
import { PendingReplies, type PendingReply } from './pending-replies.ts';
import { answerIn } from './readers/body.ts';
import { reading } from './request-facts.ts';
import { inputFor } from './requests.ts';
import { sendAnswer } from './response-writer.ts';
import { type Answer, answerFor } from './responses.ts';
import type { Log } from './sip-log.ts';
import type { SrfRequest, SrfResponse } from './srf.ts';

export type IncomingParts = {
  readonly dialogs: Dialogs;
  readonly heldByes: HeldByes;
  readonly rules: IdentityRules;
  readonly submit: (input: Input) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** A fresh token that begins with `sip:`. */
  readonly newReply: () => ReplyTo;
  readonly challenge: ChallengeRules;
  /** Host that stands in Warning. */
  readonly agent: string;
};

/** A request and the response it awaits. */
type Exchange = { readonly request: SrfRequest; readonly response: SrfResponse; readonly dialog: Dialog | null };

/** Reads what the SIP server hands up, submits it as inputs, and answers when the core has replied. */
export class Incoming {
  readonly #parts: IncomingParts;
  readonly #pending: PendingReplies;

  constructor(parts: IncomingParts) {
    this.#parts = parts;
    this.#pending = new PendingReplies(parts.clock);
  }

  get pendingReplies(): number {
    return this.#pending.size;
  }

  /** Middleware of the library: every request of every method comes here, and goes no further. */
  readonly arrived = (request: SrfRequest, response: SrfResponse): void => {
    const dialog = this.#parts.dialogs.find(request.stackDialogId);
    try {
      if (request.source === 'application') this.#endedByServer(request, dialog);
      else if (request.method === 'ACK') this.#acknowledged(request, dialog);
      else if (request.method === 'BYE' && dialog?.session) this.#endedByPeer({ request, response, dialog });
      else this.#asked({ request, response, dialog });
    } catch (error) {
      this.#parts.log.error({ err: error, method: request.method }, 'a request broke us');
      this.#refuse(request, response, 'internal-error');
    }
  };

  /** Answers a request, once; one that was cancelled or given up meanwhile is answered no more. */
  reply(to: ReplyTo, outcome: Outcome): void {
    const pending = this.#pending.take(to);
    if (pending === undefined) {
      this.#parts.log.debug({ reply: to, outcome: outcome.kind }, 'nobody waits for this answer');
      return;
    }
    const before = this.#parts.dialogs.find(pending.dialogId);
    // Entered before it is sent: whatever the peer sends next finds its dialog.
    this.#enter(pending, outcome);
    const answer = this.#answerTo(pending, outcome);
    const failed = (): void => this.#notSent(pending, { outcome, before });
    sendAnswer(pending.response, answer, { log: this.#parts.log, failed });
  }

  forgetAll(): void {
    this.#pending.clear();
  }

  #enter(pending: PendingReply, outcome: Outcome): void {
    const { dialogs } = this.#parts;
    if (outcome.kind === 'session-accepted') {
      const { endpointId, contact } = outcome;
      if (!pending.inDialog) dialogs.openSession(pending.dialogId, { endpointId, contact, confirmed: false });
      // RFC 3311 4: an UPDATE has no ACK.
      if (pending.method === 'INVITE') dialogs.changeSession(pending.dialogId, { ackAwaited: pending.cseq });
    }
    if (outcome.kind === 'referral-accepted') {
      const { subscribes, contact } = outcome;
      const referralId = subscribes ? outcome.referralId : null;
      dialogs.refer(pending.dialogId, { referralId, cseq: pending.cseq, contact });
    }
    if (outcome.kind === 'subscription-accepted') {
      const { subscriptionId, contact } = outcome;
      const before = dialogs.openSubscription(pending.dialogId, { subscriptionId, contact });
      if (before !== null) queueMicrotask(() => this.#replaced(before));
    }
    if (!pending.inDialog) dialogs.heard(pending.dialogId, pending.cseq);
  }

  /** The SIP server knows a dialog by Call-ID and tag of its subscriber: what has them now hides what had them before. */
  #replaced(subscriptionId: string): void {
    this.#parts.submit({ type: 'notify-answered', subscriptionId, status: 481 });
  }

  /**
   * The peer never saw our 200, so what it began is over. An answer within a dialog leaves that as it was, and so does
   * one to an INVITE with Call-ID and tag of a call that stands, which a drachtio server refuses.
   */
  #notSent(
    pending: PendingReply,
    { outcome, before }: { readonly outcome: Outcome; readonly before: Dialog | null },
  ): void {
    if (outcome.kind !== 'session-accepted' || pending.inDialog) return;
    this.#parts.heldByes.drop(pending.dialogId);
    this.#parts.dialogs.undoSession(pending.dialogId, outcome.endpointId, before);
    this.#parts.submit({ type: 'invite-cancelled', dialogId: pending.dialogId });
  }

  #asked({ request, response, dialog }: Exchange): void {
    const { method } = request;
    if (this.#pending.full) {
      this.#parts.log.warn({ method }, 'too many requests await their answers');
      this.#refuse(request, response, 'busy');
      return;
    }
    const input = inputFor(
      {
        reply: this.#parts.newReply(),
        method,
        uri: request.uri,
        raw: request.raw,
        sourceAddress: request.source_address,
        dialogId: request.stackDialogId ?? '',
        unanswered: dialog === null ? [] : this.#pending.methodsWithin(dialog.id),
      },
      dialog,
      this.#parts.rules,
    );
    const outOfPlace = this.#outOfPlace(input, dialog);
    if (outOfPlace !== null) {
      this.#refuse(request, response, outOfPlace);
      return;
    }
    if (dialog !== null && 'cseq' in input) this.#parts.dialogs.heard(dialog.id, input.cseq);
    const pending: PendingReply = {
      method,
      response,
      sourceAddress: request.source_address,
      dialogId: dialog?.id ?? (input.type === 'request-refused' ? '' : input.dialogId),
      cseq: 'cseq' in input ? input.cseq : -1,
      inDialog: dialog !== null,
    };
    this.#pending.add(input.reply, pending, () => {
      this.#parts.log.error({ method }, 'request not answered by the core in time');
      this.#withdrawn(input);
      this.#refuse(request, response, 'busy');
    });
    if (method === 'INVITE') this.#watchInvite(request, () => this.#cancelled(input));
    try {
      this.#parts.submit(input);
    } catch (error) {
      this.#pending.take(input.reply);
      throw error;
    }
  }

  /** Why a request is refused for the place that it has among others; a drachtio server hands it up all the same. */
  #outOfPlace(input: Extract<Input, { reply: ReplyTo }>, dialog: Dialog | null): RefusalCode | null {
    if (!('cseq' in input)) return null;
    // RFC 3261 12.2.2: one that a later one has overtaken gets 500.
    if (dialog !== null) return dialog.remoteCseq !== null && input.cseq < dialog.remoteCseq ? 'internal-error' : null;
    // RFC 3261 8.2.2.2: the same request over another path.
    if (this.#pending.hasTwin(input)) return 'loop';
    const accepted = input.method === 'INVITE' ? this.#parts.dialogs.find(input.dialogId) : null;
    return accepted?.session && accepted.remoteCseq === input.cseq ? 'loop' : null;
  }

  /** The library hands over a CANCEL and an UPDATE during an INVITE on the request object of that INVITE. */
  #watchInvite(request: SrfRequest, cancelled: () => void): void {
    request.on('update', this.arrived);
    request.on('cancel', cancelled);
  }

  /** RFC 3261 9.2: the SIP server has answered 200 and 487 already. */
  #cancelled(input: Extract<Input, { reply: ReplyTo }>): void {
    if (this.#pending.take(input.reply) !== undefined) this.#withdrawn(input);
  }

  /** A re-INVITE that is cancelled leaves the session as it was (RFC 3261 14.1). */
  #withdrawn(input: Input): void {
    if (input.type === 'invite-received') this.#parts.submit({ type: 'invite-cancelled', dialogId: input.dialogId });
  }

  #acknowledged(request: SrfRequest, dialog: Dialog | null): void {
    const session = dialog?.session;
    if (!dialog || !session) return;
    const message = messageOf(request.raw);
    // A repeated ACK, or one of another INVITE, says nothing new.
    if (message === null || session.ackAwaited === null || cseqOf(message) !== session.ackAwaited) return;
    this.#parts.dialogs.changeSession(dialog.id, { ackAwaited: null, confirmed: true });
    if (session.ending) {
      this.#parts.heldByes.release(dialog.id);
      return;
    }
    const answer = answerIn(message, this.#parts.rules.lenient);
    this.#parts.submit({ type: 'ack-received', endpointId: session.endpointId, answer });
  }

  #endedByPeer({ request, response, dialog }: Exchange): void {
    // RFC 3261 15.1.2: answered at once; it is a fact, not a question.
    const answer: Answer = { status: 200, reason: 'OK', headers: [['Server', product]], body: null, toTag: null };
    sendAnswer(response, answer, { log: this.#parts.log, failed: () => undefined });
    this.#sessionEnded(dialog, 'peer', reasonIn(request.raw));
  }

  /** A drachtio server hangs up by itself when no ACK came or a 200 crossed our CANCEL; then it tells us its BYE. */
  #endedByServer(request: SrfRequest, dialog: Dialog | null): void {
    if (request.method === 'BYE') this.#sessionEnded(dialog, 'server', reasonIn(request.raw));
  }

  #sessionEnded(dialog: Dialog | null, by: 'peer' | 'server', reason: string | null): void {
    if (!dialog?.session) return;
    const { endpointId, ending } = dialog.session;
    this.#closeSession(dialog.id);
    // Of two BYEs that cross, ours is the one the core knows of.
    if (!ending) this.#parts.submit({ type: 'dialog-ended', endpointId, by, reason });
  }

  #closeSession(dialogId: string): void {
    this.#parts.dialogs.closeSession(dialogId);
    this.#parts.heldByes.drop(dialogId);
  }

  #refuse(request: SrfRequest, response: SrfResponse, code: RefusalCode): void {
    const asked = { method: request.method, sourceAddress: request.source_address, inDialog: false };
    const answer = this.#answerTo(asked, { kind: 'refused', code, detail: '' });
    sendAnswer(response, answer, { log: this.#parts.log, failed: () => undefined });
  }

  #answerTo(asked: Pick<PendingReply, 'method' | 'sourceAddress' | 'inDialog'>, outcome: Outcome): Answer {
    const { method, sourceAddress, inDialog: isWithinDialog } = asked;
    const { challenge, agent, clock } = this.#parts;
    const challenged = (stale: boolean): readonly string[] =>
      challenges(challenge, { now: clock.now(), sourceAddress, stale });
    return answerFor(outcome, { method, isWithinDialog, agent, challenges: challenged });
  }
}

function messageOf(raw: string): SipMessage | null {
  const message = reading('bad-request', () => parseSipMessage(raw));
  return message.ok ? message.value : null;
}

function cseqOf(message: SipMessage | null): number {
  const number = reading(
    'bad-request',
    () => parseCSeq(message === null ? '' : (header(message, 'CSeq') ?? '')).number,
  );
  return number.ok ? number.value : -1;
}

/** RFC 3326: the text of Reason, or the whole value when it has none. */
function reasonIn(raw: string): string | null {
  // Most have none, which is found out at a tenth of the price of reading them.
  if (!/\nreason[ \t]*:/i.test(raw)) return null;
  const message = messageOf(raw);
  const value = message === null ? undefined : header(message, 'Reason');
  if (value === undefined) return null;
  const semicolon = value.indexOf(';');
  const params = reading('bad-request', () => (semicolon === -1 ? [] : parseParams(value.slice(semicolon))));
  const text = params.ok ? params.value.find((param) => param.name === 'text')?.value : null;
  return text ?? value;
}
