/**
 * The transactions of a test's user agent, RFC 3261 17: requests are repeated over UDP until answered, answers are
 * repeated until acknowledged, repetitions of the peer are absorbed. No more than honest peers on loopback need.
 */
import { randomBytes } from 'node:crypto';
import {
  header,
  headerValues,
  parseSipMessage,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  writeSipMessage,
} from '../../src/wire/sip-message.ts';
import { type Address, type Arrival, openSipSocket, type SipSocket, type Transport } from './sip-socket.ts';
import { deferred } from './wait.ts';
import { methodOf, type WireLog } from './wire-log.ts';

const t1Ms = 500;
const t2Ms = 4_000;

export type ServerTransaction = {
  readonly request: SipRequest;
  readonly from: Address;
  /** Sends a response; to an INVITE a final one, and a reliable provisional one, is repeated until `acknowledged`. */
  readonly respond: (response: SipResponse) => void;
  readonly acknowledged: () => void;
};

export type ClientTransaction = {
  readonly request: SipRequest;
  readonly to: Address;
  readonly final: Promise<SipResponse>;
};

type Client = {
  readonly request: SipRequest;
  readonly to: Address;
  readonly settle: (response: SipResponse) => void;
  readonly observe: (response: SipResponse) => void;
  readonly stop: () => void;
  answered: boolean;
};

type Served = { readonly stop: () => void; last: string | null; readonly sendBack: (text: string) => void };

export type TransactionOptions = {
  readonly owner: string;
  readonly transport: Transport;
  /** Where it listens; default: 127.0.0.1. */
  readonly host?: string | undefined;
  readonly log: WireLog;
  /** A new request: not a repetition, not an ACK of a refusal. */
  readonly onRequest: (transaction: ServerTransaction) => void;
  /** A network in between, see LossyRelay: all goes to `inner`, and `outer` is given as the own address. */
  readonly behind?: { readonly outer: Address; readonly inner: Address } | undefined;
};

/** The transaction layer of one user agent over one socket. */
export class Transactions {
  readonly #options: TransactionOptions;
  readonly #clients = new Map<string, Client>();
  readonly #served = new Map<string, Served>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What the peer sent that no implementation could read, or that our own reading failed on. */
  readonly faults: string[] = [];
  #socket: SipSocket | undefined;

  private constructor(options: TransactionOptions) {
    this.#options = options;
  }

  static async open(options: TransactionOptions): Promise<Transactions> {
    const transactions = new Transactions(options);
    const receive = (arrival: Arrival): void => transactions.#receive(arrival);
    transactions.#socket = await openSipSocket(options.transport, receive, options.host);
    return transactions;
  }

  /** The address that goes into Via and Contact. */
  get address(): Address {
    return this.#options.behind?.outer ?? this.listens;
  }

  /** The socket's own address. */
  get listens(): Address {
    return this.#open.address;
  }

  /** A Via header of a new transaction. */
  via(branch: string = newBranch()): SipHeader {
    const { host, port } = this.address;
    return { name: 'Via', value: `SIP/2.0/${this.#options.transport.toUpperCase()} ${host}:${port};branch=${branch}` };
  }

  /** Sends a request and awaits its final response; `observe` sees every response, also each repeated 2xx. */
  send(request: SipRequest, to: Address, observe: (response: SipResponse) => void = () => {}): ClientTransaction {
    const key = clientKey(request);
    const { promise: final, resolve: settle } = deferred<SipResponse>();
    const text = this.#write(request, to);
    const stop =
      this.#options.transport === 'udp'
        ? this.#repeat(() => this.#open.send(text, this.#options.behind?.inner ?? to), request.method === 'INVITE')
        : () => {};
    this.#clients.set(key, { request, to, settle, observe, stop, answered: false });
    return { request, to, final };
  }

  /** Sends without a transaction: the ACK of a 2xx. */
  sendAlone(request: SipRequest, to: Address): void {
    this.#write(request, to);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#open.close();
  }

  get #open(): SipSocket {
    if (!this.#socket) throw new Error('the socket is not open');
    return this.#socket;
  }

  #write(message: SipMessage, to: Address): string {
    const text = writeSipMessage(message);
    this.#log('sent', message, to);
    this.#open.send(text, this.#options.behind?.inner ?? to);
    return text;
  }

  #log(direction: 'sent' | 'received', message: SipMessage, peer: Address): void {
    this.#options.log.add({ owner: this.#options.owner, direction, message, peer: `${peer.host}:${peer.port}` });
  }

  #receive(arrival: Arrival): void {
    try {
      const message = parseSipMessage(arrival.text);
      this.#log('received', message, arrival.from);
      if (message.kind === 'response') this.#receiveResponse(message);
      else this.#receiveRequest(message, arrival);
    } catch (error) {
      this.faults.push(`${this.#options.owner}: ${String(error)}\n${arrival.text}`);
    }
  }

  #receiveResponse(response: SipResponse): void {
    const client = this.#clients.get(clientKey(response));
    if (!client) return;
    if (response.status >= 200 || client.request.method === 'INVITE') client.stop();
    client.observe(response);
    if (response.status < 200) return;
    if (client.request.method === 'INVITE' && response.status >= 300)
      this.#write(refusalAck(client.request, response), client.to);
    client.answered = true;
    client.settle(response);
  }

  #receiveRequest(request: SipRequest, arrival: Arrival): void {
    const key = serverKey(request);
    const known = this.#served.get(key);
    if (known && request.method === 'ACK') known.stop();
    else if (known?.last) known.sendBack(known.last);
    else if (!known) this.#serve(request, arrival, key);
  }

  #serve(request: SipRequest, arrival: Arrival, key: string): void {
    let stop: () => void = () => {};
    const served: Served = { stop: () => stop(), last: null, sendBack: arrival.sendBack };
    if (request.method !== 'ACK') this.#served.set(key, served);
    const respond = (response: SipResponse): void => {
      const text = writeSipMessage(response);
      served.last = text;
      this.#log('sent', response, arrival.from);
      arrival.sendBack(text);
      // RFC 3261 13.3.1.4: a 2xx is repeated until its ACK whatever the transport; other finals only over UDP.
      // RFC 3262 3: a reliable provisional answer is repeated until its PRACK, too.
      const awaits = response.status >= 200 || header(response, 'RSeq') !== undefined;
      const repeats = response.status < 300 || this.#options.transport === 'udp';
      if (request.method === 'INVITE' && awaits && repeats) stop = this.#repeat(() => arrival.sendBack(text), false);
    };
    this.#options.onRequest({ request, from: arrival.from, respond, acknowledged: served.stop });
  }

  /** Calls `again` at T1, 2·T1, … (at most T2 apart unless `unbounded`) until stopped. */
  #repeat(again: () => void, unbounded: boolean): () => void {
    let timer: NodeJS.Timeout | undefined;
    const arm = (delayMs: number): void => {
      timer = setTimeout(() => {
        if (timer) this.#timers.delete(timer);
        again();
        arm(unbounded ? delayMs * 2 : Math.min(delayMs * 2, t2Ms));
      }, delayMs);
      this.#timers.add(timer);
    };
    arm(t1Ms);
    return () => {
      clearTimeout(timer);
      if (timer) this.#timers.delete(timer);
    };
  }
}

/** A branch that names a transaction of its own (RFC 3261 8.1.1.7). */
export function newBranch(): string {
  return `z9hG4bK${randomBytes(9).toString('hex')}`;
}

function branchOf(message: SipMessage): string {
  return /;\s*branch=([^;,\s]+)/i.exec(header(message, 'Via') ?? '')?.[1] ?? '';
}

function clientKey(message: SipMessage): string {
  return `${branchOf(message)} ${methodOf(message)}`;
}

/** RFC 3261 17.2.3: branch, sent-by and method; an ACK belongs to its INVITE. */
function serverKey(request: SipRequest): string {
  const sentBy = (header(request, 'Via') ?? '').split(';')[0] ?? '';
  return `${branchOf(request)} ${sentBy} ${request.method === 'ACK' ? 'INVITE' : request.method}`;
}

/** RFC 3261 17.1.1.3: the ACK of a refusal goes with the branch of the INVITE and the To of the response. */
function refusalAck(invite: SipRequest, response: SipResponse): SipRequest {
  const of = (message: SipMessage, name: string): SipHeader => ({ name, value: header(message, name) ?? '' });
  const cseq = { name: 'CSeq', value: (header(invite, 'CSeq') ?? '').replace(/INVITE$/, 'ACK') };
  const routes = headerValues(invite, 'Route').map((value) => ({ name: 'Route', value }));
  const headers = [
    of(invite, 'Via'),
    { name: 'Max-Forwards', value: '70' },
    ...routes,
    of(invite, 'From'),
    of(response, 'To'),
    of(invite, 'Call-ID'),
    cseq,
  ];
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: '' };
}
