/**
 * Received requests outside dialogs (RFC 3261 8.2): given to an application that asked for their method, or held until
 * a request handler has said whose they are. Those that are merged, senseless there, unwanted or too many are refused.
 */

import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Dialogs } from '../dialog/dialog.ts';
import type { HeldRequests } from '../handlers/held-requests.ts';
import { knownMethods } from '../message/checks.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import type { Sessions } from '../session-timer/sessions.ts';
import type { HandOver } from './hand-over.ts';
import type { PendingRequests } from './pending-requests.ts';
import type { Refusal, Refusals } from './refusals.ts';

export type NewRequestsParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly sessions: Sessions;
  /** For requests that a handler is asked about. */
  readonly held: HeldRequests;
  readonly handOver: HandOver;
  readonly refusals: Refusals;
};

/** Finds an application for what begins something new. */
export class NewRequests {
  readonly #parts: NewRequestsParts;
  readonly #context: Context;

  constructor(parts: NewRequestsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** A request without a To tag. */
  receive(request: IncomingRequest): void {
    const { refusals } = this.#parts;
    const { method } = request;
    const wanted = this.#parts.apps.hasVerb(method) || this.#parts.held.adviserFor(method) !== null;
    if (!knownMethods.has(method) && !(wanted && !this.#context.ways.has('drops-unknown-methods'))) {
      if (this.#context.ways.has('drops-unknown-methods')) refusals.drop(request, 'unknown method');
      else refusals.refuse(request, { status: 501, headers: [{ name: 'Allow', value: this.#parts.apps.allowed() }] });
    } else if (method === 'REFER' && this.#context.ways.has('drops-refer'))
      refusals.drop(request, 'REFER outside a dialog');
    else if (method === 'BYE' || method === 'UPDATE' || method === 'PRACK') refusals.refuse(request, { status: 481 });
    else if (this.#isMerged(request)) {
      this.#context.counters.count('mergedRequests');
      refusals.refuse(request, { status: this.#context.ways.has('late-merge') ? 480 : 482 });
    } else {
      const refusal = this.#parts.sessions.refusal(request, null);
      if (refusal === null) this.offer(request);
      else refusals.refuse(request, refusal);
    }
  }

  /** Gives the request to whoever wants its method, unless the server is too busy; refuses it when nobody does. */
  offer(request: IncomingRequest): void {
    const { apps, held, handOver, refusals } = this.#parts;
    const adviser = held.adviserFor(request.method);
    if (this.#context.guard.sheds(request.method) || (adviser !== null && !held.hasRoom())) {
      refusals.refuseBusy(request, 'shedRequests');
      return;
    }
    if (request.method === 'INVITE') apps.records.attempt('network', request.text);
    if (adviser !== null) {
      const pending = handOver.begin(request, null, null);
      if (pending !== null) held.hold(pending, adviser);
      return;
    }
    const session = apps.choose(request.method);
    if (session !== null) {
      handOver.hand(request, session, null);
      return;
    }
    const text = refusals.refuse(request, this.#unwanted());
    if (request.method === 'INVITE') apps.records.stop('application', text, 'call-rejected');
  }

  /**
   * RFC 3261 8.2.2.2: the same request over another path. That is a rule for user agents, and whether the application is
   * one nobody knows yet: by 16.3 step 4 a proxy forwards what comes with another Request-URI, be it a fork or a spiral.
   * Answered by the application itself, one of them is accepted at most. The daemon lets all through until one is.
   */
  #isMerged(request: IncomingRequest): boolean {
    const dialog = this.#parts.dialogs.byId(`${request.callId};from-tag=${request.fromTag ?? ''}`);
    if (dialog?.confirmed && dialog.origin.cseq === request.cseq && dialog.method === request.method) return true;
    if (this.#context.ways.has('late-merge')) return false;
    return this.#parts.pending.sameOrigin(request).some((pending) => pending.request.uri === request.uri);
  }

  // RFC 3261 8.2.1: a method nobody asked for is not allowed; while nobody asks for anything, nobody is there.
  #unwanted(): Refusal {
    const { apps } = this.#parts;
    if (this.#context.ways.has('unwanted-503') || !apps.isWanting()) return { status: 503 };
    return { status: 405, headers: [{ name: 'Allow', value: apps.allowed() }] };
  }
}
