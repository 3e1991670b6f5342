import type { Refused } from '../conference/requirements.ts';
import type { Context } from '../context.ts';
import { limits } from '../limits.ts';

/** What the operator has said of single users, and what any one user may ask for in a minute. */

/** Whoever is barred gets nothing, and is not called. */
export function barredRefused({ users }: Context, aor: string): Refused | null {
  return users.isBarred(aor) ? { code: 'barred', detail: 'The operator has barred this user' } : null;
}

/** Who must not make conferences, be it by the factory or by calling a group. */
export function creatorRefused({ users }: Context, aor: string): Refused | null {
  const refused: Refused = { code: 'not-allowed', detail: 'This user may make no conferences' };
  return users.mayCreate(aor) ? null : refused;
}

/**
 * RFC 5363 5.3: what one user may have the focus do is limited; judged last, so that only what would be done counts.
 * Counted it stays, whatever comes of it.
 */
export function rateRefused(
  context: Context,
  aor: string,
  asked: { creations: 0 | 1; invitations: number },
): Refused | null {
  const { rates, settings, now } = context;
  const { creationsPerMinute } = settings;
  if (creationsPerMinute === 0) return null;
  const creations = rates.creations.take(aor, asked.creations, { now, perMinute: creationsPerMinute });
  if (creations > 0) return tooMany('too-many-creations', creations);
  // Whoever may make but few conferences may still fill one.
  const perMinute = Math.max(creationsPerMinute * limits.invitationsPerCreation, limits.listEntriesMax);
  const invitations = rates.invitations.take(aor, asked.invitations, { now, perMinute });
  return invitations > 0 ? tooMany('too-many-invitations', invitations) : null;
}

function tooMany(code: 'too-many-creations' | 'too-many-invitations', seconds: number): Refused {
  return { code, detail: `Again in ${seconds} s`, headers: { 'Retry-After': String(seconds) } };
}
