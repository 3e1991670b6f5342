import { extensionRefused } from '../conference/requirements.ts';
import { type Context, loose, refuse, type Turn } from '../context.ts';
import type { Place } from '../effect.ts';
import type { OptionsReceived } from '../input.ts';

/** OPTIONS is answered by what its Request-URI names (RFC 3261 11.2, RFC 4579 5.14). */
export function options(context: Context, input: OptionsReceived): Turn {
  const refused = extensionRefused(input.requires);
  if (refused !== null) return refuse(input.reply, refused);
  const target = context.directory.target(input.target, context.now);
  const to = input.reply;
  const answer = (at: Place, contact: string | null): Turn =>
    loose([{ type: 'reply', to, outcome: { kind: 'capabilities', at, contact } }]);
  if (target.kind === 'conference') return answer('conference', target.conference.row.uri);
  if (target.kind === 'group') return answer('group', target.group.uri);
  if (target.kind === 'factory') return answer('factory', null);
  if (input.target.user === null && context.settings.ownHosts.has(input.target.host)) return answer('server', null);
  if (target.kind === 'ended') return refuse(to, { code: 'conference-ended', detail: 'The conference is over' });
  return refuse(to, { code: 'no-such-identity', detail: 'The Request-URI names nobody here' });
}
