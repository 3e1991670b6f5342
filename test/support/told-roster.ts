/** What a watcher knows of a conference, in few words: read from the roster that it has put together. */
import type { Known } from './seen-roster.ts';

export type ToldRoster = {
  readonly subject: string;
  readonly locked: string;
  readonly userCount: number;
  /** By entity: the statuses of the endpoints that were told of. */
  readonly users: ReadonlyMap<string, readonly string[]>;
};

/** Of somebody who was told nothing: nothing. */
export function toldRoster(known: Known | null): ToldRoster {
  const description = textAt(known, 'conference-description');
  const state = textAt(known, 'conference-state');
  const users = knownAt(known, 'users')?.within ?? new Map<string, Known | string>();
  return {
    subject: textIn(description, 'subject'),
    locked: textIn(state, 'locked'),
    userCount: Number(textIn(state, 'user-count')),
    users: new Map([...users].map(([place, user]) => [place.slice('user '.length), statusesOf(user)])),
  };
}

/** `alice connected, bob on-hold`: who is known, by the user parts of their entities, and in which states. */
export function toldLine({ users }: ToldRoster): string {
  const said = [...users].map(([entity, statuses]) => `${userPart(entity)} ${statuses.join('+')}`.trim());
  return said.sort().join(', ');
}

function statusesOf(user: Known | string): readonly string[] {
  if (typeof user === 'string') return [];
  const endpoints = [...user.within].filter(([place]) => place.startsWith('endpoint '));
  return endpoints.map(([, endpoint]) =>
    typeof endpoint === 'string' ? '' : textIn(textAt(endpoint, 'status'), 'status'),
  );
}

function knownAt(known: Known | null, place: string): Known | null {
  const found = known?.within.get(place);
  return found === undefined || typeof found === 'string' ? null : found;
}

function textAt(known: Known | null, place: string): string {
  const found = known?.within.get(place);
  return typeof found === 'string' ? found : '';
}

/** Elements that are taken whole are texts, in which nothing is escaped. */
function textIn(text: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(text)?.[1] ?? '';
}

function userPart(uri: string): string {
  return /^sips?:([^@;]+)@/.exec(uri)?.[1] ?? uri;
}
