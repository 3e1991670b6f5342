import { expect } from 'vitest';
import type { Turn } from '../../src/core/context.ts';
import type { Effect, Outcome, SipInvite, SipNotify } from '../../src/core/effect.ts';
import type { Input, InviteReceived, ReinviteReceived, SubscribeReceived } from '../../src/core/input.ts';
import type { MsrpRoute } from '../../src/core/messaging/switch.ts';
import type {
  AttemptRow,
  Change,
  ConferenceRecord,
  ConferenceRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  ReplacesValue,
  Role,
  SubscriptionRow,
} from '../../src/core/rows.ts';
import { Service } from '../../src/core/service.ts';
import type { Settings } from '../../src/core/settings.ts';
import { type ConferenceInfoDocument, parseConferenceInfo } from '../../src/wire/conference-info.ts';
import type { SessionDescription } from '../../src/wire/sdp.ts';
import { parseSipUri } from '../../src/wire/sip-uri.ts';
import {
  type AnswerParts,
  addressOf,
  answerFrom,
  clientSdp,
  countingIds,
  factoryUri,
  inviteFrom,
  type ListEntry,
  nameOf,
  recipients,
  settings,
  subscribeFrom,
  unexplained,
} from './fixtures.ts';
import { Ladder } from './ladder.ts';
import { lineOf, type Names } from './ladder-lines.ts';
import { Subscribers } from './subscribers.ts';

/**
 * The core with nothing real around it: people who call, a store that keeps rows, a clock that is turned by hand.
 * Everything that crosses the core's door is a line of the ladder.
 */
export class World {
  readonly ladder = new Ladder();
  readonly saved = {
    conferences: new Map<string, ConferenceRow>(),
    participants: new Map<string, ParticipantRow>(),
    subscriptions: new Map<string, SubscriptionRow>(),
    referrals: new Map<string, ReferralRow>(),
    messages: new Map<string, MessageRow>(),
  };
  readonly attempts: AttemptRow[] = [];
  readonly events: string[] = [];
  readonly eventVersions: number[] = [];
  readonly effects: Effect[] = [];
  readonly settings: Settings;
  readonly #service: Service;
  readonly #timers = new Map<string, number>();
  readonly #invited = new Map<string, SipInvite>();
  readonly #endpointNames = new Map<string, string>();
  readonly #subscribed = new Map<string, string>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #subscribers = new Subscribers(this);
  readonly #names: Names = {
    endpoint: (id) => this.#nameOfEndpoint(id),
    subscription: (id) => this.#subscribed.get(id) ?? '?',
    referral: (id) => nameOf(this.saved.referrals.get(id)?.by ?? '?'),
  };
  readonly view = (conferenceId: string) => this.#service.view(conferenceId);
  #now = Date.UTC(2026, 0, 1);

  constructor(changes: Partial<Settings> = {}) {
    this.settings = settings(changes);
    this.#service = new Service({ settings: this.settings, ids: countingIds() });
  }

  get now(): number {
    return this.#now;
  }

  get conferenceUri(): string {
    return 'sip:conf-1@conf.example.com';
  }

  /** Something happens. */
  happens(input: Input): void {
    this.#subscribers.note(input);
    for (const turn of this.#service.handle(input, this.#now)) this.#perform(turn);
    this.#subscribers.compare();
  }

  /** A person's client sends INVITE to the factory with a resource list. */
  factoryInvite(list: readonly (ListEntry | string)[] | null, changes: Partial<InviteReceived> = {}): InviteReceived {
    const from = changes.caller === undefined ? 'alice' : nameOf(changes.caller?.aor ?? 'eve');
    const requires = list === null ? [] : ['recipient-list-invite'];
    const input = inviteFrom(from, factoryUri, {
      requires,
      list: list === null ? null : recipients(list, this.settings.lenient),
      ...changes,
    });
    const names =
      list === null
        ? ''
        : ` [${list.map((entry) => nameOf(typeof entry === 'string' ? (addressOf[entry] ?? entry) : (addressOf[entry.uri] ?? entry.uri))).join(' ')}]`;
    this.ladder.add(from, 'focus', `INVITE ${factoryUri}${names}`);
    this.happens(input);
    return input;
  }

  dialsIn(name: string, changes: Partial<InviteReceived> = {}): InviteReceived {
    const input = inviteFrom(name, this.conferenceUri, changes);
    this.ladder.add(name, 'focus', `INVITE ${this.conferenceUri}`);
    this.happens(input);
    return input;
  }

  subscribes(name: string, changes: Partial<SubscribeReceived> = {}): SubscribeReceived {
    const input = subscribeFrom(name, this.conferenceUri, changes);
    this.ladder.add(name, 'focus', `SUBSCRIBE${input.expires === null ? '' : ` Expires: ${input.expires}`}`);
    this.happens(input);
    return input;
  }

  /** The next NOTIFY to a subscriber gets lost. */
  losesNotify(name: string): void {
    this.#subscribers.lose(this.subscriptionOf(name).id);
  }

  /** The subscriber's NOTIFY transaction ends. */
  answersNotify(name: string, status = 200): void {
    this.ladder.add(name, 'focus', `${status} NOTIFY`);
    this.happens({ type: 'notify-answered', subscriptionId: this.subscriptionOf(name).id, status });
  }

  refreshes(name: string, expires: number | null, changes: Partial<SubscribeReceived> = {}): void {
    const row = this.subscriptionOf(name);
    const { type: _type, ...facts } = subscribeFrom(name, this.conferenceUri, { dialogId: row.dialogId, ...changes });
    this.ladder.add(name, 'focus', `SUBSCRIBE (refresh)${expires === null ? '' : ` Expires: ${expires}`}`);
    this.happens({ ...facts, type: 'subscription-refreshed', subscriptionId: row.id, expires });
  }

  /** A new offer within somebody's session. */
  reinvites(name: string, changes: Partial<ReinviteReceived> & { reply: string }): void {
    const { type: _type, ...facts } = inviteFrom(name, this.conferenceUri);
    this.ladder.add(name, 'focus', changes.method === 'UPDATE' ? 'UPDATE' : 'INVITE (again)');
    this.happens({
      ...facts,
      carriesList: false,
      overlaps: false,
      ...changes,
      type: 'reinvite-received',
      endpointId: this.endpointOf(name),
    });
  }

  /** Somebody's answer to an INVITE of ours within the session; its session timer is taken as it was asked for. */
  answersAgain(name: string, answer: SessionDescription | null): void {
    const endpointId = this.endpointOf(name);
    const asked = this.effects.findLast((effect) => effect.type === 'sip.reinvite' && effect.endpointId === endpointId);
    const sessionTimer = asked?.type === 'sip.reinvite' ? asked.sessionTimer : null;
    this.ladder.add(name, 'focus', '200 INVITE (again)');
    this.happens({ type: 'reinvite-answered', endpointId, answer, sessionTimer });
  }

  /** Somebody refuses an INVITE of ours within the session; null: its end is never reported. */
  refusesAgain(name: string, status: number | null): void {
    const endpointId = this.endpointOf(name);
    this.ladder.add(name, 'focus', `${status ?? 'no end of'} INVITE (again)`);
    this.happens({
      type: 'reinvite-failed',
      endpointId,
      cause: status === null ? null : { status, reason: `Reason ${status}` },
    });
  }

  /** The offers that were sent to somebody within the session. */
  offersWithin(name: string): readonly string[] {
    const endpointIds = this.participant(name).endpoints.map(({ id }) => id);
    return this.effects.flatMap((effect) =>
      effect.type === 'sip.reinvite' && endpointIds.includes(effect.endpointId) ? [effect.sdp] : [],
    );
  }

  /** The last route that the switch was given. */
  route(): MsrpRoute {
    const routes = this.effects.flatMap((effect) => (effect.type === 'msrp.route' ? [effect.route] : []));
    const last = routes.at(-1);
    if (last === undefined) throw new Error('no route was published');
    return last;
  }

  rings(name: string): void {
    this.ladder.add(name, 'focus', '180 INVITE');
    this.happens({ type: 'endpoint-alerting', endpointId: this.endpointOf(name), remoteTag: null });
  }

  answers(name: string, sdp = clientSdp(shortened(name), { setup: 'active' }), said: AnswerParts = {}): void {
    this.ladder.add(name, 'focus', '200 INVITE');
    this.happens(answerFrom(shortened(name), { endpointId: this.endpointOf(name), answer: sdp, ...said }));
  }

  refuses(name: string, status: number, unsupported: readonly string[] = []): void {
    this.ladder.add(
      name,
      'focus',
      `${status} INVITE${unsupported.length === 0 ? '' : ` Unsupported: ${unsupported.join(', ')}`}`,
    );
    this.happens({
      type: 'endpoint-failed',
      endpointId: this.endpointOf(name),
      cause: { status, reason: `Reason ${status}` },
      unsupported,
      ...unexplained,
    });
  }

  acknowledges(name: string, answer: ReturnType<typeof clientSdp> | null = null): void {
    this.ladder.add(name, 'focus', 'ACK');
    this.happens({ type: 'ack-received', endpointId: this.endpointOf(name), answer });
  }

  /** An operator asks for one more participant. */
  dialsOut(name: string, conferenceId: string, said: { displayName?: string; role?: Role } = {}): void {
    const uri = addressOf[name] ?? name;
    const asked = { displayName: null, role: null, replaces: null, ...said };
    this.ladder.add('op', 'focus', `dial ${name}`);
    this.happens({
      type: 'participant-requested',
      reply: `http:op:${name}`,
      actor: 'key:1',
      conferenceId,
      uri: parseSipUri(uri),
      raw: uri,
      ...asked,
    });
  }

  /** An operator takes somebody out. */
  removes(name: string): void {
    const { id: participantId, conferenceId } = this.participant(name);
    this.ladder.add('op', 'focus', `remove ${name}`);
    const asked = { reply: `http:op:remove-${name}`, actor: 'key:1', reason: null } as const;
    this.happens({ type: 'removal-requested', ...asked, conferenceId, participantId });
  }

  hangsUp(name: string): void {
    this.ladder.add(name, 'focus', 'BYE');
    this.happens({ type: 'dialog-ended', endpointId: this.endpointOf(name), by: 'peer', reason: null });
  }

  /** The SIP server has ended somebody's session, for a reason that it gives. */
  isGivenUp(name: string, reason: string): void {
    this.ladder.add('sipd', 'focus', `BYE to ${name} (${reason})`);
    this.happens({ type: 'dialog-ended', endpointId: this.endpointOf(name), by: 'server', reason });
  }

  /** What names the dialog of somebody's latest endpoint in a Replaces or Join (RFC 3891 3): tags as we have them. */
  dialogOf(name: string): ReplacesValue {
    const endpoint = this.participant(name).endpoints.at(-1);
    if (endpoint === undefined) throw new Error(`${name} has no endpoint`);
    const { callId, localTag, remoteTag } = endpoint;
    return { callId, toTag: localTag, fromTag: remoteTag ?? '', earlyOnly: false };
  }

  /** Turns the clock; every timer due fires in its order. */
  passes(ms: number): void {
    const until = this.#now + ms;
    for (let due = this.#nextTimer(until); due !== undefined; due = this.#nextTimer(until)) {
      this.#now = Math.max(this.#now, due.at);
      this.#timers.delete(due.id);
      this.ladder.add('clock', 'focus', `${due.id.split(':')[0]} timer`);
      this.happens({ type: 'timer-fired', timer: due.id });
    }
    this.#now = until;
  }

  get timers(): readonly string[] {
    return [...this.#timers.keys()];
  }

  get record(): ConferenceRecord | undefined {
    const id = [...this.saved.conferences.keys()][0];
    return id === undefined ? undefined : this.view(id);
  }

  get conference(): ConferenceRow {
    const row = [...this.saved.conferences.values()][0];
    if (row === undefined) throw new Error('no conference was saved');
    return row;
  }

  /** The saved row of somebody, found by name or by the URI itself. */
  participant(name: string): ParticipantRow {
    const uri = addressOf[name] ?? name;
    const row = [...this.saved.participants.values()].find((candidate) => candidate.uri === uri);
    if (row === undefined) throw new Error(`${name} is no participant`);
    return row;
  }

  subscriptionOf(name: string): SubscriptionRow {
    const rows = [...this.saved.subscriptions.values()].filter((row) => row.subscriber === addressOf[name]);
    const row = rows.at(-1);
    if (row === undefined) throw new Error(`${name} has no subscription`);
    return row;
  }

  endpointOf(name: string): string {
    const endpoint = this.participant(name).endpoints.at(-1);
    if (endpoint === undefined) throw new Error(`${name} has no endpoint`);
    return endpoint.id;
  }

  /** The last INVITE that went to somebody. */
  inviteTo(name: string): SipInvite {
    const invite = this.#invited.get(name);
    if (invite === undefined) throw new Error(`${name} was not invited`);
    return invite;
  }

  wasInvited(name: string): boolean {
    return this.#invited.has(name);
  }

  outcome(reply: string): Outcome {
    const outcome = this.#outcomes.get(reply);
    if (outcome === undefined) throw new Error('there was no reply');
    return outcome;
  }

  /** The documents somebody was sent, in order. */
  documents(name: string): readonly ConferenceInfoDocument[] {
    return this.notifies(name).flatMap((notify) => (notify.body === null ? [] : [parseConferenceInfo(notify.body)]));
  }

  notifies(name: string): readonly SipNotify[] {
    return this.effects.filter(
      (effect): effect is SipNotify =>
        effect.type === 'sip.notify' && this.#subscribed.get(effect.subscriptionId) === name,
    );
  }

  #perform(turn: Turn): void {
    for (const effect of turn.effects) {
      this.effects.push(effect);
      this.#apply(effect);
      const line = lineOf(effect, this.#names);
      if (line !== null) this.ladder.add('focus', line.to, line.what);
    }
  }

  #apply(effect: Effect): void {
    if (effect.type === 'store.save') this.#save(effect.change);
    else if (effect.type === 'timer.start') this.#timers.set(effect.id, effect.at);
    else if (effect.type === 'timer.stop') this.#timers.delete(effect.id);
    else if (effect.type === 'sip.notify') this.#subscribers.receive(effect);
    else if (effect.type === 'sip.invite') {
      this.#invited.set(nameOf(effect.target), effect);
      this.#endpointNames.set(effect.endpointId, nameOf(effect.target));
    } else if (effect.type === 'reply') {
      expect(this.#outcomes.has(effect.to), 'exactly one reply per request').toBe(false);
      this.#outcomes.set(effect.to, effect.outcome);
    }
  }

  #save(change: Change): void {
    for (const row of change.conferences) this.saved.conferences.set(row.id, row);
    for (const row of change.participants) this.saved.participants.set(row.id, row);
    for (const row of change.subscriptions) {
      this.saved.subscriptions.set(row.id, row);
      this.#subscribed.set(row.id, nameOf(row.subscriber));
    }
    for (const row of change.referrals) this.saved.referrals.set(row.id, row);
    for (const row of change.messages) this.saved.messages.set(row.id, row);
    this.attempts.push(...change.attempts);
    this.events.push(...change.events.map((event) => event.type));
    this.eventVersions.push(...change.events.map((event) => event.version));
  }

  #nameOfEndpoint(endpointId: string): string {
    const known = this.#endpointNames.get(endpointId);
    if (known !== undefined) return known;
    const row = [...this.saved.participants.values()].find((candidate) =>
      candidate.endpoints.some((endpoint) => endpoint.id === endpointId),
    );
    return row === undefined ? endpointId : nameOf(row.uri);
  }

  #nextTimer(until: number): { id: string; at: number } | undefined {
    const due = [...this.#timers].map(([id, at]) => ({ id, at })).filter((timer) => timer.at <= until);
    return due.sort((a, b) => a.at - b.at)[0];
  }
}

/** `guest1` of `sip:guest1@example.org`. */
function shortened(name: string): string {
  return name.replace(/^sip:/, '').replace(/@.*$/, '');
}
