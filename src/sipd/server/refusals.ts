/** Received requests that nobody gets: refused without a transaction, or dropped. */

import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import { type OwnResponse, replyPeer, statelessTag, writeOwnResponse } from '../message/own-response.ts';

/** A refusal by the server itself; its tag is chosen when it is written. */
export type Refusal = Omit<OwnResponse, 'toTag'>;

/** Says no, and keeps nothing of it. */
export class Refusals {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Answers without a transaction: a repeated request gets the same answer, To tag and all. Gives its text. */
  refuse(request: IncomingRequest, response: Refusal): string {
    const toTag = statelessTag(`${request.callId} ${request.fromTag ?? ''} ${request.cseq} ${request.uri}`);
    const to = this.#context.ways.has('answers-to-source') ? request.from : replyPeer(request.from, request.via);
    if (this.#context.ways.has('trying-at-once') && request.method === 'INVITE') {
      this.#context.send(to, writeOwnResponse(request, { status: 100, toTag: null }));
    }
    const text = writeOwnResponse(request, { ...response, toTag });
    this.#context.send(to, text);
    return text;
  }

  /** Refuses because its source has sent too much, or because there is too much of all; and counts that. */
  refuseBusy(request: IncomingRequest, why: 'limitedRequests' | 'shedRequests'): void {
    this.#context.guard.complain(why, request.from);
    this.refuse(request, this.busy());
  }

  /** RFC 3261 21.5.4. Those who are refused at once do not come back at once. */
  busy(): Refusal {
    const seconds = limits.retryAfterSeconds.least + (this.#context.ids.cseq() % limits.retryAfterSeconds.spread);
    return { status: 503, headers: [{ name: 'Retry-After', value: String(seconds) }] };
  }

  /** Says nothing to the peer. */
  drop(request: IncomingRequest, why: string): void {
    this.#context.log('debug', { method: request.method, callId: request.callId, why }, 'request dropped');
  }
}
