import type { SavePort } from '../../../src/core/ports.ts';
import type {
  ConferenceRow,
  EndpointRow,
  EventRow,
  MessageRow,
  ParticipantRow,
  ReferralRow,
  ReplacesValue,
  StoredConference,
  SubscriptionRow,
} from '../../../src/core/rows.ts';
import type { Batch } from '../../../src/store/fold.ts';
import { GroupCommit } from '../../../src/store/group-commit.ts';

/** How a write goes wrong: nothing of it is kept, or all of it is, and nobody is told. */
export type Failure = 'before' | 'after';

/** What names a dialog of an endpoint. */
export type NamedDialog = {
  readonly endpointId: string;
  readonly conferenceUri: string;
  readonly replaces: ReplacesValue;
};

/** Keeps rows in memory; it can be slow, and can fail, when the play wants it to. What it is given is checked. */
export class ShakyStore implements SavePort {
  readonly conferences = new Map<string, ConferenceRow>();
  readonly participants = new Map<string, ParticipantRow>();
  readonly endpoints = new Map<string, EndpointRow>();
  /** Every dialog that an endpoint has been saved with, and whose it is. */
  readonly dialogs = new Map<string, NamedDialog>();
  readonly subscriptions = new Map<string, SubscriptionRow>();
  readonly referrals = new Map<string, ReferralRow>();
  readonly messages = new Map<string, MessageRow>();
  readonly everySubscription = new Set<string>();
  readonly everyReferral = new Set<string>();
  /** How often somebody has joined. */
  joins = 0;
  /** Conferences written since they were last looked at. */
  readonly touched = new Set<string>();
  readonly #fault: (text: string) => void;
  readonly #commits = new GroupCommit({ write: (batch) => this.#write(batch), isPoison: () => false });
  /** Participants who have joined and not left, as the events tell. */
  readonly #joined = new Set<string>();
  #failure: Failure | null = null;
  #failingLoads = 0;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;

  constructor(fault: (text: string) => void) {
    this.#fault = fault;
  }

  readonly save: SavePort['save'] = (change) => this.#commits.save(change);

  readonly load: SavePort['load'] = async (id, unsaid = []) => {
    if (this.#failingLoads > 0) {
      this.#failingLoads -= 1;
      throw new Error('the store does not answer');
    }
    for (const messageId of unsaid) this.messages.delete(messageId);
    this.#commits.readAgain(id);
    const conference = this.conferences.get(id);
    return conference === undefined ? undefined : this.#record(conference);
  };

  /** The next write fails, and as many times what is asked for after it. */
  failNext(failure: Failure, loads: number): void {
    this.#failure = failure;
    this.#failingLoads = loads;
  }

  /** No write returns until `release`. */
  hold(): void {
    if (this.#gate !== null) return;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { opened, open };
  }

  release(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  /** Everything succeeds from now on. */
  recover(): void {
    this.#failure = null;
    this.#failingLoads = 0;
    this.release();
  }

  get held(): boolean {
    return this.#gate !== null;
  }

  /** Whether a failure is still to come. */
  get failing(): boolean {
    return this.#failure !== null;
  }

  get running(): readonly ConferenceRow[] {
    return [...this.conferences.values()].filter(({ status }) => status !== 'ended');
  }

  participantsOf(conferenceId: string): readonly ParticipantRow[] {
    return [...this.participants.values()].filter((row) => row.conferenceId === conferenceId);
  }

  /** Rows of ended conferences are looked at no more: a long play must not grow slow. */
  forget(conferenceId: string): void {
    for (const row of this.participantsOf(conferenceId)) {
      this.participants.delete(row.id);
      for (const { id } of row.endpoints) this.endpoints.delete(id);
    }
    for (const row of this.subscriptions.values())
      if (row.conferenceId === conferenceId) this.subscriptions.delete(row.id);
    for (const row of this.referrals.values()) if (row.conferenceId === conferenceId) this.referrals.delete(row.id);
    for (const row of this.messages.values()) if (row.conferenceId === conferenceId) this.messages.delete(row.id);
  }

  async #write(batch: Batch): Promise<void> {
    await this.#gate?.opened;
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== 'before') this.#keep(batch);
    if (failure !== null) throw new Error(`the write failed ${failure} it was kept`);
  }

  #keep(batch: Batch): void {
    for (const event of batch.events) this.#checkEvent(event);
    for (const row of batch.conferences) {
      const before = this.conferences.get(row.id);
      if (before !== undefined && row.version < before.version) this.#fault(`${row.id}: the version falls`);
      if (before?.status === 'ended') this.#fault(`${row.id}: written after its end`);
      this.conferences.set(row.id, row);
      this.touched.add(row.id);
    }
    for (const row of batch.participants) this.#keepParticipant(row);
    for (const row of batch.subscriptions) {
      this.subscriptions.set(row.id, row);
      this.everySubscription.add(row.id);
    }
    for (const row of batch.messages) this.messages.set(row.id, row);
    for (const row of batch.referrals) {
      this.referrals.set(row.id, row);
      this.everyReferral.add(row.id);
    }
  }

  #keepParticipant(row: ParticipantRow): void {
    this.participants.set(row.id, row);
    this.touched.add(row.conferenceId);
    const conferenceUri = this.conferences.get(row.conferenceId)?.uri ?? '';
    for (const endpoint of row.endpoints) {
      this.endpoints.set(endpoint.id, endpoint);
      const { id: endpointId, callId, localTag: toTag, remoteTag, dialogId } = endpoint;
      const replaces = { callId, toTag, fromTag: remoteTag ?? '0', earlyOnly: false };
      this.dialogs.set(dialogId, { endpointId, conferenceUri, replaces });
    }
  }

  readonly #seqs = new Map<string, { seq: number; version: number }>();

  /** Numbers without a gap, versions in order; who leaves has joined, and who fails has not. */
  #checkEvent({ conferenceId, seq, version, type, data }: EventRow): void {
    const last = this.#seqs.get(conferenceId) ?? { seq: 0, version: 0 };
    if (seq !== last.seq + 1) this.#fault(`${conferenceId}: event ${seq} ${type} follows ${last.seq}`);
    if (version < last.version)
      this.#fault(`${conferenceId}: event ${seq} of version ${version} after ${last.version}`);
    this.#seqs.set(conferenceId, { seq, version });
    const id = String(data['participant_id']);
    const isIn = this.#joined.has(id);
    if (type === 'participant.joined') {
      if (isIn) this.#fault(`${id} joined twice`);
      this.#joined.add(id);
      this.joins += 1;
    } else if (type === 'participant.left' && !this.#joined.delete(id)) this.#fault(`${id} left without having joined`);
    else if (type === 'participant.failed' && isIn) this.#fault(`${id} failed after having joined`);
  }

  #record(conference: ConferenceRow): StoredConference {
    const ofIt = <Row extends { readonly conferenceId: string }>(rows: Map<string, Row>): Row[] =>
      [...rows.values()].filter((row) => row.conferenceId === conference.id);
    const live = ofIt(this.subscriptions).filter(({ state }) => state !== 'terminated');
    const referrals = ofIt(this.referrals).filter(({ state }) => state === 'trying');
    return { conference, participants: ofIt(this.participants), subscriptions: live, referrals };
  }
}
