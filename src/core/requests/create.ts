import { writeSipUri } from '../../wire/sip-uri.ts';
import { refuseAttempt } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { adHocPolicy, newConference } from '../conference/factory.ts';
import { type ListPlan, planList } from '../conference/invitation-list.ts';
import { extensionRefused, type Refused, sessionRefused } from '../conference/requirements.ts';
import type { Context, Turn } from '../context.ts';
import { found, foundingRefused } from '../founding.ts';
import type { Caller, InviteReceived } from '../input.ts';
import type { Settings } from '../settings.ts';
import { inviting } from './inviting.ts';
import { entranceRefused } from './join.ts';
import { creatorRefused, rateRefused } from './permission.ts';

/** An INVITE to the factory makes a conference (RFC 4579 5.4). */
export function create(context: Context, input: InviteReceived, caller: Caller): Turn {
  const plan = planned(context, input, caller);
  if ('code' in plan) return refuseAttempt(context, input, plan);
  const row = newConference(context, {
    kind: 'ad_hoc',
    groupId: null,
    factoryUri: writeSipUri(input.target),
    subject: input.subject,
    locked: false,
    maxParticipants: null,
    policy: adHocPolicy(context.settings),
    createdBy: caller.aor,
    labels: {},
  });
  const made = found(context, { row, begin: (conference) => begin(conference, { input, caller, plan }) });
  return 'code' in made ? refuseAttempt(context, input, made) : made.turn;
}

/** What a factory INVITE asks for, judged (RFC 4579 5.4, RFC 5366 5). */
type FactoryPlan = ListPlan & { readonly quirks: readonly string[] };

/** Nothing is changed yet. */
function planned(context: Context, input: InviteReceived, caller: Caller): FactoryPlan | Refused {
  const quirks = [...input.quirks];
  const refused =
    foundingRefused(context) ?? creatorRefused(context, caller.aor) ?? judge(input, context.settings, quirks);
  if (refused !== null) return refused;
  const list = planList(context, input.list ?? [], caller.aor);
  if ('code' in list) return list;
  const asked = { creations: 1, invitations: list.invitees.length } as const;
  return rateRefused(context, caller.aor, asked) ?? { ...list, quirks };
}

const listOption = 'recipient-list-invite';

function judge(input: InviteReceived, settings: Settings, quirks: string[]): Refused | null {
  const unknown = input.requires.filter((option) => !isSupported(option, input, { settings, quirks }));
  const refused = extensionRefused(unknown) ?? sessionRefused(input, settings);
  if (refused !== null) return refused;
  // RFC 5366 3: whoever requires that a list is understood sends one.
  if (input.list === null && input.requires.includes(listOption))
    return { code: 'list-missing', detail: 'No recipient-list part came' };
  return null;
}

/** QK-2: the option of list subscriptions (RFC 5367) stands for that of list invitations when a list is there. */
function isSupported(
  option: string,
  input: InviteReceived,
  reading: { settings: Settings; quirks: string[] },
): boolean {
  if (option === listOption) return true;
  if (option !== 'recipient-list-subscribe' || !reading.settings.lenient || input.list === null) return false;
  reading.quirks.push('QK-2');
  return true;
}

type Beginning = { input: InviteReceived; caller: Caller; plan: FactoryPlan };

/** RFC 4579 5.4, RFC 5366 5: the creator is answered first, the invitations follow at once. */
function begin(conference: Conference, { input, caller, plan }: Beginning): Refused | null {
  conference.ledger.event('conference.created', { created_by: caller.aor, quirks: plan.quirks });
  conference.activate();
  const code = conference.attendance.join(input, { caller, role: 'chair', at: 'factory' });
  if (code !== null) return entranceRefused(code);
  conference.invitations.inviteAll(plan.invitees, { by: 'list', ...inviting(input, caller) });
  return null;
}
