/** Very many lives on one stack, side by side, and what must be true of the stack while and after they are lived. */
import { type DaemonWay, waysOf } from '../../../src/sipd/daemon-ways.ts';
import { makeIds } from '../../../src/sipd/ids.ts';
import type { Input, Peer } from '../../../src/sipd/input.ts';
import type { Output } from '../../../src/sipd/output.ts';
import { OwnAddresses } from '../../../src/sipd/own-addresses.ts';
import { Stack, type StackCounts } from '../../../src/sipd/stack.ts';
import { Chance } from '../fuzz/chance.ts';
import { headerOf, plainSockets } from '../stack-world.ts';
import { Life } from './life.ts';

const alice: Peer = { protocol: 'udp', host: '10.0.0.1', port: 5060, connection: null, listener: 0 };
const verbs = [
  'invite',
  'bye',
  'info',
  'message',
  'options',
  'subscribe',
  'notify',
  'refer',
  'update',
  'prack',
  'publish',
];
/** Lives at a time. */
const atOnce = 100;

/** Ways of the real server that leave things for ever, or leave an application without an answer. */
const leaving: readonly DaemonWay[] = ['deserted-requests', 'orphans-stay', 'keeps-dead-subscriptions'];
const losing: readonly DaemonWay[] = ['loses-final-after-18x', 'believes-applications'];

export type Soaked = {
  /** What the stack holds when all has passed, with an application still there. */
  readonly left: StackCounts;
  /** What was not as it must be. */
  readonly faults: readonly string[];
};

/** Lives them all. */
export function soak({ seed, lives, mode }: { seed: number; lives: number; mode: 'free' | 'strict' }): Soaked {
  const ground = new SoakGround(seed, mode);
  for (let from = 0; from < lives; from += atOnce) ground.live(seed * 1_000_000 + from, Math.min(atOnce, lives - from));
  return ground.end();
}

class SoakGround {
  readonly faults: string[] = [];
  readonly #stack: Stack;
  readonly #chance: Chance;
  readonly #lives = new Map<string, Life>();
  #todo: (() => void)[] = [];
  #now = 1_700_000_000_000;
  #alarm: number | null = null;
  /** Final answers of the server by transaction of the peer, and those the application heard by its own. */
  readonly #finals = new Map<string, string>();
  readonly #open = new Map<string, string>();
  #messages = 0;
  #session = 0;

  constructor(seed: number, mode: 'free' | 'strict') {
    this.#chance = new Chance(seed);
    this.#stack = new Stack({
      ways: new Set([...waysOf(mode)].filter((way) => !leaving.includes(way) && !losing.includes(way))),
      timerValues: { t1: 500, t2: 4_000, t4: 5_000 },
      own: new OwnAddresses(plainSockets, []),
      ids: makeIds(this.#chance.random32),
      secret: 'cymru',
      protection: { isTrusted: () => true },
    });
    this.#openSession();
  }

  /** A handful of lives, from their beginning until their application has ended them all. */
  live(first: number, count: number): void {
    this.#lives.clear();
    for (let number = first; number < first + count; number += 1) {
      const life = new Life(number, this.#ground());
      this.#lives.set(life.callId, life);
      this.#todo.push(() => life.begin());
    }
    this.#workOff();
    for (const life of this.#lives.values()) life.wind();
    this.#workOff();
  }

  end(): Soaked {
    this.#pass(1_000_000);
    for (const [id, text] of this.#open) this.faults.push(`the application never heard how it ended: ${id} ${text}`);
    return { left: this.#stack.counts(), faults: this.faults };
  }

  #ground() {
    return {
      receive: (text: string) => this.#input({ kind: 'message-received', from: alice, text }),
      say: (transactionId: string, dialogId: string, text: string) => {
        this.#messages += 1;
        const payload = `m${this.#messages}|sip|${transactionId}|${dialogId}\r\n${text}`;
        this.#input({ kind: 'frame-received', session: this.#session, payload });
      },
      later: (step: () => void) => {
        this.#todo.push(step);
      },
    };
  }

  #openSession(): void {
    this.#session += 1;
    this.#input({ kind: 'session-opened', session: this.#session });
    for (const said of ['authenticate|cymru|', ...verbs.map((verb) => `route|${verb}`)]) {
      this.#input({ kind: 'frame-received', session: this.#session, payload: `m|${said}` });
    }
  }

  /** The application goes and comes again; it takes over what it speaks in. */
  #restart(): void {
    this.#input({ kind: 'session-closed', session: this.#session });
    this.#open.clear();
    this.#openSession();
  }

  #workOff(): void {
    while (this.#todo.length > 0) {
      const at = this.#chance.below(this.#todo.length);
      const step = this.#todo[at];
      this.#todo[at] = this.#todo.at(-1) ?? (() => undefined);
      this.#todo.pop();
      step?.();
      const luck = this.#chance.below(2_000);
      if (luck === 0) this.#pass(100_000);
      else if (luck === 1) this.#restart();
      else if (luck < 200) this.#pass(this.#chance.pick([1, 20, 300, 600, 5_000]));
    }
    // Until nothing more comes of it.
    for (let round = 0; round < 8 && this.#todo.length === 0; round += 1) this.#pass(20_000);
    if (this.#todo.length > 0) this.#workOff();
  }

  #input(input: Input): void {
    for (const output of this.#stack.handle(input, this.#now)) this.#take(output);
  }

  #take(output: Output): void {
    if (output.kind === 'set-alarm') this.#alarm = output.at;
    else if (output.kind === 'send') this.#sent(output.text);
    else if (output.kind === 'frame') this.#told(output.payload);
    else if (output.kind === 'close-session') this.faults.push('the application was thrown out');
  }

  #sent(text: string): void {
    if (text.startsWith('SIP/2.0 ') && !text.startsWith('SIP/2.0 1')) {
      const key = `${headerOf(text, 'Via')} ${headerOf(text, 'CSeq')}`;
      const before = this.#finals.get(key);
      if (before !== undefined && before !== text) this.faults.push(`two answers:\n${before}\n${text}`);
      this.#finals.set(key, text);
    }
    this.#lives.get(headerOf(text, 'Call-ID'))?.heard(text);
  }

  #told(payload: string): void {
    const head = payload.indexOf('\r\n');
    if (head === -1) return;
    const tokens = payload.slice(0, head).split('|');
    const text = payload.slice(head + 2);
    const life = this.#lives.get(headerOf(text, 'Call-ID'));
    if (tokens[1] === 'response') {
      const transactionId = tokens[10] ?? '';
      if (text.startsWith('SIP/2.0 ')) life?.answered(tokens[11] ?? '', text);
      else {
        if (!text.startsWith('ACK ') && !text.startsWith('CANCEL ')) this.#open.set(transactionId, text);
        life?.took(transactionId, text);
      }
      return;
    }
    const [transactionId = '', dialogId = ''] = tokens.slice(8);
    if (text.startsWith('SIP/2.0 ') && !text.startsWith('SIP/2.0 1') && !this.#open.delete(transactionId)) {
      this.faults.push(`the application heard twice how it ended:\n${text}`);
    }
    life?.told({ transactionId, dialogId, text });
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
