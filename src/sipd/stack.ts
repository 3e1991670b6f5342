/**
 * The SIP stack: `handle(input, now)` says what is to be done about something that has happened. Pure; all state of
 * transactions, dialogs and applications lives here, all sockets and the clock outside.
 *
 * A received message is read and checked (incoming, checks), given to its transaction (server-, client-transactions over
 * the tables in transaction/), then to the user agent core: user-agent-server hands requests to an application, answers
 * sends what it answers; user-agent-client sends what applications ask for, client-calls takes the answers. What is to be
 * forwarded goes to the proxy instead.
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
import { ConnectionsByUser } from './dialog/connections-by-user.ts';
import { type Dialog, Dialogs } from './dialog/dialog.ts';
import { Orphans } from './dialog/orphans.ts';
import { endsSubscription, endUsage, subscriptionUsage } from './dialog/usages.ts';
import { HeldRequests } from './handlers/held-requests.ts';
import { methodsOf, type RequestHandlers } from './handlers/request-handlers.ts';
import type { Input, Peer } from './input.ts';
import { readAppMessage } from './message/compose.ts';
import { firstValue, type IncomingRequest, type Reading, readBroken, readMessage } from './message/incoming.ts';
import { replyPeer, writeRefusal } from './message/own-response.ts';
import type { Output } from './output.ts';
import type { ProtectionStatistics } from './protection/guard.ts';
import { ForwardingProxy } from './proxy/forwarding-proxy.ts';
import type { CommandFrame } from './proxy/proxy-command.ts';
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

type ServingParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly dialogs: Dialogs;
  readonly pending: PendingRequests;
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
  readonly #sessions: Sessions;
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
  readonly #awaitsAnswers = (from: Peer): boolean => this.#clientTransactions.areOpenTo(from);

  constructor(options: StackOptions) {
    const context = new Context(options);
    this.#context = context;
    const { secret, cdrs = false, handlers = new Map() } = options;
    this.#apps = new Apps(context, { secret, cdrs, handled: methodsOf(handlers) });
    this.#lookups = new Lookups(context);
    this.#clientTransactions = new ClientTransactions(context);
    this.#serverTransactions = new ServerTransactions(context);
    this.#unacknowledged = new Unacknowledged(context, (dialog) => this.#client.hangUp(dialog, 'ACK timeout'));
    const shared = {
      context,
      apps: this.#apps,
      dialogs: this.#dialogs,
      pending: this.#pending,
      unacknowledged: this.#unacknowledged,
      connectionsByUser: new ConnectionsByUser(context),
      dialogEnded: (dialog: Dialog) => this.#dialogEnded(dialog),
      inviteEnded: (dialog: Dialog) => this.#inviteEnded(dialog),
      makeRoom: (id: string) => this.#makeRoom(id),
    };
    this.#orphans = new Orphans({ ...shared, hangUp: (dialog, text) => this.#client.hangUp(dialog, text) });
    const serving = this.#serving(shared, handlers);
    this.#held = serving.held;
    this.#open = serving.open;
    this.#sessions = serving.sessions;
    const outward = { context, lookups: this.#lookups, longRequests: new LongRequests(context) };
    this.#lateAnswers = new LateAnswers(context);
    const transit = new Transit({ ...outward, transactions: this.#clientTransactions, lateAnswers: this.#lateAnswers });
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
    this.#calls = new ClientCalls({
      ...shared,
      transactions: this.#clientTransactions,
      sessions: this.#sessions,
      acknowledge: (dialog, cseq) => this.#client.acknowledge(dialog, cseq),
      releaseUnwanted: (dialog, cseq, text) => this.#releaseUnwanted(dialog, cseq, text),
    });
    const dispatch = new Dispatch({
      context,
      transit,
      user: {
        response: (call, response) => this.#calls.response(call, response),
        acceptedLate: (call, response) => this.#calls.acceptedLate(call, response),
        failed: (call, status, reason) => this.#calls.failed(call, status, reason),
      },
    });
    this.#acknowledgements = new Acknowledgements(outward);
    this.#client = new UserAgentClient({
      ...shared,
      calls: this.#calls,
      routing: new Routing({ ...shared, outboundProxy: options.outboundProxy ?? null }),
      dispatch,
      acknowledgements: this.#acknowledgements,
      orphans: this.#orphans,
      sessions: this.#sessions,
    });
  }

  /** What the server half has besides: the watch over what is open, reliable answers, sessions that expire. */
  #serving<Shared extends ServingParts>(shared: Shared, handlers: RequestHandlers) {
    const transactions = this.#serverTransactions;
    const reliable = new ReliableProvisionals(shared.context, transactions, {
      send: (pending, answer) => this.#answers.send(pending, answer),
      refuse: (answer) => this.#answers.refuse(answer),
      expired: (pending) => this.#server.unacknowledged(pending),
    });
    const notifyAnswered = (notify: IncomingRequest, dialog: Dialog, status: number): void =>
      this.#notifyAnswered(notify, dialog, status);
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

  /** What has been refused and dropped since the start, and how the load is. */
  statistics(): ProtectionStatistics {
    return this.#context.guard.statistics();
  }

  #take(input: Input): void {
    switch (input.kind) {
      case 'message-received':
        this.#context.connectionSeen(input.from);
        this.#messageReceived(input.from, input.text);
        return;
      case 'stream-broken':
        this.#context.connectionSeen(input.from);
        this.#received(readBroken(input.text, input.reason), input.from, 'pass');
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
        this.#frame(input.session, input.payload);
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
        this.#server.receive(reading, admission);
        return;
      case 'response':
        // RFC 3261 18.1.2: a response that belongs to nothing is discarded.
        if (this.#clientTransactions.receive(reading) || this.#lateAnswers.receive(reading)) return;
        this.#ignored(from, 'response to no transaction');
        return;
      case 'refused': {
        const { refusal } = reading;
        this.#context.guard.complain('malformed', from, refusal.reason);
        const to = this.#context.ways.has('answers-to-source') ? from : replyPeer(from, refusal.topVia);
        this.#context.send(to, writeRefusal(refusal, from));
        return;
      }
      case 'ignored':
        this.#ignored(from, reading.why);
    }
  }

  #ignored(from: Peer, why: string): void {
    this.#context.guard.complain('ignored', from, why);
  }

  #frame(session: number, payload: string): void {
    if (!this.#apps.isOpen(session)) return;
    const end = payload.indexOf('\r\n');
    const [messageId = '', ...tokens] = (end === -1 ? payload : payload.slice(0, end)).split('|');
    const [command] = tokens;
    if (command === undefined) {
      this.#apps.refuse(session, messageId, 'Invalid message format');
      return;
    }
    // The daemon listens to anybody; a service that can send SIP for us must not.
    if (command !== 'authenticate' && !this.#apps.isAuthenticated(session)) {
      this.#apps.refuse(session, messageId, 'not authenticated');
      return;
    }
    if (this.#apps.command(session, messageId, tokens)) {
      if (command === 'authenticate' && this.#apps.isAuthenticated(session)) this.#held.loggedIn(session);
      return;
    }
    const frame = { session, messageId, tokens, text: end === -1 ? '' : payload.slice(end + 2) };
    if (command === 'sip') this.#sip(frame);
    else if (command === 'proxy') this.#proxy.command(frame);
    else this.#apps.refuse(session, messageId, 'Unknown message type');
  }

  #sip({ session, messageId, tokens, text }: CommandFrame): void {
    const [, transactionId = '', dialogId = '', proxy = ''] = tokens;
    const message = readAppMessage(text);
    if (message === null) {
      this.#apps.reply(session, messageId, `NOK|invalid request-uri: ${text.split('\r\n')[0] ?? ''}`);
      return;
    }
    const { start } = message;
    if (start.kind === 'request') {
      const { method, uri } = start;
      this.#client.request({ session, messageId, transactionId, dialogId, proxy, message, method, uri });
    } else if (transactionId === '') this.#apps.refuse(session, messageId, 'transaction id missing');
    else {
      const { status, reason } = start;
      this.#answers.answer({ session, messageId, transactionId, message, status, reason });
    }
  }

  #releaseUnwanted(dialog: Dialog, cseq: number, text: string): void {
    this.#client.acknowledge(dialog, cseq);
    this.#client.hangUp(dialog, text);
  }

  #dialogEnded(dialog: Dialog): void {
    this.#dialogs.remove(dialog);
    this.#unacknowledged.drop(dialog);
    this.#sessions.end(dialog);
    this.#open.endAll(dialog);
  }

  /**
   * The same caller begins anew with the Call-ID and tag of a dialog that lives. Applications could not tell the two
   * apart, so the old one ends first, and its application hears of it.
   */
  #makeRoom(id: string): void {
    for (const old of this.#dialogs.branches(id)) {
      if (old.confirmed && old.usages.has('invite')) this.#client.hangUp(old, 'replaced by a new call');
      this.#dialogEnded(old);
    }
  }

  /** RFC 5057 3.1: BYE ends the INVITE usage only. Subscriptions left get the time to say their last NOTIFY. */
  #inviteEnded(dialog: Dialog): void {
    if (this.#context.ways.has('bye-ends-all') || !dialog.confirmed || endUsage(dialog, 'invite')) {
      this.#dialogEnded(dialog);
      return;
    }
    this.#unacknowledged.drop(dialog);
    this.#sessions.end(dialog);
    this.#open.endCall(dialog);
    this.#context.after(64 * this.#context.timerValues.t1, () => this.#dialogEnded(dialog));
  }

  /** RFC 6665 4.4.1: a NOTIFY that says `terminated` ends our subscription; 4.2.2: so does the answer that there is none. */
  #notifyAnswered(notify: IncomingRequest, dialog: Dialog, status: number): void {
    const state = (firstValue(notify, 'subscription-state') ?? '').toLowerCase();
    const refused = endsSubscription(status) && !this.#context.ways.has('keeps-dead-subscriptions');
    if (!refused && !state.includes('terminated')) return;
    if (endUsage(dialog, subscriptionUsage(firstValue(notify, 'event')))) this.#dialogEnded(dialog);
  }
}
