import { header, type SipRequest, type SipResponse, writeSipMessage } from '../../src/wire/sip-message.ts';
import { rosterLine, type SeenRoster } from './conference-document.ts';
import { rosterOf } from './known-roster.ts';
import { ReferenceSubscriber } from './reference-subscriber.ts';
import { cseqOf, Dialog, routeSet, tagOf, uriOf } from './sip-dialog.ts';
import type { Address } from './sip-socket.ts';
import type { ServerTransaction } from './sip-transactions.ts';
import type { UserAgent } from './user-agent.ts';
import { WaitTimeout, within } from './wait.ts';

type Waiter = { readonly matches: (notify: SipRequest) => boolean; readonly found: (notify: SipRequest) => void };

/** A subscription to the conference event package, at the subscriber (RFC 6665 4.1, RFC 4575). */
export class Subscription {
  readonly notifies: SipRequest[] = [];
  /** What it makes of the documents it is sent. */
  readonly subscriber: ReferenceSubscriber;
  /** How NOTIFYs are answered. */
  notifyStatus = 200;
  /** False where a made-up notifier sends what is no conference-info document. */
  readsDocuments = true;
  readonly #agent: UserAgent;
  readonly #subscribe: SipRequest;
  readonly #waiters = new Set<Waiter>();
  #final: Promise<SipResponse> | undefined;
  #dialog: Dialog | undefined;

  /** `earlier`: what the agent has subscribed to before. */
  constructor(agent: UserAgent, subscribe: SipRequest, earlier: readonly Subscription[] = []) {
    this.#agent = agent;
    this.#subscribe = subscribe;
    const version = header(subscribe, 'Last-Notify-Version');
    this.subscriber = new ReferenceSubscriber(agent.name, {
      lastNotifyVersion: version === undefined ? null : Number(version),
      earlier: earlier.filter(({ target }) => target === subscribe.uri).map(({ subscriber }) => subscriber),
    });
  }

  get target(): string {
    return this.#subscribe.uri;
  }

  /** The answer to the SUBSCRIBE. */
  get response(): Promise<SipResponse> {
    if (!this.#final) throw new Error('the SUBSCRIBE was not sent');
    return within(`an answer to ${this.#agent.name}'s SUBSCRIBE`, this.#final);
  }

  send(to: Address): void {
    const accept = (response: SipResponse): void => {
      if (response.status >= 200 && response.status < 300) this.#dialog ??= Dialog.ofClient(this.#subscribe, response);
    };
    this.#final = this.#agent.transactions.send(this.#subscribe, to, accept).final;
  }

  /** RFC 6665 4.4.1: Call-ID, To tag = the SUBSCRIBE's From tag, and the same Event. */
  matches(notify: SipRequest): boolean {
    return (
      header(notify, 'Call-ID') === header(this.#subscribe, 'Call-ID') &&
      tagOf(header(notify, 'To')) === tagOf(header(this.#subscribe, 'From')) &&
      header(notify, 'Event') === header(this.#subscribe, 'Event')
    );
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    // A NOTIFY may overtake the 200 and then makes the dialog.
    this.#dialog ??= dialogOfNotify(this.#subscribe, request);
    this.#agent.respond(transaction, this.notifyStatus, { headers: { 'Contact': `<${this.#agent.contact}>` } });
    this.#mayCome(request);
    this.notifies.push(request);
    if (this.readsDocuments && request.body !== '') this.#read(request);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.matches(request)) continue;
      this.#waiters.delete(waiter);
      waiter.found(request);
    }
  }

  /** RFC 6665 4.4.1: the one that says `terminated` ends the subscription; one sent before it may still come after it. */
  #mayCome(notify: SipRequest): void {
    const last = this.notifies.find(subscriptionState('terminated'));
    if (last === undefined || cseqOf(notify) < cseqOf(last)) return;
    this.#agent.transactions.faults.push(`a NOTIFY after the last one\n${writeSipMessage(notify)}`);
  }

  /** A fault is told when the agent closes: nobody awaits this. */
  #read(notify: SipRequest): void {
    const { faults } = this.subscriber.receive(notify.body);
    const type = header(notify, 'Content-Type');
    const wrong = type === 'application/conference-info+xml' ? faults : [...faults, `its Content-Type is ${type}`];
    if (wrong.length > 0) this.#agent.transactions.faults.push(`${wrong.join('\n')}\n${writeSipMessage(notify)}`);
  }

  /** The first NOTIFY, past or to come, that matches. */
  async notify(what: string, matches: (notify: SipRequest) => boolean, timeoutMs?: number): Promise<SipRequest> {
    const past = this.notifies.find(matches);
    if (past) return past;
    const coming = new Promise<SipRequest>((found) => this.#waiters.add({ matches, found }));
    try {
      return await within(`a NOTIFY with ${what}`, coming, timeoutMs);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new WaitTimeout(`${error.message}; had:\n${this.notifies.map(({ body }) => body).join('\n')}`);
    }
  }

  /** The roster as its documents, up to that of `notify`, put it together. */
  rosterWith(notify: Pick<SipRequest, 'body'>): SeenRoster {
    const roster = this.#rosterWith(notify);
    if (roster === undefined) throw new Error(`no roster can be put together with\n${notify.body}`);
    return roster;
  }

  /** The rosters that it has had, one after the other: what each document made of the one before. */
  get rosters(): readonly SeenRoster[] {
    return this.notifies.flatMap((notify) => this.#rosterWith(notify) ?? []);
  }

  /** The first roster, past or to come, that is as asked for; without `holds` the one whose `rosterLine` is `what`. */
  async sees(
    what: string,
    holds: (roster: SeenRoster) => boolean = (roster) => rosterLine(roster) === what,
    timeoutMs?: number,
  ): Promise<SeenRoster> {
    const isSo = (notify: SipRequest): boolean => {
      const roster = this.#rosterWith(notify);
      return roster !== undefined && holds(roster);
    };
    return this.rosterWith(await this.notify(what, isSo, timeoutMs));
  }

  /** Undefined where there is none: without a document, and once the conference is deleted. */
  #rosterWith({ body }: Pick<SipRequest, 'body'>): SeenRoster | undefined {
    const version = Number(/<conference-info\b[^>]*?\sversion="(\d+)"/.exec(body)?.[1]);
    const known = this.subscriber.at(version);
    return known === undefined ? undefined : rosterOf(known, version);
  }

  /** A SUBSCRIBE in the subscription's dialog: refresh, or with 0 the end. */
  async refresh(expires: number): Promise<SipResponse> {
    if (!this.#dialog) throw new Error('there is no subscription to refresh');
    const headers = { 'Event': 'conference', 'Accept': 'application/conference-info+xml', 'Expires': String(expires) };
    return await within('an answer to the refresh', this.#agent.askIn(this.#dialog, 'SUBSCRIBE', { headers }));
  }
}

function dialogOfNotify(subscribe: SipRequest, notify: SipRequest): Dialog {
  return new Dialog({
    callId: header(subscribe, 'Call-ID') ?? '',
    localTag: tagOf(header(subscribe, 'From')) ?? '',
    remoteTag: tagOf(header(notify, 'From')) ?? '',
    localUri: uriOf(header(subscribe, 'From') ?? ''),
    remoteUri: uriOf(header(subscribe, 'To') ?? ''),
    remoteTarget: uriOf(header(notify, 'Contact') ?? ''),
    routes: routeSet(notify),
    localCseq: 1,
    initiator: true,
    usage: 'SUBSCRIBE',
    state: 'confirmed',
  });
}

/** Predicate: the NOTIFY's Subscription-State begins with `state`, e.g. `terminated;reason=timeout`. */
export function subscriptionState(state: string): (notify: SipRequest) => boolean {
  return (notify) => (header(notify, 'Subscription-State') ?? '').startsWith(state);
}
