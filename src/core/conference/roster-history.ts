import {
  type ConferenceInfoUser,
  writeConferenceState,
  writeDescription,
  writeHostInfo,
} from '../../wire/conference-info.ts';
import { limits } from '../limits.ts';
import type { ConferenceRecord, ParticipantRow } from '../rows.ts';
import { descriptionOf, type Hidden, hiddenAmong, hostOf, listed, stateOf, userOf } from './roster.ts';
import { userChanges } from './roster-changes.ts';
import type { View } from './views.ts';

/** A user as shown now, made from `row`. */
export type ShownUser = { readonly row: ParticipantRow; readonly user: ConferenceInfoUser };

/** What has changed since a roster version: users by their participants' ids, each as it was shown then. */
export type Since = {
  readonly description: string;
  readonly hostInfo: string;
  readonly conferenceState: string;
  readonly users: ReadonlyMap<string, ConferenceInfoUser | null>;
};

/** An element of the document that is written whole, and the roster version that changed it last. */
type Part = { readonly text: string; readonly since: number };

type Step = { readonly version: number; readonly id: string; readonly before: ConferenceInfoUser | null };

const nothingYet: Part = { text: '', since: -1 };

/**
 * What one view has shown, roster version by roster version, so that whoever knows one of them can be told what came
 * after it. It is rebuilt from the rows at any time; without it everybody is told everything.
 */
export class RosterHistory {
  readonly #view: View;
  #version = -1;
  /** No change of a version up to this one is remembered. */
  #forgotten = -1;
  #shown = new Map<string, ShownUser>();
  #steps: Step[] = [];
  #description = nothingYet;
  #hostInfo = nothingYet;
  #conferenceState = nothingYet;
  #hidden = '[]';

  constructor(view: View) {
    this.#view = view;
  }

  get version(): number {
    return this.#version;
  }

  get users(): Iterable<ShownUser> {
    return this.#shown.values();
  }

  user(id: string): ConferenceInfoUser | null {
    return this.#shown.get(id)?.user ?? null;
  }

  get about(): Omit<Since, 'users'> {
    return {
      description: this.#description.text,
      hostInfo: this.#hostInfo.text,
      conferenceState: this.#conferenceState.text,
    };
  }

  /** Takes the roster as it is now; the work is with those who changed. */
  look(record: ConferenceRecord): void {
    const { conference, participants } = record;
    const { version } = conference;
    if (version === this.#version) return;
    // Whoever was told of a version before the first one is told all.
    if (this.#version === -1) this.#forgotten = version;
    const hidden = hiddenAmong(participants);
    this.#lookAtUsers(listed(record), { version, hidden });
    this.#description = latest(this.#description, writeDescription(descriptionOf(conference)), version);
    const host = hostOf({ createdBy: conference.createdBy, participants }, hidden);
    this.#hostInfo = latest(this.#hostInfo, host === null ? '' : writeHostInfo(host), version);
    this.#conferenceState = latest(this.#conferenceState, writeConferenceState(stateOf(conference)), version);
    this.#version = version;
    this.#forget(this.#steps.length - limits.rosterStepsMax);
  }

  /** What came after `version`, or null when that is not remembered, or can be told only by the whole. */
  since(version: number): Since | null {
    if (version < this.#forgotten || version > this.#version) return null;
    // A whole part that is no more can be told only by leaving it out of a whole document.
    if (this.#hostInfo.since > version && this.#hostInfo.text === '') return null;
    const before = new Map<string, ConferenceInfoUser | null>();
    for (let index = this.#steps.length - 1; index >= 0; index -= 1) {
      const step = this.#steps[index];
      if (step === undefined || step.version <= version) break;
      before.set(step.id, step.before);
    }
    const textSince = (part: Part) => (part.since > version ? part.text : '');
    return {
      description: textSince(this.#description),
      hostInfo: textSince(this.#hostInfo),
      conferenceState: textSince(this.#conferenceState),
      users: before,
    };
  }

  #lookAtUsers(rows: readonly ParticipantRow[], { version, hidden }: { version: number; hidden: Hidden }): void {
    // Who hides now is hidden wherever others' circumstances name them.
    const hiding = JSON.stringify([...hidden]);
    const isAnew = hiding !== this.#hidden;
    this.#hidden = hiding;
    const shown = new Map<string, ShownUser>();
    for (const row of rows) {
      const known = this.#shown.get(row.id);
      if (known?.row === row && !isAnew) {
        shown.set(row.id, known);
        continue;
      }
      const before = known?.user ?? null;
      const now = userOf(row, { view: this.#view, hidden });
      const changes = userChanges(before, now).length > 0;
      if (changes) this.#steps.push({ version, id: row.id, before });
      shown.set(row.id, { row, user: changes || before === null ? now : before });
    }
    for (const [id, { user }] of this.#shown) if (!shown.has(id)) this.#steps.push({ version, id, before: user });
    this.#shown = shown;
  }

  #forget(count: number): void {
    if (count <= 0) return;
    const gone = this.#steps.splice(0, count);
    this.#forgotten = gone.at(-1)?.version ?? this.#version;
  }
}

function latest(before: Part, text: string, version: number): Part {
  return before.text === text ? before : { text, since: version };
}
