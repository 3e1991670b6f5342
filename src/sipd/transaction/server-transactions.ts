/** Runs the server transactions (RFC 3261 17.2): finds the one of a request, performs what its table says. */

import type { Context } from '../context.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import type { IncomingRequest } from '../message/incoming.ts';
import { fallbackPeer, replyPeer } from '../message/own-response.ts';
import type { Source } from '../protection/sources.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import { inviteServer } from './invite-server.ts';
import { serverKey } from './matching.ts';
import { nonInviteServer } from './non-invite-server.ts';
import type { AnyTable, ServerAction, ServerEvent } from './table.ts';
import { repeats, responseEvent, type TimerStep, timerMs, timerStep } from './timers.ts';

export type ServerTransaction = {
  readonly key: string;
  readonly table: AnyTable<ServerEvent, ServerAction>;
  to: Peer;
  /** RFC 3261 18.2.2: where an answer goes when its connection has closed. */
  readonly fallback: Peer;
  state: string;
  /** The answer given last, to be repeated; null before any. */
  response: string | null;
  /** The timer that repeats, and the one that ends the state. */
  repeat: TimerHandle | null;
  expiry: TimerHandle | null;
  rounds: number;
  /** Who has begun it; null once it is over. */
  source: Source | null;
  /** Whether its answer is repeated until the ACK comes. */
  unacknowledged: boolean;
};

/** All server transactions (RFC 3261 17.2.3). At most `limits.transactionsMax`. */
export class ServerTransactions {
  readonly #context: Context;
  readonly #byKey = new Map<string, ServerTransaction>();
  #last: { readonly request: IncomingRequest | null; readonly key: string } = { request: null, key: '' };

  constructor(context: Context) {
    this.#context = context;
  }

  /** The transaction the request belongs to; an ACK or (with `method`) a CANCEL finds its INVITE. */
  find(request: IncomingRequest, method?: string): ServerTransaction | undefined {
    return this.#byKey.get(method === undefined ? this.#keyOf(request) : serverKey(request, method));
  }

  /** Begins a transaction; null when there are too many, in all or of one source. */
  begin(request: IncomingRequest): ServerTransaction | null {
    if (this.#byKey.size >= limits.transactionsMax) return null;
    const { guard } = this.#context;
    const source = guard.source(request.from.host);
    if (request.toTag === null && !guard.mayBegin(source, request)) return null;
    source.openTransactions += 1;
    const to = this.#context.ways.has('answers-to-source') ? request.from : replyPeer(request.from, request.via);
    const transaction: ServerTransaction = {
      key: this.#keyOf(request),
      table: request.method === 'INVITE' ? inviteServer : nonInviteServer,
      to,
      // Only a connection can close.
      fallback: to.connection === null ? to : fallbackPeer(request.from, request.via),
      state: '',
      response: null,
      repeat: null,
      expiry: null,
      rounds: 0,
      source,
      unacknowledged: false,
    };
    transaction.state = transaction.table.initial.to;
    this.#byKey.set(transaction.key, transaction);
    return transaction;
  }

  /** A request of the transaction has come again, or its ACK. True when the ACK is the transaction user's. */
  receive(transaction: ServerTransaction, event: 'request' | 'ack'): boolean {
    return this.#fire(transaction, event).includes('deliver-ack');
  }

  /** Sends an answer. False when the transaction knows no answer any more. */
  respond(transaction: ServerTransaction, status: number, text: string): boolean {
    const event = responseEvent(status);
    if (transaction.table.states[transaction.state]?.[event] === undefined) return false;
    transaction.response = text;
    this.#fire(transaction, event);
    return true;
  }

  /** Sends an answer past the transaction, which is over: where its other answers went. */
  sendStray(transaction: ServerTransaction, text: string): void {
    if (!this.#context.isOpen(transaction.to)) transaction.to = transaction.fallback;
    this.#context.send(transaction.to, text);
  }

  /** The answer just given is not repeated by itself. */
  sayOnce(transaction: ServerTransaction): void {
    this.#context.stop(transaction.repeat);
  }

  /** Forgets a transaction nobody will answer. */
  forget(transaction: ServerTransaction): void {
    this.#context.stop(transaction.repeat);
    this.#context.stop(transaction.expiry);
    this.#byKey.delete(transaction.key);
    transaction.state = 'terminated';
    this.#count(transaction);
  }

  count(): number {
    return this.#byKey.size;
  }

  /** A request is looked for, and then begins its transaction: the key is written once. */
  #keyOf(request: IncomingRequest): string {
    if (this.#last.request !== request) this.#last = { request, key: serverKey(request) };
    return this.#last.key;
  }

  #fire(transaction: ServerTransaction, event: ServerEvent): readonly ServerAction[] {
    const step = transaction.table.states[transaction.state]?.[event];
    if (step === undefined) return [];
    transaction.state = step.to;
    this.#count(transaction);
    for (const action of step.do) this.#perform(transaction, action);
    if (step.to === 'terminated') this.forget(transaction);
    // RFC 6026 7.1: the 2xx is repeated by the transaction user, so its text is needed here no more.
    if (step.to === 'accepted') transaction.response = null;
    return step.do;
  }

  /** What the transaction weighs on its source. */
  #count(transaction: ServerTransaction): void {
    const { source, state, table, to } = transaction;
    if (source === null) return;
    const waits = state === 'completed' && table === inviteServer && to.protocol === 'udp';
    if (waits !== transaction.unacknowledged) source.unacknowledgedFinals += waits ? 1 : -1;
    transaction.unacknowledged = waits;
    if (state !== 'terminated') return;
    source.openTransactions -= 1;
    transaction.source = null;
  }

  #perform(transaction: ServerTransaction, action: ServerAction): void {
    if (action === 'send-response') {
      if (transaction.response !== null) this.sendStray(transaction, transaction.response);
      return;
    }
    const step = timerStep(action);
    if (step === undefined) return;
    if (step.starts) this.#start(transaction, step);
    else this.#context.stop(repeats(step.letter) ? transaction.repeat : transaction.expiry);
  }

  #start(transaction: ServerTransaction, step: TimerStep): void {
    const { letter } = step;
    const event = step.event as ServerEvent;
    const round = repeats(letter) ? transaction.rounds++ : 0;
    const delay = timerMs(letter, {
      values: this.#context.timerValues,
      reliable: transaction.to.protocol !== 'udp',
      ways: this.#context.ways,
      round,
      proceeding: false,
    });
    if (delay === null) return;
    if (delay === 0) {
      this.#fire(transaction, event);
      return;
    }
    const timer = this.#context.after(delay, () => this.#fire(transaction, event));
    if (repeats(letter)) transaction.repeat = timer;
    else transaction.expiry = timer;
  }
}
