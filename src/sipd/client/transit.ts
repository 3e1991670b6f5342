/**
 * Brings a request to its next hop: finds its targets, runs the client transaction, and goes on to the next target when
 * one fails (RFC 3263 4.3). Each attempt is a transaction with a branch of its own.
 */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import type { OwnAddress } from '../own-addresses.ts';
import type { LongRequests } from '../target/long-requests.ts';
import type { Lookups } from '../target/lookups.ts';
import type { Hop } from '../target/next-hop.ts';
import { numericTarget, TargetSearch } from '../target/target-search.ts';
import type { ClientTransaction, ClientTransactions } from '../transaction/client-transactions.ts';
import type { Asked } from '../transaction/matching.ts';
import type { LateAnswers } from './late-answers.ts';

/** A request as it goes from one of our addresses, with a branch that is its own. */
export type WrittenRequest = {
  readonly branch: string;
  /** What its answers repeat. */
  readonly asked: Asked;
  readonly text: string;
  /** Makes the ACK of a final answer of 300 or more, from the answer's To value. */
  readonly writeAck: (to: string) => string;
};

/** A request that can be written anew for each target, and those who wait for its answer. */
export type Parcel = {
  readonly method: string;
  readonly callId: string;
  /** Whether it is somebody else's whom we forward it for. */
  readonly forwarded: boolean;
  /** The request as it goes from that address. `again`: for a further attempt, which needs a branch of its own. */
  readonly write: (own: OwnAddress, again: boolean) => WrittenRequest;
  /** Whether it is still to be sent; if not it fails as if there were no further target. */
  readonly isWanted: () => boolean;
  /** An attempt is under way; null: none is, until the next target has been found. */
  readonly underWay: (transaction: ClientTransaction | null, peer: Peer | null) => void;
  readonly response: (response: IncomingResponse) => void;
  /** An INVITE has been accepted by a target that had been given up; null: nobody is to know. */
  readonly acceptedLate: ((response: IncomingResponse) => void) | null;
  /** No final answer can come any more. */
  readonly failed: (status: number, reason: string) => void;
};

export type TransitParts = {
  readonly context: Context;
  readonly transactions: ClientTransactions;
  readonly lookups: Lookups;
  readonly longRequests: LongRequests;
  readonly lateAnswers: LateAnswers;
};

/** The way of one request through its targets. */
type Journey = {
  readonly parcel: Parcel;
  /** null: the peer was known, and there is no other. */
  readonly search: TargetSearch | null;
  /** Milliseconds since 1970; null before the first attempt. */
  begun: number | null;
  failovers: number;
};

type Attempt = {
  /** The best that was heard so far: nothing, 100, or that something rings. */
  heard: 'nothing' | 'trying' | 'progress';
  readonly branch: string;
  readonly asked: Asked;
  /** Where a long request goes over UDP when TCP does not work; null otherwise. */
  readonly overUdp: Peer | null;
};

/** What the sender learns when nothing better comes. */
type Failure = IncomingResponse | { readonly kind: 'made-up'; readonly status: number; readonly reason: string };

type FailedWhy = 'timeout' | 'unreachable' | 'connection-closed';

const unavailable: Failure = { kind: 'made-up', status: 503, reason: 'Service Unavailable' };

/** From a request and its next hop to client transactions, one after the other, or to a failure. */
export class Transit {
  readonly #parts: TransitParts;
  readonly #context: Context;

  constructor(parts: TransitParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends the request to a peer that is known, or to the targets of a hop. */
  send(parcel: Parcel, to: Peer | Hop): void {
    // Ours: a connection that is open, or the way back through a NAT, is not left for another transport.
    if ('connection' in to) this.#attempt(newJourney(parcel, null), to, true);
    else this.#seek(parcel, to);
  }

  #seek(parcel: Parcel, hop: Hop): void {
    const { own, ids } = this.#context;
    const numeric = numericTarget(hop, own);
    if (numeric !== null) {
      this.#attempt(newJourney(parcel, null), numeric, false);
      return;
    }
    const search = new TargetSearch({ hop, own, random32: ids.random32, toOurselves: parcel.forwarded });
    this.#next(newJourney(parcel, search), { kind: 'made-up', status: 503, reason: 'DNS Error' });
  }

  /** Goes on to the next target; without one the sender gets the failure. */
  #next(journey: Journey, failure: Failure): void {
    const { parcel, search } = journey;
    if (search === null) {
      tell(parcel, failure);
      return;
    }
    // Between attempts nothing is under way: a CANCEL needs not wait for an answer.
    parcel.underWay(null, null);
    this.#parts.lookups.next(search, this.#latest(journey), (peer) => {
      if (peer === null || !parcel.isWanted()) tell(parcel, failure);
      else this.#attempt(journey, peer, false);
    });
  }

  /** `asItIs`: to this very peer, however long the request is. */
  #attempt(journey: Journey, target: Peer, asItIs: boolean): void {
    const { parcel } = journey;
    const { own } = this.#context;
    // RFC 3263 4.3: a new attempt is a new transaction.
    const again = journey.begun !== null;
    journey.begun ??= this.#context.now;
    const written = parcel.write(own.of(target), again);
    const tcp = asItIs ? null : this.#parts.longRequests.overTcp(target, written.text.length);
    if (tcp === null) this.#begin(journey, { ...written, to: target }, null);
    else this.#begin(journey, { ...parcel.write(own.of(tcp), false), to: tcp }, target);
  }

  #begin(journey: Journey, request: WrittenRequest & { readonly to: Peer }, overUdp: Peer | null): void {
    const { parcel } = journey;
    const { branch, asked } = request;
    const attempt: Attempt = { heard: 'nothing', branch, asked, overUdp };
    const { method, forwarded } = parcel;
    const transaction = this.#parts.transactions.begin(
      { ...request, method, forwarded },
      {
        response: (response) => this.#response(journey, attempt, response),
        failed: (why) => this.#failed(journey, attempt, why),
      },
    );
    parcel.underWay(transaction, request.to);
    if (transaction === null) tell(parcel, unavailable);
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
    journey.parcel.response(response);
  }

  #failed(journey: Journey, attempt: Attempt, why: FailedWhy): void {
    const { overUdp, branch, asked } = attempt;
    const { parcel } = journey;
    const { acceptedLate } = parcel;
    if (acceptedLate !== null) this.#parts.lateAnswers.givenUp({ branch, asked }, acceptedLate);
    // RFC 3261 18.1.1: where TCP is refused the request is sent over UDP.
    if (overUdp !== null && why !== 'timeout' && attempt.heard === 'nothing') {
      this.#parts.longRequests.refused(overUdp);
      if (parcel.isWanted()) {
        this.#attempt(journey, overUdp, true);
        return;
      }
    }
    const failure = this.#failureOf(why);
    // An answer of any kind means that the server lives: a timeout is then not the target's, but the request's.
    const goesOn = this.#mayGoOn(journey, attempt) && (why !== 'timeout' || attempt.heard === 'nothing');
    if (goesOn) this.#failover(journey, failure);
    else tell(parcel, failure);
  }

  #failover(journey: Journey, failure: Failure): void {
    const { callId, method } = journey.parcel;
    journey.failovers += 1;
    this.#context.log('info', { callId, method, status: failure.status }, 'target failed, trying the next');
    this.#next(journey, failure);
  }

  /** When the next target must have been found: milliseconds since 1970. */
  #latest({ begun }: Journey): number {
    const patience = 64 * this.#context.timerValues.t1;
    return begun === null ? this.#context.now + patience : begun + patience + limits.failoverMs;
  }

  #mayGoOn(journey: Journey, { heard }: Attempt): boolean {
    const { parcel, search, failovers } = journey;
    return (
      search !== null &&
      // The application knows of a phone that rings there; another one would be another call.
      heard !== 'progress' &&
      parcel.isWanted() &&
      failovers < limits.failoversMax &&
      this.#context.now <= this.#latest(journey)
    );
  }

  // RFC 3261 8.1.3.1.
  #failureOf(why: FailedWhy): Failure {
    if (why === 'timeout') return { kind: 'made-up', status: 408, reason: 'Request Timeout' };
    // The daemon calls a request whose connection closed gone; the RFC wants 503.
    const gone = why === 'connection-closed' && this.#context.ways.has('closed-is-gone');
    return gone ? { kind: 'made-up', status: 410, reason: 'Gone' } : unavailable;
  }
}

function newJourney(parcel: Parcel, search: TargetSearch | null): Journey {
  return { parcel, search, begun: null, failovers: 0 };
}

function tell(parcel: Parcel, failure: Failure): void {
  if (failure.kind === 'response') parcel.response(failure);
  else parcel.failed(failure.status, failure.reason);
}
