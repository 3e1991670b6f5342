import { refuseAttempt, refuseUnread } from '../attempt.ts';
import type { Refused } from '../conference/requirements.ts';
import { type Context, refuse, type Turn } from '../context.ts';
import type { Asked } from '../identity/identify.ts';
import type { RequestInput, RequestRefused } from '../input.ts';
import { invite } from './invite.ts';
import { options } from './options.ts';
import { barredRefused } from './permission.ts';
import { refer, refreshReferral } from './refer.ts';
import { reinvite } from './reinvite.ts';
import { refresh, subscribe } from './subscribe.ts';

/** What SIP asks of us, judged and done. Each request gets exactly one reply. */
export function handleRequest(context: Context, input: RequestInput): Turn {
  if (input.type === 'request-refused') return unread(context, input);
  // Anybody may ask what we can do (our choice): OPTIONS shows nothing else.
  if (input.type === 'options-received') return options(context, input);
  const asked = context.identification.identify(input, context.now);
  if ('code' in asked) return unidentified(context, input, asked);
  const barred = isNew(asked) && asked.caller !== null ? barredRefused(context, asked.caller.aor) : null;
  if (barred === null) return handle(context, asked);
  return asked.type === 'subscribe-received' ? refuse(asked.reply, barred) : refuseAttempt(context, asked, barred);
}

/** What is asked beside the sessions and subscriptions that there are already; those may go on. */
function isNew({ type }: Asked): boolean {
  return type === 'invite-received' || type === 'subscribe-received' || type === 'refer-received';
}

function handle(context: Context, input: Asked): Turn {
  switch (input.type) {
    case 'invite-received':
      return invite(context, input);
    case 'reinvite-received':
      return reinvite(context, input);
    case 'subscribe-received':
      return subscribe(context, input);
    case 'subscription-refreshed':
      return refresh(context, input);
    case 'refer-received':
      return refer(context, input);
    case 'referral-refreshed':
      return refreshReferral(context, input);
  }
}

/** Who has shown to be a user has a place in the attempts log, too. */
function unidentified(context: Context, input: Asked, refused: Refused): Turn {
  const isKnown = input.type === 'invite-received' && refused.code === 'not-allowed';
  return isKnown ? refuseAttempt(context, input, refused) : refuse(input.reply, refused);
}

/** Only creations, joins and referrals are worth a place in the attempts log; where credentials count, strangers leave no trace in it. */
function unread(context: Context, input: RequestRefused): Turn {
  if (input.method !== 'INVITE' && input.method !== 'REFER') return refuse(input.reply, input);
  if (input.caller !== null || context.settings.auth === 'open') return refuseUnread(context, input);
  // No credentials would help it.
  if (input.facts === undefined) return refuse(input.reply, input);
  const caller = context.identification.proven(input.facts, context.now);
  if (caller === null) return refuse(input.reply, { code: 'unauthenticated', detail: input.detail });
  return 'code' in caller ? refuse(input.reply, caller) : refuseUnread(context, { ...input, caller });
}
