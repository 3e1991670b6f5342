import type { ConferenceInfoEndpoint, ConferenceInfoMedia, ConferenceInfoUser } from '../../wire/conference-info.ts';

/** What to tell somebody who knows `before` of what is now `after` (RFC 4575 4.4). */
export function userChanges(
  before: ConferenceInfoUser | null,
  after: ConferenceInfoUser | null,
): readonly ConferenceInfoUser[] {
  if (before === null) return after === null ? [] : [after];
  if (after === null) return [deletedUser(before.entity)];
  // RFC 4575 4.5: who goes by another entity is another user.
  if (before.entity !== after.entity) return [deletedUser(before.entity), after];
  const change = changeOf(before, after);
  return change === null ? [] : [change];
}

function changeOf(before: ConferenceInfoUser, after: ConferenceInfoUser): ConferenceInfoUser | null {
  const endpoints = endpointChanges(before.endpoints, after.endpoints);
  const changed = userAtoms.filter((atom) => !same(before[atom], after[atom]));
  if (changed.length === 0 && endpoints.length === 0) return null;
  // What is not mentioned stands as it was: only a whole user can say that something is no more.
  const isGone = changed.some((atom) => isNothing(after[atom]));
  if (isGone) return after;
  return { ...unmentioned(after.entity), ...only(after, changed), state: 'partial', endpoints };
}

/** RFC 4575 4.4: what is deleted has a key and nothing else. */
export function deletedUser(entity: string): ConferenceInfoUser {
  return { ...unmentioned(entity), state: 'deleted' };
}

/** A user that is known, of whom only these endpoints are told. */
export function partialUser(entity: string, endpoints: readonly ConferenceInfoEndpoint[]): ConferenceInfoUser {
  return { ...unmentioned(entity), state: 'partial', endpoints };
}

/** The same of an endpoint. */
export function deletedEndpoint(entity: string): ConferenceInfoEndpoint {
  return { ...nothingOf(entity), state: 'deleted' };
}

const userAtoms = ['nickname', 'displayText', 'associatedAors', 'roles', 'languages'] as const;

function unmentioned(entity: string): ConferenceInfoUser {
  return { entity, displayText: null, roles: [], endpoints: [] };
}

/** What has become of endpoints, by their keys. */
function endpointChanges(
  before: readonly ConferenceInfoEndpoint[],
  after: readonly ConferenceInfoEndpoint[],
): readonly ConferenceInfoEndpoint[] {
  const known = new Map(before.map((endpoint) => [endpoint.entity, endpoint]));
  const still = new Set(after.map(({ entity }) => entity));
  const gone = before.filter(({ entity }) => !still.has(entity)).map(({ entity }) => deletedEndpoint(entity));
  return [...gone, ...after.flatMap((endpoint) => endpointChange(known.get(endpoint.entity), endpoint))];
}

const endpointAtoms = [
  'referred',
  'status',
  'joiningMethod',
  'joiningInfo',
  'disconnectionMethod',
  'disconnectionInfo',
  'callInfo',
] as const;

function endpointChange(
  before: ConferenceInfoEndpoint | undefined,
  after: ConferenceInfoEndpoint,
): readonly ConferenceInfoEndpoint[] {
  if (before === undefined) return [after];
  const changed = endpointAtoms.filter((atom) => !same(before[atom], after[atom]));
  const media = mediaChanges(before.media, after.media);
  if (changed.length === 0 && media?.length === 0) return [];
  const isGone = changed.some((atom) => isNothing(after[atom]));
  if (media === null || isGone) return [after];
  return [{ ...nothingOf(after.entity), ...only(after, changed), state: 'partial', media }];
}

/** RFC 4575 4.4: media are told apart by id, and cannot be deleted; null: only the whole endpoint can tell. */
function mediaChanges(
  before: readonly ConferenceInfoMedia[],
  after: readonly ConferenceInfoMedia[],
): readonly ConferenceInfoMedia[] | null {
  const now = new Map(after.map((media) => [media.id, media]));
  if (before.some(({ id }) => !now.has(id))) return null;
  const known = new Map(before.map((media) => [media.id, media]));
  return after.filter((media) => !same(known.get(media.id), media));
}

function nothingOf(entity: string): ConferenceInfoEndpoint {
  const circumstances = { referred: null, joiningInfo: null, disconnectionMethod: null, disconnectionInfo: null };
  return { entity, ...circumstances, status: null, joiningMethod: null, media: [], callInfo: null };
}

function only<Whole extends object, Key extends keyof Whole>(whole: Whole, keys: readonly Key[]): Pick<Whole, Key> {
  return Object.fromEntries(keys.map((key) => [key, whole[key]])) as Pick<Whole, Key>;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Of values that are made in one way, with their properties in one order. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
