import { readRecipientUri } from '../../wire/recipient-uri.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { refuseCommand } from '../attempt.ts';
import type { Conference } from '../conference/conference.ts';
import { consentRefused, permissionUri } from '../conference/consent.ts';
import { newConference, operatorPolicy } from '../conference/factory.ts';
import { listReading, planList, readList } from '../conference/invitation-list.ts';
import { type Invitee, inviteesOf } from '../conference/invitees.ts';
import { expandGroups, groupOf } from '../conference/own-groups.ts';
import type { Refused } from '../conference/requirements.ts';
import { type Context, loose, type Turn } from '../context.ts';
import type { ConferencePlan } from '../effect.ts';
import { found, foundingRefused } from '../founding.ts';
import type { Command, ListedOrder } from '../input.ts';
import { limits } from '../limits.ts';
import type { ConferencePolicy, Role } from '../rows.ts';
import { answered } from './answered.ts';

type Wanted = Command<'conference-requested'>;

/** An operator makes a conference: what the factory does for whoever calls it, and with `dryRun` what it would do. */
export function createConference(context: Context, input: Wanted): Turn {
  const entries = input.participants.map((order, position) => entryOf(context, order, position));
  const plan = planned(context, input, entries);
  if (input.dryRun) {
    const told = planTold(context, entries, plan);
    return loose([{ type: 'reply', to: input.reply, outcome: { kind: 'conference-planned', plan: told } }]);
  }
  if ('code' in plan) return refuseCreation(context, input, plan);
  const row = newConference(context, {
    kind: 'ad_hoc',
    groupId: null,
    factoryUri: null,
    subject: input.subject,
    locked: input.locked,
    maxParticipants: input.maxParticipants,
    policy: plan.policy,
    createdBy: input.actor,
    labels: input.labels,
  });
  const made = found(context, { row, begin: (conference) => begin(conference, input, plan.invitees) });
  if ('code' in made) return refuseCreation(context, input, made);
  return answered(made.turn, input.reply, { kind: 'conference-created', conference: made.conference.row });
}

function refuseCreation(context: Context, input: Wanted, refused: Refused): Turn {
  const { factoryUser, conferenceAuthority } = context.settings;
  const { subject, participants } = input;
  return refuseCommand(context, input, {
    target: `sip:${factoryUser}@${conferenceAuthority}`,
    asked: { subject, participants: participants.map(({ raw }) => raw) },
    refused,
  });
}

type Plan = { readonly invitees: readonly Invitee[]; readonly policy: ConferencePolicy };

function planned(context: Context, input: Wanted, entries: readonly RecipientEntry[]): Plan | Refused {
  const refused = foundingRefused(context);
  if (refused !== null) return refused;
  const policy = operatorPolicy(context.settings, input.policy);
  if ('code' in policy) return policy;
  const list = planList(context, entries, null);
  return 'code' in list ? list : { ...list, policy };
}

function begin(conference: Conference, input: Wanted, invitees: readonly Invitee[]): null {
  conference.ledger.event('conference.created', { created_by: input.actor, quirks: [] });
  conference.activate();
  conference.invitations.inviteAll(invitees, {
    by: 'rest',
    referredBy: null,
    maxForwards: limits.maxForwards,
    roleOf: rolesOf(input.participants, invitees),
  });
  return null;
}

/** An order as the entry of a list: read as at the factory; what is said beside the URI counts more than what it says. */
function entryOf({ settings }: Context, order: ListedOrder, position: number): RecipientEntry {
  const { quirks, reading } = readRecipientUri(order.raw.trim(), { lenient: settings.lenient });
  const called = order.replaces === null ? {} : { replaces: order.replaces, join: null };
  return {
    raw: order.raw,
    position,
    displayName: order.displayName,
    copyControl: 'bcc',
    anonymize: false,
    quirks,
    reading: reading.ok ? { ...reading, ...called } : reading,
  };
}

/** Each one's role is that of the order it came from, which its position tells. */
function rolesOf(orders: readonly ListedOrder[], invitees: readonly Invitee[]): (aor: string) => Role {
  const roles = new Map(invitees.map(({ aor, listEntry }) => [aor, orders[listEntry.position]?.role]));
  return (aor) => roles.get(aor) ?? 'participant';
}

function planTold(context: Context, entries: readonly RecipientEntry[], plan: Plan | Refused): ConferencePlan {
  const expanded = expandGroups(context, entries, null);
  // A list that is too long with its groups is read without them: each stands for somebody.
  const tooLong = 'code' in expanded;
  const { entries: read, members } = tooLong ? { entries, members: new Set<string>() } : expanded;
  const kept = new Set(readList(context, read, null).map(({ listEntry }) => listEntry.position));
  if (tooLong) for (const entry of entries) if (groupOf(context, entry) !== null) kept.add(entry.position);
  return {
    entries: entries.map((entry) => entryTold(context, entry, { kept, members })),
    refused: 'code' in plan ? { code: plan.code, detail: plan.detail } : null,
  };
}

/** What holds of all entries: the places of those that stand for somebody, and who is asked in as a member of a group. */
type Whole = { readonly kept: ReadonlySet<number>; readonly members: ReadonlySet<string> };

/** What became of one entry. */
function entryTold(context: Context, entry: RecipientEntry, { kept, members }: Whole): ConferencePlan['entries'][0] {
  const [invitee] = inviteesOf([entry], { ...listReading(context), isFocus: () => false });
  if (invitee === undefined) throw new Error('an entry by itself is nobody twice');
  const { listEntry, displayName, replaces, target, failure } = invitee;
  const told = { entry: listEntry, displayName, replaces };
  if (!kept.has(entry.position)) return { ...told, verdict: 'dropped', cause: null };
  // A group is as good as its members, wherever its own address lies.
  if (groupOf(context, entry) !== null) return { ...told, verdict: 'dial', cause: null };
  if (failure !== null) return { ...told, verdict: 'refused', cause: failure };
  const asked = target === null ? [] : [permissionUri(target)].filter((uri) => !members.has(uri));
  return consentRefused(asked, context) === null
    ? { ...told, verdict: 'dial', cause: null }
    : { ...told, verdict: 'refused', cause: { status: 470, reason: 'Consent Needed' } };
}
