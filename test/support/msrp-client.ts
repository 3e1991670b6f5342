import { randomBytes } from 'node:crypto';
import { type AddressInfo, connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { parseCpim, writeCpim } from '../../src/wire/cpim.ts';
import {
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
import { waitFor, within } from './wait.ts';

/** A chat line to be wrapped in message/cpim, or any content as it is. */
export type OutgoingMessage =
  | { readonly from: string; readonly to: string; readonly text: string; readonly wrappedType?: string }
  | { readonly contentType: string; readonly content: string | Buffer; readonly headers?: readonly MsrpHeader[] };

/** A SEND with a body as it arrived. */
export type ReceivedMessage = {
  readonly request: MsrpRequest;
  /** The whole content, byte for byte. */
  readonly content: Buffer;
  /** What a message/cpim wraps, as text; null for any other content. */
  readonly text: string | null;
};

export type MsrpClientOptions = {
  /** Last part of our path; random when absent. */
  readonly localSessionId?: string;
  /** Listens on 127.0.0.1 so that the other side can connect (`a=setup:passive`). */
  readonly listen?: boolean;
  /** What every SEND is answered, as far as its Failure-Report lets us; 200 when absent. */
  readonly answer?: number | 'none';
};

/** An MSRP endpoint on a real socket. One that does not listen has the discard port in its path (RFC 6135 4.2.1). */
export async function openMsrpClient(options: MsrpClientOptions = {}): Promise<MsrpClient> {
  const { answer = 200 } = options;
  const sessionId = options.localSessionId ?? randomBytes(12).toString('hex');
  if (!options.listen) return new MsrpClient({ path: `msrp://127.0.0.1:9/${sessionId};tcp`, server: null, answer });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new MsrpClient({ path: `msrp://127.0.0.1:${port}/${sessionId};tcp`, server, answer });
}

export class MsrpClient {
  readonly path: string;
  /** Everything received with a body, in order. */
  readonly messages: ReceivedMessage[] = [];
  /** Every request received, bodiless ones too. */
  readonly requests: MsrpRequest[] = [];
  readonly #server: Server | null;
  readonly #answer: number | 'none';
  readonly #responses = new Map<string, MsrpResponse>();
  #remotePath: readonly string[] = [];
  #socket: Socket | null = null;
  #isClosed = false;
  #connectionCount = 0;
  #takenCount = 0;

  constructor(options: {
    readonly path: string;
    readonly server: Server | null;
    readonly answer: number | 'none';
  }) {
    const { path, server, answer } = options;
    this.path = path;
    this.#server = server;
    this.#answer = answer;
    server?.on('connection', (socket) => this.#use(socket));
  }

  /** Whether the connection has ended, from either side. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Connections so far, from either side. */
  get connectionCount(): number {
    return this.#connectionCount;
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
    const [, host = '', port = ''] = /^msrps?:\/\/\[?([^\]/]+?)\]?:(\d+)\//.exec(toPath) ?? [];
    const socket = connectTo({ host, port: Number(port) });
    this.#use(socket);
    const connected = new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    await within('the MSRP connection', connected);
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

  async close(): Promise<void> {
    this.#socket?.destroy();
    const server = this.#server;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #request(method: string, headers: readonly MsrpHeader[], body: Buffer | null): Promise<number> {
    const transactionId = randomBytes(8).toString('hex');
    const own = [
      { name: 'Message-ID', value: randomBytes(8).toString('hex') },
      ...(body === null ? [] : [wholeByteRange(body.length)]),
    ];
    const paths = { toPath: this.#remotePath, fromPath: [this.path] };
    this.write(writeMsrpRequest({ transactionId, method, ...paths, headers: [...own, ...headers], body, flag: '$' }));
    return this.waitForStatus(transactionId);
  }

  #throwIfClosed(): undefined {
    if (this.#isClosed) throw new Error('the MSRP connection was closed before the answer');
    return undefined;
  }

  #use(socket: Socket): void {
    const reader = new MsrpReader({ contentBytesMax: 1024 * 1024 });
    this.#socket = socket;
    this.#isClosed = false;
    this.#connectionCount += 1;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#receive(socket, frame);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.#isClosed = true;
    });
  }

  #respond(socket: Socket, request: MsrpRequest): void {
    const status = this.#answer;
    if (status === 'none' || !wantsResponse(request, status)) return;
    socket.write(writeMsrpResponse(responseTo(request, status, null)));
  }

  #receive(socket: Socket, frame: MsrpFrame): void {
    if (frame.kind === 'response') this.#responses.set(frame.transactionId, frame);
    if (frame.kind !== 'request') return;
    if (this.#remotePath.length === 0) this.#remotePath = frame.fromPath;
    this.requests.push(frame);
    if (frame.method === 'SEND') this.#respond(socket, frame);
    if (frame.body === null) return;
    const isCpim = msrpHeader(frame, 'Content-Type') === 'message/cpim';
    const text = isCpim ? parseCpim(frame.body).body.toString() : null;
    this.messages.push({ request: frame, content: frame.body, text });
  }
}
