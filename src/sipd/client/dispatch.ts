/** Brings the requests of applications, and the server's own, on their way: each a parcel of the transit. */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import type { Hop } from '../target/next-hop.ts';
import { ackOfFailure, type ClientCall, goBy } from './client-call.ts';
import type { Parcel, Transit } from './transit.ts';

/** What the caller learns of a request that is under way. */
export type DispatchUser = {
  readonly response: (call: ClientCall, response: IncomingResponse) => void;
  /** An INVITE outside dialogs has been accepted by a target that had been given up. */
  readonly acceptedLate: (call: ClientCall, response: IncomingResponse) => void;
  /** No final answer can come any more. */
  readonly failed: (call: ClientCall, status: number, reason: string) => void;
};

export type DispatchParts = {
  readonly context: Context;
  readonly transit: Transit;
  readonly user: DispatchUser;
};

/** From a request and its next hop to its answers, or to a failure. */
export class Dispatch {
  readonly #parts: DispatchParts;
  readonly #context: Context;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends the request to a peer that is known, or to the targets of a hop. */
  send(call: ClientCall, to: Peer | Hop): void {
    this.#parts.transit.send(this.#parcelOf(call), to);
  }

  #parcelOf(call: ClientCall): Parcel {
    const { method, callId } = call.identity;
    const { user } = this.#parts;
    return {
      method,
      callId,
      forwarded: false,
      write: (own, again) => {
        // The first attempt goes as the application was told.
        goBy(call, own, again ? this.#context.ids.branch() : call.identity.branch);
        const { identity, text } = call;
        return { branch: identity.branch, asked: identity, text, writeAck: (to) => ackOfFailure(identity, to) };
      },
      isWanted: () => call.cancel.kind === 'none' && call.progress !== 'final',
      underWay: (transaction, peer) => {
        call.transaction = transaction;
        call.peer = peer;
        if (peer !== null) return;
        call.progress = 'waiting';
        this.#context.stop(call.limit);
      },
      response: (response) => user.response(call, response),
      acceptedLate: method === 'INVITE' && !call.inDialog ? (response) => user.acceptedLate(call, response) : null,
      failed: (status, reason) => user.failed(call, status, reason),
    };
  }
}
