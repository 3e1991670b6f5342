import { header, type SipRequest, type SipResponse } from '../../src/wire/sip-message.ts';
import type { Call } from './call.ts';
import { cseqOf, tagOf } from './sip-dialog.ts';
import type { ServerTransaction } from './sip-transactions.ts';
import type { RequestParts, UserAgent } from './user-agent.ts';
import { deferred, within } from './wait.ts';

/** A REFER of a user agent, and what it is told of it (RFC 3515 2.4.4). */
export class Referral {
  readonly notifies: SipRequest[] = [];
  /** Whether anything has come back. */
  answered = false;
  readonly #agent: UserAgent;
  readonly #request: SipRequest;
  readonly #final: Promise<SipResponse>;
  readonly #last = deferred<SipRequest>();
  /** RFC 3515 2.4.6: only the first REFER of a dialog may be told of without its CSeq. */
  readonly #first: boolean;

  private constructor(agent: UserAgent, request: SipRequest, { nextHop, first }: { nextHop: string; first: boolean }) {
    this.#agent = agent;
    this.#request = request;
    this.#first = first;
    agent.follow(this);
    const seen = (): void => {
      this.answered = true;
    };
    this.#final = agent.transactions.send(request, agent.addressOf(nextHop), seen).final;
  }

  /** A REFER outside any dialog. */
  static outside(agent: UserAgent, target: string, { headers = {}, body = '' }: RequestParts): Referral {
    const request = agent.request('REFER', target, { headers: { 'Contact': `<${agent.contact}>`, ...headers }, body });
    return new Referral(agent, request, { nextHop: target, first: true });
  }

  /** A REFER within a call. */
  static within(agent: UserAgent, { dialog }: Call, parts: RequestParts & { readonly first?: boolean }): Referral {
    const request = agent.requestIn(dialog, 'REFER', parts);
    return new Referral(agent, request, { nextHop: dialog.nextHop, first: parts.first ?? true });
  }

  /** The answer to the REFER. */
  get response(): Promise<SipResponse> {
    return within(`an answer to ${this.#agent.name}'s REFER`, this.#final);
  }

  get cseq(): number {
    return cseqOf(this.#request);
  }

  /** RFC 6665 4.4.1, RFC 3515 2.4.6. */
  matches(notify: SipRequest): boolean {
    const [, event, id] = /^(\w+)(?:\s*;\s*id=(\d+))?/.exec(header(notify, 'Event') ?? '') ?? [];
    return (
      header(notify, 'Call-ID') === header(this.#request, 'Call-ID') &&
      tagOf(header(notify, 'To')) === tagOf(header(this.#request, 'From')) &&
      event === 'refer' &&
      (id === undefined ? this.#first : Number(id) === this.cseq)
    );
  }

  receive(transaction: ServerTransaction): void {
    this.#agent.respond(transaction, 200, { headers: { 'Contact': `<${this.#agent.contact}>` } });
    this.notifies.push(transaction.request);
    if (stateOf(transaction.request).startsWith('terminated')) this.#last.resolve(transaction.request);
  }

  /** What it was told until the last NOTIFY: the status line of each, and how the last one ends the subscription. */
  async outcome(): Promise<{ readonly lines: readonly string[]; readonly state: string }> {
    const last = await within(`the last NOTIFY of ${this.#agent.name}'s REFER`, this.#last.promise);
    return { lines: this.notifies.map(({ body }) => body.trim()), state: stateOf(last) };
  }
}

function stateOf(notify: SipRequest): string {
  return header(notify, 'Subscription-State') ?? '';
}
