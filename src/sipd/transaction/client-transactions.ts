/** Runs the client transactions (RFC 3261 17.1): matches responses, performs what the tables say. */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingResponse } from '../message/incoming.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import { inviteClient } from './invite-client.ts';
import { type Asked, answers, clientKey } from './matching.ts';
import { nonInviteClient } from './non-invite-client.ts';
import type { AnyTable, ClientAction, ClientEvent } from './table.ts';
import { repeats, responseEvent, type TimerStep, timerMs, timerStep } from './timers.ts';

/** What a client transaction tells its user. */
export type ClientUser = {
  readonly response: (response: IncomingResponse) => void;
  /** No final answer came, or the peer cannot be reached. */
  readonly failed: (why: 'timeout' | 'unreachable' | 'connection-closed') => void;
};

export type ClientRequest = {
  readonly method: string;
  readonly branch: string;
  readonly asked: Asked;
  readonly text: string;
  readonly to: Peer;
  /** Makes the ACK of a final answer of 300 or more, from the answer's To value (RFC 3261 17.1.1.3). */
  readonly writeAck: (to: string) => string;
  /** Whether the request is somebody else's whom we forward it for, so that its answers travel on. */
  readonly forwarded?: boolean;
};

export type ClientTransaction = {
  readonly key: string;
  readonly table: AnyTable<ClientEvent, ClientAction>;
  readonly request: ClientRequest;
  readonly user: ClientUser;
  state: string;
  /** The ACK sent last, to be repeated. */
  ack: string | null;
  /** The timer that repeats, and the one that ends the state. */
  repeat: TimerHandle | null;
  expiry: TimerHandle | null;
  rounds: number;
};

/** `stray`: its branch is that of no request. `mismatched`: of one, but what else it repeats is another's. */
export type ResponseFate = 'taken' | 'stray' | 'mismatched';

/** All client transactions, by branch and method (RFC 3261 17.1.3). At most `limits.transactionsMax`. */
export class ClientTransactions {
  readonly #context: Context;
  readonly #byKey = new Map<string, ClientTransaction>();
  /** The same by where they go: when many peers are lost at once, not all are searched for each. */
  readonly #byAddress = new Map<string, Set<ClientTransaction>>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Sends the request and begins its transaction; null when there are too many. */
  begin(request: ClientRequest, user: ClientUser): ClientTransaction | null {
    if (this.#byKey.size >= limits.transactionsMax) return null;
    const table = request.method === 'INVITE' ? inviteClient : nonInviteClient;
    const transaction: ClientTransaction = {
      key: clientKey(request.branch, request.method),
      table,
      request,
      user,
      state: table.initial.to,
      ack: null,
      repeat: null,
      expiry: null,
      rounds: 0,
    };
    this.#byKey.set(transaction.key, transaction);
    this.#goingTo(request.to).add(transaction);
    for (const action of table.initial.do) this.#perform(transaction, action, null);
    return transaction;
  }

  /** Gives a response to its transaction; if it says that there is none, it is discarded (RFC 3261 18.1.2). */
  receive(response: IncomingResponse): ResponseFate {
    const branch = response.via.params.find((each) => each.name === 'branch')?.value;
    if (typeof branch !== 'string') return 'stray';
    const transaction = this.#byKey.get(clientKey(branch, response.method));
    if (transaction === undefined) return 'stray';
    const { forwarded, asked } = transaction.request;
    // RFC 3261 8.1.3.3: a response with more than one Via is not meant for a user agent.
    if (response.travelsOn && forwarded !== true) return 'stray';
    if (!answers(response, asked)) return 'mismatched';
    this.#fire(transaction, responseEvent(response.status), response);
    return 'taken';
  }

  /** Whether anything we sent to that peer has a transaction. */
  areOpenTo(peer: Peer): boolean {
    return this.#byAddress.has(addressOf(peer));
  }

  /** Ends a transaction that has no final answer yet: its user is told of a timeout. */
  abandon(transaction: ClientTransaction): void {
    this.#fire(transaction, 'abandoned', null);
  }

  /** The peer, or one connection to it, is gone: every transaction that waits for it fails. */
  peerLost(peer: Peer, why: 'unreachable' | 'connection-closed'): void {
    for (const transaction of [...(this.#byAddress.get(addressOf(peer)) ?? [])]) {
      const { to } = transaction.request;
      // What names a connection that is gone went over another one to the same address.
      const elsewhere = to.connection !== null && to.connection !== peer.connection && this.#context.isOpen(to);
      if (elsewhere) continue;
      const waits = transaction.table.states[transaction.state]?.abandoned !== undefined;
      this.#fire(transaction, 'transport-error', null);
      if (waits) transaction.user.failed(why);
    }
  }

  count(): number {
    return this.#byKey.size;
  }

  #fire(transaction: ClientTransaction, event: ClientEvent, response: IncomingResponse | null): void {
    const step = transaction.table.states[transaction.state]?.[event];
    if (step === undefined) return;
    transaction.state = step.to;
    if (step.to === 'terminated') this.#forget(transaction);
    for (const action of step.do) this.#perform(transaction, action, response);
  }

  #forget(transaction: ClientTransaction): void {
    this.#context.stop(transaction.repeat);
    this.#context.stop(transaction.expiry);
    this.#byKey.delete(transaction.key);
    const { to } = transaction.request;
    const others = this.#goingTo(to);
    others.delete(transaction);
    if (others.size === 0) this.#byAddress.delete(addressOf(to));
  }

  #goingTo(peer: Peer): Set<ClientTransaction> {
    const address = addressOf(peer);
    const found = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, found);
    return found;
  }

  #perform(transaction: ClientTransaction, action: ClientAction, response: IncomingResponse | null): void {
    switch (action) {
      case 'send-request':
        this.#context.sendRequest(transaction.request.to, transaction.request.text);
        return;
      case 'send-ack':
        this.#sendAck(transaction, response);
        return;
      case 'deliver':
        if (response !== null) transaction.user.response(response);
        return;
      case 'report-timeout':
        transaction.user.failed('timeout');
        return;
      case 'report-transport-error':
        // `peerLost` tells the user itself: it knows what was lost.
        return;
      default: {
        const step = timerStep(action);
        if (step === undefined) return;
        if (step.starts) this.#start(transaction, step);
        else this.#context.stop(repeats(step.letter) ? transaction.repeat : transaction.expiry);
      }
    }
  }

  #sendAck(transaction: ClientTransaction, response: IncomingResponse | null): void {
    const to = response?.headers.find((each) => each.key === 'to')?.value;
    if (transaction.ack === null && to !== undefined) transaction.ack = transaction.request.writeAck(to);
    if (transaction.ack !== null) this.#context.send(transaction.request.to, transaction.ack);
  }

  #start(transaction: ClientTransaction, step: TimerStep): void {
    const { letter } = step;
    const event = step.event as ClientEvent;
    const delay = timerMs(letter, {
      values: this.#context.timerValues,
      reliable: transaction.request.to.protocol !== 'udp',
      ways: this.#context.ways,
      round: repeats(letter) ? transaction.rounds++ : 0,
      proceeding: transaction.state === 'proceeding',
    });
    if (delay === null) return;
    if (delay === 0) {
      this.#fire(transaction, event, null);
      return;
    }
    const timer = this.#context.after(delay, () => this.#fire(transaction, event, null));
    if (repeats(letter)) transaction.repeat = timer;
    else transaction.expiry = timer;
  }
}

function addressOf({ protocol, host, port }: Peer): string {
  return `${protocol} ${host} ${port}`;
}
