/**
 * The SIP stack: `handle(input, now)` says what is to be done about something that has happened. Pure; all state of
 * transactions, dialogs and applications lives here, all sockets and the clock outside.
 *
 * A received message is read and checked (incoming, checks), given to its transaction (server-, client-transactions over
 * the tables in transaction/), then to the user agent core: user-agent-server hands requests to an application, answers
 * sends what it answers; user-agent-client sends what applications ask for, client-calls takes the answers. What is to be
 * forwarded goes to the proxy instead. What applications say, commands reads and gives to one of these.
 */

import { Acknowledgements } from './client/acknowledgements.ts';
import { ClientCalls } from './client/client-calls.ts';
import { Dispatch } from './client/dispatch.ts';
import { LateAnswers } from './client/late-answers.ts';
import { Routing } from './client/routing.ts';
import { Transit } from './client/transit.ts';
import { UserAgentClient } from './client/user-agent-client.ts';
import { Context, type ContextOptions } from './context.ts';
import { Apps } from './control/apps.ts';
import { Commands } from './control/commands.ts';
import type { CounterName, CounterValues } from './counters.ts';
import { ConnectionsByUser } from './dialog/connections-by-user.ts';
import { Dialogs } from './dialog/dialog.ts';
import { DialogEnds } from './dialog/dialog-ends.ts';
import { Orphans } from './dialog/orphans.ts';
import { HeldRequests } from './handlers/held-requests.ts';
import { methodsOf, type RequestHandlers } from './handlers/request-handlers.ts';
import type { Input, Peer } from './input.ts';
import { type IncomingResponse, type Reading, readBroken, readMessage } from './message/incoming.ts';
import { replyPeer, writeRefusal } from './message/own-response.ts';
import type { Output } from './output.ts';
import type { LoadState } from './protection/load.ts';
import { ForwardingProxy } from './proxy/forwarding-proxy.ts';
import { Answers } from './server/answers.ts';
import { OpenRequests } from './server/open-requests.ts';
import { PendingRequests } from './server/pending-requests.ts';
import { ReliableProvisionals } from './server/reliable-provisionals.ts';
import { RequestEvents } from './server/request-events.ts';
import { Unacknowledged } from './server/unacknowledged.ts';
import { UserAgentServer } from './server/user-agent-server.ts';
import { Sessions } from './session-timer/sessions.ts';
import { LongRequests } from './target/long-requests.ts';
import { Lookups } from './target/lookups.ts';
import { ClientTransactions } from './transaction/client-transactions.ts';
import { ServerTransactions } from './transaction/server-transactions.ts';

export type StackOptions = ContextOptions & {
  readonly secret: string;
  /** Whether applications that ask for call detail records get them; not when absent. */
  readonly cdrs?: boolean | undefined;
  /** URI of the next hop of requests outside dialogs; null or absent: where their own URI leads. */
  readonly outboundProxy?: string | null | undefined;
  /** Names in the URIs of requests outside dialogs lead to public addresses only; to any when absent. */
  readonly publicNames?: boolean | undefined;
  /** Who is asked what becomes of new requests; nobody when absent. */
  readonly handlers?: RequestHandlers | undefined;
};

/** How much the stack holds; all zero when nothing is going on. */
export type StackCounts = {
  readonly clientTransactions: number;
  readonly serverTransactions: number;
  readonly dialogs: number;
  /** Requests without an answer to the end: with an application, or being forwarded. */
  readonly pendingRequests: number;
  readonly calls: number;
  readonly unacknowledged: number;
  /** Questions without an answer: about names, and to request handlers. */
  readonly lookups: number;
  readonly timers: number;
};

/** What both halves share. */
type SharedParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
  readonly unacknowledged: Unacknowledged;
  readonly connectionsByUser: ConnectionsByUser;
  readonly dialogEnded: DialogEnds['dialogEnded'];
  readonly inviteEnded: DialogEnds['inviteEnded'];
  readonly makeRoom: DialogEnds['makeRoom'];
};

/** What the requesting half is given besides. */
type RequestingParts = SharedParts & {
  readonly sessions: Sessions;
  readonly transit: Transit;
  readonly outboundProxy: string | null;
  readonly publicNames: boolean;
};

/** One stack. Times are milliseconds since 1970; sockets and the clock are the caller’s. */
export class Stack {
  readonly #context: Context;
  readonly #apps: Apps;
  readonly #dialogs = new Dialogs();
  readonly #pending = new PendingRequests();
  readonly #clientTransactions: ClientTransactions;
  readonly #serverTransactions: ServerTransactions;
  readonly #unacknowledged: Unacknowledged;
  readonly #open: OpenRequests;
  readonly #held: HeldRequests;
  readonly #server: UserAgentServer;
  readonly #answers: Answers;
  readonly #client: UserAgentClient;
  readonly #calls: ClientCalls;
  readonly #lookups: Lookups;
  readonly #acknowledgements: Acknowledgements;
  readonly #lateAnswers: LateAnswers;
  readonly #orphans: Orphans;
  readonly #proxy: ForwardingProxy;
  readonly #ends: DialogEnds;
  readonly #commands: Commands;
  readonly #awaitsAnswers = (from: Peer): boolean => this.#clientTransactions.areOpenTo(from);

  constructor(options: StackOptions) {
    const context = new Context(options);
    this.#context = context;
    const { secret, cdrs = false, handlers = new Map(), outboundProxy = null, publicNames = false } = options;
    this.#apps = new Apps(context, { secret, cdrs, handled: methodsOf(handlers) });
    this.#lookups = new Lookups(context);
    this.#clientTransactions = new ClientTransactions(context);
    this.#serverTransactions = new ServerTransactions(context);
    this.#unacknowledged = new Unacknowledged(context, (dialog) => this.#client.hangUp(dialog, 'ACK timeout'));
    this.#lateAnswers = new LateAnswers(context);
    const outward = { context, lookups: this.#lookups, longRequests: new LongRequests(context) };
    this.#acknowledgements = new Acknowledgements(outward);
    const transit = new Transit({ ...outward, transactions: this.#clientTransactions, lateAnswers: this.#lateAnswers });
    const shared = this.#shared();
    this.#orphans = new Orphans({ ...shared, hangUp: (dialog, text) => this.#client.hangUp(dialog, text) });
    const serving = this.#serving(shared, handlers);
    this.#held = serving.held;
    this.#open = serving.open;
    this.#proxy = new ForwardingProxy({
      ...shared,
      serverTransactions: this.#serverTransactions,
      clientTransactions: this.#clientTransactions,
      transit,
      lookups: this.#lookups,
      answerFor: (pending, response) => this.#open.answerFor(pending, response),
      refuse: (request, response) => this.#server.refuse(request, response),
    });
    this.#server = new UserAgentServer({
      ...serving,
      proxy: this.#proxy,
      dialogOfEarlyNotify: (notify) => this.#calls.dialogOfEarlyNotify(notify),
    });
    this.#answers = new Answers(serving);
    const { sessions } = serving;
    const requesting = this.#requesting({ ...shared, sessions, transit, outboundProxy, publicNames });
    this.#calls = requesting.calls;
    this.#client = requesting.client;
    this.#ends = new DialogEnds({ ...serving, client: this.#client });
    this.#commands = new Commands({ ...serving, client: this.#client, answers: this.#answers, proxy: this.#proxy });
  }

  #shared(): SharedParts {
    return {
      context: this.#context,
      apps: this.#apps,
      dialogs: this.#dialogs,
      pending: this.#pending,
      unacknowledged: this.#unacknowledged,
      connectionsByUser: new ConnectionsByUser(this.#context),
      dialogEnded: (dialog) => this.#ends.dialogEnded(dialog),
      inviteEnded: (dialog) => this.#ends.inviteEnded(dialog),
      makeRoom: (id) => this.#ends.makeRoom(id),
    };
  }

  /** What the serving half has: the watch over what is open, reliable answers, sessions that expire, what is held. */
  #serving(shared: SharedParts, handlers: RequestHandlers) {
    const transactions = this.#serverTransactions;
    const reliable = new ReliableProvisionals(shared.context, transactions, {
      send: (pending, answer) => this.#answers.send(pending, answer),
      refuse: (answer) => this.#answers.refuse(answer),
      expired: (pending) => this.#server.unacknowledged(pending),
    });
    const notifyAnswered: DialogEnds['notifyAnswered'] = (notify, dialog, status) =>
      this.#ends.notifyAnswered(notify, dialog, status);
    const open = new OpenRequests({ ...shared, transactions, reliable, notifyAnswered });
    const sessions = new Sessions({
      ...shared,
      send: (dialog, request) => this.#client.sendOwn(dialog, request),
      acknowledge: (dialog, cseq) => this.#client.acknowledge(dialog, cseq),
      hangUp: (dialog, text) => this.#client.hangUp(dialog, text),
    });
    const events = new RequestEvents(shared.context);
    const held = new HeldRequests({
      ...shared,
      events,
      answerFor: (pending, response) => open.answerFor(pending, response),
      forward: (pending, wish) => this.#proxy.forward(pending, wish),
      handlers,
    });
    return { ...shared, transactions, reliable, open, sessions, notifyAnswered, events, held };
  }

  /** The requesting half: what applications send, and what the answers mean. */
  #requesting(parts: RequestingParts) {
    const calls = new ClientCalls({
      ...parts,
      transactions: this.#clientTransactions,
      acknowledge: (dialog, cseq) => this.#client.acknowledge(dialog, cseq),
      releaseUnwanted: (dialog, cseq, text) => this.#ends.releaseUnwanted(dialog, cseq, text),
    });
    const dispatch = new Dispatch({
      context: parts.context,
      transit: parts.transit,
      user: {
        response: (call, response) => calls.response(call, response),
        acceptedLate: (call, response) => calls.acceptedLate(call, response),
        failed: (call, status, reason) => calls.failed(call, status, reason),
      },
    });
    const client = new UserAgentClient({
      ...parts,
      calls,
      routing: new Routing(parts),
      dispatch,
      acknowledgements: this.#acknowledgements,
      orphans: this.#orphans,
    });
    return { calls, client };
  }

  /** `now` is in milliseconds since 1970, of a clock that never goes back. */
  handle(input: Input, now: number): Output[] {
    return this.#context.during(now, () => this.#take(input));
  }

  counts(): StackCounts {
    return {
      clientTransactions: this.#clientTransactions.count(),
      serverTransactions: this.#serverTransactions.count(),
      dialogs: this.#dialogs.count(),
      pendingRequests: this.#pending.count() + this.#proxy.count(),
      calls: this.#calls.count(),
      unacknowledged: this.#unacknowledged.count(),
      lookups: this.#lookups.count() + this.#held.count(),
      timers: this.#context.timerCount(),
    };
  }

  /** How often what has happened since the start. */
  counters(): CounterValues {
    return this.#context.counters.values();
  }

  load(): LoadState {
    return this.#context.guard.load();
  }

  #take(input: Input): void {
    switch (input.kind) {
      case 'message-received':
        this.#context.connectionSeen(input.from);
        this.#messageReceived(input.from, input.text);
        return;
      case 'stream-broken':
        this.#context.counters.count('brokenStreams');
        this.#context.connectionSeen(input.from);
        if (input.text !== '') this.#received(readBroken(input.text, input.reason), input.from, 'pass');
        if (input.from.connection !== null) this.#context.closeConnection(input.from.connection);
        return;
      case 'connection-closed':
        this.#context.connectionClosed(input.peer);
        this.#clientTransactions.peerLost(input.peer, 'connection-closed');
        return;
      case 'peer-unreachable':
        this.#clientTransactions.peerLost(input.peer, 'unreachable');
        this.#acknowledgements.peerUnreachable(input.peer);
        return;
      case 'session-opened':
        this.#apps.open(input.session);
        return;
      case 'session-connected':
      case 'session-not-connected':
      case 'handler-answered':
        this.#held.done(input);
        return;
      case 'session-closed':
        this.#apps.close(input.session);
        this.#held.sessionClosed(input.session);
        this.#open.sessionClosed(input.session);
        this.#calls.sessionClosed(input.session);
        this.#orphans.sessionClosed(input.session, this.#calls.isCalling(input.session));
        return;
      case 'frame-received':
        this.#commands.received(input.session, input.payload);
        return;
      case 'alarm-fired':
        this.#context.runTimers();
        return;
      case 'load-measured':
        this.#loadMeasured(input.delayMs, input.queuedBytes);
        return;
      case 'names-found':
        this.#lookups.found(input.lookup, input.answers);
    }
  }

  #messageReceived(from: Peer, text: string): void {
    const admission = this.#context.guard.admit(from, text, this.#awaitsAnswers);
    if (admission === 'drop') return;
    this.#received(readMessage(from, text, this.#context.ways), from, admission);
  }

  #loadMeasured(delayMs: number, queuedBytes: number): void {
    const transactions = Math.max(this.#clientTransactions.count(), this.#serverTransactions.count());
    this.#context.guard.measured({ delayMs, queuedBytes, pendingRequests: this.#pending.count(), transactions });
  }

  #received(reading: Reading, from: Peer, admission: 'pass' | 'refuse'): void {
    switch (reading.kind) {
      case 'request':
        this.#noted(reading.oddities);
        this.#server.receive(reading, admission);
        return;
      case 'response':
        this.#noted(reading.oddities);
        this.#responded(reading);
        return;
      case 'refused': {
        const { refusal } = reading;
        this.#context.guard.complain(reading.complaint, from, refusal.reason);
        const to = this.#context.ways.has('answers-to-source') ? from : replyPeer(from, refusal.topVia);
        this.#context.send(to, writeRefusal(refusal, from));
        return;
      }
      case 'ignored':
        this.#context.guard.complain(reading.complaint, from, reading.why);
    }
  }

  // RFC 3261 18.1.2: a response that belongs to nothing is discarded.
  #responded(response: IncomingResponse): void {
    const fate = this.#clientTransactions.receive(response);
    if (fate === 'taken' || this.#lateAnswers.receive(response)) return;
    const { method, callId, from } = response;
    this.#context.guard.complain(
      fate === 'stray' ? 'strayResponses' : 'mismatchedResponses',
      from,
      `${method} ${callId}`,
    );
  }

  #noted(oddities: readonly CounterName[]): void {
    for (const oddity of oddities) this.#context.counters.count(oddity);
  }
}
