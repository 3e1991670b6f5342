import { refuseAttempt } from '../attempt.ts';
import { type Context, refuse, type Turn } from '../context.ts';
import type { InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';
import { create } from './create.ts';
import { callGroup } from './group.ts';
import { join, targetOfJoin } from './join.ts';
import { replace } from './replace.ts';

/** An INVITE outside any dialog: what its Request-URI names decides what it asks for. */
export function invite(context: Context, input: InviteReceived): Turn {
  // RFC 5363 3.2: nobody unknown causes any work, least of all requests to others.
  if (input.caller === null) return refuse(input.reply, { code: 'unauthenticated', detail: 'INVITE' });
  if (input.contact.length > limits.uriCharactersMax) {
    return refuseAttempt(context, input, {
      code: 'uri-too-long',
      detail: `Contact over ${limits.uriCharactersMax} characters`,
    });
  }
  const addressed = context.directory.target(input.target, context.now);
  const { caller, replaces, join: joins } = input;
  if (replaces !== null) return replace(context, input, { caller, target: addressed, named: replaces });
  const target = joins === null ? addressed : targetOfJoin(context, joins, addressed);
  if ('code' in target) return refuseAttempt(context, input, target);
  if (target.kind === 'factory') return create(context, input, caller);
  if (target.kind === 'conference') return join(context, input, { caller, conference: target.conference });
  if (target.kind === 'group') {
    const { group, conference: session } = target;
    return callGroup(context, input, { caller, group, session });
  }
  const code = target.kind === 'ended' ? 'conference-ended' : 'no-such-conference';
  return refuseAttempt(context, input, { code, detail: 'The Request-URI names no running conference' });
}
