import { readRecipientUri } from '../../wire/recipient-uri.ts';
import { writeResourceList } from '../../wire/resource-list-text.ts';
import type { RecipientEntry } from '../../wire/resource-lists.ts';
import { type SipUri, writeSipUri } from '../../wire/sip-uri.ts';
import type { Context } from '../context.ts';
import { limits } from '../limits.ts';
import type { GroupMember, GroupRow } from '../rows.ts';
import { mayJoinGroup } from './policy.ts';
import type { Refused } from './requirements.ts';

/** Groups of ours as lists of their members: in the list of somebody, or called by a focus that had them in one. */

/** A list with the members of our groups in place of the groups; `members` are the addresses of those. */
export type Expanded = { readonly entries: readonly RecipientEntry[]; readonly members: ReadonlySet<string> };

/** Who asks, by AOR; null: an operator, to whom every group is open. */
export type Asker = string | null;

/** RFC 5363 5.3, of a list by itself and with the members of its groups. */
export const tooLong: Refused = { code: 'list-too-long', detail: `More than ${limits.listEntriesMax} entries` };

/** `entries` with our groups taken apart. RFC 5318 4: 403 when one of them is closed to who asks. */
export function expandGroups(context: Context, entries: readonly RecipientEntry[], asker: Asker): Expanded | Refused {
  const groups = entries.map((entry) => groupOf(context, entry));
  const closed = groups.filter((group) => group !== null && asker !== null && !mayJoinGroup(group, asker));
  if (closed.length > 0) return refusedGroups(closed as GroupRow[]);
  // Counted before anything of it is read: a short list of long groups is a long list.
  if (groups.reduce((sum, group) => sum + (group?.members.length ?? 1), 0) > limits.listEntriesMax) return tooLong;
  const members = new Set(groups.flatMap((group) => group?.members.map(({ uri }) => uri) ?? []));
  const expanded = entries.flatMap((entry, index) => {
    const group = groups[index] ?? null;
    return group === null ? [entry] : group.members.map((member) => ({ ...entry, ...readMember(member) }));
  });
  return { entries: expanded, members };
}

/** The members of a group as the entries of a list. */
export function memberEntries({ members }: GroupRow): readonly RecipientEntry[] {
  const told = { copyControl: 'bcc', anonymize: false } as const;
  return members.map((member, position) => ({ raw: member.uri, position, ...told, ...readMember(member) }));
}

/**
 * What another focus is told that calls one of our groups: RFC 5318 4, it has a list in its list. Who may join the group
 * learns who is in it, and can ask them in directly.
 */
export function refusedToFocus({ ids, settings }: Context, group: GroupRow, asker: string): Refused {
  const refused = refusedGroups([group]);
  const text = writeResourceList(group.members);
  if (!mayJoinGroup(group, asker) || Buffer.byteLength(text) > limits.refusedListBytesMax) return refused;
  const contentId = `${ids.tag()}@${settings.realm}`;
  return {
    ...refused,
    headers: { 'P-Refused-URI-List': `<${group.uri}>;members="<cid:${contentId}>"` },
    body: { contentId, type: 'application/resource-lists+xml', text },
  };
}

/** Why nobody is to be called who is ourselves: what `uri` names, where it is ours. */
export function ownUriRefused({ directory, now }: Context, uri: SipUri): Refused | null {
  const target = directory.target(uri, now);
  if (target.kind === 'unknown') return null;
  return target.kind === 'group' ? refusedGroups([target.group]) : { code: 'loop', detail: writeSipUri(uri) };
}

function refusedGroups(groups: readonly GroupRow[]): Refused {
  const uris = [...new Set(groups.map(({ uri }) => uri))];
  const headers = { 'P-Refused-URI-List': uris.map((uri) => `<${uri}>`).join(', ') };
  return { code: 'list-of-lists', detail: uris.length === 1 ? 'It is a group' : 'They are groups', headers };
}

/** The group of ours that the entry asks to invite, or null. */
export function groupOf({ directory, now }: Context, { reading }: RecipientEntry): GroupRow | null {
  if (!reading.ok || (reading.method !== null && reading.method.toUpperCase() !== 'INVITE')) return null;
  const target = directory.target(reading.target, now);
  return target.kind === 'group' ? target.group : null;
}

function readMember({ uri, displayName }: GroupMember): Pick<RecipientEntry, 'displayName' | 'reading' | 'quirks'> {
  return { displayName, ...readRecipientUri(uri, { lenient: false }) };
}
