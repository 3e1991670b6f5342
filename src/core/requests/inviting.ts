import type { Caller, InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';

/** In whose name, and how far, those are invited who an INVITE leads to. */
export function inviting(
  input: InviteReceived,
  caller: Caller,
): { readonly referredBy: string | null; readonly maxForwards: number } {
  return {
    // RFC 3323 5.1: whoever asked for privacy is not named to the invitees.
    referredBy: caller.private ? null : caller.aor,
    maxForwards: Math.min(limits.maxForwards, input.maxForwards - 1),
  };
}
