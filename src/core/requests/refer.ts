import { type Context, refuse, type Turn } from '../context.ts';
import type { ReferReceived } from '../input.ts';

/** A REFER asks the focus to invite, to remove, or to have somebody call in (RFC 4579 5.5 to 5.11). */
export function refer(context: Context, input: ReferReceived): Turn {
  const conference = context.directory.target(input.target, context.now);
  return refuse(input.reply, { code: 'method-not-allowed', detail: conference.kind });
}
