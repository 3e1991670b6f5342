import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Instant } from '../../../src/core/rows.ts';
import { Service } from '../../../src/core/service.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { Tally } from '../../../src/core/tally.ts';
import { Driver } from '../../../src/driver.ts';
import { Chance } from '../../sipd/fuzz/chance.ts';
import { countingIds, settings } from '../../support/fixtures.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { faultsOf, type Seen, strayFaults } from './checks.ts';
import { farewell, unknownNow } from './closing.ts';
import { someGroup } from './operator.ts';
import { Outside } from './outside.ts';
import { groupNames, type Scene } from './scene.ts';
import { ShakyStore } from './shaky-store.ts';
import { pickStep } from './steps.ts';

/** How much of what led to a fault is told. */
const toldStepsMax = 60;
/** RANDOM_TRACE=1: what went in and out is told between the steps, and much more of it. */
const isTraced = process.env['RANDOM_TRACE'] !== undefined;
const tracedLinesMax = 3_000;
/** After a failure facts are handled again a second later, and may fail again; so long its traces are excused. */
const excuseMs = 3_000;
/** Several subscribers may be told together, a little later than each could be. */
const togetherMs = 1_000;
/** Every conference is looked at after so many steps; in between only those that were written. */
const roundOfSteps = 25;

export type PlayReport = { readonly steps: number; readonly conferences: number; readonly joined: number };

/**
 * Random joins, leaves, cancels, refers, replaces, kicks and timers against the real driver and core, until everybody is
 * gone. The same seed gives the same play. Throws with the seed and the last steps when anything is not as it must be.
 */
export async function play(seed: number, steps: number): Promise<PlayReport> {
  return await new Play(seed).run(steps);
}

class Play {
  readonly #seed: number;
  readonly #steps: string[] = [];
  readonly #faults: string[] = [];
  readonly #timers = new Set<string>();
  readonly #service: Service;
  readonly #driver: Driver;
  readonly #scene: Scene;
  readonly #seen: Seen;
  #excusedUntil: Instant = 0;
  #isBusy = false;

  constructor(seed: number) {
    const fault = (text: string): void => {
      this.#faults.push(text);
    };
    const chance = new Chance(seed);
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const store = new ShakyStore(fault);
    const outside = new Outside({ store, now: () => clock.now(), fault });
    this.#seed = seed;
    const chosen = someSettings(chance);
    this.#service = new Service({ settings: chosen, ids: countingIds() });
    const info = (fields: object, text: string): void => this.#followTimers(text, fields);
    const error = (fields: object, text: string): void => this.#wentWrong(text, fields);
    const { perform, reply } = outside;
    const port = { perform, reply };
    const ports = { sip: port, msrp: port, http: port };
    const log = { isLevelEnabled: () => true, debug: info, info, error };
    this.#driver = new Driver({ service: this.#service, clock, store, ...ports, observer: new Tally(), log });
    this.#scene = { chance, clock, store, outside, submit: this.#driver.submit };
    const view: Seen['view'] = (id) => this.#service.view(id);
    const { notifyMinIntervalMs: pauseMs } = chosen;
    const toldBy = (): Instant => (pauseMs === 0 ? clock.now() : clock.now() - pauseMs - togetherMs);
    this.#seen = { store, outside, timers: this.#timers, view, toldBy };
  }

  async run(steps: number): Promise<PlayReport> {
    const { submit, store, clock, chance } = this.#scene;
    for (const id of groupNames) submit({ type: 'group-defined', group: someGroup(this.#scene, id) });
    for (let number = 1; number <= steps; number += 1) {
      clock.turn(1 + chance.below(40));
      this.#steps.push(`${number}. ${pickStep(this.#scene)}`);
      await this.#settle();
      this.#look(number % roundOfSteps === 0);
    }
    await this.#end();
    return { steps, conferences: store.conferences.size, joined: store.joins };
  }

  /** Everybody leaves, every timer runs out, and nothing is left. */
  async #end(): Promise<void> {
    const { store, clock } = this.#scene;
    this.#steps.push('everybody leaves');
    store.recover();
    for (let round = 0; round < 1_000; round += 1) {
      await this.#settle();
      const left = farewell(this.#scene);
      await this.#settle();
      this.#look(true);
      if (!left && clock.nextDue === undefined) break;
      clock.turn((clock.nextDue ?? clock.now()) - clock.now());
    }
    if (clock.nextDue !== undefined) this.#faults.push('timers never run out');
    if (!this.#driver.idle) this.#faults.push('the driver is not idle');
    const { conferences, participants, subscriptions } = this.#service.counts;
    if (conferences + participants + subscriptions > 0)
      this.#faults.push(`left: ${JSON.stringify(this.#service.counts)}`);
    for (const { id } of store.running) this.#faults.push(`${id} never ended`);
    clock.turn(600_000);
    unknownNow(this.#scene, (text) => this.#faults.push(text));
    await this.#settle();
    this.#look(true);
  }

  /** Lets everything that is promised happen. */
  async #settle(): Promise<void> {
    const wasBusy = this.#isBusy;
    const { outside, clock } = this.#scene;
    await turnOfLoop();
    // A timer that was set too late fires at once.
    clock.turn(0);
    await turnOfLoop();
    this.#isBusy = !this.#driver.idle;
    // What waits for the store is done later still.
    if (outside.excused && (wasBusy || this.#isBusy)) this.#excuse();
    outside.excused = clock.now() <= this.#excusedUntil;
  }

  #look(atAll: boolean): void {
    const { store, outside, clock } = this.#scene;
    const isQuiet = this.#driver.idle && !store.held && !store.failing && clock.now() > this.#excusedUntil;
    if (isQuiet) {
      outside.settle();
      const rows = atAll ? store.running.map(({ id }) => id) : [];
      for (const id of new Set([...store.touched, ...rows])) {
        const row = store.conferences.get(id);
        if (row === undefined) continue;
        this.#faults.push(...faultsOf(row, this.#seen));
        if (row.status === 'ended') store.forget(id);
      }
      store.touched.clear();
      this.#faults.push(...strayFaults(this.#seen));
    }
    if (this.#faults.length > 0) throw new Error(this.#told());
  }

  #followTimers(text: string, fields: object): void {
    const { id, timer } = fields as { id?: string; timer?: string };
    if (isTraced) this.#steps.push(`    ${text} ${JSON.stringify(fields)}`);
    if (text === 'out timer.start' && id !== undefined) this.#timers.add(id);
    if (text === 'out timer.stop' && id !== undefined) this.#timers.delete(id);
    if (text === 'in timer-fired' && timer !== undefined) this.#timers.delete(timer);
    if (text === 'in sip-server-lost') this.#excuse();
  }

  #wentWrong(text: string, fields: object): void {
    this.#excuse();
    const { err, conference } = fields as { err?: unknown; conference?: string };
    this.#steps.push(`    ${text} of ${conference}`);
    if (text === 'save failed' || text === 'reload failed') return;
    this.#faults.push(`${text}: ${err instanceof Error ? err.stack : JSON.stringify(fields)}`);
  }

  #excuse(): void {
    this.#excusedUntil = this.#scene.clock.now() + excuseMs;
    this.#scene.outside.excused = true;
  }

  #told(): string {
    const steps = this.#steps.slice(isTraced ? -tracedLinesMax : -toldStepsMax);
    return [`seed ${this.#seed}: ${this.#faults.join('\n  ')}`, ...steps].join('\n  ');
  }
}

function someSettings(chance: Chance): Settings {
  return settings({
    audio: chance.happens(70) ? 'inactive' : 'off',
    lenient: chance.happens(80),
    consent: chance.happens(10) ? 'on' : 'off',
    endPolicy: chance.pick(['creator-leaves', 'creator-leaves', 'last-leaves', 'idle']),
    creationsPerMinute: chance.happens(20) ? 30 : 0,
    idleSeconds: 60,
    notifyMinIntervalMs: chance.pick([0, 200, 5_000]),
  });
}
