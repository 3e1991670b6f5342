/**
 * A drachtio server that a test plays by hand: real control connections, scripted SIP. What the application sends is
 * kept and confirmed unless the test says otherwise; what the network would do, the test delivers.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { waitFor } from './wait.ts';

/** A frame of the application that carries SIP. */
export type AppFrame = {
  readonly id: string;
  /** The transaction it answers or cancels, empty otherwise. */
  readonly transactionId: string;
  readonly dialogId: string;
  readonly nextHop: string;
  readonly text: string;
  /** Length on the wire, its prefix included. */
  readonly bytes: number;
};

/** What becomes of a frame: confirmed at once, left unconfirmed, or refused with a text. */
export type Verdict = 'confirm' | 'hold' | { readonly nok: string };

export type Delivery = {
  readonly source?: 'network' | 'application';
  readonly dialogId?: string;
  readonly transactionId?: string;
  readonly address?: string;
};

const secret = 'cymru';
const hostports = 'udp/127.0.0.1:5060,tcp/127.0.0.1:5060';

export class FakeDrachtio {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #transactions = new Map<string, string>();
  readonly frames: AppFrame[] = [];
  readonly routes: string[] = [];
  judge: (frame: AppFrame) => Verdict = () => 'confirm';

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#connected(socket));
  }

  /** Listens on `port`, by default a free one. */
  static async start(port = 0): Promise<FakeDrachtio> {
    const fake = new FakeDrachtio(createServer());
    fake.#server.listen(port, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get address(): { readonly host: string; readonly port: number; readonly secret: string } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, secret };
  }

  /** Hands SIP text to the application as an event; gives the transaction id. */
  deliver(text: string, delivery: Delivery = {}): string {
    const { source = 'network', dialogId = '', transactionId = randomUUID(), address = '192.0.2.1' } = delivery;
    const facts = `${source}|${Buffer.byteLength(text)}|udp|${address}|5060|12:00:00.000000|${transactionId}|${dialogId}`;
    this.#send(`${randomUUID()}|sip|${facts}|\r\n${text}`);
    return transactionId;
  }

  /** Answers a request of the application; `lines` are further headers. */
  respond(request: AppFrame, status: string, options: { lines?: readonly string[]; body?: string } = {}): void {
    const { lines = [], body = '' } = options;
    const header = (name: string): string => headerOf(request.text, name) ?? `<sip:x@127.0.0.1>;tag=${name}`;
    const method = request.text.split(' ')[0];
    const to = lines.some((line) => line.startsWith('To:')) ? [] : [`To: ${header('To')};tag=peer`];
    const head = [
      `SIP/2.0 ${status}`,
      `From: ${header('From')}`,
      ...to,
      `Call-ID: ${headerOf(request.text, 'Call-ID') ?? request.dialogId.split(';')[0]}`,
      `CSeq: 1 ${method}`,
      ...lines,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const transactionId = this.#transactions.get(request.id) ?? '';
    this.deliver(`${head.join('\r\n')}\r\n\r\n${body}`, {
      transactionId,
      dialogId: request.dialogId || 'made;from-tag=x',
    });
  }

  /** Confirms a frame that was held. */
  confirm(frame: AppFrame): void {
    const isResponse = frame.text.startsWith('SIP/');
    const transactionId = isResponse ? frame.transactionId : randomUUID();
    this.#transactions.set(frame.id, transactionId);
    const facts = `application|${Buffer.byteLength(frame.text)}|udp|192.0.2.1|5060|12:00:00.000000|${transactionId}`;
    const dialog = isResponse ? `|${dialogMadeBy(frame.text)}|` : '';
    this.#send(`${randomUUID()}|response|${frame.id}|OK|${facts}${dialog}|Msg sent:|\r\n${frame.text}`);
  }

  /** The first frame that `wanted` accepts, now or later; it is taken out of `frames`. */
  async next(what: string, wanted: (frame: AppFrame) => boolean): Promise<AppFrame> {
    const found = await waitFor(what, () => this.frames.find(wanted));
    this.frames.splice(this.frames.indexOf(found), 1);
    return found;
  }

  /** The next request of the application with that method. */
  request(method: string): Promise<AppFrame> {
    return this.next(method, ({ text }) => text.startsWith(`${method} `));
  }

  /** The next response of the application in that transaction. */
  response(transactionId: string): Promise<AppFrame> {
    return this.next('a response', (frame) => frame.transactionId === transactionId && frame.text.startsWith('SIP/'));
  }

  /** Cuts every control connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let at = rest.indexOf('#'); at > 0; at = rest.indexOf('#')) {
        const end = at + 1 + Number(rest.subarray(0, at).toString());
        if (rest.length < end) return;
        this.#frame(rest.subarray(at + 1, end).toString('utf8'), end);
        rest = rest.subarray(end);
      }
    });
  }

  #frame(payload: string, bytes: number): void {
    const lineEnd = payload.indexOf('\r\n');
    const [id = '', kind = '', first = '', second = '', third = ''] = (
      lineEnd === -1 ? payload : payload.slice(0, lineEnd)
    ).split('|');
    const reply = (rest: string): void => this.#send(`${randomUUID()}|response|${id}|${rest}`);
    if (kind === 'authenticate')
      return reply(first === secret ? `OK|${hostports}|v0.9.10|${hostports}` : 'NO|incorrect secret');
    if (kind === 'route') this.routes.push(first);
    if (kind !== 'sip') return reply('OK');
    const frame = {
      id,
      transactionId: first,
      dialogId: second,
      nextHop: third,
      text: payload.slice(lineEnd + 2),
      bytes,
    };
    this.frames.push(frame);
    const verdict = this.judge(frame);
    if (verdict === 'confirm') this.confirm(frame);
    else if (verdict !== 'hold') reply(`NOK|${verdict.nok}`);
  }

  #send(payload: string): void {
    for (const socket of this.#sockets) socket.write(`${Buffer.byteLength(payload)}#${payload}`);
  }
}

/** Value of a header of SIP text, any case. */
export function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(text)?.[1]?.trim();
}

function dialogMadeBy(response: string): string {
  return `${headerOf(response, 'Call-ID')};from-tag=${/;tag=([^;\s]+)/.exec(headerOf(response, 'From') ?? '')?.[1]}`;
}
