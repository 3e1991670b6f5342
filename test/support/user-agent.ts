/**
 * Alice, Bob and Ted: a small honest SIP user agent over real sockets. It invites, answers by script, keeps to
 * RFC 3891 when it is asked to replace a call, subscribes, answers every NOTIFY, and records all it sent and received.
 */
import { isIPv4 } from 'node:net';
import { header, headerValues, type SipRequest, type SipResponse } from '../../src/wire/sip-message.ts';
import { type Call, IncomingInvite, OutgoingInvite } from './call.ts';
import type { LossyRelay } from './lossy-relay.ts';
import { type Media, silentMedia } from './media.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { judgeReplaces } from './replaces-rule.ts';
import { type Dialog, type Headers, headerList, newTag, tagOf } from './sip-dialog.ts';
import type { Address, Transport } from './sip-socket.ts';
import { type ServerTransaction, Transactions } from './sip-transactions.ts';
import { Subscription } from './subscription.ts';
import { deferred, within } from './wait.ts';
import { WireLog } from './wire-log.ts';

export type UserAgentOptions = {
  /** Lower case; user part of its URIs and its name in the log. */
  readonly name: string;
  readonly transport: Transport;
  /** Where it listens; default: 127.0.0.1. */
  readonly host?: string;
  /** Its address of record; default: its own address, `sip:<name>@127.0.0.1:<port>`. */
  readonly aor?: string;
  /** Where requests to a domain name go, as to a proxy. */
  readonly outbound?: Address;
  /** A log shared with other user agents. */
  readonly log?: WireLog;
  readonly media?: Media;
  /** Option tags it knows; an INVITE that requires another gets 420. Default: `replaces`. */
  readonly extensions?: readonly string[];
  /** The network between it and its server. */
  readonly behind?: LossyRelay;
};

/** What to do with an INVITE that may be answered. */
export type Script = (invite: IncomingInvite) => void;

/** Rings, then accepts. */
export const accepting: Script = (invite) => {
  invite.respond(180);
  invite.accept();
};

/** Refuses with `status`. */
export function refusing(status: number, headers: Headers = {}): Script {
  return (invite) => invite.respond(status, headers);
}

/** Rings and says no more; the test answers by hand. */
export const ringing: Script = (invite) => invite.respond(180);

/** Whom NOTIFYs of one subscription are for. */
export type Follower = {
  readonly matches: (notify: SipRequest) => boolean;
  readonly receive: (transaction: ServerTransaction) => void;
};

export type RequestParts = { readonly headers?: Headers; readonly body?: string };

export type ResponseParts = RequestParts & { readonly toTag?: string };

export type InviteParts = RequestParts & {
  /** Content-Type headers; default `application/sdp` when there is a body. */
  readonly contentType?: string | readonly string[];
  /** `never`: the 2xx is left without ACK. */
  readonly acknowledge?: 'at-once' | 'never';
};

export class UserAgent {
  readonly name: string;
  readonly log: WireLog;
  readonly dialogs: Dialog[] = [];
  readonly #options: UserAgentOptions;
  readonly #calls: Call[] = [];
  readonly #outgoing: OutgoingInvite[] = [];
  readonly #incoming: IncomingInvite[] = [];
  readonly #followers: Follower[] = [];
  /** REFERs that came from elsewhere; each was answered 200. */
  readonly referred: SipRequest[] = [];
  readonly #script: Script[] = [];
  readonly #first = deferred<Call>();
  #transactions: Transactions | undefined;

  private constructor(options: UserAgentOptions) {
    this.#options = options;
    this.name = options.name;
    this.log = options.log ?? new WireLog();
  }

  static async open(options: UserAgentOptions): Promise<UserAgent> {
    const agent = new UserAgent(options);
    const { name: owner, transport, host, behind } = options;
    const onRequest = (transaction: ServerTransaction): void => agent.#receive(transaction);
    agent.#transactions = await Transactions.open({ owner, transport, host, log: agent.log, onRequest, behind });
    behind?.join(agent.#transactions.listens);
    return agent;
  }

  get transactions(): Transactions {
    if (!this.#transactions) throw new Error('the user agent is not open');
    return this.#transactions;
  }

  get aor(): string {
    const { host, port } = this.transactions.address;
    return this.#options.aor ?? `sip:${this.name}@${host}:${port}`;
  }

  get transport(): Transport {
    return this.#options.transport;
  }

  get media(): Media {
    return this.#options.media ?? silentMedia(this.name);
  }

  /** Where it can be invited. */
  get address(): string {
    return this.#uriOf(this.name);
  }

  /** What its Contact says. No two have the same user, since drachtio remembers connections by user and host alone. */
  get contact(): string {
    return this.#uriOf(`${this.name}-${this.transactions.address.port}`);
  }

  get incoming(): readonly IncomingInvite[] {
    return this.#incoming;
  }

  /** INVITEs that came from a focus, as their Contact says (RFC 4579 4.2). */
  get invitations(): readonly SipRequest[] {
    const requests = this.#incoming.map(({ request }) => request);
    return requests.filter((request) => /;\s*isfocus/.test(header(request, 'Contact') ?? ''));
  }

  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** The first call that was made or taken, once there is one. */
  async firstCall(): Promise<Call> {
    const [call] = this.#calls;
    return call ?? (await within(`${this.name}'s first call`, this.#first.promise));
  }

  /** How the next INVITEs are answered, one script each; the last stays. Without one: `accepting`. */
  answers(...scripts: readonly Script[]): void {
    this.#script.splice(0, this.#script.length, ...scripts);
  }

  /** Sends an INVITE. `target` goes into the Request-URI as it is given, however wrong. */
  invite(target: string, parts: InviteParts = {}): OutgoingInvite {
    const offer = parts.body ?? this.media.offer();
    const type = parts.contentType ?? (offer === '' ? [] : 'application/sdp');
    const request = this.request('INVITE', target, {
      headers: {
        'Contact': `<${this.contact}>`,
        'Allow': allow,
        'Supported': 'replaces',
        ...parts.headers,
        'Content-Type': type,
      },
      body: offer,
    });
    const invite = new OutgoingInvite(this, request, {
      acknowledge: parts.acknowledge ?? 'at-once',
      offered: /^v=0\r?$/m.test(offer),
    });
    this.#outgoing.push(invite);
    invite.send(this.addressOf(target));
    return invite;
  }

  /** Invites and awaits a 2xx; rejects with the refusal otherwise. */
  async call(target: string, parts: InviteParts = {}): Promise<Call> {
    return await this.invite(target, parts).established();
  }

  /** Sends a request outside any dialog and awaits its final response. */
  async ask(method: string, target: string, parts: RequestParts = {}): Promise<SipResponse> {
    return await this.transactions.send(this.request(method, target, parts), this.addressOf(target)).final;
  }

  /** Subscribes to the conference event package. */
  subscribe(target: string, headers: Headers = {}): Subscription {
    const request = this.request('SUBSCRIBE', target, {
      headers: {
        'Contact': `<${this.contact}>`,
        'Event': 'conference',
        'Accept': 'application/conference-info+xml',
        ...headers,
      },
    });
    const earlier = this.#followers.filter((follower) => follower instanceof Subscription);
    const subscription = new Subscription(this, request, earlier);
    this.follow(subscription);
    subscription.send(this.addressOf(target));
    return subscription;
  }

  /** NOTIFYs that match go to `follower`. */
  follow(follower: Follower): void {
    this.#followers.push(follower);
  }

  /** A request outside any dialog, not sent. */
  request(method: string, target: string, { headers = {}, body = '' }: RequestParts = {}): SipRequest {
    const own: Headers = {
      'Max-Forwards': '70',
      'To': `<${target}>`,
      'From': `"${capitalised(this.name)}" <${this.aor}>;tag=${newTag()}`,
      'Call-ID': `${newTag()}@127.0.0.1`,
      'CSeq': `1 ${method}`,
    };
    return {
      kind: 'request',
      method,
      uri: target,
      headers: [this.transactions.via(), ...headerList({ ...own, ...headers })],
      body,
    };
  }

  /** A request inside `dialog`, not sent. */
  requestIn(dialog: Dialog, method: string, { headers = {}, body = '' }: RequestParts = {}): SipRequest {
    const contact = method === 'BYE' ? [] : [{ name: 'Contact', value: `<${this.contact}>` }];
    const all = [this.transactions.via(), ...dialog.headers(method), ...contact, ...headerList(headers)];
    return { kind: 'request', method, uri: dialog.remoteTarget, headers: all, body };
  }

  /** Sends a request inside `dialog` and awaits its final response. */
  async askIn(dialog: Dialog, method: string, parts: RequestParts = {}): Promise<SipResponse> {
    return await this.transactions.send(this.requestIn(dialog, method, parts), this.addressOf(dialog.nextHop)).final;
  }

  /** Binds its address of record to where it is, at the registrar of that domain (RFC 3261 10.2). */
  async bind(): Promise<SipResponse> {
    const registrar = `sip:${this.aor.slice(this.aor.indexOf('@') + 1)}`;
    return await this.ask('REGISTER', registrar, {
      headers: { 'To': `<${this.aor}>`, 'Contact': `<${this.contact}>`, 'Expires': '600' },
    });
  }

  /** Where a request to `uri` goes: its own address, or the outbound one for a domain name. */
  addressOf(uri: string): Address {
    const [, host = '', port] = /^(?:sips?:)?(?:[^@]*@)?([^:;?>]+)(?::(\d+))?/.exec(uri) ?? [];
    if (isIPv4(host)) return { host, port: port === undefined ? 5060 : Number(port) };
    if (!this.#options.outbound) throw new Error(`${this.name} has no outbound address and cannot resolve ${uri}`);
    return this.#options.outbound;
  }

  /** A call begins; its dialog is known from now on. */
  register(call: Call): void {
    this.#calls.push(call);
    this.#first.resolve(call);
    if (!this.dialogs.includes(call.dialog)) this.dialogs.push(call.dialog);
  }

  /** Closes the sockets; rejects when something unreadable had arrived, or a document that is not as it must be. */
  async close(): Promise<void> {
    await this.transactions.close();
    if (this.transactions.faults.length > 0) throw new Error(this.transactions.faults.join('\n\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #uriOf(user: string): string {
    const { host, port } = this.transactions.address;
    return `sip:${user}@${host}:${port};transport=${this.transport}`;
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'ACK') this.#callOf(request)?.receiveAck(request);
    else if (request.method === 'CANCEL') this.#cancel(transaction);
    else if (request.method === 'NOTIFY') this.#notify(transaction);
    else if (tagOf(header(request, 'To')) !== undefined) this.#receiveInDialog(transaction);
    else if (request.method === 'INVITE') this.#receiveInvite(transaction);
    else if (request.method === 'REFER') this.#receiveRefer(transaction);
    else this.respond(transaction, request.method === 'OPTIONS' ? 200 : 405, { headers: { 'Allow': allow } });
  }

  #callOf(request: SipRequest): Call | undefined {
    return this.#calls.find(({ dialog }) => dialog.owns(request));
  }

  #receiveInDialog(transaction: ServerTransaction): void {
    const { request } = transaction;
    const ringing = this.#incoming.find((invite) => invite.ownsEarly(request));
    const call = this.#callOf(request);
    if (ringing) ringing.receive(transaction);
    else if (!call || call.dialog.state === 'terminated') this.respond(transaction, 481);
    else call.receive(transaction);
  }

  #receiveInvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const invite = new IncomingInvite(this, transaction);
    this.#incoming.push(invite);
    const unknown = this.#unknownExtensions(request);
    const verdict = judgeReplaces(request, this.dialogs);
    if (unknown.length > 0) invite.respond(420, { 'Unsupported': unknown.join(', ') });
    else if (verdict.kind === 'refused') invite.respond(verdict.status);
    else {
      invite.replaces = verdict.kind === 'replaces' ? verdict.dialog : undefined;
      const script = this.#script.length > 1 ? this.#script.shift() : this.#script[0];
      (script ?? accepting)(invite);
    }
  }

  /** RFC 4488 4: whoever wants no report is given none. */
  #receiveRefer(transaction: ServerTransaction): void {
    this.referred.push(transaction.request);
    const headers = { 'Contact': `<${this.contact}>`, 'Refer-Sub': header(transaction.request, 'Refer-Sub') ?? [] };
    this.respond(transaction, 200, { headers });
  }

  #unknownExtensions(request: SipRequest): string[] {
    const known = this.#options.extensions ?? ['replaces'];
    const required = headerValues(request, 'Require').flatMap((value) => value.split(','));
    return required.map((token) => token.trim()).filter((token) => !known.includes(token));
  }

  #cancel(transaction: ServerTransaction): void {
    const callId = header(transaction.request, 'Call-ID');
    const invite = this.#incoming.find(({ request, answered }) => !answered && header(request, 'Call-ID') === callId);
    this.respond(transaction, invite ? 200 : 481);
    invite?.respond(487);
  }

  /** RFC 6665 4.4.1: a NOTIFY belongs to a SUBSCRIBE by Call-ID, its tag and Event. */
  #notify(transaction: ServerTransaction): void {
    const follower = this.#followers.find((one) => one.matches(transaction.request));
    if (follower) follower.receive(transaction);
    else this.respond(transaction, 481);
  }

  /** Answers a request; `toTag` is added where the To has none. */
  respond(transaction: ServerTransaction, status: number, parts: ResponseParts = {}): void {
    const { request } = transaction;
    const { headers = {}, body = '', toTag = newTag() } = parts;
    const copied = ['Via', 'Record-Route', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
      headerValues(request, name).map((value) => {
        const needsTag = name === 'To' && status > 100 && tagOf(value) === undefined;
        return { name, value: needsTag ? `${value};tag=${toTag}` : value };
      }),
    );
    const response: SipResponse = {
      kind: 'response',
      status,
      reason: reasonPhrase(status),
      headers: [...copied, ...headerList(headers)],
      body,
    };
    transaction.respond(response);
  }
}

/** Methods these user agents understand. */
export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY';

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
