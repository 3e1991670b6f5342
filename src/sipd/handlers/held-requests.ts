/**
 * Requests that are held until a request handler has said what becomes of them (drachtio's outbound mode). Each is a
 * pending request without an application: what runs for those runs for it, and when it is answered meanwhile, by a CANCEL
 * or because it took too long, what the handler says is of no matter any more.
 *
 *   ask, answer   reject, redirect, proxy   it has its answer, or is forwarded
 *                 a tag                     an application that is connected gets it, 480 without one
 *                 an address                a connection is made; whoever logs in there gets it, else 480
 *
 * 480 and 500 are the daemon's: 480 when nobody takes the request, 500 when the handler fails or says nothing sensible.
 */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Input } from '../input.ts';
import { limits } from '../limits.ts';
import type { OwnResponse } from '../message/own-response.ts';
import type { ForwardingProxy } from '../proxy/forwarding-proxy.ts';
import type { PendingRequest, PendingRequests } from '../server/pending-requests.ts';
import type { RequestEvents } from '../server/request-events.ts';
import { type Instruction, readInstruction } from './instruction.ts';
import { type InquiryReply, questionUrl } from './question.ts';
import type { Adviser, ApplicationAddress, RequestHandlers } from './request-handlers.ts';

export type HeldRequestsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly pending: PendingRequests;
  readonly forward: ForwardingProxy['forward'];
  readonly events: RequestEvents;
  /** The server answers a request an application was not given. */
  readonly answerFor: (pending: PendingRequest, response: Omit<OwnResponse, 'toTag'>) => void;
  readonly handlers: RequestHandlers;
};

type ErrandDone = Extract<Input, { readonly errand: number }>;

/** All requests a handler is asked about, and those that wait for the connection to their application. */
export class HeldRequests {
  readonly #parts: HeldRequestsParts;
  readonly #context: Context;
  readonly #byErrand = new Map<number, PendingRequest>();
  readonly #bySession = new Map<number, PendingRequest>();
  #lastErrand = 0;

  constructor(parts: HeldRequestsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** The handler for requests of this method; null: they go to the applications that are connected. */
  adviserFor(method: string): Adviser | null {
    const { handlers } = this.#parts;
    return handlers.get(method) ?? handlers.get('*') ?? null;
  }

  hasRoom(): boolean {
    return this.count() < limits.heldRequestsMax;
  }

  count(): number {
    return this.#byErrand.size + this.#bySession.size;
  }

  /** Has the handler asked about a request that has just come. */
  hold(pending: PendingRequest, adviser: Adviser): void {
    if (adviser.kind === 'application') {
      this.#connect(pending, adviser.address);
      return;
    }
    const { request } = pending;
    const url = questionUrl(adviser.url, request);
    this.#context.askHandler(this.#errandOf(pending), { url, body: adviser.verb === 'POST' ? request.text : null });
  }

  /** The shell has been about an errand. */
  done(input: ErrandDone): void {
    switch (input.kind) {
      case 'handler-answered':
        this.#answered(input.errand, input.reply);
        return;
      case 'session-connected':
        this.#connected(input.errand, input.session);
        return;
      case 'session-not-connected': {
        const pending = this.#take(this.#byErrand, input.errand);
        if (pending !== null) this.#nobodyTakes(pending, input.reason);
      }
    }
  }

  #answered(errand: number, reply: InquiryReply): void {
    const pending = this.#take(this.#byErrand, errand);
    if (pending === null) return;
    const instruction = reply.kind === 'replied' ? readInstruction(reply.body) : null;
    if (instruction !== null) {
      this.#follow(pending, instruction);
      return;
    }
    this.#complain(pending, reply.kind === 'failed' ? reply.reason : 'it has not answered with an instruction');
    this.#parts.answerFor(pending, { status: 500 });
  }

  /** The connection to the application is made; it must log in now. */
  #connected(errand: number, session: number): void {
    this.#parts.apps.open(session);
    const pending = this.#take(this.#byErrand, errand);
    if (pending === null) this.#context.closeSession(session);
    else this.#bySession.set(session, pending);
  }

  /** An application has logged in: the request it was connected for follows. */
  loggedIn(session: number): void {
    if (!this.#bySession.has(session)) return;
    const pending = this.#take(this.#bySession, session);
    if (pending === null) this.#context.closeSession(session);
    else this.#give(pending, session);
  }

  /** A connection has gone, be it one that nobody has logged in on. */
  sessionClosed(session: number): void {
    const pending = this.#take(this.#bySession, session);
    if (pending !== null) this.#nobodyTakes(pending, 'the application did not log in');
  }

  #follow(pending: PendingRequest, instruction: Instruction): void {
    const { answerFor, forward, apps } = this.#parts;
    switch (instruction.kind) {
      case 'reject': {
        const { status, reason } = instruction;
        answerFor(pending, reason === null ? { status } : { status, reason });
        return;
      }
      case 'redirect':
        answerFor(pending, {
          status: 302,
          headers: instruction.contacts.map((value) => ({ name: 'Contact', value })),
        });
        return;
      case 'proxy': {
        const trouble = forward(pending, instruction.wish);
        if (trouble !== null) this.#complain(pending, trouble);
        return;
      }
      case 'choose': {
        const session = apps.chooseTagged(pending.request.method, instruction.tag);
        if (session === null) this.#nobodyTakes(pending, 'no application has the tag');
        else this.#give(pending, session);
        return;
      }
      case 'connect':
        // The daemon forgets such a request.
        if (instruction.address === null) this.#nobodyTakes(pending, 'its uri is no host:port');
        else this.#connect(pending, instruction.address);
    }
  }

  #connect(pending: PendingRequest, address: ApplicationAddress): void {
    this.#context.connectSession(this.#errandOf(pending), address);
  }

  #give(pending: PendingRequest, session: number): void {
    pending.session = session;
    this.#parts.events.tell(pending.request, { id: pending.id, session }, '');
  }

  #errandOf(pending: PendingRequest): number {
    this.#lastErrand += 1;
    this.#byErrand.set(this.#lastErrand, pending);
    return this.#lastErrand;
  }

  /** Takes a held request out; null when there is none, or it has been answered meanwhile. */
  #take(from: Map<number, PendingRequest>, key: number): PendingRequest | null {
    const pending = from.get(key);
    from.delete(key);
    return pending === undefined || this.#parts.pending.byId(pending.id) !== pending ? null : pending;
  }

  #nobodyTakes(pending: PendingRequest, reason: string): void {
    this.#complain(pending, reason);
    this.#parts.answerFor(pending, { status: 480 });
  }

  #complain({ request }: PendingRequest, reason: string): void {
    const { method, callId } = request;
    this.#context.log('warn', { method, callId, reason }, 'request handler in vain');
  }
}
