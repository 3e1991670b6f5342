/** The stack alone, with a clock of its own, peers and applications, and the ladder of all that passes. */
import { type DaemonWay, type SipdMode, waysOf } from '../../src/sipd/daemon-ways.ts';
import type { InquiryReply } from '../../src/sipd/handlers/question.ts';
import { makeIds } from '../../src/sipd/ids.ts';
import type { Input, Peer } from '../../src/sipd/input.ts';
import type { Output } from '../../src/sipd/output.ts';
import { type OwnAddress, OwnAddresses } from '../../src/sipd/own-addresses.ts';
import { Stack, type StackOptions } from '../../src/sipd/stack.ts';
import type { Answer } from '../../src/sipd/target/questions.ts';

export type WorldPeer = { readonly name: string; readonly at: Peer };

export type Sent = { readonly to: string; readonly text: string };
export type Frame = { readonly session: number; readonly payload: string };

/** 2023-11-14 22:13:20 UTC. */
const start = 1_700_000_000_000;

/** UDP and TCP on 10.0.0.9:5060, as most tests want it. */
export const plainSockets: readonly OwnAddress[] = (['udp', 'tcp'] as const).map((protocol, listener) => ({
  listener,
  protocol,
  family: 4,
  host: '10.0.0.9',
  port: 5060,
  bound: '10.0.0.9',
}));

export class StackWorld {
  readonly stack: Stack;
  /** What went over the wire and the control port, a line each, with milliseconds since the start. */
  readonly ladder: string[] = [];
  readonly sent: Sent[] = [];
  readonly frames: Frame[] = [];
  readonly outputs: Output[] = [];
  readonly #peers = new Map<string, WorldPeer>();
  #now = start;
  #alarm: number | null = null;
  readonly #lookups: number[] = [];
  readonly #errands: number[] = [];
  #messages = 0;
  #branches = 0;

  /** A server in one of its modes, or with only some of the daemon’s ways. Every peer is trusted unless said. */
  constructor(
    mode: SipdMode | readonly DaemonWay[],
    sockets: readonly OwnAddress[] = plainSockets,
    more: Partial<StackOptions> = {},
  ) {
    let chance = 0;
    const random32 = (): number => {
      chance += 1;
      return chance;
    };
    this.stack = new Stack({
      ways: typeof mode === 'string' ? waysOf(mode) : new Set(mode),
      timerValues: { t1: 500, t2: 4_000, t4: 5_000 },
      own: new OwnAddresses(sockets, ['127.0.0.1']),
      ids: makeIds(random32),
      secret: 'cymru',
      cdrs: true,
      protection: { isTrusted: () => true },
      ...more,
    });
  }

  peer(name: string, fields: Partial<Peer> = {}): WorldPeer {
    const at: Peer = {
      protocol: 'udp',
      host: `10.0.0.${this.#peers.size + 1}`,
      port: 5060,
      connection: null,
      listener: null,
      ...fields,
    };
    const peer = { name, at };
    this.#peers.set(name, peer);
    return peer;
  }

  /** An application that has authenticated and asked for these methods. */
  application(session: number, ...verbs: string[]): number {
    this.input({ kind: 'session-opened', session });
    this.say(session, 'authenticate|cymru|');
    for (const verb of verbs) this.say(session, `route|${verb}`);
    this.ladder.length = 0;
    this.frames.length = 0;
    return session;
  }

  input(input: Input): void {
    for (const output of this.stack.handle(input, this.#now)) this.#take(output);
  }

  /** Answers the oldest question that waits: an answer for each part of it, in order. */
  finds(...answers: readonly Answer[]): void {
    const lookup = this.#lookups.shift();
    if (lookup === undefined) throw new Error(`nothing is being looked up\n${this.ladder.join('\n')}`);
    this.input({ kind: 'names-found', lookup, answers });
  }

  /** What becomes of the oldest question to a request handler, or connection to an application, that is still open. */
  errandDone(done: WorldErrand): void {
    const errand = this.#errands.shift();
    if (errand === undefined) throw new Error(`sipd is about no errand\n${this.ladder.join('\n')}`);
    if (typeof done === 'number') this.input({ kind: 'session-connected', errand, session: done });
    else if ('refused' in done) this.input({ kind: 'session-not-connected', errand, reason: done.refused });
    else this.input({ kind: 'handler-answered', errand, reply: done });
  }

  /** Lets time pass, firing what falls due on the way. */
  pass(ms: number): void {
    const until = this.#now + ms;
    while (this.#alarm !== null && this.#alarm <= until) {
      this.#now = Math.max(this.#now, this.#alarm);
      this.#alarm = null;
      this.input({ kind: 'alarm-fired' });
    }
    this.#now = until;
  }

  receive(from: WorldPeer, text: string): void {
    this.#note(`${from.name} -> sipd : ${summary(text)}`);
    this.input({ kind: 'message-received', from: from.at, text });
  }

  /** A request of the peer with the usual headers. */
  request(from: WorldPeer, method: string, fields: WorldRequest = {}): string {
    this.#branches += 1;
    const { cseq = 1, toTag, body = '' } = fields;
    const { host, port, protocol } = from.at;
    const text = [
      `${method} ${fields.uri ?? 'sip:focus@10.0.0.9'} SIP/2.0`,
      `Via: SIP/2.0/${protocol.toUpperCase()} ${host}:${port};branch=${fields.branch ?? `z9hG4bK-${this.#branches}`}`,
      ...(fields.first ?? []),
      `From: <sip:${from.name}@example.com>;tag=${fields.fromTag ?? from.name}`,
      `To: <sip:focus@example.com>${toTag === undefined ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${fields.callId ?? `call-${from.name}`}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <${fields.contact ?? `sip:${from.name}@${host}:${port}`}>`,
      ...(fields.more ?? []),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    return text;
  }

  /** Receives that request and gives its text. */
  asks(from: WorldPeer, method: string, fields: WorldRequest = {}): string {
    const text = this.request(from, method, fields);
    this.receive(from, text);
    return text;
  }

  /** The peer answers a request of ours. */
  answers(from: WorldPeer, request: string, answer: string | WorldAnswer): void {
    const { status, ...fields } = typeof answer === 'string' ? { status: answer } : answer;
    const {
      contact = `sip:${from.name}@${from.at.host}:${from.at.port}`,
      toTag = from.name,
      more: further = [],
    } = fields as Omit<WorldAnswer, 'status'>;
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) => headerLines(request, name));
    const [to = ''] = headerLines(request, 'To');
    const tagged = to.includes(';tag=') || status.startsWith('100') ? to : `${to};tag=${toTag}`;
    const more = contact === '' ? [] : [`Contact: <${contact}>`];
    const head = [`SIP/2.0 ${status}`, ...copied, tagged, ...more, ...further, 'Content-Length: 0'];
    this.receive(from, `${head.join('\r\n')}\r\n\r\n`);
  }

  /** A frame of an application; `text` is its SIP message. Gives its message id. */
  say(session: number, meta: string, text?: string): string {
    this.#messages += 1;
    const id = `m${this.#messages}`;
    if (text !== undefined) this.#note(`app${session} -> sipd : ${summary(text)}`);
    const payload = `${id}|${meta}${text === undefined ? '' : `\r\n${text}`}`;
    this.input({ kind: 'frame-received', session, payload });
    return id;
  }

  /** The application answers the latest request event it got. */
  appAnswers(session: number, status: string, headers: readonly string[] = []): void {
    const event = this.lastEvent(session);
    this.say(session, `sip|${event.transactionId}|`, sipText(`SIP/2.0 ${status}`, headers));
  }

  /** The application sends a request. */
  appAsks(session: number, line: string, fields: AppRequestFields = {}): void {
    const meta = `sip|${fields.transactionId ?? ''}|${fields.dialogId ?? ''}${fields.proxy === undefined ? '' : `|${fields.proxy}`}`;
    this.say(session, meta, sipText(`${line} SIP/2.0`, fields.headers ?? [], fields.body));
  }

  /** Tokens and message of the latest event of a request or response. */
  lastEvent(session: number): WorldEvent {
    const payload = this.frames.findLast(
      (each) => each.session === session && each.payload.split('|')[1] === 'sip',
    )?.payload;
    if (payload === undefined) throw new Error('no event has come');
    return readEvent(payload);
  }

  /** Tokens after the message id of the latest reply, and the message behind them. */
  lastReply(session: number): { readonly tokens: readonly string[]; readonly text: string } {
    const found = this.frames.findLast((each) => each.session === session && each.payload.split('|')[1] === 'response');
    if (found === undefined) throw new Error('no reply has come');
    const [meta = '', ...rest] = found.payload.split('\r\n');
    return { tokens: meta.split('|').slice(3), text: rest.join('\r\n') };
  }

  /** The latest message sent that begins so. */
  lastSent(beginning: string): string {
    const found = this.sent.findLast((each) => each.text.startsWith(beginning));
    if (found === undefined) throw new Error(`nothing sent begins with ${beginning}\n${this.ladder.join('\n')}`);
    return found.text;
  }

  #take(output: Output): void {
    this.outputs.push(output);
    if (output.kind === 'set-alarm') this.#alarm = output.at;
    else if (output.kind === 'send') {
      const name = this.#nameOf(output.to);
      this.sent.push({ to: name, text: output.text });
      this.#note(`sipd -> ${name} : ${summary(output.text)}`);
    } else if (output.kind === 'frame') {
      this.frames.push({ session: output.session, payload: output.payload });
      this.#note(`sipd -> app${output.session} : ${frameSummary(output.payload)}`);
    } else if (output.kind === 'close-session') this.#note(`sipd closes app${output.session}`);
    else if (output.kind === 'close-connection') this.#note(`sipd closes connection ${output.connection}`);
    else if (output.kind === 'look-up') {
      this.#note(`sipd looks up ${output.questions.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`);
      this.#lookups.push(output.lookup);
    } else if (output.kind === 'ask-handler') {
      this.#note(`sipd asks ${output.question.url.split('?')[0]}`);
      this.#errands.push(output.errand);
    } else if (output.kind === 'connect-session') {
      const { host, port, secure } = output.address;
      this.#note(`sipd connects to ${host}:${port}${secure ? ' by TLS' : ''}`);
      this.#errands.push(output.errand);
    }
  }

  #nameOf(to: Peer): string {
    for (const { name, at } of this.#peers.values()) {
      if (to.connection !== null ? to.connection === at.connection : at.host === to.host && at.port === to.port)
        return name;
    }
    return `${to.protocol}/${to.host}:${to.port}`;
  }

  #note(line: string): void {
    this.ladder.push(`${this.#now - start} ${line}`);
  }
}

export type WorldRequest = {
  readonly uri?: string;
  readonly branch?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly contact?: string;
  /** Header lines before From, and behind Contact. */
  readonly first?: readonly string[];
  readonly more?: readonly string[];
  readonly body?: string;
};

/** The session of a connection that was made, why there is none, or the reply of a request handler. */
export type WorldErrand = number | { readonly refused: string } | InquiryReply;

export type WorldAnswer = {
  readonly status: string;
  readonly contact?: string;
  readonly toTag?: string;
  readonly more?: readonly string[];
};

export type AppRequestFields = {
  readonly transactionId?: string;
  readonly dialogId?: string;
  readonly proxy?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
};

export type WorldEvent = {
  readonly tokens: readonly string[];
  readonly transactionId: string;
  readonly dialogId: string;
  readonly text: string;
};

/** The steps of a ladder as a test writes them: blanks at the line ends do not count. */
export function steps(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim());
}

/** Value of the first header of that name. */
export function headerOf(text: string, name: string): string {
  const [line] = headerLines(text, name);
  if (line === undefined) throw new Error(`no ${name} in\n${text}`);
  return line.slice(line.indexOf(':') + 1).trim();
}

/** The To tag of a message. */
export function toTagOf(text: string): string {
  return headerOf(text, 'To').split(';tag=')[1] ?? '';
}

export function headerLines(text: string, name: string): string[] {
  const head = text.split('\r\n\r\n')[0] ?? '';
  return head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}

function readEvent(payload: string): WorldEvent {
  const [meta = '', ...rest] = payload.split('\r\n');
  const tokens = meta.split('|');
  return { tokens, transactionId: tokens[8] ?? '', dialogId: tokens[9] ?? '', text: rest.join('\r\n') };
}

function sipText(line: string, headers: readonly string[], body = ''): string {
  return [line, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** `INVITE` or `200 INVITE`. */
function summary(text: string): string {
  const [line = ''] = text.split('\r\n');
  if (!line.startsWith('SIP/2.0')) return line.split(' ')[0] ?? '';
  const cseq = headerLines(text, 'CSeq')[0]?.split(' ').at(-1) ?? '';
  return `${line.split(' ')[1] ?? ''} ${cseq}`.trim();
}

function frameSummary(payload: string): string {
  const [meta = '', ...rest] = payload.split('\r\n');
  const tokens = meta.split('|');
  if (tokens[1] === 'sip') {
    const { transactionId, dialogId } = readEvent(payload);
    const mark = transactionId === 'unsolicited' ? ' unsolicited' : '';
    return `event ${summary(rest.join('\r\n'))}${dialogId === '' ? '' : ` in ${dialogId}`}${mark}`;
  }
  return tokens[3] === 'OK' ? 'OK' : tokens.slice(3).join(' ');
}
