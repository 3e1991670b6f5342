import type { Turn } from './core/context.ts';
import type { Effect, Outcome } from './core/effect.ts';
import type { Input, ReplyTo } from './core/input.ts';
import { bearable, unsaidBy } from './core/messaging/unsaved.ts';
import {
  type Clock,
  type HttpPort,
  type MsrpEffect,
  type MsrpPort,
  type Observer,
  type SavePort,
  type SipEffect,
  type SipPort,
  StoreBusy,
} from './core/ports.ts';
import { type RefusalCode, refusal } from './core/refusal.ts';
import type { Change } from './core/rows.ts';
import type { Service } from './core/service.ts';

export type DriverLog = {
  readonly isLevelEnabled: (level: 'debug' | 'info') => boolean;
  readonly debug: (fields: object, text: string) => void;
  readonly info: (fields: object, text: string) => void;
  readonly error: (fields: object, text: string) => void;
};

export type DriverParts = {
  readonly service: Service;
  readonly clock: Clock;
  readonly store: SavePort;
  readonly sip: SipPort;
  readonly msrp: MsrpPort;
  readonly http: HttpPort;
  readonly observer: Observer;
  readonly log: DriverLog;
};

/** One input's effects on one conference, waiting for their save. */
type Waiting = {
  readonly input: Input;
  readonly change: Change | null;
  effects: readonly Effect[];
  readonly saved: Promise<void>;
  readonly undo: () => void;
};

/** Of these a call, a subscription or a session sees many while it runs, and neither begins nor ends by them. */
const runningOn: ReadonlySet<Input['type']> = new Set([
  'ack-received',
  'endpoint-alerting',
  'messages-switched',
  'notify-answered',
  'referral-notify-answered',
  'timer-fired',
]);

/** How long after a failed save the facts it held are handled again. */
const retryAfterMs = 1_000;

/**
 * The only loop: input → core → save → send → next input. The core runs ahead in memory; what it asks for waits, in
 * order and per conference, until the save that covers it has returned. When a save fails, the turns that wait are
 * undone and the conference is held against the store; the requests that waited are refused, the facts handled again.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #timers = new Map<string, () => void>();
  readonly #retries = new Set<() => void>();
  /** Facts that are to be handled again, by what they are about; those that come meanwhile come after them. */
  readonly #again = new Map<string, Input[]>();
  /** Why a conference's changes cannot be saved at present: one before them failed, and is not undone yet. */
  readonly #behind = new Map<string, unknown>();
  readonly #inputs: Input[] = [];
  /** Ends of INVITEs that were never sent: they have not happened if what they follow from has not. */
  readonly #madeUp = new WeakSet<Input>();
  #handling = false;
  #stopped = false;
  #loose = 0;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Takes an input; safe to call from anywhere, also from within a shell's `perform`. */
  readonly submit = (input: Input): void => {
    if (this.#stopped) return;
    this.#parts.observer.took(input);
    if ('reply' in input) return this.#take(input);
    const subject = subjectOf(input);
    const earlier = this.#again.get(subject);
    const taken = bearable(input, () => [
      ...(this.#queues.get(subject) ?? []).map((waiting) => waiting.input),
      ...(earlier ?? []),
    ]);
    if (taken !== input) this.#parts.log.error(described(input), 'messages not kept: too many wait for the store');
    if (earlier === undefined) this.#take(taken);
    else earlier.push(taken);
  };

  #take(input: Input): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (this.#handling) return;
    this.#handling = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#handle(next);
    } finally {
      this.#handling = false;
    }
  }

  /** Whether everything asked for has left. */
  get idle(): boolean {
    return this.#queues.size === 0;
  }

  /** Stops every timer and takes no more inputs; nothing fires afterwards. */
  stop(): void {
    this.#stopped = true;
    for (const stop of [...this.#timers.values(), ...this.#retries]) stop();
    this.#timers.clear();
    this.#retries.clear();
  }

  #handle(input: Input): void {
    const { log } = this.#parts;
    const level = runningOn.has(input.type) ? 'debug' : 'info';
    if (log.isLevelEnabled(level)) log[level](described(input), `in ${input.type}`);
    const turns = this.#turnsOf(input);
    if (turns.length === 0) this.#ignored(input);
    for (const turn of turns) {
      // Our own mistake: the request is answered, the conference ends, the process lives, and the log is loud.
      if (turn.mistake !== undefined) {
        log.error({ err: turn.mistake, conference: turn.conferenceId, input: input.type }, 'turn failed');
        this.#refuse(input, 'internal-error');
      }
      this.#enqueue(input, turn);
    }
  }

  /** What the core makes of the input; a mistake outside every turn changes nothing and is a turn of no effects. */
  #turnsOf(input: Input): readonly Turn[] {
    try {
      return this.#parts.service.handle(input, this.#parts.clock.now());
    } catch (mistake) {
      return [{ conferenceId: null, effects: [], undo: () => undefined, mistake }];
    }
  }

  #enqueue(input: Input, turn: Turn): void {
    // Turns of no conference have no order among each other.
    const key = turn.conferenceId ?? `-${++this.#loose}`;
    const queue = this.#queues.get(key) ?? [];
    const [first, ...rest] = this.#unsent(queue, turn.effects);
    if (first === undefined) {
      // What it changed in memory only is undone with the turns that it follows.
      if (queue.length > 0) queue.push(nothingOf(input, turn.undo));
      return;
    }
    const saves = first.type === 'store.save';
    const saved = saves ? this.#save(key, first.change) : Promise.resolve();
    // Looked at when its turn comes, which may be long after it has failed.
    saved.catch(() => undefined);
    const change = saves ? first.change : null;
    queue.push({ input, change, effects: saves ? rest : [first, ...rest], saved, undo: turn.undo });
    if (this.#queues.has(key)) return;
    this.#queues.set(key, queue);
    void this.#drain(key);
  }

  /** A fact about something that is gone; should what ended it be undone, it is not gone. */
  #ignored(input: Input): void {
    if ('reply' in input) return;
    // A timer is known to its conference only.
    const subject = 'timer' in input ? (input.timer.split(':')[1] ?? '') : subjectOf(input);
    for (const queue of this.#queues.values()) {
      if (!queue.some(({ change }) => change !== null && concerns(change, subject))) continue;
      queue.push(nothingOf(input, () => undefined));
      return;
    }
  }

  /** Saves a change, unless it is built on one that is being undone. */
  #save(key: string, change: Change): Promise<void> {
    return this.#behind.has(key) ? Promise.reject(this.#behind.get(key)) : this.#parts.store.save(change);
  }

  /** RFC 3261 9.1: an INVITE that is cancelled before it has left is not sent at all, and neither is its CANCEL. */
  #unsent(queue: readonly Waiting[], effects: readonly Effect[]): readonly Effect[] {
    return effects.filter((effect) => {
      if (effect.type !== 'sip.cancel') return true;
      const { endpointId } = effect;
      const isInvite = (other: Effect): boolean => other.type === 'sip.invite' && other.endpointId === endpointId;
      const holder = queue.find((waiting) => waiting.effects.some(isInvite));
      if (holder === undefined) return true;
      holder.effects = holder.effects.filter((other) => !isInvite(other));
      const cause = { status: 487, reason: 'Request Terminated' };
      const nothing = { unsupported: [], reasonHeader: null, minSe: null, members: null };
      const ended: Input = { type: 'endpoint-failed', endpointId, cause, ...nothing };
      this.#madeUp.add(ended);
      this.#inputs.push(ended);
      return false;
    });
  }

  async #drain(key: string): Promise<void> {
    const queue = this.#queues.get(key) ?? [];
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      try {
        await head.saved;
      } catch (error) {
        await this.#unsaved(key, { queue, error });
        continue;
      }
      queue.shift();
      this.#parts.observer.left(head.change, head.effects);
      for (const effect of head.effects) this.#perform(effect);
    }
    this.#queues.delete(key);
  }

  /** Nothing of what waited may leave: it would tell of a state that is not in the store. */
  async #unsaved(key: string, failure: { queue: Waiting[]; error: unknown }): Promise<void> {
    const { log, service, clock } = this.#parts;
    const { queue, error } = failure;
    log.error({ err: error, conference: key }, 'save failed');
    const isConference = !key.startsWith('-');
    // The store takes changes again once it has been asked, which is before what they are built on is undone.
    this.#behind.set(key, error);
    if (isConference) await Promise.allSettled(queue.map((waiting) => waiting.saved));
    const stored = isConference ? await this.#reload(key, queue.flatMap(unsaidBy)) : undefined;
    this.#behind.delete(key);
    const lost = queue.splice(0);
    // What came last goes first.
    for (const { undo } of [...lost].reverse()) undo();
    const turn = isConference ? service.reconcile(key, stored, clock.now()) : null;
    const code = error instanceof StoreBusy ? 'busy' : 'store-failed';
    for (const { input } of lost) this.#notHandled(input, { key, code });
    if (turn !== null) this.#enqueue({ type: 'sip-server-lost', conferenceId: key }, turn);
  }

  /** Asks until the store answers; meanwhile the conference's inputs wait in its queue. */
  async #reload(conferenceId: string, unsaid: readonly string[]): ReturnType<SavePort['load']> {
    for (;;) {
      try {
        return await this.#parts.store.load(conferenceId, unsaid);
      } catch (error) {
        this.#parts.log.error({ err: error, conference: conferenceId }, 'reload failed');
        await new Promise<void>((resolve) => {
          this.#retry(resolve);
        });
      }
    }
  }

  /** A request is refused; a fact has happened all the same and is handled again, on the state before it. */
  #notHandled(input: Input, { key, code }: { key: string; code: RefusalCode }): void {
    if ('reply' in input) {
      this.#refuse(input, code);
      return;
    }
    if (this.#madeUp.has(input)) return;
    const fact = input.type === 'sip-server-lost' ? { ...input, conferenceId: key } : input;
    const subject = subjectOf(fact);
    const earlier = this.#again.get(subject);
    if (earlier !== undefined) {
      earlier.push(fact);
      return;
    }
    const facts = [fact];
    this.#again.set(subject, facts);
    this.#retry(() => {
      this.#again.delete(subject);
      for (const each of facts) this.#take(each);
    });
  }

  #retry(again: () => void): void {
    if (this.#stopped) return;
    const { clock } = this.#parts;
    const stop = clock.callAt(clock.now() + retryAfterMs, () => {
      this.#retries.delete(stop);
      again();
    });
    this.#retries.add(stop);
  }

  #refuse(input: Input, code: RefusalCode): void {
    if (!('reply' in input)) return;
    this.#reply(input.reply, { kind: 'refused', code, detail: refusal(code).text });
  }

  /** A shell never throws; if one does, the other effects leave all the same. */
  #perform(effect: Effect): void {
    const { log } = this.#parts;
    // What came in tells an operator of every call's begin and end; what it led to is for whoever looks for a mistake.
    if (log.isLevelEnabled('debug')) log.debug(described(effect), `out ${effect.type}`);
    try {
      this.#hand(effect);
    } catch (error) {
      this.#parts.log.error({ err: error, effect: effect.type }, 'effect failed');
    }
  }

  #hand(effect: Effect): void {
    const { sip, msrp } = this.#parts;
    if (isSip(effect)) sip.perform(effect);
    else if (isMsrp(effect)) msrp.perform(effect);
    else if (effect.type === 'reply') this.#reply(effect.to, effect.outcome);
    else if (effect.type === 'timer.start') this.#startTimer(effect.id, effect.at);
    else if (effect.type === 'timer.stop') this.#stopTimer(effect.id);
  }

  #reply(to: ReplyTo, outcome: Outcome): void {
    this.#parts.observer.answered(outcome);
    if (to.startsWith('http:')) this.#parts.http.reply(to, outcome);
    else if (to.startsWith('msrp:')) this.#parts.msrp.reply(to, outcome);
    else this.#parts.sip.reply(to, outcome);
  }

  #startTimer(id: string, at: number): void {
    this.#stopTimer(id);
    if (this.#stopped) return;
    const stop = this.#parts.clock.callAt(at, () => {
      this.#timers.delete(id);
      this.submit({ type: 'timer-fired', timer: id });
    });
    this.#timers.set(id, stop);
  }

  #stopTimer(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}

/** What a fact is about: facts about the same are handled in their order. */
function subjectOf(fact: Exclude<Input, { reply: ReplyTo }>): string {
  if ('endpointId' in fact) return fact.endpointId;
  if ('subscriptionId' in fact) return fact.subscriptionId;
  if ('referralId' in fact) return fact.referralId;
  if ('dialogId' in fact) return fact.dialogId;
  if ('timer' in fact) return fact.timer;
  return 'conferenceId' in fact ? (fact.conferenceId ?? fact.type) : fact.type;
}

/** Whether the rows of `change` tell of `subject`. */
function concerns({ conferenceId, participants, subscriptions, referrals }: Change, subject: string): boolean {
  const endpoints = participants.flatMap((participant) => participant.endpoints);
  return (
    conferenceId === subject ||
    endpoints.some(({ id, dialogId }) => id === subject || dialogId === subject) ||
    subscriptions.some(({ id }) => id === subject) ||
    referrals.some(({ id }) => id === subject)
  );
}

/** A turn that asks for nothing. */
function nothingOf(input: Input, undo: () => void): Waiting {
  return { input, change: null, effects: [], saved: Promise.resolve(), undo };
}

function isSip(effect: Effect): effect is SipEffect {
  return effect.type.startsWith('sip.');
}

function isMsrp(effect: Effect): effect is MsrpEffect {
  return effect.type.startsWith('msrp.');
}

/** The facts of a log line, as far as there are any: what it is about, never what a message says. */
function described(of: Readonly<Record<string, unknown>>): object {
  const { conferenceId, endpointId, subscriptionId, dialogId, callId, timer, id, reply, to, status, method, reason } =
    of;
  // Always the same names: whoever writes the line passes by those without a value, faster than names can be added.
  return { conferenceId, endpointId, subscriptionId, dialogId, callId, timer, id, reply, to, status, method, reason };
}
