import { refuseUnread } from '../attempt.ts';
import { type Context, refuse, type Turn } from '../context.ts';
import type { RequestInput, RequestRefused } from '../input.ts';
import { invite } from './invite.ts';
import { options } from './options.ts';
import { refer } from './refer.ts';
import { reinvite } from './reinvite.ts';
import { refresh, subscribe } from './subscribe.ts';

/** What SIP asks of us, judged and done. Each request gets exactly one reply. */
export function handleRequest(context: Context, input: RequestInput): Turn {
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
    case 'options-received':
      return options(context, input);
    case 'request-refused':
      return unread(context, input);
  }
}

/** Only creations and joins are worth a place in the attempts log; where credentials count, strangers leave no trace in it. */
function unread(context: Context, input: RequestRefused): Turn {
  if (input.method !== 'INVITE') return refuse(input.reply, input);
  const stranger = input.caller === null && context.settings.auth === 'digest';
  return stranger
    ? refuse(input.reply, { code: 'unauthenticated', detail: input.detail })
    : refuseUnread(context, input);
}
