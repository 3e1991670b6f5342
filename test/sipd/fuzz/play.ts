/** Plays an episode against the stack alone, and looks after each step whether all is still as it must be. */
import { type DaemonWay, waysOf } from '../../../src/sipd/daemon-ways.ts';
import { makeIds } from '../../../src/sipd/ids.ts';
import type { Input, Peer } from '../../../src/sipd/input.ts';
import type { Output } from '../../../src/sipd/output.ts';
import { OwnAddresses } from '../../../src/sipd/own-addresses.ts';
import { Stack } from '../../../src/sipd/stack.ts';
import type { Answer, Question } from '../../../src/sipd/target/questions.ts';
import { StreamReader } from '../../../src/sipd/transport/stream.ts';
import { plainSockets } from '../stack-world.ts';
import { everyVerb } from '../torture-table.ts';
import { applicationSays, type Memory, memoryMax, peerSays } from './actors.ts';
import { Chance } from './chance.ts';
import { HeldByes } from './held-byes.ts';
import type { Episode, Step } from './script.ts';
import { faultOfFrame, faultOfMessage, identityOf } from './well-formed.ts';

/** Something that must never happen has happened. */
export class Broken extends Error {
  readonly rule: string;

  constructor(rule: string, details: string) {
    super(`${rule}: ${details}`);
    this.rule = rule;
  }
}

export type Played = {
  /** Messages and frames the stack was given. */
  readonly messages: number;
  /** The most processor time one of them took, in milliseconds, and which. */
  readonly worstMs: number;
  readonly worst: string;
};

/** Ways of the real server that break our rules: answers as the application writes them, dialogs nobody ends. */
const left: readonly DaemonWay[] = ['believes-applications', 'orphans-stay'];

type Stream = { id: number; reader: StreamReader };
/** The same request may have come from several: a Via that cannot be read is not marked. */
type Received = { readonly hosts: Set<string>; times: number; readonly finals: Set<string> };

/** Plays it to its end; throws `Broken`. */
export function play(episode: Episode): Played {
  const game = new Game(episode);
  for (const step of episode.steps) game.step(step);
  game.end();
  return game.played();
}

class Game {
  readonly #stack: Stack;
  readonly #memory: Memory = { requests: [], asked: [], dialogs: new Set(), sent: [] };
  readonly #received = new Map<string, Received>();
  readonly #streams: Stream[] = [0, 1, 2].map((id) => ({ id: id + 1, reader: new StreamReader() }));
  #now = 1_700_000_000_000;
  #alarm: number | null = null;
  #lastConnection = 3;
  #sessionOpen = false;
  #messages = 0;
  #worstMs = 0;
  #worst = '';
  /** The request being handled: until it is done nothing leaves for anybody but its source. */
  #handling: { readonly text: string; readonly answer: boolean } | null = null;
  readonly #heldByes = new HeldByes();

  constructor({ mode, bound }: Episode) {
    const chance = new Chance(1);
    this.#stack = new Stack({
      ways: new Set([...waysOf(mode)].filter((way) => !left.includes(way))),
      timerValues: { t1: 500, t2: 4_000, t4: 5_000 },
      own: new OwnAddresses(plainSockets, []),
      ids: makeIds(chance.random32),
      secret: 'cymru',
      protection: bound
        ? { sources: { requests: { perSecond: 5, burst: 10 }, openTransactions: 5, unacknowledgedFinals: 2 } }
        : { isTrusted: () => true },
    });
    this.#openSession();
  }

  step(step: Step): void {
    switch (step.kind) {
      case 'datagram':
        this.#message(udpPeer(step.peer), step.text);
        return;
      case 'chunk':
        this.#chunk(step.connection, step.text);
        return;
      case 'hang-up':
        this.#hangUp(step.connection);
        return;
      case 'frame':
        this.#frame(step.text);
        return;
      case 'app':
        this.#frame(`m|${applicationSays(this.#memory, new Chance(step.seed))}`);
        return;
      case 'peer': {
        const said = peerSays(this.#memory, new Chance(step.seed));
        if (said !== null) this.#message(said.from, said.text);
        return;
      }
      case 'unreachable':
        this.#input({ kind: 'peer-unreachable', peer: udpPeer(step.peer), reason: 'fuzz' });
        return;
      case 'load':
        this.#input({ kind: 'load-measured', delayMs: step.delayMs, queuedBytes: 0 });
        return;
      case 'time':
        this.#pass(step.ms);
    }
  }

  /** Ends what can go on for ever, lets all time pass, and looks whether anything is left. */
  end(): void {
    for (let round = 0; round < 3; round += 1) {
      for (const id of this.#memory.dialogs) {
        this.#frame(`m|sip||${id}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
        this.#frame(`m|sip||${id}\r\nNOTIFY sip:placeholder SIP/2.0\r\nSubscription-State: terminated\r\n\r\n`);
      }
      this.#pass(250_000);
    }
    this.#input({ kind: 'session-closed', session: 1 });
    this.#sessionOpen = false;
    for (const connection of [0, 1, 2]) this.#hangUp(connection);
    this.#pass(4_000_000);
    const left = Object.entries(this.#stack.counts()).filter(([, count]) => count !== 0);
    if (left.length > 0) throw new Broken('something is left', JSON.stringify(left));
  }

  played(): Played {
    return { messages: this.#messages, worstMs: this.#worstMs, worst: this.#worst };
  }

  #openSession(): void {
    this.#input({ kind: 'session-opened', session: 1 });
    this.#sessionOpen = true;
    for (const payload of ['m|authenticate|cymru|', ...everyVerb.map((verb) => `m|route|${verb}`)]) {
      this.#input({ kind: 'frame-received', session: 1, payload });
    }
  }

  #frame(payload: string): void {
    if (!this.#sessionOpen) this.#openSession();
    this.#messages += 1;
    this.#timed(payload, { kind: 'frame-received', session: 1, payload });
  }

  #message(from: Peer, text: string): void {
    this.#messages += 1;
    this.#note(from, text);
    this.#handling = { text, answer: text.trimStart().toUpperCase().startsWith('SIP/') };
    this.#timed(text, { kind: 'message-received', from, text });
    this.#handling = null;
  }

  #chunk(index: number, chunk: string): void {
    const stream = this.#streams[index];
    if (stream === undefined) return;
    const from = tcpPeer(index, stream.id);
    for (const event of stream.reader.push(chunk)) {
      if (event.kind === 'message') this.#message(from, event.text);
      else if (event.kind === 'broken') {
        this.#note(from, event.text);
        this.#input({ ...event, kind: 'stream-broken', from });
        this.#hangUp(index);
        return;
      }
    }
  }

  #hangUp(index: number): void {
    const stream = this.#streams[index];
    if (stream === undefined) return;
    this.#input({ kind: 'connection-closed', peer: tcpPeer(index, stream.id) });
    this.#lastConnection += 1;
    this.#streams[index] = { id: this.#lastConnection, reader: new StreamReader() };
  }

  /** A request has come: answers to it are expected, one for each time it comes. */
  #note(from: Peer, text: string): void {
    const identity = identityOf(text, from);
    const known = this.#received.get(identity);
    const request = known ?? { hosts: new Set<string>(), times: 0, finals: new Set<string>() };
    if (known === undefined) this.#received.set(identity, request);
    request.hosts.add(from.host);
    request.times += 1;
  }

  #timed(text: string, input: Input): void {
    // Not the clock on the wall: the machine has other work.
    const before = process.cpuUsage();
    this.#input(input);
    const { user, system } = process.cpuUsage(before);
    const took = (user + system) / 1_000;
    if (took <= this.#worstMs) return;
    this.#worstMs = took;
    this.#worst = `${text.length} octets: ${text.slice(0, 60)}`;
  }

  #input(input: Input): void {
    let outputs: Output[];
    try {
      outputs = this.#stack.handle(input, this.#now);
    } catch (error) {
      throw new Broken('it throws', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    for (const output of outputs) this.#take(output);
    const { clientTransactions, serverTransactions, dialogs, timers } = this.#stack.counts();
    if (clientTransactions + serverTransactions + dialogs + timers > 20 * (this.#messages + 20)) {
      throw new Broken('it holds too much', JSON.stringify(this.#stack.counts()));
    }
  }

  #take(output: Output): void {
    switch (output.kind) {
      case 'set-alarm':
        this.#alarm = output.at;
        return;
      case 'send':
        this.#sent(output.to, output.text);
        return;
      case 'frame':
        this.#told(output.payload);
        return;
      case 'close-session':
        this.#sessionOpen = false;
        this.#input({ kind: 'session-closed', session: output.session });
        return;
      case 'close-connection': {
        const index = this.#streams.findIndex(({ id }) => id === output.connection);
        if (index !== -1) this.#hangUp(index);
        return;
      }
      case 'look-up': {
        const { lookup, questions } = output;
        if (!this.#mayAsk()) throw new Broken('a request makes it look up a name', JSON.stringify(questions));
        this.#input({ kind: 'names-found', lookup, answers: questions.map(nothing) });
        return;
      }
      case 'log':
    }
  }

  #sent(to: Peer, text: string): void {
    const fault = faultOfMessage(text);
    if (fault !== null) throw new Broken('it sends what is malformed', `${fault}\n${text}`);
    const isAnswer = text.startsWith('SIP/2.0 ');
    if (isAnswer) this.#answered(to, text);
    else this.#asked(text);
    this.#memory.sent.push({ to, text });
    if (this.#memory.sent.length > memoryMax) this.#memory.sent.shift();
  }

  #asked(request: string): void {
    const mayAsk = this.#mayAsk();
    const waited = this.#heldByes.released(request);
    if (this.#handling?.answer === false && !(mayAsk && waited)) {
      throw new Broken('a request makes it send a request', request);
    }
  }

  /** A request makes the server ask nobody anything, unless it is of a call whose BYE waits for the ACK. */
  #mayAsk(): boolean {
    return this.#handling?.answer !== false || this.#heldByes.areOfCallOf(this.#handling.text);
  }

  #answered(to: Peer, text: string): void {
    const request = this.#received.get(identityOf(text, null));
    if (request === undefined) throw new Broken('it answers what nobody asked', text);
    if (!request.hosts.has(to.host)) throw new Broken('an answer goes elsewhere', `${to.host}\n${text}`);
    if (text.startsWith('SIP/2.0 1')) return;
    request.finals.add(text);
    if (request.finals.size > request.times)
      throw new Broken('a request has several answers', [...request.finals].join('\n'));
  }

  #told(payload: string): void {
    const fault = faultOfFrame(payload);
    if (fault !== null) throw new Broken('it tells the application what is malformed', `${fault}\n${payload}`);
    const tokens = payload.slice(0, payload.indexOf('\r\n')).split('|');
    const { requests, asked, dialogs } = this.#memory;
    if (tokens[1] === 'response' && tokens[3] === 'OK' && tokens.length > 9) {
      asked.push(tokens[10] ?? '');
      this.#heldByes.confirmed(tokens[10] ?? '', payload.slice(payload.indexOf('\r\n') + 2));
      if (asked.length > memoryMax) asked.shift();
      if (tokens[11]?.includes(';from-tag=')) dialogs.add(tokens[11]);
    }
    if (tokens[1] !== 'sip') return;
    const [transactionId = '', dialogId = ''] = tokens.slice(8);
    if (dialogId !== '') dialogs.add(dialogId);
    if (payload.includes('\r\nSIP/2.0 ')) {
      this.#heldByes.ended(transactionId);
      return;
    }
    requests.push({ transactionId, dialogId });
    if (requests.length > memoryMax) requests.shift();
  }

  #pass(ms: number): void {
    const until = this.#now + ms;
    while (this.#alarm !== null && this.#alarm <= until) {
      this.#now = Math.max(this.#now, this.#alarm);
      this.#alarm = null;
      this.#input({ kind: 'alarm-fired' });
    }
    this.#now = until;
  }
}

/** There is no such name. */
function nothing({ kind }: Question): Answer {
  return kind === 'a' || kind === 'aaaa' ? { kind, addresses: [] } : { kind, records: [] };
}

function udpPeer(index: number): Peer {
  return { protocol: 'udp', host: `10.0.0.${index + 1}`, port: 5060, connection: null, listener: 0 };
}

function tcpPeer(index: number, connection: number): Peer {
  return { protocol: 'tcp', host: `10.0.0.${index + 1}`, port: 40_000 + index, connection, listener: 1 };
}
