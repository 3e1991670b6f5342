import {
  type AttemptFilter,
  BadCursor,
  type Clock,
  type ConferenceFilter,
  type Definition,
  type DefinitionPort,
  type DefinitionRefusal,
  type KeyPort,
  type KeyRow,
  type Page,
  type PageRequest,
  type ReadPort,
} from '../../src/core/ports.ts';
import type {
  AttemptRow,
  ConferenceRow,
  Instant,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
} from '../../src/core/rows.ts';
import { hashApiKey } from '../../src/http/api-key.ts';
import type { MemoryDefinitions } from '../support/memory-definitions.ts';
import { startOfTime } from './rows.ts';

/** Rows a test puts in and the shell reads; remembers the last filter it was asked with. */
export class FakeReads implements ReadPort {
  readonly conferenceRows: ConferenceRow[] = [];
  readonly participantRows: ParticipantRow[] = [];
  readonly subscriptionRows: SubscriptionRow[] = [];
  readonly referralRows: ReferralRow[] = [];
  readonly messageRows: MessageRow[] = [];
  readonly attemptRows: AttemptRow[] = [];
  lastAttemptFilter: AttemptFilter | null = null;
  lastFilter: ConferenceFilter | null = null;
  failure: Error | null = null;

  async conferences(filter: ConferenceFilter, page: PageRequest): Promise<Page<ConferenceRow>> {
    if (this.failure !== null) throw this.failure;
    this.lastFilter = filter;
    return pageOf(this.conferenceRows, page);
  }

  async conference(id: string): Promise<ConferenceRow | undefined> {
    return this.conferenceRows.find((row) => row.id === id);
  }

  async record(id: string) {
    const conference = await this.conference(id);
    if (conference === undefined) return undefined;
    const of = (row: { conferenceId: string }) => row.conferenceId === id;
    return {
      conference,
      participants: this.participantRows.filter(of),
      subscriptions: this.subscriptionRows.filter(of),
    };
  }

  async participants(conferenceId: string, page: PageRequest): Promise<Page<ParticipantRow>> {
    return pageOf(
      this.participantRows.filter((row) => row.conferenceId === conferenceId),
      page,
    );
  }

  async participant(conferenceId: string, id: string): Promise<ParticipantRow | undefined> {
    return this.participantRows.find((row) => row.conferenceId === conferenceId && row.id === id);
  }

  async subscriptions(conferenceId: string | null, page: PageRequest): Promise<Page<SubscriptionRow>> {
    return pageOf(
      this.subscriptionRows.filter((row) => conferenceId === null || row.conferenceId === conferenceId),
      page,
    );
  }

  async referrals(conferenceId: string, page: PageRequest): Promise<Page<ReferralRow>> {
    return pageOf(
      this.referralRows.filter((row) => row.conferenceId === conferenceId),
      page,
    );
  }

  async referral(conferenceId: string, id: string): Promise<ReferralRow | undefined> {
    return this.referralRows.find((row) => row.conferenceId === conferenceId && row.id === id);
  }

  async messages(conferenceId: string, page: PageRequest): Promise<Page<MessageRow>> {
    return pageOf(
      this.messageRows.filter((row) => row.conferenceId === conferenceId),
      page,
    );
  }

  async message(conferenceId: string, id: string): Promise<MessageRow | undefined> {
    return this.messageRows.find((row) => row.conferenceId === conferenceId && row.id === id);
  }

  async attempts(filter: AttemptFilter, page: PageRequest): Promise<Page<AttemptRow>> {
    this.lastAttemptFilter = filter;
    return pageOf(this.attemptRows, page);
  }

  async ping(): Promise<void> {}

  reset(): void {
    for (const rows of [
      this.conferenceRows,
      this.participantRows,
      this.subscriptionRows,
      this.referralRows,
      this.messageRows,
      this.attemptRows,
    ])
      rows.length = 0;
    this.lastAttemptFilter = null;
    this.lastFilter = null;
    this.failure = null;
  }
}

/** A cursor of these lists is `after-` and an index. */
function pageOf<Row>(rows: readonly Row[], page: PageRequest): Page<Row> {
  const from = page.cursor === null ? 0 : Number(/^after-(\d+)$/.exec(page.cursor)?.[1]);
  if (Number.isNaN(from)) throw new BadCursor('not one of ours');
  const to = from + page.limit;
  return {
    rows: rows.slice(from, to),
    nextCursor: to < rows.length ? `after-${to}` : null,
    total: page.count ? rows.length : null,
  };
}

/** Groups or users that a test puts in, and what the shell makes of them. */
export class FakeDefinitions<Row extends Definition> implements DefinitionPort<Row> {
  readonly store: MemoryDefinitions<Row>;
  readonly list: DefinitionPort<Row>['list'];
  readonly byId: DefinitionPort<Row>['byId'];
  readonly byUri: DefinitionPort<Row>['byUri'];
  /** Why nothing can be added. */
  refusal: DefinitionRefusal | null = null;
  /** What somebody else does, or what goes wrong, each time just before a change takes place. */
  crossing: (() => Promise<unknown>) | null = null;

  constructor(store: MemoryDefinitions<Row>) {
    this.store = store;
    this.list = store.list;
    this.byId = store.byId;
    this.byUri = store.byUri;
  }

  readonly add: DefinitionPort<Row>['add'] = async (row) => {
    if (this.refusal !== null) return this.refusal;
    await this.crossing?.();
    return (await this.store.insert(row)) ? null : 'already-defined';
  };

  readonly replace: DefinitionPort<Row>['replace'] = async (row) => {
    await this.crossing?.();
    return (await this.store.replace(row)) ? null : 'changed-meanwhile';
  };

  readonly remove: DefinitionPort<Row>['remove'] = async (row) => {
    await this.crossing?.();
    return (await this.store.remove(row.id, row.revision)) ? null : 'changed-meanwhile';
  };

  reset(): void {
    this.store.clear();
    this.refusal = null;
    this.crossing = null;
  }
}

export class FakeKeys implements KeyPort {
  readonly rows: KeyRow[] = [];
  lookups = 0;

  async keyByHash(hash: string): Promise<KeyRow | undefined> {
    this.lookups += 1;
    return this.rows.find((row) => row.hash === hash);
  }

  async addKey(key: KeyRow): Promise<void> {
    this.rows.push(key);
  }

  async countKeys(): Promise<number> {
    return this.rows.length;
  }

  /** Puts in a key and gives it back. */
  with(key: string, scopes: readonly string[]): string {
    const id = `k${this.rows.length + 1}`;
    this.rows.push({ id, name: id, hash: hashApiKey(key), scopes, createdAt: startOfTime });
    return key;
  }
}

/** A clock that stands until a test turns it. */
export class FakeClock implements Clock {
  #now = startOfTime;
  readonly #timers = new Set<{ readonly at: Instant; readonly callback: () => void }>();

  readonly now = (): Instant => this.#now;

  readonly callAt = (at: Instant, callback: () => void): (() => void) => {
    const timer = { at, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timerCount(): number {
    return this.#timers.size;
  }

  reset(): void {
    this.#now = startOfTime;
    this.#timers.clear();
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
