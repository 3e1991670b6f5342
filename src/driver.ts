import { type Turn, TurnFailed } from './core/context.ts';
import type { Effect, Outcome } from './core/effect.ts';
import type { Input, ReplyTo } from './core/input.ts';
import {
  type Clock,
  type HttpPort,
  type MsrpEffect,
  type MsrpPort,
  type SavePort,
  type SipEffect,
  type SipPort,
  StoreBusy,
} from './core/ports.ts';
import type { RefusalCode } from './core/refusal.ts';
import type { Service } from './core/service.ts';

export type DriverLog = {
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
  readonly log: DriverLog;
};

/** One input's effects on one conference, waiting for their save. */
type Waiting = { readonly input: Input; readonly effects: readonly Effect[]; readonly saved: Promise<void> };

/** How long after a failed save the facts it held are handled again. */
const retryAfterMs = 1_000;

/**
 * The only loop: input → core → save → send → next input. The core runs ahead in memory; what it asks for waits, in
 * order and per conference, until the save that covers it has returned. When a save fails, the conference goes back to
 * what the store holds, the requests that waited are refused, and the facts that waited are handled again.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #timers = new Map<string, () => void>();
  readonly #inputs: Input[] = [];
  #handling = false;
  #loose = 0;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** Takes an input; safe to call from anywhere, also from within a shell's `perform`. */
  readonly submit = (input: Input): void => {
    this.#inputs.push(input);
    if (this.#handling) return;
    this.#handling = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#handle(next);
    } finally {
      this.#handling = false;
    }
  };

  /** Whether everything asked for has left. */
  get idle(): boolean {
    return this.#queues.size === 0;
  }

  /** Stops every timer; nothing fires afterwards. */
  stop(): void {
    for (const stop of this.#timers.values()) stop();
    this.#timers.clear();
  }

  #handle(input: Input): void {
    const { service, clock, log } = this.#parts;
    log.info(described(input), `in ${input.type}`);
    try {
      for (const turn of service.handle(input, clock.now())) this.#enqueue(input, turn);
    } catch (error) {
      // Our own mistake: the request is answered, the process lives, and the log is loud.
      log.error({ err: error, input: input.type }, 'input failed');
      if (error instanceof TurnFailed) this.#enqueue(input, error.turn);
      if ('reply' in input)
        this.#reply(input.reply, { kind: 'refused', code: 'internal-error', detail: 'Internal error' });
    }
  }

  #enqueue(input: Input, turn: Turn): void {
    const [first, ...rest] = turn.effects;
    if (first === undefined) return;
    const saves = first.type === 'store.save';
    const saved = saves ? this.#parts.store.save(first.change) : Promise.resolve();
    const waiting: Waiting = { input, effects: saves ? rest : turn.effects, saved };
    // Turns of no conference have no order among each other.
    const key = turn.conferenceId ?? `-${++this.#loose}`;
    const queue = this.#queues.get(key);
    if (queue !== undefined) {
      saved.catch(() => undefined);
      queue.push(waiting);
      return;
    }
    this.#queues.set(key, [waiting]);
    void this.#drain(key);
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
      for (const effect of head.effects) this.#perform(effect);
    }
    this.#queues.delete(key);
  }

  /** Nothing of what waited may leave: it would tell of a state that is not in the store. */
  async #unsaved(key: string, failure: { queue: Waiting[]; error: unknown }): Promise<void> {
    const { log, service, store, clock } = this.#parts;
    log.error({ err: failure.error, conference: key }, 'save failed');
    const isConference = !key.startsWith('-');
    if (isConference) {
      await Promise.allSettled(failure.queue.map((waiting) => waiting.saved));
      const stored = await this.#reload(key, store);
      const turn = service.rollBack(key, stored, clock.now());
      for (const effect of turn.effects) this.#perform(effect);
    }
    const lost = failure.queue.splice(0);
    const code = failure.error instanceof StoreBusy ? 'busy' : 'store-failed';
    for (const waiting of lost) this.#refuseHeld(waiting, code);
  }

  /** Asks until the store answers; meanwhile the conference's inputs wait in its queue. */
  async #reload(conferenceId: string, store: SavePort): ReturnType<SavePort['load']> {
    for (;;) {
      try {
        return await store.load(conferenceId);
      } catch (error) {
        this.#parts.log.error({ err: error, conference: conferenceId }, 'reload failed');
        await new Promise<void>((resolve) => {
          this.#parts.clock.callAt(this.#parts.clock.now() + retryAfterMs, resolve);
        });
      }
    }
  }

  #refuseHeld({ input, effects }: Waiting, code: RefusalCode): void {
    for (const effect of effects) {
      if (effect.type !== 'reply') continue;
      this.#reply(effect.to, { kind: 'refused', code, detail: 'The state could not be saved' });
    }
    if ('reply' in input) return;
    const { clock } = this.#parts;
    clock.callAt(clock.now() + retryAfterMs, () => this.submit(input));
  }

  #perform(effect: Effect): void {
    const { sip, msrp, log } = this.#parts;
    log.info(described(effect), `out ${effect.type}`);
    if (isSip(effect)) sip.perform(effect);
    else if (isMsrp(effect)) msrp.perform(effect);
    else if (effect.type === 'reply') this.#reply(effect.to, effect.outcome);
    else if (effect.type === 'timer.start') this.#startTimer(effect.id, effect.at);
    else if (effect.type === 'timer.stop') this.#stopTimer(effect.id);
  }

  #reply(to: ReplyTo, outcome: Outcome): void {
    if (to.startsWith('http:')) this.#parts.http.reply(to, outcome);
    else this.#parts.sip.reply(to, outcome);
  }

  #startTimer(id: string, at: number): void {
    this.#stopTimer(id);
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

function isSip(effect: Effect): effect is SipEffect {
  return effect.type.startsWith('sip.');
}

function isMsrp(effect: Effect): effect is MsrpEffect {
  return effect.type.startsWith('msrp.');
}

/** The facts of a log line: what it is about, never what a message says. */
function described(thing: Input | Effect): object {
  const { type: _type, ...facts } = thing as { type: string } & Record<string, unknown>;
  const told = [
    'conferenceId',
    'endpointId',
    'subscriptionId',
    'dialogId',
    'callId',
    'timer',
    'id',
    'reply',
    'to',
    'status',
    'method',
    'reason',
  ];
  return Object.fromEntries(told.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]));
}
