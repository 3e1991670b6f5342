import { randomBytes } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { parseCpim, writeCpim } from '../../src/wire/cpim.ts';
import {
  type MsrpFlag,
  type MsrpHeader,
  type MsrpRequest,
  type MsrpResponse,
  msrpHeader,
  responseTo,
  wantsResponse,
  wholeByteRange,
  writeMsrpRequest,
  writeMsrpResponse,
} from '../../src/wire/msrp.ts';
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';
import { ArrivingMessages } from './arriving-messages.ts';
import { authorization, readChallenge, type Secret } from './digest-client.ts';
import { type KeyPair, listener, reachPath } from './msrp-transport.ts';
import type { Address } from './sip-socket.ts';
import { waitFor, within } from './wait.ts';

/** A chat line to be wrapped in message/cpim, or any content as it is. */
export type OutgoingMessage =
  | { readonly from: string; readonly to: string; readonly text: string; readonly wrappedType?: string }
  | { readonly contentType: string; readonly content: string | Buffer; readonly headers?: readonly MsrpHeader[] };

/** One chunk, as a test wants it, right or wrong. */
export type ClientChunk = {
  readonly messageId: string;
  /** null: no body, and no Content-Type. */
  readonly body: string | Buffer | null;
  /** The value of Byte-Range; absent: none. */
  readonly range?: string;
  /** `$` when absent. */
  readonly flag?: MsrpFlag;
  /** message/cpim when absent. */
  readonly contentType?: string;
  readonly headers?: readonly MsrpHeader[];
  /** Random when absent; lets a test ask for the answer later. */
  readonly transactionId?: string;
};

/** A message that has arrived whole, in as many chunks as it pleased its sender. */
export type ReceivedMessage = {
  /** Its last SEND to arrive. */
  readonly request: MsrpRequest;
  /** The whole content, byte for byte. */
  readonly content: Buffer;
  /** What a message/cpim wraps, as text; null for any other content. */
  readonly text: string | null;
};

export type MsrpClientOptions = {
  /** Last part of our path; random when absent. */
  readonly localSessionId?: string;
  /** Listens so that the other side can connect (`a=setup:passive`). */
  readonly listen?: boolean;
  /** Where; 127.0.0.1 when absent. */
  readonly host?: string;
  /** Its certificate: of whoever listens it makes TLS, of whoever connects by TLS it is shown. */
  readonly tls?: KeyPair;
  /** What every SEND is answered, as far as its Failure-Report lets us; 200 when absent. */
  readonly answer?: number | 'none';
};

/** An MSRP endpoint on a real socket. One that does not listen has the discard port in its path (RFC 6135 4.2.1). */
export async function openMsrpClient(options: MsrpClientOptions = {}): Promise<MsrpClient> {
  const { answer = 200 } = options;
  const sessionId = options.localSessionId ?? randomBytes(12).toString('hex');
  const { host = '127.0.0.1', tls = null } = options;
  const authority = host.includes(':') ? `[${host}]` : host;
  const scheme = tls === null ? 'msrp' : 'msrps';
  if (!options.listen)
    return new MsrpClient({ path: `${scheme}://${authority}:9/${sessionId};tcp`, server: null, answer, tls });
  let client: MsrpClient | null = null;
  const server = listener(tls, (stream) => client?.use(stream));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  client = new MsrpClient({ path: `${scheme}://${authority}:${port}/${sessionId};tcp`, server, answer, tls });
  return client;
}

export class MsrpClient {
  readonly path: string;
  /** Every message that has arrived whole, in the order of their last chunks. */
  readonly messages: ReceivedMessage[] = [];
  /** Message-IDs of those that their sender has given up. */
  readonly aborted: string[] = [];
  readonly #arriving = new ArrivingMessages();
  /** Every request received, bodiless ones too. */
  readonly requests: MsrpRequest[] = [];
  readonly #server: Server | null;
  readonly #answer: number | 'none';
  readonly #responses = new Map<string, MsrpResponse>();
  /** Those through which all goes, the nearest first. */
  #relays: readonly string[] = [];
  #remotePath: readonly string[] = [];
  readonly #tls: KeyPair | null;
  #socket: Duplex | null = null;
  readonly #streams = new Set<Duplex>();
  #isClosed = false;
  #connectionCount = 0;
  #takenCount = 0;

  constructor(options: {
    readonly path: string;
    readonly server: Server | null;
    readonly answer: number | 'none';
    readonly tls: KeyPair | null;
  }) {
    const { path, server, answer, tls } = options;
    this.path = path;
    this.#server = server;
    this.#answer = answer;
    this.#tls = tls;
  }

  /** Whether the connection has ended, from either side. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Connections so far, from either side. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** What stands in a=path: the relays that lead here, then our own URI (RFC 4976 5.1). */
  get wholePath(): string {
    return [...this.#relays.toReversed(), this.path].join(' ');
  }

  /** Connects to a relay and gets leave to use it (RFC 4976 5.1); all goes through it from then on. */
  async authorize(relay: Address, secret: Secret): Promise<void> {
    const uri = `msrp://${relay.host}:${relay.port};tcp`;
    await this.dial(uri);
    const refusal = await this.#ask('AUTH', []);
    const challenge = readChallenge(msrpHeader(refusal, 'WWW-Authenticate') ?? '');
    const value = authorization(challenge, secret, { method: 'AUTH', uri });
    const leave = await this.#ask('AUTH', [{ name: 'Authorization', value }]);
    const usePath = msrpHeader(leave, 'Use-Path');
    if (usePath === undefined) throw new Error(`the relay answered ${leave.status}`);
    this.#relays = usePath.split(' ');
    this.#remotePath = [];
  }

  /** Sends the first SEND to the peer of `path`, through the relays. */
  async reach(path: string): Promise<number> {
    this.#remotePath = [...this.#relays, ...path.split(' ')];
    return await this.#request('SEND', [], null);
  }

  /** Connects to the first URI of a path and sends the bodiless SEND of the active side; rejects unless that gets 200. */
  async connect(toPath: string): Promise<void> {
    const status = await this.tryConnect(toPath);
    if (status !== 200) throw new Error(`the first SEND was answered ${status}`);
  }

  /** The same, giving the status of the first SEND. */
  async tryConnect(toPath: string): Promise<number> {
    await this.dial(toPath);
    return this.#request('SEND', [], null);
  }

  /** Connects and says nothing. */
  async dial(toPath: string): Promise<void> {
    this.#remotePath = toPath.split(' ');
    this.use(await within('the MSRP connection', reachPath(toPath, this.#tls)));
  }

  /** A bodiless SEND on the connection that is there. */
  sendFirst(transactionId: string, toPath: string): void {
    const paths = { toPath: [toPath], fromPath: [this.path] };
    const headers = [{ name: 'Message-ID', value: transactionId }];
    this.write(writeMsrpRequest({ transactionId, method: 'SEND', ...paths, headers, body: null, flag: '$' }));
  }

  /** Waits until the other side has connected and sent its first SEND (for clients that listen). */
  async waitForConnection(): Promise<void> {
    await waitFor('the first SEND of the other side', () => this.requests.length > 0);
  }

  /** Sends a whole message in one chunk; resolves to the status it is answered. */
  send(message: OutgoingMessage): Promise<number> {
    if ('content' in message) {
      const headers = [...(message.headers ?? []), { name: 'Content-Type', value: message.contentType }];
      return this.#request('SEND', headers, Buffer.from(message.content));
    }
    const { from, to, text, wrappedType = 'text/plain' } = message;
    const content = writeCpim({
      headers: [
        { name: 'From', params: [], value: `<${from}>` },
        { name: 'To', params: [], value: `<${to}>` },
        { name: 'DateTime', params: [], value: new Date().toISOString() },
      ],
      contentHeaders: [{ name: 'Content-Type', value: wrappedType }],
      body: Buffer.from(text),
    });
    return this.send({ contentType: 'message/cpim', content });
  }

  /** Sends one chunk; resolves to the status it is answered. */
  chunk(chunk: ClientChunk): Promise<number> {
    const { transactionId = randomBytes(8).toString('hex') } = chunk;
    this.writeChunk({ ...chunk, transactionId });
    return this.waitForStatus(transactionId);
  }

  /** The same without waiting for an answer, for a chunk that gets none. */
  writeChunk(chunk: ClientChunk): void {
    const { messageId, range, flag = '$', contentType = 'message/cpim', headers = [] } = chunk;
    const body = chunk.body === null ? null : Buffer.from(chunk.body);
    const own = [
      { name: 'Message-ID', value: messageId },
      ...(range === undefined ? [] : [{ name: 'Byte-Range', value: range }]),
    ];
    const type = body === null ? [] : [{ name: 'Content-Type', value: contentType }];
    const { transactionId = randomBytes(8).toString('hex') } = chunk;
    const paths = { toPath: this.#remotePath, fromPath: [this.path] };
    const all = [...own, ...headers, ...type];
    this.write(writeMsrpRequest({ transactionId, method: 'SEND', ...paths, headers: all, body, flag }));
  }

  /** Tells the sender what became of its message (RFC 4975 7.1.2): a status as `413`. */
  report({ request, content }: ReceivedMessage, status: number): void {
    const headers = [
      { name: 'Message-ID', value: msrpHeader(request, 'Message-ID') ?? '' },
      wholeByteRange(content.length),
      { name: 'Status', value: `000 ${status}` },
    ];
    const transactionId = randomBytes(8).toString('hex');
    const paths = { toPath: request.fromPath, fromPath: [this.path] };
    this.write(writeMsrpRequest({ transactionId, method: 'REPORT', ...paths, headers, body: null, flag: '$' }));
  }

  /** The REPORTs about one message, so far. */
  reportsOf(messageId: string): readonly MsrpRequest[] {
    return this.requests.filter(
      (request) => request.method === 'REPORT' && msrpHeader(request, 'Message-ID') === messageId,
    );
  }

  /** The response to one transaction, once it is there. */
  waitForResponse(transactionId: string): Promise<MsrpResponse> {
    const probe = (): MsrpResponse | undefined => this.#responses.get(transactionId) ?? this.#throwIfClosed();
    return waitFor(`the answer to ${transactionId}`, probe);
  }

  async waitForStatus(transactionId: string): Promise<number> {
    return (await this.waitForResponse(transactionId)).status;
  }

  /** The status a transaction has been answered by now, if any. */
  statusOf(transactionId: string): number | undefined {
    return this.#responses.get(transactionId)?.status;
  }

  /** NICKNAME (RFC 7701 7.1); gives the status of the answer. */
  async nickname(name: string): Promise<number> {
    return (await this.#ask('NICKNAME', [{ name: 'Use-Nickname', value: `"${name}"` }])).status;
  }

  /** The next message that has not been taken by this yet, past or to come. */
  async waitForMessage(): Promise<ReceivedMessage> {
    const message = await waitFor('an MSRP message', () => this.messages[this.#takenCount]);
    this.#takenCount += 1;
    return message;
  }

  /** Waits until the other side has closed the connection. */
  async waitForClose(): Promise<void> {
    await waitFor('the end of the MSRP connection', () => this.#isClosed);
  }

  /** Octets as they are, for what no client should send. */
  write(octets: string | Buffer): void {
    this.#socket?.write(octets);
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Closes every connection; whoever listens still does. */
  hangUp(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async close(): Promise<void> {
    this.hangUp();
    const server = this.#server;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #request(method: string, headers: readonly MsrpHeader[], body: Buffer | null): Promise<number> {
    const own = [
      { name: 'Message-ID', value: randomBytes(8).toString('hex') },
      ...(body === null ? [] : [wholeByteRange(body.length)]),
    ];
    return (await this.#ask(method, [...own, ...headers], body)).status;
  }

  #ask(method: string, headers: readonly MsrpHeader[], body: Buffer | null = null): Promise<MsrpResponse> {
    const transactionId = randomBytes(8).toString('hex');
    const paths = { toPath: this.#remotePath, fromPath: [this.path] };
    this.write(writeMsrpRequest({ transactionId, method, ...paths, headers, body, flag: '$' }));
    return this.waitForResponse(transactionId);
  }

  #throwIfClosed(): undefined {
    if (this.#isClosed) throw new Error('the MSRP connection was closed before the answer');
    return undefined;
  }

  /** A connection, from either side. */
  use(socket: Duplex): void {
    const reader = new MsrpReader({ wholeBytesMax: 1024 * 1024 });
    this.#socket = socket;
    this.#streams.add(socket);
    this.#isClosed = false;
    this.#connectionCount += 1;
    socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#receive(socket, frame);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#streams.delete(socket);
      if (this.#socket === socket) this.#isClosed = true;
    });
  }

  #respond(socket: Duplex, request: MsrpRequest): void {
    const status = this.#answer;
    if (status === 'none' || !wantsResponse(request, status)) return;
    socket.write(writeMsrpResponse(responseTo(request, status, null)));
  }

  #receive(socket: Duplex, frame: MsrpFrame): void {
    if (frame.kind === 'response') this.#responses.set(frame.transactionId, frame);
    if (frame.kind !== 'request') return;
    if (this.#remotePath.length === 0) this.#remotePath = frame.fromPath;
    this.requests.push(frame);
    if (frame.method === 'SEND') this.#respond(socket, frame);
    if (frame.method !== 'SEND') return;
    if (frame.flag === '#') this.aborted.push(msrpHeader(frame, 'Message-ID') ?? '');
    const content = this.#arriving.add(frame);
    if (content === null) return;
    const isCpim = msrpHeader(frame, 'Content-Type') === 'message/cpim';
    const text = isCpim ? parseCpim(content).body.toString() : null;
    this.messages.push({ request: frame, content, text });
  }
}
