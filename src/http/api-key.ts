import { createHash, randomBytes } from 'node:crypto';
import type { KeyPort, KeyRow } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import { httpLimits } from './http-limits.ts';

/** The scope that allows everything; the only one a key made at start bears. */
export const ADMIN_SCOPE = '*';

/** The id of a key given by `API_KEY`; it stands in `ended_by` and in audit as `key:environment`. */
export const GIVEN_KEY_ID = 'environment';

/** A new random key, `isf_` and 43 characters: 256 bits, so that a plain hash of it is safe to keep. */
export function makeApiKey(): string {
  return `isf_${randomBytes(32).toString('base64url')}`;
}

/** Lower-case hex SHA-256 of the whole key: the only form in which a key is kept or looked up. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

export type FirstKey = {
  /** The keys to check requests against. */
  readonly keys: KeyPort;
  /** The key that was just made, to be shown to a person once; null when none was needed. */
  readonly made: string | null;
  /** Stores the hash of the made key. For when nothing more keeps it from being shown: a key nobody saw lets nobody in. */
  readonly keep: () => Promise<void>;
};

export type FirstKeyOptions = {
  readonly keys: KeyPort;
  /** `API_KEY`, or null. */
  readonly given: string | null;
  readonly now: Instant;
  /** Row id for a key that is made. */
  readonly newId: () => string;
};

/**
 * Sees to it that there is a key to enter with. A key given from outside is honoured while this process runs and is
 * not stored, so that changing `API_KEY` really takes the old one away. Without one, the first start makes a key.
 * Throws a RangeError when the given key is too short.
 */
export async function firstKey(options: FirstKeyOptions): Promise<FirstKey> {
  const { keys, given, now, newId } = options;
  if (given !== null) return { keys: withGivenKey(keys, given, now), made: null, keep: nothing };
  if ((await keys.countKeys()) > 0) return { keys, made: null, keep: nothing };
  const made = makeApiKey();
  const row = adminKey({ id: newId(), name: 'first start', key: made, now });
  return { keys, made, keep: () => keys.addKey(row) };
}

async function nothing(): Promise<void> {}

function withGivenKey(keys: KeyPort, given: string, now: Instant): KeyPort {
  if (given.length < httpLimits.givenKeyCharsMin) {
    throw new RangeError(`API_KEY must have at least ${httpLimits.givenKeyCharsMin} characters`);
  }
  const row = adminKey({ id: GIVEN_KEY_ID, name: 'API_KEY', key: given, now });
  return {
    keyByHash: (hash) => (hash === row.hash ? Promise.resolve(row) : keys.keyByHash(hash)),
    addKey: (key) => keys.addKey(key),
    countKeys: () => keys.countKeys(),
  };
}

function adminKey(key: { id: string; name: string; key: string; now: Instant }): KeyRow {
  return { id: key.id, name: key.name, hash: hashApiKey(key.key), scopes: [ADMIN_SCOPE], createdAt: key.now };
}
