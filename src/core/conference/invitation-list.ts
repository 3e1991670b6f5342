import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { type Context, isFocus } from '../context.ts';
import { limits } from '../limits.ts';
import { consentRefused, permissionUri } from './consent.ts';
import { type Invitee, inviteesOf, type ListReading } from './invitees.ts';
import { type Asker, expandGroups, tooLong } from './own-groups.ts';
import type { Refused } from './requirements.ts';

/** Whom a list asks in, or why nobody is asked in; nothing is changed yet. */
export type ListPlan = { readonly invitees: readonly Invitee[] };

/**
 * Judges the list that somebody invites by: its length, groups in it, who must not or need not be invited, and consent,
 * of which membership in a group that is named is as good as any.
 */
export function planList(context: Context, entries: readonly RecipientEntry[], asker: Asker): ListPlan | Refused {
  if (entries.length > limits.listEntriesMax) return tooLong;
  const expanded = expandGroups(context, entries, asker);
  if ('code' in expanded) return expanded;
  const invitees = readList(context, expanded.entries, asker);
  const dialled = invitees.flatMap(({ target }) => (target === null ? [] : [permissionUri(target)]));
  const unasked = dialled.filter((uri) => !expanded.members.has(uri));
  return consentRefused(unasked, context) ?? { invitees };
}

/** The invitees of a list that is as good as judged: the members of a group. */
export function readList(context: Context, entries: readonly RecipientEntry[], asker: Asker): readonly Invitee[] {
  return inviteesOf(entries, { ...listReading(context), creatorAor: asker });
}

/** How a list is read that nobody sent who would be in it. */
export function listReading(context: Context): ListReading {
  const { settings, users } = context;
  return {
    creatorAor: null,
    settings,
    isFocus: (uri) => isFocus(context, uri),
    isBarred: (aor) => users.isBarred(aor),
  };
}
