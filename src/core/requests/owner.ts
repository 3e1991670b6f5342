import type { Refused } from '../conference/requirements.ts';
import type { Context } from '../context.ts';
import type { Caller } from '../input.ts';

/**
 * Our rule: where credentials count, a dialog is acted in only by whom it belongs to. Whoever was called where he is
 * never had to say who he was (`known` is false): the dialog's unguessable tags speak for him.
 */
export function notTheOwner(
  context: Context,
  caller: Caller | null,
  owner: { aor: string; known: boolean },
): Refused | null {
  if (context.settings.auth === 'open') return null;
  if (caller === null) return owner.known ? { code: 'unauthenticated', detail: 'Within the dialog' } : null;
  return caller.aor === owner.aor ? null : { code: 'not-allowed', detail: 'The dialog is somebody else’s' };
}
