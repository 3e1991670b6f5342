import type { SipUri } from '../wire/sip-uri.ts';
import { handleCommand } from './commands/commands.ts';
import { Conference } from './conference/conference.ts';
import { type Context, isFocus, type Turn } from './context.ts';
import { Groups } from './definitions/groups.ts';
import { Users } from './definitions/users.ts';
import { Directory } from './directory.ts';
import { handleFact } from './facts.ts';
import { Identification } from './identity/identify.ts';
import type { Ids } from './ids.ts';
import type { CommandInput, DefinitionInput, Input, RequestInput } from './input.ts';
import { Rate, type Rates } from './rates.ts';
import { askNickname } from './requests/nickname.ts';
import { handleRequest } from './requests/requests.ts';
import type { ConferenceRecord, Instant, StoredConference } from './rows.ts';
import type { Settings } from './settings.ts';

const requestTypes: ReadonlySet<string> = new Set<RequestInput['type']>([
  'invite-received',
  'reinvite-received',
  'subscribe-received',
  'subscription-refreshed',
  'refer-received',
  'referral-refreshed',
  'options-received',
  'request-refused',
]);

const commandTypes: ReadonlySet<string> = new Set<CommandInput['type']>([
  'conference-requested',
  'change-requested',
  'participant-requested',
  'removal-requested',
  'notice-requested',
  'end-requested',
  'shutdown-requested',
]);

const definitionTypes: ReadonlySet<string> = new Set<DefinitionInput['type']>([
  'group-defined',
  'group-removed',
  'user-defined',
  'user-removed',
]);

/**
 * The controlling function, whole: everything that happens goes in at `handle`, everything that follows comes out as
 * ordered effects. It touches nothing, knows no clock, and never waits.
 */
export class Service {
  readonly #settings: Settings;
  readonly #ids: Ids;
  readonly #groups = new Groups();
  readonly #users = new Users();
  readonly #identification: Identification;
  readonly #rates: Rates = { creations: new Rate(), invitations: new Rate() };
  readonly #directory: Directory;
  #stopping = false;

  constructor(parts: { settings: Settings; ids: Ids }) {
    this.#settings = parts.settings;
    this.#ids = parts.ids;
    this.#directory = new Directory(parts.settings, this.#groups);
    this.#identification = new Identification({ settings: parts.settings, users: this.#users });
  }

  /** The turns that `input` leads to, one per conference concerned; none for a fact about something gone. */
  handle(input: Input, now: Instant): readonly Turn[] {
    if (input.type === 'shutdown-requested') this.#stopping = true;
    if (isDefinition(input)) return this.#define(input);
    const context = this.#context(now);
    if (isRequest(input)) return [handleRequest(context, input)];
    if (input.type === 'nickname-asked') return [askNickname(context, input)];
    if (isCommand(input)) return handleCommand(context, input);
    return handleFact(context, input);
  }

  /** One running conference as it stands now; undefined when it is not running here. */
  view(conferenceId: string): ConferenceRecord | undefined {
    return this.#directory.byId(conferenceId)?.ledger.record();
  }

  /** The version of the document that the subscription was sent last; undefined when it is not running here. */
  lastVersionSent(subscriptionId: string): number | undefined {
    return this.#directory.bySubscription(subscriptionId)?.ledger.subscription(subscriptionId)?.lastVersionSent;
  }

  /** Whether `uri` names the factory, a conference of ours or a group. */
  isOurs(uri: SipUri, now: Instant): boolean {
    return isFocus(this.#context(now), uri);
  }

  /** Nothing new is taken any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  get counts(): { readonly conferences: number; readonly participants: number; readonly subscriptions: number } {
    const running = this.#directory.conferences;
    return {
      conferences: running.length,
      participants: running.reduce((sum, conference) => sum + conference.row.participantCount, 0),
      subscriptions: running.reduce((sum, conference) => sum + conference.ledger.subscriptions.length, 0),
    };
  }

  /**
   * After a failed save, once the turns that were not saved are undone: the conference is held against what the store
   * holds. Where the two differ, some of what was reported failed was committed; nobody outside knows of it, so the
   * conference ends. Null when all is well.
   */
  reconcile(conferenceId: string, stored: StoredConference | undefined, now: Instant): Turn | null {
    const running = this.#directory.byId(conferenceId);
    if (stored === undefined) {
      if (running !== undefined) this.#directory.drop(running);
      return null;
    }
    if (running !== undefined || stored.conference.status !== 'ended') return this.#giveUpOn(running, stored, now);
    this.#forgetLate(stored.conference);
    return null;
  }

  /** What was told late of a conference stands in the store: told again, its events would be refused for ever. */
  #forgetLate({ id, seq }: StoredConference['conference']): void {
    if (this.#directory.lately(id)?.row.seq !== seq) this.#directory.forgetLate(id);
  }

  #giveUpOn(running: Conference | undefined, stored: StoredConference, now: Instant): Turn | null {
    const { id: conferenceId, seq, version, status } = stored.conference;
    if (running !== undefined && running.row.seq === seq && running.row.version === version) return null;
    const conference = running ?? new Conference({ ids: this.#ids, settings: this.#settings, record: stored });
    const back = conference.capture();
    if (running === undefined) this.#directory.add(conference);
    const effects = conference.giveUpOn(stored, now);
    this.#directory.note(conference, effects, now);
    const undo = (): void => {
      this.#directory.drop(conference);
      back();
      if (running !== undefined) this.#directory.add(running);
    };
    // The store has the end of it already.
    const isKept = status === 'ended';
    return { conferenceId, effects: isKept ? effects.filter(({ type }) => type !== 'store.save') : effects, undo };
  }

  #context(now: Instant): Context {
    return {
      settings: this.#settings,
      ids: this.#ids,
      directory: this.#directory,
      groups: this.#groups,
      users: this.#users,
      identification: this.#identification,
      rates: this.#rates,
      now,
      stopping: this.#stopping,
    };
  }

  /** Definitions are saved before they are told here, so nothing follows at once. */
  #define(input: DefinitionInput): readonly Turn[] {
    if (input.type === 'group-defined') this.#groups.define(input.group);
    else if (input.type === 'group-removed') this.#groups.remove(input.groupId);
    else if (input.type === 'user-defined') this.#users.define(input.user);
    else this.#users.remove(input.userId);
    return [];
  }
}

function isRequest(input: Input): input is RequestInput {
  return requestTypes.has(input.type);
}

function isDefinition(input: Input): input is DefinitionInput {
  return definitionTypes.has(input.type);
}

function isCommand(input: Input): input is CommandInput {
  return commandTypes.has(input.type);
}
