import type { FastifyRequest } from 'fastify';
import type { Actor } from '../core/input.ts';
import type { Clock, KeyPort, KeyRow } from '../core/ports.ts';
import type { Instant } from '../core/rows.ts';
import { hashApiKey } from './api-key.ts';
import { httpLimits } from './http-limits.ts';
import { Refused } from './problem.ts';

/** Who asks, and what its key is good for. */
export type Asking = { readonly actor: Actor; readonly scopes: readonly string[] };

/** Who asks, once `authenticator` has told: `key:<id>`; empty on open routes. */
export function actorOf(request: Pick<FastifyRequest, 'getDecorator'>): Actor {
  return request.getDecorator<Actor>(ACTOR);
}

/** The name of the request's decoration that holds who asks. */
export const ACTOR = 'actor';

export type AuthOptions = { readonly keys: KeyPort; readonly clock: Clock };

/**
 * Tells who asks by the header `Authorization: Bearer <API key>` (RFC 6750 2.1), and throws a refusal with its
 * challenge when nobody known does. Keys are random, so looking up their plain SHA-256 is the comparison; a key that
 * was good stays good for a few seconds without another look into the store.
 */
export function authenticator(options: AuthOptions): (authorization: string | undefined) => Promise<Asking> {
  const remembered = new Map<string, { readonly row: KeyRow; readonly until: Instant }>();

  async function keyOf(hash: string): Promise<KeyRow | undefined> {
    const now = options.clock.now();
    const known = remembered.get(hash);
    if (known !== undefined && now < known.until) return known.row;
    const row = await options.keys.keyByHash(hash);
    remembered.delete(hash);
    if (row === undefined) return undefined;
    if (remembered.size >= httpLimits.keysRememberedMax) remembered.clear();
    remembered.set(hash, { row, until: now + httpLimits.keyMemoryMs });
    return row;
  }

  return async (authorization) => {
    const token = bearerToken(authorization);
    // RFC 6750 3: a request without credentials gets a challenge without an error code.
    if (token === undefined) throw unauthenticated('Send `Authorization: Bearer <API key>`', '');
    const row = token.length > httpLimits.keyCharsMax ? undefined : await keyOf(hashApiKey(token));
    if (row === undefined) throw unauthenticated('This API key is not known', ', error="invalid_token"');
    return { actor: `key:${row.id}`, scopes: row.scopes };
  };
}

// RFC 9110 11.1: the scheme is case-insensitive; RFC 6750 2.1: the token is one word.
function bearerToken(authorization: string | undefined): string | undefined {
  return authorization?.match(/^bearer +(\S+) *$/i)?.[1];
}

function unauthenticated(detail: string, error: string): Refused {
  return new Refused({
    code: 'unauthenticated',
    detail,
    headers: { 'www-authenticate': `Bearer realm="isfocus"${error}` },
  });
}
