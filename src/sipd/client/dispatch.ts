/** Brings a request of ours to its next hop: looks the host up if need be and runs the client transaction. */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import { type Hop, isIpAddress } from '../target/next-hop.ts';
import type { ClientTransactions } from '../transaction/client-transactions.ts';
import { ackOfFailure, type ClientCall } from './client-call.ts';

/** What the caller learns of a request that is under way. */
export type DispatchUser = {
  readonly response: (call: ClientCall, response: IncomingResponse) => void;
  /** No final answer can come any more. */
  readonly failed: (call: ClientCall, status: number, reason: string) => void;
};

/** From a request and its next hop to a client transaction, or to a failure. */
export class Dispatch {
  readonly #context: Context;
  readonly #transactions: ClientTransactions;
  readonly #user: DispatchUser;
  readonly #lookups = new Map<number, { readonly call: ClientCall; readonly hop: Hop }>();
  #lookup = 0;

  constructor(context: Context, transactions: ClientTransactions, user: DispatchUser) {
    this.#context = context;
    this.#transactions = transactions;
    this.#user = user;
  }

  /** Sends the request to a peer that is known, or once its host has been found. */
  send(call: ClientCall, to: Peer | Hop): void {
    if ('connection' in to) this.#launch(call, to);
    else if (isIpAddress(to.host)) this.#launch(call, { ...to, connection: null, listener: null });
    else this.#resolve(call, to);
  }

  /** The answer to a `resolve-host`; null when the name leads nowhere. */
  hostResolved(lookup: number, address: string | null): void {
    const found = this.#lookups.get(lookup);
    if (found === undefined) return;
    this.#lookups.delete(lookup);
    const { call, hop } = found;
    this.#context.stop(call.limit);
    if (call.progress === 'final') return;
    if (address === null) this.#user.failed(call, 503, 'DNS Error');
    else
      this.#launch(call, { protocol: hop.protocol, host: address, port: hop.port, connection: null, listener: null });
  }

  lookupCount(): number {
    return this.#lookups.size;
  }

  #resolve(call: ClientCall, hop: Hop): void {
    if (this.#lookups.size >= limits.lookupsMax) {
      this.#user.failed(call, 503, 'DNS Error');
      return;
    }
    this.#lookup += 1;
    const lookup = this.#lookup;
    this.#lookups.set(lookup, { call, hop });
    call.limit = this.#context.after(64 * this.#context.timerValues.t1, () => this.hostResolved(lookup, null));
    this.#context.resolveHost(lookup, hop.host);
  }

  #launch(call: ClientCall, peer: Peer): void {
    const { identity } = call;
    call.peer = peer;
    const request = {
      method: identity.method,
      branch: identity.branch,
      text: call.text,
      to: peer,
      writeAck: (to: string) => ackOfFailure(identity, to),
    };
    call.transaction = this.#transactions.begin(request, {
      response: (response) => this.#user.response(call, response),
      failed: (why) => this.#fail(call, why),
    });
    if (call.transaction === null) this.#user.failed(call, 503, 'Service Unavailable');
  }

  #fail(call: ClientCall, why: 'timeout' | 'unreachable' | 'connection-closed'): void {
    if (why === 'timeout') this.#user.failed(call, 408, 'Request Timeout');
    // The daemon calls a request whose connection closed gone; RFC 3261 8.1.3.1 wants 503.
    else if (why === 'connection-closed' && this.#context.ways.has('closed-is-gone'))
      this.#user.failed(call, 410, 'Gone');
    else this.#user.failed(call, 503, 'Service Unavailable');
  }
}
