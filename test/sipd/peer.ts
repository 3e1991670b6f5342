/** A SIP peer of the tests: writes requests and answers by hand and waits for what comes. */
import { type AnyTransport, type Arrival, openSipSocket, type SipSocket } from '../support/sip-socket.ts';
import { patienceMs, WaitTimeout } from '../support/wait.ts';

type Waiter = { readonly wanted: (text: string) => boolean; readonly resolve: (arrival: Arrival) => void };

export class Peer {
  readonly name: string;
  readonly #socket: SipSocket;
  readonly #server: { readonly host: string; readonly port: number };
  readonly #unseen: Arrival[] = [];
  readonly #waiters: Waiter[] = [];
  /** Everything that has come, in order. */
  readonly received: string[] = [];
  readonly #passed: string[] = [];
  #branches = 0;
  #closing: Promise<void> | null = null;

  private constructor(name: string, socket: SipSocket, server: { readonly host: string; readonly port: number }) {
    this.name = name;
    this.#socket = socket;
    this.#server = server;
  }

  static async open(name: string, transport: AnyTransport, server: { host: string; port: number }): Promise<Peer> {
    const arrivals: Arrival[] = [];
    let take = (arrival: Arrival): void => {
      arrivals.push(arrival);
    };
    const socket = await openSipSocket(transport, (arrival) => take(arrival), server.host);
    const peer = new Peer(name, socket, server);
    take = (arrival) => peer.#take(arrival);
    for (const arrival of arrivals) peer.#take(arrival);
    return peer;
  }

  get port(): number {
    return this.#socket.address.port;
  }

  get uri(): string {
    const { transport } = this.#socket;
    return `sip:${this.name}@${this.#sentBy}${transport === 'udp' ? '' : `;transport=${transport}`}`;
  }

  /** Host and port as they stand in a URI; a WebSocket client has no port. */
  get #sentBy(): string {
    const { host, port } = this.#socket.address;
    return port === 0 ? host : `${bracketed(host)}:${port}`;
  }

  /**
   * What went to the server and came from it, in order: `-> INVITE`, `<- 180 INVITE`. Left out is what came again, as it
   * may on a busy machine, and 100, which comes or not as the time that passes wants.
   */
  get ladder(): readonly string[] {
    return this.#passed;
  }

  /** A request to the server with the usual headers; `more` are further header lines or replace the usual ones. */
  request(method: string, fields: RequestFields = {}): string {
    this.#branches += 1;
    const branch = fields.branch ?? `z9hG4bK-${this.name}-${this.#branches}`;
    const { callId = `call-${this.name}`, cseq = 1, fromTag = `tag-${this.name}`, toTag, body = '' } = fields;
    const to = `<sip:focus@127.0.0.1>${toTag === undefined ? '' : `;tag=${toTag}`}`;
    return [
      `${method} ${fields.uri ?? `sip:focus@${bracketed(this.#server.host)}:${this.#server.port}`} SIP/2.0`,
      `Via: SIP/2.0/${this.#socket.transport.toUpperCase()} ${this.#sentBy};branch=${branch}`,
      'Max-Forwards: 70',
      `From: <sip:${this.name}@127.0.0.1>;tag=${fromTag}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${fields.cseqMethod ?? method}`,
      `Contact: <${this.uri}>`,
      ...(fields.more ?? []),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  send(text: string): void {
    this.#passed.push(`-> ${summary(text)}`);
    this.#socket.send(text, this.#server);
  }

  /** The answer to a request that has come, with the usual headers copied. */
  answer(request: Arrival, status: string, fields: { toTag?: string; more?: string[]; body?: string } = {}): void {
    const copied = ['Via', 'From', 'Call-ID', 'CSeq', 'Record-Route'].flatMap((name) => lines(request.text, name));
    const to = lines(request.text, 'To')[0] ?? '';
    const tag = fields.toTag === undefined || to.includes(';tag=') ? '' : `;tag=${fields.toTag}`;
    const { body = '' } = fields;
    const more = [`Contact: <${this.uri}>`, ...(fields.more ?? []), `Content-Length: ${Buffer.byteLength(body)}`];
    const text = [`SIP/2.0 ${status}`, ...copied, to + tag, ...more, '', body].join('\r\n');
    this.#passed.push(`-> ${summary(text)}`);
    request.sendBack(text);
  }

  /** The next message, seen or to come, that begins so. Rejects after the tests' patience. */
  next(beginning: string): Promise<Arrival> {
    const wanted = (text: string): boolean => text.startsWith(beginning);
    const at = this.#unseen.findIndex((each) => wanted(each.text));
    const seen = at === -1 ? undefined : this.#unseen.splice(at, 1)[0];
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new WaitTimeout(`${this.name} waited in vain for ${beginning}; got\n${this.received.join('\n')}`));
      }, patienceMs);
      this.#waiters.push({
        wanted,
        resolve: (arrival) => {
          clearTimeout(timer);
          resolve(arrival);
        },
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#socket.close();
    return this.#closing;
  }

  #take(arrival: Arrival): void {
    const line = `<- ${summary(arrival.text)}`;
    if (!line.startsWith('<- 100 ') && !this.received.includes(arrival.text)) this.#passed.push(line);
    this.received.push(arrival.text);
    const at = this.#waiters.findIndex((each) => each.wanted(arrival.text));
    const waiter = at === -1 ? undefined : this.#waiters.splice(at, 1)[0];
    if (waiter === undefined) this.#unseen.push(arrival);
    else waiter.resolve(arrival);
  }
}

export type RequestFields = {
  readonly uri?: string;
  readonly branch?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly cseqMethod?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly more?: readonly string[];
  readonly body?: string;
};

/** `INVITE`, `180 INVITE`. */
function summary(text: string): string {
  const [first = '', second = ''] = text.split(' ', 2);
  return first === 'SIP/2.0' ? `${second} ${value(text, 'CSeq').split(' ')[1]}` : first;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Header lines of that name in a message. */
export function lines(text: string, name: string): string[] {
  const head = text.split('\r\n\r\n')[0] ?? '';
  return head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}

/** Value of the first header of that name; throws when there is none. */
export function value(text: string, name: string): string {
  const [line] = lines(text, name);
  if (line === undefined) throw new Error(`no ${name} in\n${text}`);
  return line.slice(line.indexOf(':') + 1).trim();
}

/** The tag of a From or To header. */
export function tag(text: string, name: 'From' | 'To'): string {
  const found = /;tag=([^;\s>]+)/.exec(value(text, name))?.[1];
  if (found === undefined) throw new Error(`no tag in ${name} of\n${text}`);
  return found;
}
