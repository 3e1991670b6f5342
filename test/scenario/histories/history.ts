import type { Input } from '../../../src/core/input.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { Chance } from '../../sipd/fuzz/chance.ts';
import { addressOf, clientSdp, inviteFrom } from '../../support/fixtures.ts';
import { World } from '../../support/world.ts';

const people = ['bob', 'ted', 'carol', 'eve'] as const;
const watchers = ['alice', 'bob', 'carol'] as const;
const pauses = [0, 1_000, 5_000] as const;

/**
 * A conference, and what chance does to it: people come, ring, hold, hide and go, watchers come, refresh, lose NOTIFYs and
 * go, time passes. The world holds every document against RFC 4575, and in the end each watcher's roster against the
 * service's own. Throws with the seed and the ladder. A `crowd` of others may be in it, who only fill the roster.
 */
export function play(seed: number, steps: number, crowd = 0): void {
  const chance = new Chance(seed);
  const world = new World({ notifyMinIntervalMs: chance.pick(pauses) });
  const history = new History(world, chance, crowd);
  try {
    for (let step = 0; step < steps; step += 1) history.step();
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

class History {
  readonly #world: World;
  readonly #chance: Chance;
  /** Whose NOTIFY got lost. */
  readonly #lost = new Set<string>();
  /** Who has lost any. */
  readonly #losers = new Set<string>();
  /** Answered NOTIFYs, by subscription. */
  readonly #answered = new Map<string, number>();
  #asked = 0;

  constructor(world: World, chance: Chance, crowd: number) {
    this.#world = world;
    this.#chance = chance;
    world.factoryInvite(['bob', 'ted']);
    for (let index = 0; index < crowd; index += 1) {
      const caller = { aor: `sip:guest${index}@host.example.org`, displayName: `Guest ${index}`, private: false };
      world.dialsIn(`guest${index}`, { caller, claimed: caller, dialogId: `guest${index};from-tag=${index}` });
    }
  }

  step(): void {
    const steps = [
      () => this.#comes(),
      () => this.#comes(),
      () => this.#goes(),
      () => this.#rings(),
      () => this.#isAsked(),
      () => this.#holds(),
      () => this.#changes(),
      () => this.#watches(),
      () => this.#watches(),
      () => this.#stopsWatching(),
      () => this.#loses(),
      () => this.#hears(),
      () => this.#hears(),
      () => this.#hears(),
      () => this.#world.passes(this.#chance.pick([100, 1_000, 5_000, 31_000])),
    ];
    if (this.#world.conference.status === 'active') this.#chance.pick(steps)();
  }

  #comes(): void {
    const name = this.#chance.pick(people);
    const { caller } = inviteFrom(name, addressOf[name] ?? '');
    const device = this.#chance.pick(['pc', 'tablet']);
    const hides = caller !== null && this.#chance.pick([false, false, true]);
    this.#asked += 1;
    this.#world.dialsIn(name, {
      fromTag: `${name}${this.#asked}`,
      callId: `${name}-${this.#asked}`,
      dialogId: `${name}-${this.#asked};from-tag=${name}${this.#asked}`,
      contact: `sip:${name}@${device}.example.com`,
      ...(hides ? { caller: { ...caller, private: true } } : {}),
    });
  }

  #goes(): void {
    const name = this.#chance.pick(people);
    if (this.#isIn(name)) this.#chance.pick([() => this.#world.hangsUp(name), () => this.#isRemoved(name)])();
  }

  #isRemoved(name: string): void {
    const { id: participantId } = this.#world.participant(name);
    this.#happens({ type: 'removal-requested', ...this.#operator, participantId, reason: null });
  }

  #rings(): void {
    const name = this.#chance.pick(['bob', 'ted', 'carol']);
    const status = this.#statusOf(name);
    if (status !== 'dialing-out' && status !== 'alerting') return;
    this.#chance.pick([
      () => this.#world.rings(name),
      () => this.#world.answers(name),
      () => this.#world.refuses(name, this.#chance.pick([486, 603, 404])),
    ])();
  }

  #isAsked(): void {
    const name = this.#chance.pick(['carol', 'eve']);
    const raw = addressOf[name] ?? '';
    const asked = { displayName: null, role: this.#chance.pick([null, 'chair'] as const), replaces: null };
    this.#happens({ type: 'participant-requested', ...this.#operator, uri: parseSipUri(raw), raw, ...asked });
  }

  #holds(): void {
    const name = this.#chance.pick(people);
    if (!this.#isIn(name)) return;
    this.#asked += 1;
    const direction = this.#chance.pick(['inactive', 'sendrecv', 'recvonly'] as const);
    this.#world.reinvites(name, { offer: clientSdp(name, { direction }), reply: `sip:${name}:again-${this.#asked}` });
  }

  #changes(): void {
    const change = this.#chance.pick([
      { locked: true },
      { locked: false },
      { subject: null },
      { subject: `Plans ${this.#chance.below(100)} & more` },
    ]);
    this.#happens({ type: 'change-requested', ...this.#operator, ...change });
  }

  #watches(): void {
    const name = this.#chance.pick(watchers);
    const lastNotifyVersion = this.#chance.pick([null, null, this.#versionOf(name)]);
    if (this.#isWatching(name)) this.#world.refreshes(name, this.#chance.pick([60, 600]), { lastNotifyVersion });
    else {
      this.#asked += 1;
      const dialogId = `watch-${this.#asked};from-tag=${name}`;
      this.#world.subscribes(name, { lastNotifyVersion, dialogId, expires: this.#chance.pick([60, 3_600, 0]) });
    }
  }

  #stopsWatching(): void {
    const name = this.#chance.pick(watchers);
    if (this.#isWatching(name)) this.#world.refreshes(name, 0);
  }

  #loses(): void {
    const name = this.#chance.pick(watchers);
    if (!this.#isWatching(name) || this.#waits(name)) return;
    this.#world.losesNotify(name);
    this.#lost.add(name);
    this.#losers.add(name);
  }

  #hears(): void {
    const name = this.#chance.pick(watchers);
    if (!this.#isWatching(name) || !this.#waits(name)) return;
    const status = this.#lost.delete(name)
      ? this.#chance.pick([408, 500, 503])
      : this.#chance.pick([200, 200, 200, 503]);
    const { id } = this.#world.subscriptionOf(name);
    this.#answered.set(id, (this.#answered.get(id) ?? 0) + 1);
    this.#world.answersNotify(name, status);
  }

  /** What each request of an operator says. */
  get #operator() {
    this.#asked += 1;
    return { reply: `http:op:${this.#asked}`, actor: 'key:1', conferenceId: this.#world.conference.id };
  }

  #happens(input: Input): void {
    this.#world.happens(input);
  }

  #isIn(name: string): boolean {
    return ['connected', 'on-hold'].includes(this.#statusOf(name) ?? '');
  }

  #statusOf(name: string): string | undefined {
    return this.#latest(name)?.status;
  }

  #latest(name: string) {
    const { record } = this.#world;
    return record?.participants.findLast(({ uri }) => uri === addressOf[name])?.endpoints.at(-1);
  }

  #isWatching(name: string): boolean {
    return this.#live(name) !== undefined;
  }

  #live(name: string) {
    const { subscriptions } = this.#world.saved;
    return [...subscriptions.values()].find((row) => row.subscriber === addressOf[name] && row.state === 'active');
  }

  /** Whether a NOTIFY to somebody is under way. */
  #waits(name: string): boolean {
    const id = this.#live(name)?.id ?? '';
    const sent = this.#world.notifies(name).filter(({ subscriptionId }) => subscriptionId === id).length;
    return sent > (this.#answered.get(id) ?? 0);
  }

  /** Of the last document that somebody has; whoever has lost one says nothing of what it has. */
  #versionOf(name: string): number | null {
    if (this.#losers.has(name)) return null;
    const body = this.#world.notifies(name).at(-1)?.body ?? '';
    const version = / version="(\d+)"/.exec(body)?.[1];
    return version === undefined ? null : Number(version);
  }
}
