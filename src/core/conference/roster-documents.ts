import {
  type ConferenceInfoEndpoint,
  type ConferenceInfoUser,
  conferenceInfoParts,
  writeConferenceInfo,
  writeEndpoint,
  writeUser,
  writeUsers,
} from '../../wire/conference-info.ts';
import { limits } from '../limits.ts';
import type { ConferenceRecord } from '../rows.ts';
import { deletedEndpoint, deletedUser, partialUser, userChanges } from './roster-changes.ts';
import { RosterHistory, type Since } from './roster-history.ts';
import type { View } from './views.ts';

/** A user of whom a subscriber was not told all yet: the endpoints with these keys, or everything. */
export type Owed = { readonly id: string; readonly entity: string; readonly endpoints: readonly string[] | null };

/** A document for any number of subscribers, and what it could not hold. */
export type RosterDocument = {
  /** RFC 4575 5.2: versions count within each subscription; nothing else differs from subscriber to subscriber. */
  readonly at: (version: number) => string;
  readonly owed: readonly Owed[];
};

/** RFC 4575 4.6: the last document of a conference that is no more. */
export function deletedRoster(conferenceUri: string, version: number): string {
  const nothing = { description: null, conferenceState: null, users: null };
  return writeConferenceInfo({ entity: conferenceUri, state: 'deleted', version, ...nothing });
}

/** The whole roster as a view shows it, of whatever length, and as version 0. */
export function wholeRoster(record: ConferenceRecord, view: View = 'chair'): string {
  const source = { version: () => record.conference.version, record: () => record };
  return new RosterDocuments({ view, source, fullBytesMax: Number.POSITIVE_INFINITY }).full().at(0);
}

/** The roster that documents tell of: its rows are asked for when its version has changed. */
export type RosterSource = { readonly version: () => number; readonly record: () => ConferenceRecord };

type DocumentsParts = { readonly view: View; readonly source: RosterSource; readonly fullBytesMax?: number };

/**
 * The documents of one view. Each is rendered once per roster version, whoever gets it; a user is rendered once until
 * it changes.
 */
export class RosterDocuments {
  readonly #history: RosterHistory;
  readonly #source: RosterSource;
  readonly #fullBytesMax: number;
  #uri = '';
  /** Of the version that the history stands at. */
  #rendered = nothingRendered();
  readonly #users = new WeakMap<ConferenceInfoUser, Written>();

  constructor({ view, source, fullBytesMax = limits.conferenceInfoBytesMax }: DocumentsParts) {
    this.#history = new RosterHistory(view);
    this.#source = source;
    this.#fullBytesMax = fullBytesMax;
  }

  /** The roster version that documents made now tell of. */
  get version(): number {
    this.#look();
    return this.#history.version;
  }

  /**
   * All there is to tell. A roster too long for one document lists its users without their endpoints, as many as find
   * room: `user-count` tells all, and the rest is owed.
   */
  full(): RosterDocument {
    const rendered = this.#now;
    rendered.full ??= this.#full();
    return rendered.full;
  }

  /**
   * What a subscriber who knows `version` must be told: null when nothing, `all` when only everything will do. Whoever
   * `isAhead` knows some users as they were later, nobody knows how: those that have changed since are told whole.
   */
  partial(version: number, isAhead = false): RosterDocument | null | 'all' {
    const { partial, whole } = this.#now;
    const rendered = isAhead ? whole : partial;
    const known = rendered.get(version);
    if (known !== undefined) return known;
    const since = this.#history.since(version);
    const document = since === null ? 'all' : this.#partial(since, isAhead);
    rendered.set(version, document);
    return document;
  }

  /** As much as fits of what is owed, even if there is no news in it. */
  completing(owed: readonly Owed[]): RosterDocument {
    const { completing } = this.#now;
    const known = completing.get(owed);
    if (known !== undefined) return known;
    const document = pageOf(this.#uri, '', this.#fragmentsOf(owed));
    completing.set(owed, document);
    return document;
  }

  /** What was rendered of the roster as it is now. */
  get #now(): Rendered {
    this.#look();
    return this.#rendered;
  }

  #look(): void {
    if (this.#source.version() === this.#history.version) return;
    const record = this.#source.record();
    this.#history.look(record);
    this.#uri = record.conference.uri;
    this.#rendered = nothingRendered();
  }

  #full(): RosterDocument {
    const { beforeVersion, afterVersion, tail } = conferenceInfoParts({ entity: this.#uri, state: 'full' });
    const { description, hostInfo, conferenceState } = this.#history.about;
    const head = `${afterVersion}${description}${hostInfo}${conferenceState}`;
    const users = [...this.#history.users].map(({ row, user }) => ({ id: row.id, user }));
    const around = bytesOf(`${beforeVersion}${head}${writeUsers('full', ['.'])}${tail}`) + versionDigits;
    const room = this.#fullBytesMax - around;
    const whole = users.map(({ user }) => this.#written(user));
    const fits = whole.reduce((sum, { bytes }) => sum + bytes, 0) <= room;
    const texts = fits
      ? whole.map(({ text }) => text)
      : asManyAsFit(
          users.map(({ user }) => bare(user)),
          room,
        );
    const after = `${head}${writeUsers('full', texts)}${tail}`;
    const owed = fits ? [] : users.map(({ id, user }) => ({ id, entity: user.entity, endpoints: null }));
    return { at: (version) => `${beforeVersion}${version}${after}`, owed };
  }

  #partial(since: Since, isAhead: boolean): RosterDocument | null {
    const fragments = this.#changes(since, isAhead);
    const about = `${since.description}${since.hostInfo}${since.conferenceState}`;
    if (about === '' && fragments.length === 0) return null;
    return pageOf(this.#uri, about, fragments);
  }

  /** Who is gone comes first, the others in the order of the roster. */
  #changes({ users }: Since, isAhead: boolean): readonly Fragment[] {
    const present = [...this.#history.users];
    // Who is in again by another row is in by the same key, and is told whole.
    const entities = new Set(present.map(({ user }) => user.entity));
    const gone = [...users].flatMap(([id, before]) => {
      const isGone = before !== null && this.#history.user(id) === null && !entities.has(before.entity);
      return isGone ? [deletion({ id, entity: before.entity })] : [];
    });
    const changed = present.flatMap(({ row: { id }, user: after }) => {
      const before = users.get(id);
      if (before === undefined) return [];
      const isSame = isAhead && before?.entity === after.entity;
      const changes = isSame ? [after] : userChanges(before, after);
      return changes.map((user) => this.#changed(id, { user, after }));
    });
    return [...gone, ...changed].flatMap((each) => (each.bytes <= pageRoom ? [each] : this.#fragmentsOf([each.owed])));
  }

  #changed(id: string, { user, after }: { user: ConferenceInfoUser; after: ConferenceInfoUser }): Fragment {
    if (user.state === 'deleted') return deletion({ id, entity: user.entity });
    const text = user === after ? this.#written(after).text : writeUser(user);
    return fragment(text, { id, entity: after.entity, endpoints: null });
  }

  #fragmentsOf(owed: readonly Owed[]): readonly Fragment[] {
    return owed.flatMap((each) => {
      const user = this.#history.user(each.id);
      if (user === null || user.entity !== each.entity) return [deletion(each)];
      if (each.endpoints !== null) return endpointsOf(user, { id: each.id, entities: each.endpoints });
      const whole = { ...this.#written(user), owed: each };
      if (whole.bytes <= pageRoom) return [whole];
      // RFC 4575 4.4: first the user as such, then its endpoints, as many at a time as find room.
      const entities = user.endpoints.map(({ entity }) => entity);
      return [fragment(bare(user), each), ...endpointsOf(user, { id: each.id, entities })];
    });
  }

  #written(user: ConferenceInfoUser): Written {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const text = writeUser(user);
    const written = { text, bytes: bytesOf(text) };
    this.#users.set(user, written);
    return written;
  }
}

/** Text of a user, and its length in octets. */
type Written = { readonly text: string; readonly bytes: number };

/** A piece of the users element, and what is owed as long as it was not sent. */
type Fragment = Written & { readonly owed: Owed };

type Rendered = {
  full: RosterDocument | null;
  readonly partial: Map<number, RosterDocument | null | 'all'>;
  /** The same with whole users. */
  readonly whole: Map<number, RosterDocument | null | 'all'>;
  readonly completing: Map<readonly Owed[], RosterDocument>;
};

/** Room for the digits of any version. */
const versionDigits = 10;
/** What root and users take, a conference URI of full length apart. */
const roomAround = 400;
const pageRoom = limits.partialInfoBytesMax - roomAround - limits.uriCharactersMax;

/**
 * A partial document of bounded length, with `about` before its users. Takes fragments in their order until one finds no
 * room; that and those after it are owed.
 */
function pageOf(uri: string, about: string, fragments: readonly Fragment[]): RosterDocument {
  const { beforeVersion, afterVersion, tail } = conferenceInfoParts({ entity: uri, state: 'partial' });
  const head = `${afterVersion}${about}`;
  const around = bytesOf(`${beforeVersion}${head}${writeUsers('partial', ['.'])}${tail}`) + versionDigits;
  let room = limits.partialInfoBytesMax - around;
  const told = new Set<string>();
  const fitting = fragments.findIndex(({ bytes, owed: { id, entity } }, index) => {
    room -= bytes;
    // RFC 4575 4.5: a document has one element for each user.
    const isToldOf = told.has(`${id} ${entity}`);
    told.add(`${id} ${entity}`);
    // A page without news would be followed by the same one for ever.
    return isToldOf || (room < 0 && (index > 0 || about !== ''));
  });
  const taken = fitting === -1 ? fragments : fragments.slice(0, fitting);
  const users =
    taken.length === 0
      ? ''
      : writeUsers(
          'partial',
          taken.map(({ text }) => text),
        );
  const after = `${head}${users}${tail}`;
  return {
    at: (version) => `${beforeVersion}${version}${after}`,
    owed: joined(fragments.slice(taken.length)),
  };
}

/** What is owed of each user as one: everything covers single endpoints. */
function joined(fragments: readonly Fragment[]): readonly Owed[] {
  const owed = new Map<string, Owed>();
  for (const { owed: each } of fragments) {
    const key = `${each.id} ${each.entity}`;
    const before = owed.get(key);
    if (before === undefined) owed.set(key, each);
    else if (before.endpoints !== null && each.endpoints !== null)
      owed.set(key, { ...before, endpoints: [...before.endpoints, ...each.endpoints] });
  }
  return [...owed.values()];
}

/** Some endpoints of a user who is known, as many to a fragment as find room. */
function endpointsOf(
  user: ConferenceInfoUser,
  { id, entities }: { id: string; entities: readonly string[] },
): readonly Fragment[] {
  const { entity } = user;
  const room = pageRoom - bytesOf(writeUser(partialUser(entity, [])));
  const endpoints = entities.map((key) => user.endpoints.find((each) => each.entity === key) ?? deletedEndpoint(key));
  return packed(endpoints, room).map((together) =>
    fragment(writeUser(partialUser(entity, together)), { id, entity, endpoints: together.map((each) => each.entity) }),
  );
}

/** Endpoints in their order, each pack no larger than `room` unless a single one is. */
function packed(endpoints: readonly ConferenceInfoEndpoint[], room: number): readonly ConferenceInfoEndpoint[][] {
  const packs: ConferenceInfoEndpoint[][] = [];
  let left = 0;
  for (const endpoint of endpoints) {
    const bytes = bytesOf(writeEndpoint(endpoint));
    if (bytes > left || packs.length === 0) {
      packs.push([]);
      left = room;
    }
    packs.at(-1)?.push(endpoint);
    left -= bytes;
  }
  return packs;
}

function deletion({ id, entity }: { id: string; entity: string }): Fragment {
  return fragment(writeUser(deletedUser(entity)), { id, entity, endpoints: null });
}

function bare(user: ConferenceInfoUser): string {
  return writeUser({ ...user, endpoints: [] });
}

function asManyAsFit(texts: readonly string[], room: number): readonly string[] {
  let left = room;
  const end = texts.findIndex((text) => {
    left -= bytesOf(text);
    return left < 0;
  });
  return end === -1 ? texts : texts.slice(0, end);
}

function fragment(text: string, owed: Owed): Fragment {
  return { text, bytes: bytesOf(text), owed };
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

function nothingRendered(): Rendered {
  return { full: null, partial: new Map(), whole: new Map(), completing: new Map() };
}
