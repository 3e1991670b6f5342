/** The applications: who is connected, who has authenticated, and whose turn it is to get a request. */

import { isToken } from '../../wire/sip-message.ts';
import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import { CallRecords } from './call-records.ts';

/** The version applications see; drachtio-srf pings only servers of at least v0.8.2. */
const protocolVersion = 'v0.9.10';

type Session = {
  authenticated: boolean;
  readonly verbs: string[];
  /** By which a request handler finds it. */
  tags: ReadonlySet<string>;
  /** When it was last chosen by a tag; 0: never. */
  turn: number;
};
type Rota = { readonly sessions: number[]; next: number };

export type AppsOptions = {
  readonly secret: string;
  readonly cdrs: boolean;
  /** Methods that go to request handlers, in capitals; wanted, hence, though nobody has registered them. */
  readonly handled?: readonly string[];
};

/** The sessions of the control port and the verbs they registered. New requests go round among them. */
export class Apps {
  readonly records: CallRecords;
  readonly #context: Context;
  readonly #secret: string;
  readonly #sessions = new Map<number, Session>();
  readonly #rotas = new Map<string, Rota>();
  readonly #handled: readonly string[];
  #lastTurn = 0;

  constructor(context: Context, options: AppsOptions) {
    this.#context = context;
    this.#secret = options.secret;
    this.#handled = options.handled ?? [];
    this.records = new CallRecords(context, options.cdrs, (verb) => this.choose(verb));
  }

  open(session: number): void {
    this.#sessions.set(session, { authenticated: false, verbs: [], tags: new Set(), turn: 0 });
  }

  close(session: number): void {
    this.#removeVerbs(session);
    this.#sessions.delete(session);
  }

  isOpen(session: number | null): boolean {
    return session !== null && this.#sessions.has(session);
  }

  isAuthenticated(session: number): boolean {
    return this.#sessions.get(session)?.authenticated === true;
  }

  /** The session that gets the next request of this method, round robin; null when nobody asked for it. */
  choose(method: string): number | null {
    const rota = this.#rotas.get(method.toLowerCase());
    if (rota === undefined) return null;
    rota.next %= rota.sessions.length;
    const session = rota.sessions[rota.next];
    rota.next += 1;
    return session ?? null;
  }

  /**
   * Of those that asked for this method and have the tag, the one whose turn is longest ago; null without one. Sessions
   * may have several tags, so that none but their own turns say who has had less.
   */
  chooseTagged(method: string, tag: string): number | null {
    const sessions = this.#rotas.get(method.toLowerCase())?.sessions ?? [];
    const tagged = sessions.flatMap((id) => {
      const session = this.#sessions.get(id);
      return session?.tags.has(tag) === true ? [{ id, session }] : [];
    });
    const [first] = tagged.sort((a, b) => a.session.turn - b.session.turn);
    if (first === undefined) return null;
    this.#lastTurn += 1;
    first.session.turn = this.#lastTurn;
    return first.id;
  }

  hasVerb(method: string): boolean {
    return this.#rotas.has(method.toLowerCase());
  }

  /** Whether anybody asked for any method. */
  isWanting(): boolean {
    for (const verb of this.#rotas.keys()) if (!verb.includes(':')) return true;
    return this.#handled.length > 0;
  }

  /** Methods somebody asked for, as an Allow header wants them. */
  allowed(): string {
    const verbs = [...this.#rotas.keys()].filter((verb) => !verb.includes(':')).map((verb) => verb.toUpperCase());
    return [...new Set(['ACK', 'CANCEL', 'BYE', ...verbs, ...this.#handled])].join(', ');
  }

  /** Answers one of the small commands. False when `command` is none of them. */
  command(session: number, messageId: string, tokens: readonly string[]): boolean {
    const [command, argument = '', tags = ''] = tokens;
    switch (command) {
      case 'authenticate':
        this.#authenticate(session, messageId, { secret: argument, tags });
        return true;
      case 'ping':
        this.reply(session, messageId, 'OK|pong');
        return true;
      case 'route':
        this.#route(session, messageId, argument.toLowerCase());
        return true;
      case 'remove_route':
        this.#removeRoute(session, argument.toLowerCase());
        this.reply(session, messageId, 'OK');
        return true;
      default:
        return false;
    }
  }

  /** `id|response|<message id>|<rest>`. */
  reply(session: number, messageId: string, rest: string): void {
    this.#context.frame(session, `${this.#context.ids.uuid()}|response|${messageId}|${rest}`);
  }

  /** A frame that breaks the protocol: says so and closes. */
  refuse(session: number, messageId: string, text: string): void {
    this.reply(session, messageId, `NO|${text}`);
    this.#context.closeSession(session);
    this.#context.log('warn', { session, text }, 'control connection refused');
  }

  #authenticate(session: number, messageId: string, said: { readonly secret: string; readonly tags: string }): void {
    const found = this.#sessions.get(session);
    if (found === undefined || !sameSecret(said.secret, this.#secret)) {
      this.refuse(session, messageId, 'incorrect secret');
      return;
    }
    found.authenticated = true;
    found.tags = new Set(said.tags.split(',', limits.tagsPerSessionMax).filter((tag) => tag !== ''));
    const { all } = this.#context.own;
    const shown = all.map((own) => `${own.protocol}/${own.host}:${own.port}`).join(',');
    const bound = all.map((own) => `${own.protocol}/${bracketed(own.bound)}:${own.port}`).join(',');
    this.reply(session, messageId, `OK|${shown}|${protocolVersion}|${bound}`);
  }

  #route(session: number, messageId: string, verb: string): void {
    const found = this.#sessions.get(session);
    if (found === undefined) return;
    // No request has such a method (RFC 3261 25.1), and an Allow header must not be made of it.
    if (!isToken(verb.replace(':', '-'))) {
      this.reply(session, messageId, 'NOK|invalid verb');
      return;
    }
    const again = found.verbs.includes(verb);
    if (!again && new Set(found.verbs).size >= limits.verbsPerSessionMax) {
      this.refuse(session, messageId, 'too many routes');
      return;
    }
    // The daemon counts a connection that registers a verb twice as two; harmless is enough for us.
    if (!again || (this.#context.ways.has('counts-routes-twice') && found.verbs.length < limits.verbsPerSessionMax)) {
      found.verbs.push(verb);
      const rota = this.#rotas.get(verb);
      if (rota === undefined) this.#rotas.set(verb, { sessions: [session], next: 0 });
      else rota.sessions.push(session);
    }
    this.reply(session, messageId, 'OK');
  }

  // The daemon drops every verb of the connection, whichever was named.
  #removeRoute(session: number, verb: string): void {
    if (this.#context.ways.has('counts-routes-twice')) this.#removeVerbs(session);
    else this.#removeVerbs(session, verb);
  }

  #removeVerbs(session: number, only?: string): void {
    const found = this.#sessions.get(session);
    if (found === undefined) return;
    const gone = only === undefined ? [...new Set(found.verbs)] : [only];
    for (const verb of gone) {
      const { sessions, next } = this.#rotas.get(verb) ?? { sessions: [], next: 0 };
      const left = sessions.filter((each) => each !== session);
      // Whose turn it was, it stays.
      const passed = sessions.slice(0, next).filter((each) => each !== session).length;
      if (left.length === 0) this.#rotas.delete(verb);
      else this.#rotas.set(verb, { sessions: left, next: passed });
    }
    const kept = found.verbs.filter((verb) => !gone.includes(verb));
    found.verbs.splice(0, found.verbs.length, ...kept);
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Compares without telling by its time how much of a guess was right. */
function sameSecret(guess: string, secret: string): boolean {
  let difference = guess.length ^ secret.length;
  for (let at = 0; at < guess.length; at += 1) {
    difference |= guess.charCodeAt(at) ^ secret.charCodeAt(at % Math.max(secret.length, 1));
  }
  return difference === 0;
}
