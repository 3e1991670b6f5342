import { header, type SipRequest, type SipResponse } from '../../src/wire/sip-message.ts';
import { cseqOf, Dialog, type Headers, headerList, newTag, tagOf } from './sip-dialog.ts';
import type { Address } from './sip-socket.ts';
import type { ServerTransaction } from './sip-transactions.ts';
import type { RequestParts, UserAgent } from './user-agent.ts';
import { deferred, within } from './wait.ts';

/** An INVITE that was refused, as an error for tests that expected a call. */
export class CallRefused extends Error {
  readonly response: SipResponse;

  constructor(response: SipResponse) {
    super(`the INVITE was refused: ${response.status} ${response.reason}`);
    this.response = response;
  }
}

export type InviteManner = {
  readonly acknowledge: 'at-once' | 'never';
  /** False: the offer is the peer's, in its 2xx. */
  readonly offered: boolean;
};

/** An INVITE that a user agent sent. */
export class OutgoingInvite {
  readonly request: SipRequest;
  readonly #agent: UserAgent;
  readonly #manner: InviteManner;
  #address: Address | undefined;
  #final: Promise<SipResponse> | undefined;
  #call: Call | undefined;
  #early: Dialog | undefined;

  constructor(agent: UserAgent, request: SipRequest, manner: InviteManner) {
    this.#agent = agent;
    this.request = request;
    this.#manner = manner;
  }

  get final(): Promise<SipResponse> {
    if (!this.#final) throw new Error('the INVITE was not sent');
    return within(`a final answer to ${this.#agent.name}'s INVITE`, this.#final);
  }

  /** The dialog of the first provisional answer that made one. */
  get early(): Dialog | undefined {
    return this.#early;
  }

  send(to: Address): void {
    this.#address = to;
    this.#final = this.#agent.transactions.send(this.request, to, (response) => this.#observe(response)).final;
  }

  /** The call, once a 2xx came; rejects with CallRefused. */
  async established(): Promise<Call> {
    const response = await this.final;
    if (!this.#call) throw new CallRefused(response);
    return this.#call;
  }

  /** RFC 3261 9.1: CANCEL copies Request-URI, Via, From, To, Call-ID and the CSeq number. Gives its own answer. */
  async cancel(): Promise<SipResponse> {
    if (!this.#address) throw new Error('the INVITE was not sent');
    const copied = ['Via', 'From', 'To', 'Call-ID'].map((name) => ({ name, value: header(this.request, name) ?? '' }));
    const headers = [
      ...copied,
      { name: 'CSeq', value: `${cseqOf(this.request)} CANCEL` },
      ...headerList({ 'Max-Forwards': '70' }),
    ];
    const cancel: SipRequest = { kind: 'request', method: 'CANCEL', uri: this.request.uri, headers, body: '' };
    return await within('an answer to CANCEL', this.#agent.transactions.send(cancel, this.#address).final);
  }

  #observe(response: SipResponse): void {
    if (response.status >= 300) return;
    if (response.status < 200) {
      if (tagOf(header(response, 'To')) === undefined || this.#early) return;
      this.#early = Dialog.ofClient(this.request, response);
      this.#agent.dialogs.push(this.#early);
    } else if (this.#call) this.#call.acknowledgeAgain();
    else this.#establish(response);
  }

  #establish(response: SipResponse): void {
    const dialog = this.#early ?? Dialog.ofClient(this.request, response);
    dialog.state = 'confirmed';
    const call = new Call(this.#agent, dialog, response.body);
    this.#call = call;
    this.#agent.register(call);
    const answer = this.#manner.offered ? '' : this.#agent.media.answer(response.body);
    if (this.#manner.acknowledge === 'at-once') call.acknowledge(cseqOf(this.request), answer);
    this.#agent.media.begin(response.body, this.#manner.offered ? 'offerer' : 'answerer');
  }
}

/** An INVITE that a user agent received and answers by its script. */
export class IncomingInvite {
  readonly request: SipRequest;
  /** The dialog that RFC 3891 says this INVITE replaces. */
  replaces: Dialog | undefined;
  answered = false;
  readonly #agent: UserAgent;
  readonly #transaction: ServerTransaction;
  readonly #dialog: Dialog;

  constructor(agent: UserAgent, transaction: ServerTransaction) {
    this.#agent = agent;
    this.#transaction = transaction;
    this.request = transaction.request;
    this.#dialog = Dialog.ofServer(this.request, newTag());
    agent.dialogs.push(this.#dialog);
  }

  /** Sends a response that is not a 2xx. */
  respond(status: number, headers: Headers = {}, body = ''): void {
    if (status >= 200) {
      this.answered = true;
      this.#dialog.state = 'terminated';
    }
    const toTag = this.#dialog.facts.localTag;
    this.#agent.respond(this.#transaction, status, { headers: { ...this.#contact, ...headers }, body, toTag });
  }

  /** Whether a request lies in the dialog that is not confirmed yet. */
  ownsEarly(request: SipRequest): boolean {
    return !this.answered && this.#dialog.owns(request);
  }

  /** A request within the early dialog. RFC 3262 3: a PRACK ends the repetition of what it acknowledges. */
  receive(transaction: ServerTransaction): void {
    if (transaction.request.method === 'PRACK') this.#transaction.acknowledged();
    this.#agent.respond(transaction, 200, { headers: this.#contact });
  }

  /** Answers 200 with a session description; then, with Replaces, ends the replaced dialog (RFC 3891 3). */
  accept(headers: Headers = {}): Call {
    this.answered = true;
    this.#dialog.state = 'confirmed';
    const offer = sdpOf(this.request);
    const body = this.#agent.media.answer(offer);
    const call = new Call(this.#agent, this.#dialog, offer);
    call.acknowledged = this.#transaction.acknowledged;
    this.#agent.register(call);
    const own: Headers = { ...this.#contact, 'Supported': 'replaces', 'Content-Type': 'application/sdp' };
    const toTag = this.#dialog.facts.localTag;
    this.#agent.respond(this.#transaction, 200, { headers: { ...own, ...headers }, body, toTag });
    this.#agent.media.begin(offer, 'answerer');
    const replaced = this.#agent.calls.find(({ dialog }) => dialog === this.replaces);
    if (replaced) void replaced.bye();
    return call;
  }

  get #contact(): Headers {
    return { 'Contact': `<${this.#agent.contact}>` };
  }
}

/** An established session and its dialog. */
export class Call {
  readonly dialog: Dialog;
  /** The peer's session description. */
  readonly remoteSdp: string;
  /** Stops the repetition of our last 2xx. */
  acknowledged: () => void = () => {};
  /** The peer's INVITEs within the session. */
  readonly reinvites: SipRequest[] = [];
  /** How they are answered: 200 with a session description, another status without. */
  reinviteStatus = 200;
  readonly #agent: UserAgent;
  readonly #ended = deferred<SipRequest>();
  readonly #acked = deferred<SipRequest>();
  #lastAck: SipRequest | undefined;

  constructor(agent: UserAgent, dialog: Dialog, remoteSdp: string) {
    this.#agent = agent;
    this.dialog = dialog;
    this.remoteSdp = remoteSdp;
  }

  /** The peer's BYE. */
  get ended(): Promise<SipRequest> {
    return within(`a BYE to ${this.#agent.name}`, this.#ended.promise);
  }

  /** The peer's ACK of our 200. */
  get confirmed(): Promise<SipRequest> {
    return within(`an ACK to ${this.#agent.name}`, this.#acked.promise);
  }

  /** Sends a request in the dialog and awaits its final response. */
  async ask(method: string, parts: RequestParts = {}): Promise<SipResponse> {
    return await within(`an answer to ${this.#agent.name}'s ${method}`, this.#agent.askIn(this.dialog, method, parts));
  }

  async bye(): Promise<SipResponse> {
    this.dialog.state = 'terminated';
    return await this.ask('BYE');
  }

  /** RFC 3261 13.2.2.4: the ACK of a 2xx is a request of its own, with the INVITE's CSeq number. */
  acknowledge(cseq: number, answer = ''): void {
    const type = answer === '' ? {} : { 'Content-Type': 'application/sdp' };
    const headers = [this.#agent.transactions.via(), ...this.dialog.headers('ACK', cseq), ...headerList(type)];
    this.#lastAck = { kind: 'request', method: 'ACK', uri: this.dialog.remoteTarget, headers, body: answer };
    this.acknowledgeAgain();
  }

  /** The peer repeated its 2xx: the same ACK again. */
  acknowledgeAgain(): void {
    if (this.#lastAck) this.#agent.transactions.sendAlone(this.#lastAck, this.#agent.addressOf(this.dialog.nextHop));
  }

  receiveAck(ack: SipRequest): void {
    this.acknowledged();
    this.#acked.resolve(ack);
  }

  /** A request within the dialog. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'INVITE') this.#reinvited(transaction);
    else if (request.method === 'BYE') {
      this.dialog.state = 'terminated';
      this.#agent.respond(transaction, 200);
      this.#ended.resolve(request);
    } else
      this.#agent.respond(transaction, 405, {
        headers: { 'Allow': 'INVITE, ACK, CANCEL, BYE, NOTIFY' },
      });
  }

  #reinvited(transaction: ServerTransaction): void {
    this.reinvites.push(transaction.request);
    if (this.reinviteStatus !== 200) {
      this.#agent.respond(transaction, this.reinviteStatus);
      return;
    }
    this.acknowledged = transaction.acknowledged;
    const headers = { 'Contact': `<${this.#agent.contact}>`, 'Content-Type': 'application/sdp' };
    const body = this.#agent.media.answer(sdpOf(transaction.request));
    this.#agent.respond(transaction, 200, { headers, body });
  }
}

/** The session description of an INVITE: its body, or the application/sdp part of it. */
export function sdpOf(message: SipRequest | SipResponse): string {
  const type = header(message, 'Content-Type') ?? '';
  if (!/^multipart\//i.test(type)) return message.body;
  const delimiter = /boundary="?([^";]+)"?/i.exec(type)?.[1] ?? '';
  const part =
    message.body.split(`--${delimiter}`).find((section) => /^content-type:\s*application\/sdp/im.test(section)) ?? '';
  return part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '');
}
