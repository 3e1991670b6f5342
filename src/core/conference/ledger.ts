import type { Effect, Outcome } from '../effect.ts';
import type { Ids } from '../ids.ts';
import type { ReplyTo } from '../input.ts';
import { limits } from '../limits.ts';
import type {
  ConferenceRecord,
  ConferenceRow,
  EndpointRow,
  EndpointStatus,
  EventRow,
  Instant,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
} from '../rows.ts';
import { isPresent, notNaming, participantEvent } from './participant.ts';
import { inOrder, versioned } from './turn-effects.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/**
 * The rows of one conference, and the only place where they change. One input opens a turn; what it changes and asks
 * for is collected; `close` gives the turn's effects: the save first, then what makes MSRP ready for the peer, then
 * the reply, then all else in the order it was asked for.
 */
export class Ledger {
  readonly #ids: Ids;
  #conference: ConferenceRow;
  readonly #participants: TurnMap<string, ParticipantRow>;
  /** Ids of participants by their URIs, and by the ids of their endpoints. */
  readonly #byUri: TurnMap<string, string>;
  readonly #byEndpoint: TurnMap<string, string>;
  /** Ids of those who are no longer in the roster, the first to leave it first. */
  readonly #past: TurnMap<string, true>;
  readonly #subscriptions: TurnMap<string, SubscriptionRow>;
  /** When each timer that runs is due. */
  readonly #timers: TurnMap<string, Instant>;
  /** How many participants have which status. */
  readonly #counts: TurnMap<EndpointStatus, number>;
  /** That of the last event, ahead of the row's: the row is made anew once for all events of a turn, not for each. */
  #seq: number;
  #nextPosition = 0;
  #now: Instant = 0;
  #actor: string | null = null;
  #conferenceChanged = false;
  #rosterChanged = false;
  readonly #changedParticipants = new Map<string, ParticipantRow>();
  readonly #changedSubscriptions = new Map<string, SubscriptionRow>();
  #events: Omit<EventRow, 'version'>[] = [];
  readonly #changedReferrals = new Map<string, ReferralRow>();
  readonly #messages = new Map<string, MessageRow>();
  #effects: Effect[] = [];

  constructor({ ids, turns, record }: { ids: Ids; turns: Turns; record: ConferenceRecord }) {
    this.#ids = ids;
    this.#participants = new TurnMap(turns);
    this.#byUri = new TurnMap(turns);
    this.#byEndpoint = new TurnMap(turns);
    this.#past = new TurnMap(turns);
    this.#subscriptions = new TurnMap(turns);
    this.#timers = new TurnMap(turns);
    this.#counts = new TurnMap(turns);
    this.#conference = record.conference;
    this.#seq = record.conference.seq;
    this.#fill(record);
  }

  open(now: Instant, actor: string | null): void {
    this.#now = now;
    this.#actor = actor;
  }

  get now(): Instant {
    return this.#now;
  }

  get actor(): string | null {
    return this.#actor;
  }

  get conference(): ConferenceRow {
    if (this.#conference.seq !== this.#seq) this.#conference = { ...this.#conference, seq: this.#seq };
    return this.#conference;
  }

  /** The same for a look within a turn, at anything but the number of its last event. */
  get facts(): Omit<ConferenceRow, 'seq'> {
    return this.#conference;
  }

  get participants(): readonly ParticipantRow[] {
    return [...this.#participants.values()];
  }

  /** Of all participants, also those that are gone and still remembered. */
  get endpoints(): readonly EndpointRow[] {
    return this.participants.flatMap((participant) => participant.endpoints);
  }

  get subscriptions(): readonly SubscriptionRow[] {
    return [...this.#subscriptions.values()];
  }

  /** Those whose rows the turn has changed so far. */
  get changedParticipants(): Iterable<ParticipantRow> {
    return this.#changedParticipants.values();
  }

  /** What the turn has written into the log so far. */
  get told(): readonly Pick<EventRow, 'type' | 'data'>[] {
    return this.#events;
  }

  get rosterChanged(): boolean {
    return this.#rosterChanged;
  }

  participant(id: string): ParticipantRow | undefined {
    return this.#participants.get(id);
  }

  subscription(id: string): SubscriptionRow | undefined {
    return this.#subscriptions.get(id);
  }

  /** How many participants have a status that `is` what is asked for; the same effort for any number of them. */
  count(is: (status: EndpointStatus) => boolean): number {
    let sum = 0;
    for (const [status, number] of this.#counts) if (is(status)) sum += number;
    return sum;
  }

  /** The place of the next participant, never given twice. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  participantByUri(uri: string): ParticipantRow | undefined {
    const id = this.#byUri.get(uri);
    return id === undefined ? undefined : this.#participants.get(id);
  }

  participantOf(endpointId: string): { participant: ParticipantRow; endpoint: EndpointRow } | undefined {
    const participant = this.#participants.get(this.#byEndpoint.get(endpointId) ?? '');
    const endpoint = participant?.endpoints.find((candidate) => candidate.id === endpointId);
    return participant === undefined || endpoint === undefined ? undefined : { participant, endpoint };
  }

  patchConference(patch: Partial<ConferenceRow>): void {
    this.#conference = { ...this.conference, ...patch };
    this.#conferenceChanged = true;
  }

  /** Changes what the roster shows of the conference itself. */
  describe(patch: Pick<Partial<ConferenceRow>, 'subject' | 'locked' | 'maxParticipants'>): void {
    this.patchConference(patch);
    this.#rosterChanged = true;
  }

  putParticipant(row: ParticipantRow): void {
    const before = this.#participants.get(row.id);
    if (before === row) return;
    this.#enter(row, before);
    this.#changedParticipants.set(row.id, row);
    this.#rosterChanged = true;
    this.#conferenceChanged = true;
    const type = participantEvent(before, row);
    if (type !== null) this.event(type, { participant_id: row.id, uri: row.uri, status: row.status });
    if (row.status === 'disconnected' && before?.status !== 'disconnected') this.#linger(row.id);
    this.#forgetOldest();
  }

  putSubscription(row: SubscriptionRow): void {
    this.#changedSubscriptions.set(row.id, row);
    if (row.state === 'terminated') this.#subscriptions.delete(row.id);
    else this.#subscriptions.set(row.id, row);
  }

  /** The version of the document a subscriber was sent last; worth no save of its own, as it ends with this process. */
  noteVersion(id: string, lastVersionSent: number): void {
    const row = this.#subscriptions.get(id);
    if (row === undefined) return;
    const noted = { ...row, lastVersionSent };
    this.#subscriptions.set(id, noted);
    if (this.#changedSubscriptions.has(id)) this.#changedSubscriptions.set(id, noted);
  }

  /** A REFER, for the store: what is still under way is kept by who follows it. */
  putReferral(row: ReferralRow): void {
    this.#changedReferrals.set(row.id, row);
  }

  /** A message, for the store, which alone remembers it. */
  putMessage(row: MessageRow): void {
    this.#messages.set(row.id, row);
  }

  event(type: string, data: Readonly<Record<string, unknown>>): void {
    this.#seq += 1;
    this.#conferenceChanged = true;
    this.#events.push({
      id: this.#ids.row(),
      conferenceId: this.#conference.id,
      seq: this.#seq,
      type,
      time: this.#now,
      actor: this.#actor,
      data,
    });
  }

  ask(effect: Effect): void {
    this.#effects.push(effect);
  }

  reply(to: ReplyTo, outcome: Outcome): void {
    this.ask({ type: 'reply', to, outcome });
  }

  startTimer(kind: string, item: string, at: Instant): void {
    const id = this.#timerId(kind, item);
    this.#timers.set(id, at);
    this.ask({ type: 'timer.start', id, at });
  }

  stopTimer(kind: string, item: string): void {
    const id = this.#timerId(kind, item);
    if (this.#timers.delete(id)) this.ask({ type: 'timer.stop', id });
  }

  isTimed(kind: string, item: string): boolean {
    return this.#timers.has(this.#timerId(kind, item));
  }

  /** Whether the timer was still wanted, and due; it is spent. */
  timerFired(kind: string, item: string): boolean {
    const id = this.#timerId(kind, item);
    const at = this.#timers.get(id);
    if (at === undefined || at <= this.#now) return this.#timers.delete(id);
    // One that has been started anew fires all the same while that waits for its save.
    this.ask({ type: 'timer.start', id, at });
    return false;
  }

  /** Stops every timer, but for those of the kind that is still `wanted`. */
  stopTimers(wanted: string | null): void {
    for (const id of [...this.#timers.keys()]) {
      if (wanted !== null && id.startsWith(`${wanted}:`)) continue;
      this.#timers.delete(id);
      this.ask({ type: 'timer.stop', id });
    }
  }

  /** Counts and the version follow from the turn's changes; called before NOTIFYs are rendered. */
  settleCounts(): void {
    if (!this.#rosterChanged) return;
    const participantCount = this.count(isPresent);
    const version = this.#conference.version + 1;
    const peakParticipants = Math.max(this.#conference.peakParticipants, participantCount);
    this.#conference = { ...this.#conference, seq: this.#seq, version, participantCount, peakParticipants };
    this.#conferenceChanged = true;
  }

  /** Takes back what the running turn asked for, not what it changed. */
  withdrawEffects(): void {
    this.#effects = [];
  }

  /** Ends the turn. */
  close(): Effect[] {
    const save = this.#save();
    const asked = inOrder(this.#effects, save);
    this.#conferenceChanged = false;
    this.#rosterChanged = false;
    // To clear one that is empty makes a new table.
    if (this.#changedParticipants.size > 0) this.#changedParticipants.clear();
    if (this.#changedSubscriptions.size > 0) this.#changedSubscriptions.clear();
    this.#events = [];
    if (this.#changedReferrals.size > 0) this.#changedReferrals.clear();
    if (this.#messages.size > 0) this.#messages.clear();
    this.#effects = [];
    return asked;
  }

  record(): ConferenceRecord {
    return { conference: this.conference, participants: this.participants, subscriptions: this.subscriptions };
  }

  /** A way back to this moment between two turns, beside that of the maps. */
  capture(): () => void {
    const { conference } = this;
    const nextPosition = this.#nextPosition;
    return () => {
      this.close();
      this.#conference = conference;
      this.#seq = conference.seq;
      this.#nextPosition = nextPosition;
    };
  }

  /** Takes the rows of `record` for its own; what a turn had changed is gone. */
  adopt(record: ConferenceRecord): void {
    this.close();
    this.#conference = record.conference;
    this.#seq = record.conference.seq;
    const told = new Map(this.subscriptions.map(({ id, lastVersionSent }) => [id, lastVersionSent]));
    // The rows, and what is counted and looked up of them.
    this.#participants.clear();
    this.#byUri.clear();
    this.#byEndpoint.clear();
    this.#past.clear();
    this.#subscriptions.clear();
    this.#counts.clear();
    this.#fill(record, told);
  }

  /** `told`: versions that subscribers were sent since their rows were saved. */
  #fill(record: ConferenceRecord, told: ReadonlyMap<string, number> = new Map()): void {
    for (const row of record.participants) this.#enter(row, undefined);
    for (const row of record.subscriptions) {
      if (row.state === 'terminated') continue;
      const lastVersionSent = Math.max(row.lastVersionSent, told.get(row.id) ?? -1);
      this.#subscriptions.set(row.id, { ...row, lastVersionSent });
    }
  }

  /** Puts a row in the place of the one `before`, or behind all others. */
  #enter(row: ParticipantRow, before: ParticipantRow | undefined): void {
    this.#participants.set(row.id, row);
    if (!this.#byUri.has(row.uri)) this.#byUri.set(row.uri, row.id);
    if (before?.endpoints !== row.endpoints) {
      for (const { id } of before?.endpoints ?? []) this.#byEndpoint.delete(id);
      for (const { id } of row.endpoints) this.#byEndpoint.set(id, row.id);
    }
    if (row.inRoster) this.#past.delete(row.id);
    else if (!this.#past.has(row.id)) this.#past.set(row.id, true);
    if (before !== undefined) this.#tally(before, -1);
    this.#tally(row, 1);
    this.#nextPosition = Math.max(this.#nextPosition, row.position + 1);
  }

  #save(): Effect | null {
    const changed =
      this.#conferenceChanged || this.#changedParticipants.size > 0 || this.#changedSubscriptions.size > 0;
    const appended = this.#events.length + this.#changedReferrals.size + this.#messages.size;
    if (!changed && appended === 0) return null;
    return {
      type: 'store.save',
      change: {
        conferenceId: this.#conference.id,
        conferences: this.#conferenceChanged ? [this.conference] : [],
        participants: [...this.#changedParticipants.values()],
        subscriptions: [...this.#changedSubscriptions.values()],
        // Known only now: the version that this turn's change made.
        events: this.#events.map((event) => versioned(event, this.#conference.version)),
        attempts: [],
        referrals: [...this.#changedReferrals.values()],
        messages: [...this.#messages.values()],
      },
    };
  }

  /** Who left stays in the roster for a while (our choice), so that every subscriber sees why. */
  #linger(participantId: string): void {
    if (this.#conference.status !== 'active') return;
    this.startTimer('linger', participantId, this.#now + limits.lingerMs);
  }

  /** A conference that runs for weeks does not remember everybody who ever came by; the store does. */
  #forgetOldest(): void {
    const [oldest] = this.#past.size > limits.pastParticipantsMax ? this.#past.keys() : [];
    const row = oldest === undefined ? undefined : this.#participants.get(oldest);
    if (row === undefined) return;
    this.#participants.delete(row.id);
    this.#past.delete(row.id);
    if (this.#byUri.get(row.uri) === row.id) this.#byUri.delete(row.uri);
    for (const { id } of row.endpoints) this.#byEndpoint.delete(id);
    this.#tally(row, -1);
    if (row.private) this.#hide(row);
  }

  /** Nobody else knows that `hidden` hides, once it is forgotten. What the roster shows stays the same. */
  #hide(hidden: ParticipantRow): void {
    for (const [id, row] of this.#participants) {
      const hiding = notNaming(row, hidden);
      if (hiding === row) continue;
      this.#participants.set(id, hiding);
      this.#changedParticipants.set(id, hiding);
    }
  }

  #tally({ status }: ParticipantRow, by: 1 | -1): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + by);
  }

  #timerId(kind: string, item: string): string {
    return `${kind}:${this.#conference.id}:${item}`;
  }
}
