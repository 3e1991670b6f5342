/**
 * The stateful proxy (RFC 3261 16): requests that applications have us forward, and the later requests of the dialogs
 * we stay in, which are forwarded without asking anybody.
 */

import { RemoteError } from '../../wire/remote-error.ts';
import { ownVia } from '../client/client-call.ts';
import type { Transit } from '../client/transit.ts';
import type { Context } from '../context.ts';
import type { Apps } from '../control/apps.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { allValues, type IncomingRequest } from '../message/incoming.ts';
import { type OwnResponse, statelessTag, writeOwnResponse } from '../message/own-response.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import { lateTryingMs } from '../server/open-requests.ts';
import type { PendingRequest, PendingRequests } from '../server/pending-requests.ts';
import type { Lookups } from '../target/lookups.ts';
import { isSips } from '../target/next-hop.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import type { ClientTransactions } from '../transaction/client-transactions.ts';
import type { ServerTransaction, ServerTransactions } from '../transaction/server-transactions.ts';
import type { Target } from './branch.ts';
import { Challenges } from './challenges.ts';
import { type CopySource, commonTail, type SentCopy, writeCopy } from './forwarded-text.ts';
import { PassageRecords } from './passage-records.ts';
import { type CommandFrame, type ForwardingWish, ProxyReport, readProxyCommand } from './proxy-command.ts';
import { RecordedWays, routeUri } from './recorded-ways.ts';
import { type Checked, checkForwarding } from './request-checks.ts';
import { ResponseContext } from './response-context.ts';
import { namesUs, type RouteInformation } from './route-information.ts';
import { destinationTarget, redirectedTargets, routedTarget } from './targets.ts';

export type ForwardingProxyParts = {
  readonly context: Context;
  readonly apps: Apps;
  readonly pending: PendingRequests;
  readonly serverTransactions: ServerTransactions;
  readonly clientTransactions: ClientTransactions;
  readonly transit: Transit;
  readonly lookups: Lookups;
  /** The server answers a request an application was given. */
  readonly answerFor: (pending: PendingRequest, response: Omit<OwnResponse, 'toTag'>) => void;
  /** The server answers a request nobody was given. */
  readonly refuse: (request: IncomingRequest, response: Omit<OwnResponse, 'toTag'>) => void;
};

/** A request that may be forwarded. */
type Passage = {
  readonly kind: 'passage';
  readonly request: IncomingRequest;
  readonly route: RouteInformation;
  readonly checked: Checked & { readonly kind: 'fine' };
  readonly targets: readonly Target[];
};

/** Another is answered so. */
type Refused = Omit<OwnResponse, 'toTag'> & { readonly kind: 'refused' };

/** What is asked of us beside the forwarding: by an application, or by nobody. */
type Wish = Pick<ForwardingWish, 'parallel' | 'followRedirects' | 'provisionalMs' | 'finalMs' | 'message'> & {
  readonly recordRoute: boolean;
  /** Null: no application has asked; the request is one of a call we stay in, or a request handler wants it. */
  readonly report: ProxyReport | null;
};

/** All requests that are being forwarded. */
export class ForwardingProxy {
  readonly #parts: ForwardingProxyParts;
  readonly #context: Context;
  readonly #recorded: RecordedWays;
  readonly #challenges: Challenges;
  readonly #open = new Map<ServerTransaction, ResponseContext>();

  constructor(parts: ForwardingProxyParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#recorded = new RecordedWays(parts.context);
    this.#challenges = new Challenges(parts.context);
  }

  /** An application has a request forwarded that it was given. */
  command(frame: CommandFrame): void {
    const command = readProxyCommand(frame);
    const report = new ProxyReport(this.#context, this.#parts.apps, command);
    const pending = this.#parts.pending.byId(command.transactionId);
    if (pending === undefined) report.refused('unknown transaction');
    else if (pending.dialog !== null || pending.inDialog) report.refused('request belongs to a dialog of this server');
    else {
      const trouble = this.#obey(pending, command, report);
      if (trouble !== null) report.refused(trouble);
    }
  }

  /** A request handler has a request forwarded that is held. Gives why it is not but answered instead; null when it is. */
  forward(pending: PendingRequest, wish: ForwardingWish): string | null {
    const trouble = this.#obey(pending, wish, null);
    const isOpen = this.#parts.pending.byId(pending.id) === pending;
    // What may be forwarded nowhere has its answer; a destination that is none is the handler's mistake.
    if (trouble !== null && isOpen) this.#parts.answerFor(pending, { status: 500 });
    return trouble;
  }

  /**
   * A request with a To tag that belongs to no dialog of ours: forwarded when we stayed on its way. False when it does
   * not ask for that; the caller then deals with it.
   */
  relay(request: IncomingRequest): boolean {
    const asked = this.#askedToRelay(request);
    if (asked === null) return false;
    if (asked.kind === 'refused') this.#parts.refuse(request, asked);
    else this.#relayTo(asked);
    return true;
  }

  /** The ACK of a 2xx that belongs to no dialog of ours, forwarded without a transaction (RFC 3261 16.11). False: dropped. */
  acknowledge(ack: IncomingRequest): boolean {
    const asked = this.#askedToRelay(ack);
    const target = asked?.kind === 'passage' ? asked.targets[0] : undefined;
    if (asked?.kind !== 'passage' || target === undefined) return false;
    const { uri, routes, hop } = target;
    const { maxForwards, loopMark, breadth } = asked.checked;
    const tail = commonTail({ request: ack, maxForwards, headers: [] });
    // RFC 3261 16.11: a repeated ACK gets the same branch.
    const seed = allValues(ack, 'via')[0] ?? '';
    const branch = `z9hG4bK${statelessTag(`${seed} ${ack.callId} ${ack.cseq}`)}-${loopMark}`;
    const send = (peer: Peer | null): void => {
      if (peer === null) return;
      const via = ownVia(this.#context.own.of(peer), branch);
      this.#context.send(
        peer,
        writeCopy(ack, { uri, routes, via, recordRoutes: [], path: null, maxBreadth: breadth }, tail),
      );
    };
    if ('connection' in hop) send(hop);
    else this.#parts.lookups.first(hop, send);
    return true;
  }

  /** RFC 3261 16.10: a CANCEL, which has been answered, for an INVITE that may be one of these. */
  cancel(cancel: IncomingRequest, invite: ServerTransaction): void {
    this.#open.get(invite)?.cancel(allValues(cancel, 'reason'));
  }

  count(): number {
    return this.#open.size;
  }

  /** Gives why the request is not forwarded; null when it is. */
  #obey(pending: PendingRequest, asked: ForwardingWish, report: ProxyReport | null): string | null {
    const { request } = pending;
    const { own } = this.#context;
    const route = this.#routeOf(request);
    const checked = route === null ? ({ kind: 'refused', status: 400 } as const) : checkForwarding(request, route, own);
    if (route === null || checked.kind === 'refused') {
      this.#parts.answerFor(pending, checked.kind === 'refused' ? checked : { status: 400 });
      const status = checked.kind === 'refused' ? checked.status : 400;
      return `Rejected with ${status} ${reasonPhrase(status)}`;
    }
    const destinations = this.#challenges.narrow(request, asked.destinations);
    const readings = destinations.map((each) => destinationTarget(each, route, own));
    const wrong = readings.find((reading) => reading.kind === 'refused');
    if (wrong?.kind === 'refused' || readings.length === 0) {
      return wrong?.kind === 'refused' ? wrong.text : 'no destination';
    }
    this.#parts.pending.remove(pending);
    this.#context.stop(pending.silence);
    const targets = readings.flatMap((reading) => (reading.kind === 'target' ? [reading.target] : []));
    const wish = { ...asked, recordRoute: asked.remainInDialog, report };
    this.#forward({ kind: 'passage', request, route, checked, targets }, wish, pending);
    return null;
  }

  /** Null when a request does not ask to be forwarded: it was meant for us. */
  #askedToRelay(request: IncomingRequest): Passage | Refused | null {
    const route = this.#routeOf(request);
    if (route === null) return { kind: 'refused', status: 400 };
    if (!this.#asksForRelay(route)) return null;
    // Never an open relay (see route-marks.ts). What looks like ours of another life speaks of a call that is gone.
    if (route.mark !== 'valid') return { kind: 'refused', status: route.mark === 'stale' ? 481 : 403 };
    const checked = checkForwarding(request, route, this.#context.own);
    if (checked.kind === 'refused') return checked;
    const reading = routedTarget(route, this.#recorded.connected(request, route));
    if (reading.kind === 'refused') return { kind: 'refused', status: reading.status };
    return { kind: 'passage', request, route, checked, targets: [reading.target] };
  }

  #relayTo(passage: Passage): void {
    const { request } = passage;
    const transaction = this.#parts.serverTransactions.begin(request);
    if (transaction === null) {
      this.#parts.refuse(request, { status: 503 });
      return;
    }
    this.#recorded.passed(request);
    const wish: Wish = {
      parallel: false,
      followRedirects: false,
      provisionalMs: null,
      finalMs: null,
      message: { headers: [] },
      // RFC 6665 4.3: a NOTIFY makes the dialog of its SUBSCRIBE, so whoever wants to stay says so in both.
      recordRoute: request.method === 'NOTIFY',
      report: null,
    };
    this.#forward(passage, wish, { transaction, trying: this.#promiseTrying(request, transaction) });
  }

  #forward(
    { request, route, checked, targets }: Passage,
    wish: Wish,
    { transaction, trying }: { readonly transaction: ServerTransaction; readonly trying: TimerHandle | null },
  ): void {
    const { ids } = this.#context;
    const copies: CopySource = { request, maxForwards: checked.maxForwards, headers: wish.message.headers };
    const tail = commonTail(copies);
    const records = new PassageRecords(this.#parts.apps.records, request);
    const tried = new Set(targets.map(({ uri }) => uri));
    const secure = isSips(route.uri);
    const forwarding = new ResponseContext({
      context: this.#context,
      transactions: this.#parts.serverTransactions,
      request,
      transaction,
      branch: {
        transactions: this.#parts.clientTransactions,
        transit: this.#parts.transit,
        write: (branch, sent) =>
          writeCopy(request, { ...sent, ...this.#ways(sent, wish), maxBreadth: branch.breadth }, tail),
        sent: (text) => records.sent(text),
        newBranchParam: () => `${ids.branch()}-${checked.loopMark}`,
        provisionalMs: wish.provisionalMs,
        finalMs: this.#context.ways.has('ignores-final-timeout') ? null : wish.finalMs,
      },
      parallel: wish.parallel,
      breadth: checked.breadth,
      recordRoutes: (response) => {
        if (wish.report === null && response.status >= 200) this.#recorded.accepted(request, response);
        return wish.recordRoute ? this.#recorded.returned(request, response) : null;
      },
      redirected: (response) => (wish.followRedirects ? redirectedTargets(response, secure, tried) : []),
      trying,
      concluded: ({ destination }, result) => {
        const { status, response } = result;
        if (destination !== null && (status === 401 || status === 407)) this.#challenges.note(request, destination);
        if (response !== null) wish.report?.heard(response);
        records.concluded(result);
      },
      answered: (answer) => {
        wish.report?.answered(answer);
        records.answered(answer);
      },
      over: () => this.#open.delete(transaction),
    });
    this.#open.set(transaction, forwarding);
    forwarding.begin(targets);
  }

  /** What a copy says about the way of later requests. */
  #ways({ own, request, uri }: SentCopy, wish: Wish): { recordRoutes: readonly string[]; path: string | null } {
    if (!wish.recordRoute) return { recordRoutes: [], path: null };
    const secure = isSips(uri);
    // RFC 3327 5.2: a REGISTER makes no dialog, but those who will call the user must find the way.
    if (request.method === 'REGISTER') return { recordRoutes: [], path: `<${routeUri(own, secure)}>` };
    return { recordRoutes: this.#recorded.recordRoutes(request, own, secure), path: null };
  }

  /** Null when its Route cannot be read. */
  #routeOf(request: IncomingRequest): RouteInformation | null {
    try {
      return this.#recorded.read(request);
    } catch (error) {
      if (error instanceof RemoteError) return null;
      throw error;
    }
  }

  /** Whether there is a Route of ours and somebody else behind it; else the request was meant for us. */
  #asksForRelay({ mark, routes, uri }: RouteInformation): boolean {
    return mark !== null && (routes.length > 0 || !namesUs(uri, this.#context.own));
  }

  // RFC 3261 16.2, 17.2.1: 100 unless something else has been said after 200 ms; RFC 4320 4.1 for others.
  #promiseTrying(request: IncomingRequest, transaction: ServerTransaction): TimerHandle {
    const late = lateTryingMs(this.#context.timerValues);
    return this.#context.after(request.method === 'INVITE' ? limits.tryingMs : late, () => {
      const text = writeOwnResponse(request, { status: 100, toTag: null });
      this.#parts.serverTransactions.respond(transaction, 100, text);
    });
  }
}
