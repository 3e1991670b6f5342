/**
 * Brings a request of ours to its next hop: finds its targets, runs the client transaction, and goes on to the next target
 * when one fails (RFC 3263 4.3). Each attempt is a transaction with a branch of its own.
 */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import type { LongRequests } from '../target/long-requests.ts';
import type { Lookups } from '../target/lookups.ts';
import type { Hop } from '../target/next-hop.ts';
import { numericTarget, TargetSearch } from '../target/target-search.ts';
import type { ClientTransactions } from '../transaction/client-transactions.ts';
import { ackOfFailure, type ClientCall, goBy } from './client-call.ts';

/** What the caller learns of a request that is under way. */
export type DispatchUser = {
  readonly response: (call: ClientCall, response: IncomingResponse) => void;
  /** No final answer can come any more. */
  readonly failed: (call: ClientCall, status: number, reason: string) => void;
};

export type DispatchParts = {
  readonly context: Context;
  readonly transactions: ClientTransactions;
  readonly lookups: Lookups;
  readonly longRequests: LongRequests;
  readonly user: DispatchUser;
};

/** The way of one request through its targets. */
type Journey = {
  readonly call: ClientCall;
  /** null: the peer was known, and there is no other. */
  readonly search: TargetSearch | null;
  /** Milliseconds since 1970; null before the first attempt. */
  begun: number | null;
  failovers: number;
};

type Attempt = {
  /** The best that was heard so far: nothing, 100, or that something rings. */
  heard: 'nothing' | 'trying' | 'progress';
  /** Where a long request goes over UDP when TCP does not work; null otherwise. */
  readonly overUdp: Peer | null;
};

/** What the caller learns when nothing better comes. */
type Failure = IncomingResponse | { readonly kind: 'made-up'; readonly status: number; readonly reason: string };

type FailedWhy = 'timeout' | 'unreachable' | 'connection-closed';

const unavailable: Failure = { kind: 'made-up', status: 503, reason: 'Service Unavailable' };

/** From a request and its next hop to client transactions, one after the other, or to a failure. */
export class Dispatch {
  readonly #parts: DispatchParts;
  readonly #context: Context;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends the request to a peer that is known, or to the targets of a hop. */
  send(call: ClientCall, to: Peer | Hop): void {
    // Ours: a connection that is open, or the way back through a NAT, is not left for another transport.
    if ('connection' in to) this.#attempt(newJourney(call, null), to, true);
    else this.#seek(call, to);
  }

  #seek(call: ClientCall, hop: Hop): void {
    const { own, ids } = this.#context;
    const numeric = numericTarget(hop, own);
    if (numeric !== null) {
      this.#attempt(newJourney(call, null), numeric, false);
      return;
    }
    const search = new TargetSearch({ hop, own, random32: ids.random32 });
    this.#next(newJourney(call, search), { kind: 'made-up', status: 503, reason: 'DNS Error' });
  }

  /** Goes on to the next target; without one the caller gets the failure. */
  #next(journey: Journey, failure: Failure): void {
    const { call, search } = journey;
    if (search === null) {
      this.#tell(call, failure);
      return;
    }
    // Between attempts nothing is under way: a CANCEL needs not wait for an answer.
    call.transaction = null;
    call.peer = null;
    call.progress = 'waiting';
    this.#context.stop(call.limit);
    this.#parts.lookups.next(search, (peer) => {
      // Cancelled meanwhile.
      if (call.progress === 'final') return;
      if (peer === null) this.#tell(call, failure);
      else this.#attempt(journey, peer, false);
    });
  }

  /** `asItIs`: to this very peer, however long the request is. */
  #attempt(journey: Journey, target: Peer, asItIs: boolean): void {
    const { call } = journey;
    const { ids, own } = this.#context;
    // RFC 3263 4.3: a new attempt is a new transaction. The first one goes as the application was told.
    const branch = journey.begun === null ? call.identity.branch : ids.branch();
    journey.begun ??= this.#context.now;
    goBy(call, own.of(target), branch);
    const tcp = asItIs ? null : this.#parts.longRequests.overTcp(target, call.text.length);
    if (tcp !== null) goBy(call, own.of(tcp), branch);
    this.#begin(journey, tcp ?? target, { heard: 'nothing', overUdp: tcp === null ? null : target });
  }

  #begin(journey: Journey, peer: Peer, attempt: Attempt): void {
    const { call } = journey;
    const { identity } = call;
    call.peer = peer;
    const request = {
      method: identity.method,
      branch: identity.branch,
      text: call.text,
      to: peer,
      writeAck: (to: string) => ackOfFailure(identity, to),
    };
    call.transaction = this.#parts.transactions.begin(request, {
      response: (response) => this.#response(journey, attempt, response),
      failed: (why) => this.#failed(journey, attempt, why),
    });
    if (call.transaction === null) this.#tell(call, unavailable);
  }

  #response(journey: Journey, attempt: Attempt, response: IncomingResponse): void {
    const { status } = response;
    if (status === 503 && this.#mayGoOn(journey, attempt)) {
      // RFC 3263 4.3: 503 is a failure of this target alone.
      this.#failover(journey, response);
      return;
    }
    if (status > 100 && status < 200) attempt.heard = 'progress';
    else if (status === 100 && attempt.heard === 'nothing') attempt.heard = 'trying';
    this.#parts.user.response(journey.call, response);
  }

  #failed(journey: Journey, attempt: Attempt, why: FailedWhy): void {
    const { overUdp } = attempt;
    const { call } = journey;
    // RFC 3261 18.1.1: where TCP is refused the request is sent over UDP.
    if (overUdp !== null && why !== 'timeout' && attempt.heard === 'nothing') {
      this.#parts.longRequests.refused(overUdp);
      if (call.cancel.kind === 'none') {
        this.#attempt(journey, overUdp, true);
        return;
      }
    }
    const failure = this.#failureOf(why);
    // An answer of any kind means that the server lives: a timeout is then not the target's, but the request's.
    const goesOn = this.#mayGoOn(journey, attempt) && (why !== 'timeout' || attempt.heard === 'nothing');
    if (goesOn) this.#failover(journey, failure);
    else this.#tell(call, failure);
  }

  #failover(journey: Journey, failure: Failure): void {
    const { call } = journey;
    journey.failovers += 1;
    const { callId, method } = call.identity;
    this.#context.log('info', { callId, method, status: failure.status }, 'target failed, trying the next');
    this.#next(journey, failure);
  }

  #mayGoOn({ call, search, begun, failovers }: Journey, { heard }: Attempt): boolean {
    const latest = (begun ?? 0) + 64 * this.#context.timerValues.t1 + limits.failoverMs;
    return (
      search !== null &&
      // The application knows of a phone that rings there; another one would be another call.
      heard !== 'progress' &&
      call.cancel.kind === 'none' &&
      failovers < limits.failoversMax &&
      this.#context.now <= latest
    );
  }

  #tell(call: ClientCall, failure: Failure): void {
    if (failure.kind === 'response') this.#parts.user.response(call, failure);
    else this.#parts.user.failed(call, failure.status, failure.reason);
  }

  // RFC 3261 8.1.3.1.
  #failureOf(why: FailedWhy): Failure {
    if (why === 'timeout') return { kind: 'made-up', status: 408, reason: 'Request Timeout' };
    // The daemon calls a request whose connection closed gone; the RFC wants 503.
    const gone = why === 'connection-closed' && this.#context.ways.has('closed-is-gone');
    return gone ? { kind: 'made-up', status: 410, reason: 'Gone' } : unavailable;
  }
}

function newJourney(call: ClientCall, search: TargetSearch | null): Journey {
  return { call, search, begun: null, failovers: 0 };
}
