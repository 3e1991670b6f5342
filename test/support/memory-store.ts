import { limits } from '../../src/core/limits.ts';
import type { Clock, ConferenceFilter, KeyPort, KeyRow, ReadPort, SavePort } from '../../src/core/ports.ts';
import type {
  AttemptRow,
  ConferenceRecord,
  ConferenceRow,
  EventRow,
  GroupRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  SubscriptionRow,
  UserRow,
} from '../../src/core/rows.ts';
import { isPoison } from '../../src/store/batch-writer.ts';
import { BatchFailed } from '../../src/store/errors.ts';
import type { Batch } from '../../src/store/fold.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { jsonText } from '../../src/store/json-text.ts';
import { MemoryDefinitions } from './memory-definitions.ts';
import { compare, inOrder } from './memory-lists.ts';

/** The store's interface over maps. It keeps what a database would keep, and refuses what a database would refuse. */
export class MemoryStore implements SavePort, ReadPort, KeyPort {
  readonly #conferences = new Map<string, ConferenceRow>();
  readonly #participants = new Map<string, ParticipantRow>();
  readonly #subscriptions = new Map<string, SubscriptionRow>();
  readonly #referrals = new Map<string, ReferralRow>();
  readonly #messages = new Map<string, MessageRow>();
  readonly groups = new MemoryDefinitions<GroupRow>('groups', (row) => row.subject);
  readonly users = new MemoryDefinitions<UserRow>('users', (row) => row.displayName);
  readonly #events = new Map<string, EventRow>();
  #attempts = new Map<string, AttemptRow>();
  readonly #keys = new Map<string, KeyRow>();
  readonly #clock: Clock;
  readonly #commits = new GroupCommit({ write: async (batch) => this.#write(batch), isPoison });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly save: SavePort['save'] = (change) => this.#commits.save(change);

  readonly load: SavePort['load'] = async (id, unsaid = []) => {
    for (const messageId of unsaid)
      if (this.#messages.get(messageId)?.conferenceId === id) this.#messages.delete(messageId);
    const found = await this.record(id);
    this.#commits.readAgain(id);
    const referrals = this.#referralsOf(id).filter(({ state }) => state === 'trying');
    return found === undefined ? undefined : { ...found, referrals };
  };

  readonly conference: ReadPort['conference'] = async (id) => this.#conferences.get(id);

  readonly record = async (id: string): Promise<ConferenceRecord | undefined> => {
    const conference = this.#conferences.get(id);
    if (conference === undefined) return undefined;
    const participants = this.#participantsOf(id).sort((a, b) => a.position - b.position || compare(a.id, b.id));
    const live = this.#subscriptionsOf(id).filter(({ state }) => state !== 'terminated');
    return { conference, participants, subscriptions: live.sort((a, b) => compare(a.id, b.id)) };
  };

  readonly conferences: ReadPort['conferences'] = (filter, page) =>
    inOrder(
      [...this.#conferences.values()].filter((row) => this.#passes(row, filter)),
      {
        name: `conferences ${filter.sort}`,
        descending: filter.sort === '-created_at',
        placeOf: (row) => ({ key: row.createdAt, id: row.id }),
      },
      page,
    );

  readonly participants: ReadPort['participants'] = (conferenceId, page) =>
    inOrder(
      this.#participantsOf(conferenceId),
      {
        name: 'participants',
        keyMax: 2 ** 31 - 1,
        descending: false,
        placeOf: (row) => ({ key: row.position, id: row.id }),
      },
      page,
    );

  readonly participant: ReadPort['participant'] = async (conferenceId, id) =>
    this.#participantsOf(conferenceId).find((row) => row.id === id);

  readonly subscriptions: ReadPort['subscriptions'] = (conferenceId, page) =>
    inOrder(
      conferenceId === null ? [...this.#subscriptions.values()] : this.#subscriptionsOf(conferenceId),
      { name: 'subscriptions', descending: false, placeOf: (row) => ({ key: 0, id: row.id }) },
      page,
    );

  readonly referrals: ReadPort['referrals'] = (conferenceId, page) =>
    inOrder(
      this.#referralsOf(conferenceId),
      { name: 'referrals', descending: false, placeOf: (row) => ({ key: 0, id: row.id }) },
      page,
    );

  readonly referral: ReadPort['referral'] = async (conferenceId, id) =>
    this.#referralsOf(conferenceId).find((row) => row.id === id);

  readonly messages: ReadPort['messages'] = (conferenceId, page) =>
    inOrder(
      this.#messagesOf(conferenceId),
      { name: 'messages', descending: false, placeOf: (row) => ({ key: row.sentAt, id: row.id }) },
      page,
    );

  readonly message: ReadPort['message'] = async (conferenceId, id) =>
    this.#messagesOf(conferenceId).find((row) => row.id === id);

  readonly attempts: ReadPort['attempts'] = (filter, page) =>
    inOrder(
      [...this.#attempts.values()].filter(
        ({ code, caller }) => (filter.code ?? code) === code && (filter.caller ?? caller) === caller,
      ),
      { name: 'attempts', descending: true, placeOf: (row) => ({ key: row.at, id: row.id }) },
      page,
    );

  readonly ping: ReadPort['ping'] = async () => undefined;

  readonly keyByHash: KeyPort['keyByHash'] = async (hash) => this.#keys.get(hash);

  readonly addKey: KeyPort['addKey'] = async (key) => {
    if (this.#keys.has(key.hash)) throw refused('a key with this hash is there');
    this.#keys.set(key.hash, key);
  };

  readonly countKeys: KeyPort['countKeys'] = async () => this.#keys.size;

  #write(batch: Batch): void {
    const kept: Batch = JSON.parse(jsonText(batch));
    this.#check(kept);
    for (const row of kept.conferences) this.#conferences.set(row.id, row);
    for (const row of kept.participants) this.#participants.set(row.id, row);
    for (const row of kept.subscriptions) this.#subscriptions.set(row.id, row);
    for (const row of kept.events) this.#events.set(numberOf(row), row);
    for (const row of kept.referrals) this.#referrals.set(row.id, row);
    for (const row of kept.messages) this.#messages.set(row.id, row);
    for (const row of kept.attempts) this.#attempts.set(row.id, row);
    const newestFirst = [...this.#attempts.values()].sort((a, b) => b.at - a.at || compare(b.id, a.id));
    this.#attempts = new Map(newestFirst.slice(0, limits.attemptsMax).map((row) => [row.id, row]));
  }

  #check(batch: Batch): void {
    const numbers = new Set(this.#events.keys());
    for (const event of batch.events) {
      if (numbers.has(numberOf(event))) throw refused(`event ${numberOf(event)} is there`);
      numbers.add(numberOf(event));
    }
    const known = new Set([...this.#conferences.keys(), ...batch.conferences.map(({ id }) => id)]);
    const owned = [
      ...batch.participants,
      ...batch.subscriptions,
      ...batch.events,
      ...batch.referrals,
      ...batch.messages,
    ];
    for (const { conferenceId } of owned)
      if (!known.has(conferenceId)) throw refused(`conference ${conferenceId} is not there`);
  }

  #passes(row: ConferenceRow, filter: ConferenceFilter): boolean {
    return (
      (filter.status ?? row.status) === row.status &&
      (filter.kind ?? row.kind) === row.kind &&
      (filter.createdBy ?? row.createdBy) === row.createdBy &&
      (filter.createdAfter ?? row.createdAt) <= row.createdAt &&
      (filter.createdBefore ?? row.createdAt + 1) > row.createdAt &&
      (filter.participantUri === null || this.#participantsOf(row.id).some(({ uri }) => uri === filter.participantUri))
    );
  }

  #participantsOf(conferenceId: string): ParticipantRow[] {
    return [...this.#participants.values()].filter((row) => row.conferenceId === conferenceId);
  }

  #subscriptionsOf(conferenceId: string): SubscriptionRow[] {
    return [...this.#subscriptions.values()].filter((row) => row.conferenceId === conferenceId);
  }

  #messagesOf(conferenceId: string): MessageRow[] {
    const lasting = [...this.#messages.values()].filter(({ expiresAt }) => expiresAt > this.#clock.now());
    return lasting.filter((row) => row.conferenceId === conferenceId);
  }

  #referralsOf(conferenceId: string): ReferralRow[] {
    return [...this.#referrals.values()].filter((row) => row.conferenceId === conferenceId);
  }
}

function numberOf(event: EventRow): string {
  return `${event.conferenceId} ${event.seq}`;
}

/** As Postgres refuses what breaks a constraint: SQLSTATE class 23. */
function refused(reason: string): BatchFailed {
  return new BatchFailed(reason, { state: '23000', cause: undefined });
}
